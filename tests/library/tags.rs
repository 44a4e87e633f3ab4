//! Tags of items: items without interactions have scores, and tags are no users.

use bspm::filters::Popularity;
use bspm::fitted::Rerank;
use bspm::tune::{candidates, choose, choose_tag_weight};
use bspm::{
    BspmConfig, CpuBackend, CpuModel, Dataset, Fallback, FilterConfig, FitOptions, Model, Preset,
    RecommendOptions, Solver,
};

type Shop = Dataset<String, u32>;

/// Users of even rows like even items, the others odd ones; item 30 and 31 are nobody's.
fn views() -> Shop {
    let pairs = (0..40_u32).flat_map(|user| {
        (0..6).map(move |step| (user, 2 * ((user / 2 + step * (step + 1)) % 15) + user % 2))
    });
    Dataset::from_pairs(pairs.map(|(user, item)| (format!("u{user}"), item))).unwrap()
}

fn tags() -> Shop {
    let names = ["even", "odd"];
    let pairs = (0..32_u32).map(|item| (names[item as usize % 2].to_owned(), item));
    Dataset::from_pairs(pairs).unwrap()
}

fn tagged(weight: f64) -> Shop {
    views().with_tags(&tags(), weight).unwrap()
}

fn filters() -> Vec<FilterConfig> {
    let names = FilterConfig::NAMES.iter();
    let names = names.filter(|name| !["popularity", "mix", "neighbours"].contains(name));
    let mut configs: Vec<FilterConfig> = names
        .map(|name| {
            let mut config = FilterConfig::published(name, Preset::Gowalla).unwrap();
            if config.set("factor_dim", "4").is_err() {
                // Filters without singular vectors stay as they are.
            }
            config
        })
        .collect();
    let low_pass = BspmConfig::builder().ideal_low_pass(4, 0.3);
    configs.push(
        low_pass
            .sharpen(Solver::Rk4, 2.5, 1)
            .build()
            .unwrap()
            .into(),
    );
    configs
}

fn fit(dataset: Shop, config: impl Into<FilterConfig>) -> CpuModel<String, u32> {
    Model::fit(CpuBackend::new(), dataset, config).unwrap()
}

#[test]
fn items_without_interactions_rank_by_their_tags_with_every_filter() {
    for config in filters() {
        let name = config.name();
        let model = fit(tagged(1.0), config);
        let scores = model.score("u0", [&30, &31]).unwrap();
        assert!(scores[0] > scores[1], "{name}: {scores:?}");
        let similar = model.similar_items(&31, 5).unwrap();
        assert!(similar.iter().all(|it| it.item % 2 == 1), "{name}");
        assert!(!similar.is_empty(), "{name}");
    }
}

#[test]
fn tags_are_the_rows_of_users_that_nobody_sees() {
    let model = fit(tagged(1.0), filters().pop().unwrap());
    let names = tags().map_ids(|tag| tag.clone(), |item| *item).unwrap();
    let as_users = views().with_dataset(&names).unwrap();
    let stacked = fit(as_users, model.filter().config().clone());
    for user in ["u0", "u1", "u7"] {
        let (list, same) = (model.recommend(user, 20), stacked.recommend(user, 20));
        assert_eq!(list.unwrap(), same.unwrap());
    }
    assert_eq!(model.dataset().users().len(), 40);
    assert!(model.recommend("even", 3).is_err());
    let popular = RecommendOptions::top(32)
        .keep_seen()
        .fallback(Fallback::Popularity);
    let filled = fit(tagged(1.0), Popularity::default())
        .recommend("u0", popular)
        .unwrap();
    assert!(filled.iter().all(|it| it.item < 30));
    assert_eq!(
        filled,
        fit(views(), Popularity::default())
            .recommend("u0", RecommendOptions::top(32).keep_seen())
            .unwrap()
    );
}

