//! The truncated SVD and the fitted model.

use super::{Reference, orthogonality_loss, random_interactions, random_source, to_f64};
use bspm_core::FitOptions;
use bspm_core::FittedFilter;
use bspm_core::Solver;
use bspm_core::backend::{Backend, Shaped};
use bspm_core::engine::NormalizedGraph;
use bspm_core::engine::truncated_svd;
use bspm_core::filters::Integration;
use bspm_core::fitted::{Fallback, RankOptions};
use bspm_core::{BspmConfig, Merge};
use bspm_data::Interactions;

/// Singular values, residuals and orthogonality on matrices that are small enough for a dense
/// decomposition. The block of vectors does not span some of them.
pub fn the_truncated_svd_matches_a_dense_one<B: Backend>(backend: &B) {
    for (users, items, count, factor_dim) in [(30, 20, 150, 6), (90, 110, 1500, 12)] {
        let interactions = random_interactions(users, items, count, &mut random_source(1));
        let reference = Reference::new(&interactions);
        let graph = NormalizedGraph::new(backend, &interactions).unwrap();
        let svd = truncated_svd(backend, &graph, factor_dim, &FitOptions::new()).unwrap();
        assert_eq!(svd.singular_values.len(), factor_dim);
        for (found, expected) in svd.singular_values.iter().zip(reference.eigenvalues()) {
            let error = (f64::from(*found) - expected.sqrt()).abs();
            assert!(
                error < 1e-5,
                "{found} differs from {} by {error:e}",
                expected.sqrt()
            );
        }
        assert!(svd.report.largest_residual <= 5e-6, "{}", svd.report);
        let vectors = to_f64(backend.download(&svd.right_vectors).unwrap().view());
        let loss = orthogonality_loss(vectors.view());
        assert!(loss < 1e-5, "orthogonality lost: {loss:e}");
    }
}

/// Three disconnected blocks have the rank 3, and three times the eigenvalue 1.
pub fn an_svd_beyond_the_rank_stops_at_the_rank<B: Backend>(backend: &B) {
    let pairs = (0..12_u32).flat_map(|user| [(user, user % 3), (user, user % 3 + 3)]);
    let interactions = Interactions::from_pairs(12, 8, pairs).unwrap();
    let graph = NormalizedGraph::new(backend, &interactions).unwrap();
    let svd = truncated_svd(backend, &graph, 7, &FitOptions::new()).unwrap();
    assert_eq!(svd.singular_values.len(), 3);
    assert_eq!(svd.right_vectors.shape(), (8, 3));
    for value in svd.singular_values {
        assert!((value - 1.0).abs() < 1e-5, "{value}");
    }

    let empty = Interactions::from_pairs(4, 5, []).unwrap();
    let graph = NormalizedGraph::new(backend, &empty).unwrap();
    let svd = truncated_svd(backend, &graph, 2, &FitOptions::new()).unwrap();
    assert!(svd.singular_values.is_empty());
}

/// Configurations that cover every branch of the processes and of the merge.
fn configs(factor_dim: usize) -> Vec<BspmConfig> {
    let mut configs = Vec::new();
    for blur in [
        (Solver::Euler, 1.0, 1),
        (Solver::Euler, 1.4, 3),
        (Solver::Rk4, 0.8, 2),
        (Solver::Exact { tolerance: 1e-7 }, 0.9, 2),
    ] {
        for sharpening in [
            None,
            Some((Solver::Euler, 1.2, 1)),
            (Some((Solver::Rk4, 2.0, 2))),
            Some((Solver::Exact { tolerance: 1e-7 }, 2.5, 1)),
            Some((Solver::DormandPrince { tolerance: 1e-7 }, 2.5, 2)),
        ] {
            for low_pass in [
                None,
                Some(Integration::UNIT_EULER),
                Some(Integration::new(Solver::Rk4, 0.7, 2)),
            ] {
                for merge in [Merge::Early, Merge::Late] {
                    for t_points in [false, true] {
                        let mut builder = BspmConfig::builder()
                            .blur(blur.0, blur.1, blur.2)
                            .merge(merge)
                            .t_point_combination(t_points);
                        if let Some((solver, time, steps)) = sharpening {
                            builder = builder.sharpen(solver, time, steps);
                        }
                        if let Some(integration) = low_pass {
                            builder =
                                builder.ideal_low_pass_integrated(factor_dim, 0.4, integration);
                        }
                        configs.push(builder.build().unwrap());
                    }
                }
            }
        }
    }
    configs
}

