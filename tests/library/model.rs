//! Models with external ids: fold-in and explanations are exact, options work as documented, and updates
//! are as accurate as documented.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::random::{configs, matrices};
use bspm::data::SyntheticShape;
use bspm::filters::{FilterConfig, ItemKnn, Mix, Popularity};
use bspm::{
    BspmConfig, CpuBackend, Dataset, Error, EvaluateOptions, Fallback, FitOptions, Interactions,
    Model, Observer, Progress, RecommendOptions, Recommendation, Solver, Stage, UnknownIds,
};
use proptest::prelude::*;

type SmallModel = Model<CpuBackend, String, u64>;

/// Users `u0, u1, ...` and items `1000, 1001, ...`.
fn named(interactions: &Interactions) -> Dataset<String, u64> {
    Dataset::from_interactions(
        (0..interactions.users())
            .map(|row| format!("u{row}"))
            .collect(),
        (1000..1000 + interactions.items() as u64).collect(),
        interactions.clone(),
    )
    .unwrap()
}

fn fit(interactions: &Interactions, config: BspmConfig) -> SmallModel {
    Model::fit(CpuBackend::new(), named(interactions), config).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..Default::default() })]

    #[test]
    fn folding_in_a_users_own_history_gives_the_users_list_bit_for_bit(
        interactions in matrices(),
        config in configs(),
        user in 0_usize..9,
        k in 1_usize..50,
        is_backwards: bool,
    ) {
        let model = fit(&interactions, config);
        let user = format!("u{user}");
        let mut history: Vec<u64> =
            model.dataset().history(&user).unwrap().into_iter().copied().collect();
        if is_backwards {
            history.reverse();
            history.extend_from_within(..history.len() / 2);
        }
        let bits = |list: Vec<Recommendation<u64>>| -> Vec<(u64, u32)> {
            list.into_iter().map(|entry| (entry.item, entry.score.to_bits())).collect()
        };
        prop_assert_eq!(
            bits(model.recommend_for_items(&history, k).unwrap()),
            bits(model.recommend(&user, k).unwrap())
        );
    }

    #[test]
    fn contributions_sum_to_the_score(
        interactions in matrices(),
        config in configs(),
        user in 0_usize..9,
        item in 0_u64..9,
    ) {
        let model = fit(&interactions, config);
        let (user, item) = (format!("u{user}"), 1000 + item);
        let explanation = model.explain(&user, &item).unwrap();
        let history = model.dataset().history(&user).unwrap();
        prop_assert_eq!(explanation.contributions.len(), history.len());
        let parts = || explanation.contributions.iter().map(|part| f64::from(part.score));
        let error = (parts().sum::<f64>() - f64::from(explanation.score)).abs();
        let size = parts().map(f64::abs).sum::<f64>().max(1.0);
        prop_assert!(error <= 1e-5 * size, "{error:e} of {size}");
        let score = f64::from(model.score(&user, [&item]).unwrap()[0]);
        let error = (score - f64::from(explanation.score)).abs();
        prop_assert!(error <= 1e-5 * size, "{error:e} of {size}");
        prop_assert!(explanation.contributions.is_sorted_by(|left, right| left.score >= right.score));
        // A repeated item counts once.
        let fitted = model.filter();
        let column = model.dataset().items().index(&item).unwrap();
        let (once, base) = fitted.contributions(&[0, 1], column).unwrap();
        let twice = fitted.contributions(&[0, 1, 0], column).unwrap();
        prop_assert_eq!(twice, (vec![once[0], once[1], 0.0], base));
    }

    #[test]
    fn options_are_those_of_filtering_the_whole_list(
        interactions in matrices(),
        user in 0_usize..9,
        k in 1_usize..20,
        keeps_seen: bool,
        denied in prop::collection::vec(1000_u64..1040, 0..12),
        allowed in prop::option::of(prop::collection::vec(1000_u64..1040, 0..25)),
        least in prop::option::of(-0.5_f32..0.5),
    ) {
        let config = BspmConfig::builder().sharpen(Solver::Rk4, 2.0, 1).build().unwrap();
        let model = fit(&interactions, config);
        let user = format!("u{user}");
        let everything = RecommendOptions::top(1000)
            .keep_seen()
            .fallback(Fallback::Unscored);
        let all = model.recommend(&user, everything).unwrap();
        let seen = model.dataset().history(&user).unwrap();
        let expected: Vec<Recommendation<u64>> = all
            .into_iter()
            .filter(|entry| keeps_seen || !seen.contains(&&entry.item))
            .filter(|entry| !denied.contains(&entry.item))
            .filter(|entry| allowed.as_ref().is_none_or(|it| it.contains(&entry.item)))
            .filter(|entry| least.is_none_or(|least| entry.score >= least))
            .take(k)
            .collect();

        let mut options = RecommendOptions::top(k)
            .deny(denied)
            .fallback(Fallback::Unscored)
            .unknown_ids(UnknownIds::Skip);
        if keeps_seen {
            options = options.keep_seen();
        }
        if let Some(allowed) = allowed {
            options = options.allow(allowed);
        }
        if let Some(least) = least {
            options = options.minimum_score(least);
        }
        prop_assert_eq!(model.recommend(&user, options).unwrap(), expected);
    }

    #[test]
    fn with_interactions_is_folding_in_and_refit_is_fitting(
        interactions in matrices(),
        config in configs(),
        more in prop::collection::vec((0_usize..12, 0_u64..9), 1..20),
    ) {
        let model = fit(&interactions, config.clone());
        let pairs: Vec<(String, u64)> =
            more.iter().map(|&(user, item)| (format!("u{user}"), 1000 + item)).collect();
        let later = model.with_interactions(pairs.clone()).unwrap();
        for (user, _) in &pairs {
            let mut history: Vec<u64> = match model.dataset().history(user) {
                Ok(history) => history.into_iter().copied().collect(),
                Err(_) => Vec::new(),
            };
            history.extend(pairs.iter().filter(|pair| pair.0 == *user).map(|pair| pair.1));
            prop_assert_eq!(
                later.recommend(user, 9).unwrap(),
                model.recommend_for_items(&history, 9).unwrap()
            );
        }
        let again = later.refit().unwrap();
        let expected = Model::fit(CpuBackend::new(), later.dataset().clone(), config).unwrap();
        prop_assert_eq!(
            again.recommend(&pairs[0].0, 9).unwrap(),
            expected.recommend(&pairs[0].0, 9).unwrap()
        );
        prop_assert_eq!(
            &**again.filter().interactions(),
            &**later.dataset().interactions()
        );
    }
}

