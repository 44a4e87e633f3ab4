//! Products of dense matrices in `f32`.

use faer::linalg::matmul::triangular;
use faer::{Accum, MatMut, MatRef, Par};

/// Computes `out = factor * left * right`, or adds the product to `out`.
///
/// # Panics
///
/// If the shapes do not match: `left` is `m x k`, `right` is `k x n`, `out` is `m x n`.
pub fn matmul(
    out: MatMut<'_, f32>,
    accumulate: Accum,
    left: MatRef<'_, f32>,
    right: MatRef<'_, f32>,
    factor: f32,
) {
    faer::linalg::matmul::matmul(out, accumulate, left, right, factor, Par::Seq);
}

/// Adds the lower triangle of `left * right` to `out`. The entries above the diagonal do not change.
///
/// # Panics
///
/// If the shapes do not match: `left` is `n x k`, `right` is `k x n`, `out` is `n x n`.
pub fn lower_triangle_of_product(
    out: MatMut<'_, f32>,
    left: MatRef<'_, f32>,
    right: MatRef<'_, f32>,
) {
    use triangular::BlockStructure::{Rectangular, TriangularLower};
    triangular::matmul(
        out,
        TriangularLower,
        Accum::Add,
        left,
        Rectangular,
        right,
        Rectangular,
        1.0,
        Par::Seq,
    );
}
