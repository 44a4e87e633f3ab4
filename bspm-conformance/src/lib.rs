//! The checks that every backend must pass.
//!
//! The tests of a backend instantiate all checks with one line, and those of large problems, which are ignored by
//! default, with another:
//!
//! ```text
//! bspm_conformance::backend_conformance!(MyBackend::new());
//! mod large {
//!     bspm_conformance::large_conformance!(MyBackend::new());
//! }
//! ```
//!
//! The checks and their names are exempt from semver: a new version may add requirements for backends.
//!
//! Operations are compared with `f64` loops over small matrices of odd shapes, including empty rows and
//! empty matrices. The fitted model is compared with [`Reference`], which follows the paper step by step
//! on dense matrices.

mod any_matrix;
mod dense;
mod filters;
mod large;
mod model;
mod ranking;
mod reference;
mod sparse;
mod tiles;

pub use any_matrix::*;
pub use dense::*;
pub use filters::*;
pub use large::*;
pub use model::*;
pub use ranking::*;
pub use reference::{Reference, ReferenceScores};
pub use sparse::*;
pub use tiles::*;

use ndarray::{Array2, ArrayView2};
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use bspm_core::backend::Backend;
use bspm_data::{Duplicates, Interactions};

/// Creates one `#[test]` per conformance check, for the backend that the expression returns.
///
/// Attributes in brackets before the expression, such as `[#[ignore = "needs a GPU"]]`,
/// are added to every test.
#[macro_export]
macro_rules! backend_conformance {
    (@checks $attributes:tt $backend:expr; $($check:ident,)*) => {
        $($crate::backend_conformance!(@check $attributes $backend; $check);)*
    };
    (@check [$(#[$attribute:meta])*] $backend:expr; $check:ident) => {
        #[test]
        $(#[$attribute])*
        fn $check() {
            $crate::$check(&$backend);
        }
    };
    ([$(#[$attribute:meta])*] $backend:expr) => {
        $crate::backend_conformance!(@checks [$(#[$attribute])*] $backend;
            uploads_come_back,
            zeros_are_zero,
            spmm_matches_the_dense_product,
            spmm_of_histories_matches_the_dense_product,
            histories_are_added_and_projected,
            an_ode_step_is_both_halves_of_the_walk,
            an_ode_step_walks_from_histories,
            matmul_matches_f64,
            symmetric_products_match_f64,
            elementwise_operations_match_f64,
            columns_are_cut_and_joined,
            eigenvectors_diagonalise,
            a_matrix_with_nan_has_no_eigenvectors,
            top_k_masks_and_breaks_ties_by_id,
            top_k_matches_a_full_sort,
            ranks_of_sums_match_the_sums,
            the_best_of_a_product_are_those_of_the_sums,
            the_largest_of_a_product_are_those_of_the_sums,
            tiles_come_back_in_order,
            workers_are_called_at_least_once,
            the_first_error_of_a_tile_comes_back,
            the_truncated_svd_matches_a_dense_one,
            an_svd_beyond_the_rank_stops_at_the_rank,
            every_family_of_matrices_has_a_truncated_svd,
            scores_match_the_paper_step_by_step,
            rankings_are_sorted_scores_without_the_seen,
            empty_users_and_items_are_harmless,
            item_graphs_match_the_dense_product,
            positive_definite_matrices_are_inverted,
            small_matrices_are_inverted_in_f64,
            a_large_matrix_is_inverted,
            every_filter_follows_its_definition,
            ease_r_of_several_tiles_follows_its_definition,
            filters_of_next_to_nothing_are_harmless,
            neighbour_tables_keep_candidates_for_lists,
        );
    };
    ($backend:expr) => {
        $crate::backend_conformance!([] $backend);
    };
}

/// Creates the tests of large problems, for the backend that the expression returns: 2,048 singular vectors, and
/// a million users and items. They take minutes and gigabytes, so they are ignored without `--include-ignored`. Run
/// them with `--test-threads 1`.
#[macro_export]
macro_rules! large_conformance {
    ($backend:expr) => {
        $crate::backend_conformance!(
            @checks [#[ignore = "takes minutes and gigabytes; --include-ignored runs it"]] $backend;
            thousands_of_singular_vectors_are_found,
            a_million_users_and_items_are_fitted,
        );
    };
}

/// Numbers of rows and columns that cover the cases of padding, blocks and empty matrices.
const ODD_SHAPES: [(usize, usize); 9] = [
    (0, 0),
    (0, 3),
    (3, 0),
    (1, 1),
    (5, 1),
    (7, 8),
    (13, 17),
    (33, 32),
    (40, 71),
];

fn random_source(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Uniform in [-1, 1).
fn random_matrix(rows: usize, columns: usize, random: &mut ChaCha8Rng) -> Array2<f32> {
    Array2::from_shape_simple_fn((rows, columns), || random.random_range(-1.0..1.0))
}

/// A random matrix in which some users and items have no interaction.
fn random_interactions(
    users: usize,
    items: usize,
    count: usize,
    random: &mut ChaCha8Rng,
) -> Interactions {
    let mut cells: Vec<(u32, u32)> = (0..users as u32)
        .filter(|user| user % 5 != 3)
        .flat_map(|user| (0..items as u32).map(move |item| (user, item)))
        .filter(|(_, item)| item % 7 != 4)
        .collect();
    cells.shuffle(random);
    cells.truncate(count);
    Interactions::from_pairs(users, items, cells).expect("the pairs are in range")
}

/// The same entries with weights between 0.2 and 4.
fn random_weights(interactions: &Interactions, random: &mut ChaCha8Rng) -> Interactions {
    let entries: Vec<(u32, u32, f32)> = interactions
        .pairs()
        .map(|(user, item)| (user, item, random.random_range(0.2..4.0)))
        .collect();
    let (users, items) = (interactions.users(), interactions.items());
    Interactions::from_weighted(users, items, entries, Duplicates::Sum)
        .expect("the pairs are in range")
}

/// The largest entry of a matrix, as an absolute value.
fn largest(matrix: &Array2<f64>) -> f64 {
    matrix.fold(0.0, |largest, entry| largest.max(entry.abs()))
}

/// The largest entry of `V^T V - I`.
fn orthogonality_loss(vectors: ArrayView2<'_, f64>) -> f64 {
    largest(&(vectors.t().dot(&vectors) - Array2::<f64>::eye(vectors.ncols())))
}

fn to_f64(matrix: ArrayView2<'_, f32>) -> Array2<f64> {
    matrix.mapv(f64::from)
}

/// Panics unless the device matrix is within `tolerance` of the expected one,
/// relative to its largest entry (or to 1 if that entry is smaller).
fn assert_close<B: Backend>(
    backend: &B,
    matrix: &B::Matrix,
    expected: &Array2<f64>,
    tolerance: f64,
) {
    let found = backend
        .download(matrix)
        .expect("a matrix can be downloaded");
    assert_eq!(found.dim(), expected.dim(), "shape");
    let size = expected
        .iter()
        .fold(1.0_f64, |size, value| size.max(value.abs()));
    for ((place, &found), &expected) in found.indexed_iter().zip(expected) {
        let error = (f64::from(found) - expected).abs() / size;
        assert!(
            error <= tolerance,
            "at {place:?}: {found} differs from {expected} by {error:e}"
        );
    }
}