fn community() -> SmallModel {
    let shape = SyntheticShape {
        users: 300,
        items: 400,
        train: 5_000,
        test: 500,
        communities: 6,
    };
    let config = BspmConfig::builder()
        .sharpen(Solver::Rk4, 2.0, 1)
        .ideal_low_pass(32, 0.2)
        .build()
        .unwrap();
    fit(&shape.generate(11).unwrap().train, config)
}

#[test]
fn many_users_are_answered_in_their_order() {
    let model = community();
    let users: Vec<String> = (0..300)
        .rev()
        .step_by(3)
        .map(|row| format!("u{row}"))
        .collect();
    let lists = model.recommend_many(&users, 10).unwrap();
    assert_eq!(lists.len(), users.len());
    for (user, list) in users.iter().zip(lists) {
        let alone = model.recommend(user, 10).unwrap();
        for (entry, alone) in list.iter().zip(&alone) {
            assert!((entry.score - alone.score).abs() <= 1e-5, "{user}");
        }
    }
}

/// The correlation of two samples of the same length.
fn correlation(left: &[f64], right: &[f64]) -> f64 {
    let centred = |sample: &[f64]| -> Vec<f64> {
        let mean = sample.iter().sum::<f64>() / sample.len() as f64;
        sample.iter().map(|it| it - mean).collect()
    };
    let dot = |left: &[f64], right: &[f64]| -> f64 {
        left.iter()
            .zip(right)
            .map(|(left, right)| left * right)
            .sum()
    };
    let (left, right) = (centred(left), centred(right));
    dot(&left, &right) / (dot(&left, &left) * dot(&right, &right)).sqrt()
}

