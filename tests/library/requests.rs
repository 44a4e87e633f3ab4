//! Requests with options of their own.

use bspm::backend::ScoredItem;
use bspm::data::{ItemColumn, ItemGroups, ItemSet, ItemTable, SyntheticShape};
use bspm::fitted::{DiversityMethod, ListRequest, RankOptions, Rerank};
use bspm::{
    BspmConfig, CpuBackend, Dataset, EvaluateOptions, Fallback, FilterConfig, FittedFilter, Model,
    Preset, RecommendOptions,
};
use proptest::prelude::*;
use std::sync::LazyLock;

/// Enough items for a search for candidates in short lists.
const ITEMS: usize = 700;

static FILTERS: LazyLock<[FittedFilter<CpuBackend>; 2]> = LazyLock::new(|| {
    let shape = SyntheticShape {
        users: 150,
        items: ITEMS,
        train: 4000,
        test: 150,
        communities: 6,
    };
    let interactions = shape.generate(5).unwrap().train;
    let bspm = BspmConfig::builder()
        .ideal_low_pass(64, 0.3)
        .build()
        .unwrap();
    let turbo_cf = FilterConfig::published("turbo-cf", Preset::Gowalla).unwrap();
    [FilterConfig::from(bspm), turbo_cf]
        .map(|config| FittedFilter::fit(CpuBackend::new(), interactions.clone(), config).unwrap())
});

fn groups() -> ItemGroups {
    let brands = ["a", "b", "c", "d", "e"];
    let brands = (0..ITEMS).map(|item| brands[item % 5]);
    let columns = vec![
        ItemColumn::texts("title", (0..ITEMS).map(|_| "x")),
        ItemColumn::texts("brand", brands),
    ];
    let table = ItemTable::new((0..ITEMS as u32).collect(), "title", columns).unwrap();
    table.groups("brand").unwrap()
}

/// The options of a request.
#[derive(Clone, Debug)]
struct Asked {
    user: u32,
    k: usize,
    deny: Vec<u32>,
    minimum_score: Option<f32>,
    rerank: Rerank,
}

fn reranks() -> impl Strategy<Value = Rerank> {
    let boosts = (1_usize..9, 0.1_f64..8.0).prop_map(|(step, factor)| {
        let set = (0..ITEMS).map(|item| item.is_multiple_of(step)).collect();
        Rerank::new().boost(ItemSet::new(set), factor)
    });
    prop_oneof![
        4 => Just(Rerank::new()),
        1 => boosts,
        1 => (0.0_f64..1.0).prop_map(|penalty| Rerank::new().popularity_penalty(penalty)),
        1 => (1_usize..4).prop_map(|count| Rerank::new().at_most(count, groups())),
        1 => (0.0_f64..1.0).prop_map(|diversity| Rerank::new().diversity(diversity)),
        1 => (0.1_f64..1.0).prop_map(|diversity| {
            Rerank::new().diversity(diversity).diversity_method(DiversityMethod::Dpp)
        }),
    ]
}

prop_compose! {
    fn requests()(
        user in 0_u32..150,
        k in prop_oneof![1_usize..11, Just(ITEMS)],
        deny in prop::collection::vec(0..ITEMS as u32, 0..4),
        minimum_score in prop::option::of(-0.01_f32..0.3),
        rerank in reranks(),
    ) -> Asked {
        Asked { user, k, deny, minimum_score, rerank }
    }
}