#[test]
fn evaluations_are_of_users_alone() {
    let split = tagged(1.0).hold_out(0.3, 1).unwrap();
    let model = fit(split.train.clone(), filters().pop().unwrap());
    let evaluation = model.evaluate_users(&split.test, [5]).unwrap();
    assert_eq!(evaluation.users().len(), 40);
    // 30 of 32 items are somebody's, so the mean popularity is that among 40 users.
    let popularity = evaluation.catalogue()[0].popularity;
    assert!((0.01..0.5).contains(&popularity), "{popularity}");
    let means = model.evaluate(&split.test, [5]).unwrap().means();
    assert_eq!(means, evaluation.means());
}

#[test]
fn a_model_file_keeps_the_tags() {
    let model = fit(tagged(0.5), filters().pop().unwrap());
    let bytes = model.to_bytes().unwrap();
    let opened: CpuModel<String, u32> =
        Model::from_bytes(CpuBackend::new(), bytes.clone()).unwrap();
    assert_eq!(opened.dataset(), model.dataset());
    assert_eq!(opened.to_bytes().unwrap(), bytes);
    let refitted = opened.refit().unwrap();
    assert_eq!(refitted.to_bytes().unwrap(), bytes);
    let later = opened.with_interactions([("new".to_owned(), 30)]).unwrap();
    assert_eq!(later.recommend("new", 3).unwrap()[0].item % 2, 0);
    let grown = opened.with_interactions([("new".to_owned(), 99)]).unwrap();
    assert_eq!(grown.dataset().tags().unwrap().len(), 32);
    let bytes = grown.to_bytes().unwrap();
    let opened: CpuModel<String, u32> = Model::from_bytes(CpuBackend::new(), bytes).unwrap();
    assert_eq!(opened.dataset().users().len(), 41);
    let forgotten = model.forget(["u0"], [&31]).unwrap();
    assert_eq!(forgotten.dataset().tags().unwrap().len(), 31);
}

#[test]
fn a_choice_uses_the_tags() {
    let dataset = tagged(1.0);
    let choice = choose(CpuBackend::new(), &dataset, &FitOptions::new()).unwrap();
    let matrix = dataset.matrix_to_fit().unwrap();
    assert!(!candidates(&matrix).is_empty());
    let weight = choose_tag_weight(
        CpuBackend::new(),
        &dataset,
        &choice.config,
        &FitOptions::new(),
    );
    assert!([0.1, 0.3, 1.0, 3.0, 10.0].contains(&weight.unwrap()));
    let without = choose_tag_weight(
        CpuBackend::new(),
        &views(),
        &choice.config,
        &FitOptions::new(),
    );
    let error = without.unwrap_err().to_string();
    assert!(
        error.starts_with("tag_weight: expected a data set with tags"),
        "{error}"
    );
}

#[test]
fn items_without_interactions_are_similar_to_items_with_the_same_tags() {
    // Items 2 and 3 have the tag of item 1 and no users; item 4 has another tag and no users.
    let views: Shop = Dataset::from_pairs([("ann", 0), ("ann", 1), ("bob", 0)].map(owned)).unwrap();
    let tags = [("red", 1), ("red", 2), ("red", 3), ("blue", 0), ("blue", 4)];
    let tags: Shop = Dataset::from_pairs(tags.map(owned)).unwrap();
    let model = fit(
        views.with_tags(&tags, 1.0).unwrap(),
        FilterConfig::published("rp3beta", Preset::Gowalla).unwrap(),
    );
    let list = |rerank: Rerank| -> Vec<u32> {
        let options = RecommendOptions::top(2).rerank(rerank);
        let list = model.recommend_for_items(&[1], options).unwrap();
        list.into_iter().map(|entry| entry.item).collect()
    };
    let plain = list(Rerank::new());
    let diverse = list(Rerank::new().diversity(0.9));
    let are_both = |list: &[u32]| list.contains(&2) && list.contains(&3);
    assert!(!are_both(&diverse), "{plain:?} {diverse:?}");
}

fn owned((user, item): (&str, u32)) -> (String, u32) {
    (user.to_owned(), item)
}