/// Every combination of settings, on a matrix with empty rows and columns.
pub fn scores_match_the_paper_step_by_step<B: Backend>(backend: &B) {
    let interactions = random_interactions(45, 30, 160, &mut random_source(2));
    let reference = Reference::new(&interactions);
    let by_gap =
        |left: &usize, right: &usize| reference.gap_at(*left).total_cmp(&reference.gap_at(*right));
    let factor_dim = (2..12).max_by(by_gap).expect("the range is not empty");
    let users: Vec<u32> = (0..45).collect();
    for config in configs(factor_dim) {
        let model =
            FittedFilter::fit(backend.clone(), interactions.clone(), config.clone()).unwrap();
        let scores = model.score(&users).unwrap();
        let error = reference
            .scores(&config)
            .largest_relative_error(scores.view());
        assert!(error <= 1e-5, "{config:?}: error {error:e}");
    }
}

/// Lists agree with the scores, for every batch size.
pub fn rankings_are_sorted_scores_without_the_seen<B: Backend>(backend: &B) {
    let interactions = random_interactions(70, 50, 500, &mut random_source(3));
    let config = BspmConfig::builder()
        .sharpen(Solver::Euler, 1.0, 1)
        .build()
        .unwrap();
    let model = FittedFilter::fit(backend.clone(), interactions.clone(), config).unwrap();
    let users: Vec<u32> = (0..70).rev().chain([5, 5]).collect();
    let scores = model.score(&users).unwrap();
    for batch_size in [1, 7, 64, 5000] {
        let options = RankOptions::top(10)
            .batch_size(batch_size)
            .fallback(Fallback::Unscored);
        let lists = model.rank(&users, &options).unwrap().lists;
        assert_eq!(lists.len(), users.len());
        for (row, (list, &user)) in lists.iter().zip(&users).enumerate() {
            let seen = interactions.items_of(user);
            assert_eq!(list.len(), 10.min(50 - seen.len()));
            assert!(list.windows(2).all(|pair| pair[0].score >= pair[1].score));
            let worst = list.last().unwrap().score;
            for item in 0..50_u32 {
                let score = scores[[row, item as usize]];
                match list.iter().find(|entry| entry.item == item) {
                    Some(entry) => {
                        assert!(!seen.contains(&item));
                        assert!((entry.score - score).abs() <= 1e-5 * score.abs().max(1.0));
                    }
                    None => assert!(seen.contains(&item) || score <= worst + 1e-5),
                }
            }
        }
    }
    let everything = RankOptions::top(50).fallback(Fallback::Unscored);
    let shown = model.rank(&[0], &everything.keep_seen()).unwrap();
    assert_eq!(shown.lists[0].len(), 50);
}

/// No score is infinite or NaN if a degree is zero.
pub fn empty_users_and_items_are_harmless<B: Backend>(backend: &B) {
    let low_pass = BspmConfig::builder()
        .blur(Solver::Rk4, 1.0, 2)
        .sharpen(Solver::Rk4, 2.5, 1)
        .ideal_low_pass(2, 0.2)
        .build()
        .unwrap();
    let sparse = Interactions::from_pairs(4, 6, [(1, 2), (1, 4), (3, 4)]).unwrap();
    let nothing = Interactions::from_pairs(3, 2, []).unwrap();
    for interactions in [sparse, nothing] {
        let users: Vec<u32> = (0..interactions.users() as u32).collect();
        let model = FittedFilter::fit(backend.clone(), interactions, low_pass.clone()).unwrap();
        let scores = model.score(&users).unwrap();
        assert!(scores.iter().all(|score| score.is_finite()));
        assert!(scores.row(0).iter().all(|&score| score == 0.0));
        for (fallback, is_empty) in [
            (Fallback::None, true),
            (Fallback::Popularity, model.interactions().is_empty()),
            (Fallback::Unscored, false),
        ] {
            let options = RankOptions::top(9).fallback(fallback);
            let lists = model.rank(&users, &options).unwrap().lists;
            assert_eq!(lists[0].is_empty(), is_empty, "{fallback:?}");
        }
    }
    let model = FittedFilter::fit(
        backend.clone(),
        Interactions::from_pairs(0, 0, []).unwrap(),
        BspmConfig::builder().build().unwrap(),
    )
    .unwrap();
    assert!(
        model
            .rank(&[], &RankOptions::top(1))
            .unwrap()
            .lists
            .is_empty()
    );
    assert_eq!(model.score(&[]).unwrap().dim(), (0, 0));
}