/// Items, and scores as bits.
fn bits(lists: &[Vec<ScoredItem>]) -> Vec<Vec<(u32, u32)>> {
    let of = |list: &Vec<ScoredItem>| {
        list.iter()
            .map(|it| (it.item, it.score.to_bits()))
            .collect()
    };
    lists.iter().map(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn requests_scored_together_have_the_lists_of_each_alone(
        asked in prop::collection::vec(requests(), 1..50),
        is_filled: bool,
    ) {
        for filter in &*FILTERS {
            let fallback = if is_filled { Fallback::Popularity } else { Fallback::None };
            let history = |user| filter.interactions().history(user).unwrap();
            let requests: Vec<ListRequest<'_>> = asked
                .iter()
                .map(|it| {
                    let request = ListRequest::new(history(it.user))
                        .k(it.k)
                        .deny(&it.deny)
                        .rerank(&it.rerank);
                    it.minimum_score.map_or(request, |score| request.minimum_score(score))
                })
                .collect();
            let options = RankOptions::top(3).fallback(fallback).batch_invariant();
            let together = filter.rank_requests(&requests, &options).unwrap();
            for (asked, list) in asked.iter().zip(together.lists) {
                let mut options = RankOptions::top(asked.k)
                    .deny(asked.deny.clone())
                    .rerank(asked.rerank.clone())
                    .fallback(fallback)
                    .batch_invariant();
                options.minimum_score = asked.minimum_score;
                let alone = filter.rank(&[asked.user], &options).unwrap();
                prop_assert_eq!(bits(&[list]), bits(&alone.lists), "{:?}", asked);
            }
        }
    }
}

#[test]
fn options_of_a_request_replace_those_of_all_requests() {
    let filter = &FILTERS[0];
    let history = filter.interactions().history(3).unwrap();
    let boost = |factor| {
        let set = (0..ITEMS).map(|item| item % 2 == 0).collect();
        Rerank::new().boost(ItemSet::new(set), factor)
    };
    let (strong, none, allow) = (boost(8.0), Rerank::new(), Vec::from_iter(0..400_u32));
    let of_all = || {
        RankOptions::top(30)
            .minimum_score(0.001)
            .rerank(boost(3.0))
            .allow(Vec::from_iter(200..ITEMS as u32))
            .batch_invariant()
    };
    let some = RankOptions::top(6).allow(Vec::from_iter(200..ITEMS as u32));
    let high = filter.rank(&[3], &some).unwrap().lists[0][5].score;
    let alone = |options: &RankOptions| filter.rank(&[3], options).unwrap().lists;
    let plain = ListRequest::new(history);
    let requests = [
        plain,
        plain.k(4),
        plain.minimum_score(high),
        plain.rerank(&strong),
        plain.rerank(&none),
        plain.allow(&allow),
        plain.keep_seen(),
    ];
    let found = filter.rank_requests(&requests, &of_all()).unwrap().lists;
    let mut four = of_all();
    four.k = 4;
    let expected = [
        of_all(),
        four,
        of_all().minimum_score(high),
        of_all().rerank(boost(8.0)),
        of_all().rerank(Rerank::new()),
        of_all().allow(Vec::from_iter(200..400)),
        of_all().keep_seen(),
    ];
    for (found, options) in found.iter().zip(&expected) {
        assert!(!found.is_empty(), "{options:?}");
        assert_eq!(bits(std::slice::from_ref(found)), bits(&alone(options)));
    }
    for other in &found[1..] {
        assert_ne!(*other, found[0]);
    }
}

#[test]
fn options_of_a_request_are_checked() {
    let filter = &FILTERS[1];
    let history = filter.interactions().history(0).unwrap();
    let boost = Rerank::new().boost(ItemSet::new(vec![true; ITEMS]), -1.0);
    let short = Rerank::new().boost(ItemSet::new(vec![true; 3]), 2.0);
    for (request, expected) in [
        (ListRequest::new(history).k(0), "k: "),
        (
            ListRequest::new(history).minimum_score(f32::NAN),
            "minimum_score: ",
        ),
        (ListRequest::new(history).rerank(&boost), "boost: "),
        (ListRequest::new(history).rerank(&short), "items of a rule"),
    ] {
        let refused = filter.rank_requests(&[request], &RankOptions::top(3));
        let message = refused.unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_set_of_the_rows_of_another_table_is_refused() {
    let pairs = [(1, 10), (1, 20), (2, 20), (2, 30), (3, 30), (3, 10)];
    let columns = vec![
        ItemColumn::texts("title", ["d", "c", "b", "a"]),
        ItemColumn::texts("brand", ["B", "A", "B", "A"]),
    ];
    let ids = [40_u32, 30, 20, 10].into_iter().collect();
    let table = ItemTable::new(ids, "title", columns).unwrap();
    let dataset: Dataset<u32, u32> = Dataset::from_pairs(pairs).unwrap();
    let dataset = dataset.with_items(table.clone()).unwrap();
    let config = BspmConfig::builder().build().unwrap();
    let model = Model::fit(CpuBackend::new(), dataset, config).unwrap();
    let of_brand = |table: &ItemTable<u32>| {
        let brand = table.column("brand").unwrap();
        table.rows_where(|row| brand.text(row) == Some("A"))
    };
    let listed = |model: &Model<_, u32, u32>, set: ItemSet| {
        let options = RecommendOptions::top(5).allow_set(set);
        let list = model.recommend_for_items(&[20], options);
        list.map(|list| list.into_iter().map(|it| it.item).collect::<Vec<_>>())
    };
    let own = of_brand(model.dataset().item_table().unwrap());
    let mut found = listed(&model, own.clone()).unwrap();
    found.sort_unstable();
    assert_eq!(found, [10, 30]);
    let refused = "allow_set: expected rows of the item table of the data set of this model";
    let error = listed(&model, of_brand(&table)).unwrap_err().to_string();
    assert!(error.starts_with(refused), "{error}");
    // Item 40 has a row already, which becomes that of a column.
    let later = model.with_interactions([(1, 50), (2, 40)]).unwrap();
    assert!(listed(&later, own).is_err());
    let groups = |table: &ItemTable<u32>| Rerank::new().at_most(1, table.groups("brand").unwrap());
    let options = |rerank| RecommendOptions::top(5).rerank(rerank);
    let own = groups(later.dataset().item_table().unwrap());
    assert!(later.recommend(&1, options(own)).is_ok());
    let error = later.recommend(&1, options(groups(&table))).unwrap_err();
    assert!(
        error.to_string().starts_with("rerank: expected rows"),
        "{error}"
    );
    let test = Dataset::from_pairs([(1, 30)]).unwrap();
    let evaluate = |table| later.evaluate(&test, EvaluateOptions::at([2]).rerank(groups(table)));
    assert!(evaluate(&table).is_err());
    assert!(evaluate(later.dataset().item_table().unwrap()).is_ok());
}