#[test]
fn a_new_item_joins_as_what_its_users_say_it_is() {
    let model = community();
    let twin = 1003;
    let dataset = model.dataset();
    let has_it = |user: &&String| dataset.history(*user).unwrap().contains(&&twin);
    let (with, without): (Vec<&String>, Vec<&String>) = dataset.users().iter().partition(has_it);
    assert!(with.len() > 3, "{}", with.len());
    let pairs = with.iter().map(|&user| (user.clone(), 7_u64));
    let later = model.with_interactions(pairs).unwrap();
    assert_eq!(later.dataset().items().len(), dataset.items().len() + 1);
    assert_eq!(
        later.filter().singular_values(),
        model.filter().singular_values()
    );
    assert_eq!(later.filter().svd_report(), None);

    let exact = later.refit().unwrap();
    let scores = |model: &SmallModel, item: u64| -> Vec<f64> {
        let of_user = |user: &&String| f64::from(model.score(*user, [&item]).unwrap()[0]);
        without.iter().map(of_user).collect()
    };
    let joined = scores(&later, 7);
    let of_twin = correlation(&joined, &scores(&later, twin));
    let of_exact = correlation(&joined, &scores(&exact, 7));
    let of_another = correlation(&joined, &scores(&later, 1010));
    assert!(of_twin > 0.95 && of_exact > 0.95, "{of_twin} {of_exact}");
    assert!(of_another < 0.9, "{of_another}");
    let similar = later.similar_items(&7, 1).unwrap();
    assert_eq!(similar[0].item, twin);
}

#[test]
fn unknown_ids_are_errors_or_skipped() {
    let model = community();
    let error = model.recommend("nobody", 3).unwrap_err();
    assert_eq!(error.to_string(), "user \"nobody\" is unknown");
    assert!(matches!(error, Error::UnknownId { kind: "user", .. }));
    for error in [
        model.similar_items(&7, 3).unwrap_err(),
        model.recommend_for_items([&1001, &7], 3).unwrap_err(),
        model.score("u1", [&7]).unwrap_err(),
        model.explain("u1", &7).unwrap_err(),
        model
            .recommend("u1", RecommendOptions::top(3).deny([7_u64]))
            .unwrap_err(),
    ] {
        assert_eq!(error.to_string(), "item 7 is unknown");
    }
    let long = model.recommend("x".repeat(5000).as_str(), 1).unwrap_err();
    assert!(long.to_string().len() < 100, "{long}");

    let skip = RecommendOptions::top(3).unknown_ids(UnknownIds::Skip);
    assert!(model.recommend("nobody", &skip).unwrap().is_empty());
    assert!(model.similar_items(&7, &skip).unwrap().is_empty());
    assert_eq!(
        model.recommend_for_items([&7, &1001], &skip).unwrap(),
        model.recommend_for_items([&1001], 3).unwrap()
    );
    let lists = model.recommend_many(["u4", "nobody", "u5"], skip).unwrap();
    assert_eq!(lists.iter().map(Vec::len).collect::<Vec<_>>(), [3, 0, 3]);
}

