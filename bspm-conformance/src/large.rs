//! Problems that take minutes and gigabytes, for [`large_conformance`](crate::large_conformance).

use std::collections::BTreeSet;

use ndarray::{Array1, ArrayView1};

use super::{orthogonality_loss, to_f64};
use bspm_core::backend::Backend;
use bspm_core::engine::{NormalizedGraph, truncated_svd};
use bspm_core::fitted::RankOptions;
use bspm_core::{BspmConfig, FitOptions, FittedFilter};
use bspm_data::{Interactions, SyntheticShape};

/// 1,024 and 2,048 singular vectors are orthonormal, and have the residual that is reported.
pub fn thousands_of_singular_vectors_are_found<B: Backend>(backend: &B) {
    let shape = SyntheticShape {
        users: 12_000,
        items: 8_000,
        train: 600_000,
        test: 12_000,
        communities: 60,
    };
    let interactions = shape.generate(0).unwrap().train;
    for factor_dim in [1024, 2048] {
        check_vectors(backend, &interactions, factor_dim);
    }
}

/// A million users and items: singular vectors, the scores of a user, and lists.
pub fn a_million_users_and_items_are_fitted<B: Backend>(backend: &B) {
    let shape = SyntheticShape {
        users: 1_000_000,
        items: 1_000_000,
        train: 20_000_000,
        test: 1_000_000,
        communities: 64,
    };
    let interactions = shape.generate(0).unwrap().train;
    check_vectors(backend, &interactions, 64);

    check_scores(backend, &interactions, 123_456);
    let users: Vec<u32> = (0..2_000).map(|place| place * 500).collect();
    check_lists(backend, &interactions, &users);
}

/// The scores of the blur, against `r P` in `f64`.
fn check_scores<B: Backend>(backend: &B, interactions: &Interactions, user: u32) {
    let config = BspmConfig::builder().build().unwrap();
    let fitted = FittedFilter::fit(backend.clone(), interactions.clone(), config).unwrap();
    let scores = fitted.score(&[user]).unwrap();
    assert_eq!(scores.dim(), (1, interactions.items()));
    let mut history = Array1::zeros(interactions.items());
    for &item in interactions.items_of(user) {
        history[item as usize] = 1.0;
    }
    let expected = propagated(interactions, history.view());
    for (found, expected) in scores.row(0).iter().zip(&expected) {
        let error = (f64::from(*found) - expected).abs();
        assert!(error < 1e-5, "{found} {expected}");
    }
}

/// Lists are full and sorted, without items that come twice or are in the history.
fn check_lists<B: Backend>(backend: &B, interactions: &Interactions, users: &[u32]) {
    let config = BspmConfig::builder().ideal_low_pass(64, 0.3);
    let config = config.build().unwrap();
    let fitted = FittedFilter::fit(backend.clone(), interactions.clone(), config).unwrap();
    let ranking = fitted.rank(users, &RankOptions::top(20)).unwrap();
    assert_eq!(ranking.lists.len(), users.len());
    for (&user, list) in users.iter().zip(&ranking.lists) {
        assert_eq!(list.len(), 20);
        assert!(list.is_sorted_by(|left, right| left.score >= right.score));
        let distinct: BTreeSet<u32> = list.iter().map(|entry| entry.item).collect();
        assert_eq!(distinct.len(), 20);
        let history = interactions.items_of(user);
        assert!(history.iter().all(|item| !distinct.contains(item)));
    }
}

fn check_vectors<B: Backend>(backend: &B, interactions: &Interactions, factor_dim: usize) {
    let graph = NormalizedGraph::new(backend, interactions).unwrap();
    let svd = truncated_svd(backend, &graph, factor_dim, &FitOptions::new()).unwrap();
    assert_eq!(svd.report.found, factor_dim, "{}", svd.report);
    assert_eq!(svd.report.warning(), None);
    let values = &svd.singular_values;
    assert!((values[0] - 1.0).abs() < 1e-4, "{}", values[0]);
    assert!(values.is_sorted_by(|left, right| left >= right));
    let vectors = to_f64(backend.download(&svd.right_vectors).unwrap().view());
    let loss = orthogonality_loss(vectors.view());
    assert!(loss < 1e-5, "orthogonality lost: {loss:e}");
    for place in [0, factor_dim / 2, factor_dim - 1] {
        let vector = vectors.column(place);
        let eigenvalue = f64::from(svd.singular_values[place]).powi(2);
        let residual = propagated(interactions, vector) - &vector * eigenvalue;
        let residual = residual.dot(&residual).sqrt();
        let most = 1.1 * svd.report.largest_residual + 1e-6;
        assert!(residual <= most, "{place}: {residual:e}; {}", svd.report);
    }
}

/// `P x` in `f64`.
fn propagated(interactions: &Interactions, x: ArrayView1<'_, f64>) -> Array1<f64> {
    let roots = |degrees: Vec<u32>| -> Vec<f64> {
        degrees
            .iter()
            .map(|&degree| f64::from(degree.max(1)).sqrt())
            .collect()
    };
    let user_roots = roots(interactions.user_degrees());
    let item_roots = roots(interactions.item_degrees());
    let mut of_users = vec![0.0; interactions.users()];
    for (user, item) in interactions.pairs() {
        let (user, item) = (user as usize, item as usize);
        of_users[user] += x[item] / (user_roots[user] * item_roots[item]);
    }
    let mut of_items = Array1::zeros(interactions.items());
    for (user, item) in interactions.pairs() {
        let (user, item) = (user as usize, item as usize);
        of_items[item] += of_users[user] / (user_roots[user] * item_roots[item]);
    }
    of_items
}
