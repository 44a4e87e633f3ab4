//! Properties of splits, of adding and removing interactions, of saved models, and of lists that are
//! selected from candidates.

use std::collections::BTreeSet;

use bspm::data::{Dataset, Event};
use bspm::fitted::RankOptions;
use bspm::{CpuBackend, FilterConfig, FittedFilter, Interactions, Model};
use ndarray::ArrayView1;
use proptest::prelude::*;

type Pair = (u8, u8);

fn pairs() -> impl Strategy<Value = Vec<Pair>> {
    prop::collection::vec((0_u8..12, 0_u8..15), 1..80)
}

fn timed(pairs: &[Pair]) -> Dataset<u8, u8> {
    let mut builder = Dataset::builder();
    for (time, &(user, item)) in pairs.iter().enumerate() {
        let event = Event::new(user, item).time((time % 17) as f64);
        builder.push(event).unwrap();
    }
    builder.finish().unwrap()
}

/// The interactions by their ids.
fn all(dataset: &Dataset<u8, u8>) -> BTreeSet<Pair> {
    let pairs = dataset.interactions().pairs();
    let ids = |(user, item)| (dataset.users().id(user), dataset.items().id(item));
    pairs
        .map(|pair| match ids(pair) {
            (Some(&user), Some(&item)) => (user, item),
            _ => panic!("a row or a column without an id"),
        })
        .collect()
}

proptest! {
    #[test]
    fn a_split_has_every_interaction_once(
        pairs in pairs(), ratio in 0.05_f64..0.95, seed: u64, time in 0.0_f64..17.0,
    ) {
        let dataset = timed(&pairs);
        let splits = [
            dataset.random_split(ratio, seed),
            dataset.hold_out(ratio, seed),
            dataset.leave_last_out(),
            dataset.split_at(time),
        ];
        for split in splits.into_iter().flatten() {
            let (train, test) = (all(&split.train), all(&split.test));
            prop_assert!(train.is_disjoint(&test));
            prop_assert_eq!(&train | &test, all(&dataset));
            prop_assert_eq!(split.train.interactions().users(), split.test.interactions().users());
            prop_assert_eq!(split.train.interactions().items(), split.test.interactions().items());
        }
    }

    #[test]
    fn folds_have_every_interaction_once_in_a_test_part(pairs in pairs(), seed: u64) {
        let dataset = timed(&pairs);
        let mut tested = BTreeSet::new();
        for fold in 0..2 {
            let Ok(split) = dataset.fold(fold, 2, seed) else { return Ok(()) };
            for pair in all(&split.test) {
                prop_assert!(tested.insert(pair), "{pair:?} is in two test parts");
            }
        }
        prop_assert!(tested.is_subset(&all(&dataset)));
    }

    #[test]
    fn what_is_left_out_is_gone_and_nothing_else(pairs in pairs(), user in 0_u8..12, item in 0_u8..15) {
        let dataset = timed(&pairs);
        let (users, items): (Vec<u8>, Vec<u8>) = (
            dataset.users().iter().copied().filter(|it| *it == user).collect(),
            dataset.items().iter().copied().filter(|it| *it == item).collect(),
        );
        let mut expected = all(&dataset);
        expected.retain(|pair| pair.0 != user && pair.1 != item);
        match dataset.without(&users, &items) {
            Ok(left) => prop_assert_eq!(all(&left), expected),
            Err(error) => prop_assert!(expected.is_empty(), "{error}"),
        }
    }

    #[test]
    fn joined_pairs_are_the_union(first in pairs(), more in pairs()) {
        let dataset: Dataset<u8, u8> = Dataset::from_pairs(first.iter().copied()).unwrap();
        let joined = dataset.with_pairs(more.iter().copied()).unwrap();
        let union: BTreeSet<Pair> = first.iter().chain(&more).copied().collect();
        prop_assert_eq!(all(&joined), union);
        for (row, user) in dataset.users().iter().enumerate() {
            prop_assert_eq!(joined.users().index(user), Some(row as u32));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_saved_model_gives_the_same_lists(pairs in pairs(), filter in prop::sample::select(vec![
        "bspm", "gf-cf", "ease-r", "item-knn", "svd-ae", "sgfcf", "popularity",
    ])) {
        let text = |id: u8| format!("i{id}");
        let named = pairs.iter().map(|&(user, item)| (u64::from(user), text(item)));
        let dataset: Dataset<u64, String> = Dataset::from_pairs(named).unwrap();
        let mut config = FilterConfig::for_shape(filter, dataset.interactions().shape()).unwrap();
        let _ = config.set("factor_dim", "3");
        let model = match Model::fit(CpuBackend::new(), dataset, config) {
            Ok(model) => model,
            // There is no score: every user has every item, or the matrix has only one singular vector.
            Err(_) => return Ok(()),
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.bspm");
        model.save(&path).unwrap();
        let opened: Model<CpuBackend, u64, String> = Model::open(CpuBackend::new(), &path).unwrap();
        for user in model.dataset().users().iter() {
            prop_assert_eq!(model.recommend(user, 5).unwrap(), opened.recommend(user, 5).unwrap());
        }
    }

    /// With at least 64 factors, and many items per entry of a list, lists are selected from candidates.
    #[test]
    fn lists_from_candidates_are_those_of_all_scores(
        pairs in prop::collection::vec((0_u32..100, 0_u32..400), 2000..4000),
        factors in 64_usize..80,
        filter in prop::sample::select(vec!["bspm", "gf-cf", "svd-ae", "cheby-cf"]),
    ) {
        let interactions = Interactions::from_pairs(100, 400, pairs).unwrap();
        let mut config = FilterConfig::for_shape(filter, interactions.shape()).unwrap();
        config.set("factor_dim", &factors.to_string()).unwrap();
        let fitted = FittedFilter::fit(CpuBackend::new(), interactions, config).unwrap();
        let users: Vec<u32> = (0..100).collect();
        let lists = fitted.rank(&users, &RankOptions::top(5)).unwrap().lists;
        let scores = fitted.score(&users).unwrap();
        let largest = scores.fold(0.0_f32, |most, it| most.max(it.abs()));
        for ((list, scores), &user) in lists.iter().zip(scores.rows()).zip(&users) {
            let best = best(scores, fitted.interactions().items_of(user));
            for (entry, best) in list.iter().zip(best) {
                prop_assert!((entry.score - best).abs() <= 1e-5 * largest);
                prop_assert!((entry.score - scores[entry.item as usize]).abs() <= 1e-5 * largest);
            }
        }
    }
}

/// The scores of the items that are not seen, highest first.
fn best(scores: ArrayView1<'_, f32>, seen: &[u32]) -> Vec<f32> {
    let unseen = (0..).zip(&scores).filter(|(item, _)| !seen.contains(item));
    let mut best: Vec<f32> = unseen.map(|(_, &score)| score).collect();
    best.sort_by(|left, right| right.total_cmp(left));
    best
}
