//! Scores against a dense `f64` implementation of the paper, on random matrices and
//! random configurations.

use crate::random::{configs, matrices};
use bspm::fitted::{Fallback, RankOptions};
use bspm::{BspmConfig, CpuBackend, FittedFilter, Interactions, Solver};
use bspm_conformance::Reference;
use proptest::prelude::*;

/// The largest error, relative to the largest number from which the scores of the user are computed.
const TOLERANCE: f64 = 1e-5;

/// The ideal low-pass filter is compared if its condition number is below 10: then the gap in the spectrum
/// is wide enough for a result to `TOLERANCE` in `f32`.
const WELL_CONDITIONED_GAP: f64 = 0.1;

fn all_users(interactions: &Interactions) -> Vec<u32> {
    (0..interactions.users() as u32).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, max_global_rejects: 20_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn scores_follow_the_paper(interactions in matrices(), config in configs()) {
        let reference = Reference::new(&interactions);
        if let Some(low_pass) = config.ideal_low_pass() {
            prop_assume!(reference.gap_at(low_pass.factor_dim) > WELL_CONDITIONED_GAP);
        }
        let users = all_users(&interactions);
        let model = FittedFilter::fit(CpuBackend::new(), interactions, config.clone()).unwrap();
        let scores = model.score(&users).unwrap();
        let error = reference.scores(&config).largest_relative_error(scores.view());
        prop_assert!(error <= TOLERANCE, "error {error:e}");
    }

    #[test]
    fn one_euler_step_of_blur_over_unit_time_is_the_product_with_p(interactions in matrices()) {
        // The authors' GPU code assumes this identity.
        let users = all_users(&interactions);
        let config = BspmConfig::builder().build().unwrap();
        let reference = Reference::new(&interactions).scores(&config).scores;
        let model = FittedFilter::fit(CpuBackend::new(), interactions.clone(), config).unwrap();
        let scores = model.score(&users).unwrap();

        let (user_degrees, item_degrees) = (interactions.user_degrees(), interactions.item_degrees());
        for &user in &users {
            for item in 0..interactions.items() as u32 {
                let expected: f64 = interactions
                    .items_of(user)
                    .iter()
                    .map(|&seen| {
                        let common: f64 = users
                            .iter()
                            .filter(|&&other| {
                                let items = interactions.items_of(other);
                                items.contains(&seen) && items.contains(&item)
                            })
                            .map(|&other| 1.0 / f64::from(user_degrees[other as usize]))
                            .sum();
                        let degrees = f64::from(item_degrees[seen as usize])
                            * f64::from(item_degrees[item as usize].max(1));
                        common / degrees.sqrt()
                    })
                    .sum();
                let place = [user as usize, item as usize];
                prop_assert!((reference[place] - expected).abs() < 1e-12);
                prop_assert!((f64::from(scores[place]) - expected).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn lists_hold_the_best_unseen_items(interactions in matrices(), k in 1_usize..50) {
        let users = all_users(&interactions);
        let config = BspmConfig::builder().sharpen(Solver::Rk4, 2.0, 1).build().unwrap();
        let model = FittedFilter::fit(CpuBackend::new(), interactions.clone(), config).unwrap();
        let options = RankOptions::top(k).fallback(Fallback::Unscored);
        let lists = model.rank(&users, &options).unwrap().lists;
        for (&user, list) in users.iter().zip(&lists) {
            let seen = interactions.items_of(user);
            prop_assert_eq!(list.len(), k.min(interactions.items() - seen.len()));
            let in_order = list.windows(2).all(|pair| {
                pair[0].score > pair[1].score
                    || (pair[0].score == pair[1].score && pair[0].item < pair[1].item)
            });
            prop_assert!(in_order);
            prop_assert!(list.iter().all(|entry| !seen.contains(&entry.item)));
        }
    }
}