#[test]
fn evaluations_of_models_with_users_in_another_order_are_compared_by_user() {
    let pairs =
        (0..20_u64).flat_map(|user| (0..5).map(move |it| (user, (user / 5 + it * it) % 12)));
    let split = Dataset::from_pairs(pairs.map(|(user, item)| (format!("u{user}"), item)))
        .unwrap()
        .hold_out(0.4, 1)
        .unwrap();
    // The same interactions with the last users, of this number, in the opposite order.
    let backwards = |count: usize| -> Dataset<String, u64> {
        let (train, skipped) = (&split.train, split.train.users().len() - count);
        let users: Vec<String> = train.users().iter().skip(skipped).cloned().collect();
        let users = users.into_iter().rev().collect();
        let rows = train.interactions().pairs().filter_map(|(user, item)| {
            let row = (user as usize).checked_sub(skipped)?;
            Some(((count - 1 - row) as u32, item))
        });
        let items = train.items().len();
        let interactions = Interactions::from_pairs(count, items, rows).unwrap();
        Dataset::from_interactions(users, train.items().iter().copied().collect(), interactions)
            .unwrap()
    };
    let fit = |dataset: Dataset<String, u64>, filter: FilterConfig| {
        Model::fit(CpuBackend::new(), dataset, filter).unwrap()
    };
    let train = split.train.clone();
    let (item_knn, popularity) = (ItemKnn::default(), Popularity::default());
    let evaluate = |model: &Model<CpuBackend, String, u64>| {
        let options = EvaluateOptions::at([3]).unknown_users(UnknownIds::Skip);
        model.evaluate_users(&split.test, options).unwrap()
    };
    let first = evaluate(&fit(train.clone(), item_knn.into()));
    let same_order = evaluate(&fit(train, popularity.clone().into()));
    let other_order = evaluate(&fit(backwards(20), popularity.clone().into()));
    assert_ne!(first.users(), other_order.users());
    let comparison = first.compare(&other_order, "recall", 3).unwrap();
    assert_eq!(comparison, first.compare(&same_order, "recall", 3).unwrap());
    assert!(comparison.wins > 0);

    let error = first
        .compare(
            &evaluate(&fit(backwards(19), popularity.into())),
            "recall",
            3,
        )
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "compare: expected two evaluations of the same users of a test set, found evaluations of 20 and 19 \
         users, 19 of them with the same test items in both"
    );

    // The same test set in another order, and another one of the same users.
    let model = fit(split.train.clone(), ItemKnn::default().into());
    let entries: Vec<(String, u64)> = split
        .test
        .entries()
        .map(|(user, item, _)| (user.clone(), *item))
        .collect();
    let of = |test: Dataset<String, u64>| {
        let options = EvaluateOptions::at([3]).unknown_users(UnknownIds::Skip);
        model.evaluate_users(&test, options).unwrap()
    };
    let reversed = of(Dataset::from_pairs(entries.iter().rev().cloned()).unwrap());
    assert_ne!(reversed.users(), of(split.test.clone()).users());
    let same = reversed
        .compare(&of(split.test.clone()), "recall", 3)
        .unwrap();
    assert_eq!((same.wins, same.losses), (0, 0));
    let more = entries.iter().map(|(user, _)| (user.clone(), 1_000));
    let others = of(Dataset::from_pairs(entries.iter().cloned().chain(more)).unwrap());
    let error = reversed.compare(&others, "recall", 3).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("0 of them with the same test items"),
        "{error}"
    );
}

#[test]
fn similar_items_leave_the_item_out_and_share_its_users() {
    let interactions = Interactions::from_pairs(
        4,
        5,
        [(0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (2, 3), (3, 2)],
    )
    .unwrap();
    let model = fit(&interactions, BspmConfig::builder().build().unwrap());
    let similar = model.similar_items(&1000, 4).unwrap();
    assert_eq!(similar[0].item, 1001);
    assert!(similar[0].score > 0.0);
    assert!(
        similar[1..]
            .iter()
            .all(|entry| entry.item != 1000 && entry.score == 0.0)
    );
}

#[test]
fn impossible_options_are_errors() {
    let model = community();
    assert_eq!(
        model.recommend("u1", 0).unwrap_err().to_string(),
        "k: expected at least 1, found 0"
    );
    let options = RecommendOptions::top(1).minimum_score(f32::NAN);
    assert_eq!(
        model.recommend("u1", options).unwrap_err().to_string(),
        "minimum_score: expected a number, found NaN"
    );
}

#[test]
fn clones_answer_from_other_threads() {
    let model = community();
    let expected = model.recommend("u7", 5).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let model = model.clone();
            let expected = &expected;
            scope.spawn(move || assert_eq!(&model.recommend("u7", 5).unwrap(), expected));
        }
    });
}

#[test]
fn an_observer_sees_every_stage_to_its_end_and_can_end_it() {
    let data = community().dataset().clone();
    let config = BspmConfig::builder()
        .ideal_low_pass(40, 0.2)
        .build()
        .unwrap();
    let largest = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let seen = largest.clone();
    let observer = Observer::new(move |progress: Progress| {
        let stage = usize::from(progress.stage == Stage::Rank);
        assert!(progress.done <= progress.total);
        seen[stage].fetch_max(progress.done, Ordering::Relaxed);
        ControlFlow::Continue(())
    });
    let options = FitOptions::new().observer(observer.clone());
    let model = Model::fit_with(CpuBackend::new(), data.clone(), config.clone(), &options).unwrap();
    let users: Vec<&String> = data.users().iter().collect();
    model
        .recommend_many(
            users.iter().copied(),
            RecommendOptions::top(5).observer(observer),
        )
        .unwrap();
    let largest = largest.each_ref().map(|it| it.load(Ordering::Relaxed));
    assert_eq!(largest, [40, 300]);

    let stop = Observer::new(|_: Progress| ControlFlow::Break(()));
    let options = FitOptions::new().observer(stop.clone());
    let error = Model::fit_with(CpuBackend::new(), data.clone(), config, &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cancelled: truncated SVD had done 0 of 40"
    );
    let error = model
        .recommend_many(
            users.iter().copied(),
            RecommendOptions::top(5).observer(stop),
        )
        .unwrap_err();
    assert!(matches!(
        error,
        Error::Cancelled {
            stage: Stage::Rank,
            total: 300,
            ..
        }
    ));
}

/// Each part of a mix keeps its own singular vectors when items are folded in.
#[test]
fn a_mix_with_new_items_keeps_the_vectors_of_every_part() {
    let pairs = (0..300_u32).flat_map(|user| {
        (0..10).map(move |step| (user, (user * 7 + step * step * (1 + user % 5)) % 120))
    });
    let interactions = Interactions::from_pairs(300, 120, pairs).unwrap();
    let part = |factor_dim: usize, offset: f64| {
        let config = BspmConfig::builder()
            .ideal_low_pass(factor_dim, 0.3)
            .offset(offset);
        (0.5, FilterConfig::from(config.build().unwrap()))
    };
    for second in [0.0, 5.0] {
        let mix = Mix::new([part(3, 0.0), part(24, second)]);
        let model: SmallModel = Model::fit(CpuBackend::new(), named(&interactions), mix).unwrap();
        // A new user with a new item changes nothing for the others.
        let later = model
            .with_interactions([("stranger".to_owned(), 5_000)])
            .unwrap();
        for user in ["u3", "u77", "u200"] {
            let before = model.recommend(user, 10).unwrap();
            let after = later.recommend(user, 10).unwrap();
            let items = |list: &[Recommendation<u64>]| -> Vec<u64> {
                list.iter().map(|entry| entry.item).collect()
            };
            assert_eq!(items(&before), items(&after), "{user} {second}");
            // A mix divides the scores of its parts by their mean norm, which the new user changes.
            let ratios = before
                .iter()
                .zip(&after)
                .map(|(before, after)| after.score / before.score);
            let (least, most) = ratios.fold((f32::MAX, f32::MIN), |(least, most), ratio| {
                (least.min(ratio), most.max(ratio))
            });
            assert!(most / least < 1.01, "{user} {second}: {least} to {most}");
        }
    }
}
