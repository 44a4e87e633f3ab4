//! Products of dense matrices.

use std::ops::Neg;

use faer::linalg::matmul::triangular;
use faer::{Accum, MatMut, MatRef, Par};
use ndarray::{Array2, ArrayView2, CowArray, Ix2};

/// A type of numbers that matrices are multiplied in: `f32` or `f64`.
pub trait Number: Copy + Default + Into<f64> + Neg<Output = Self> + Send + Sync {
    /// Rounds a number to this type.
    fn of(value: f64) -> Self;

    /// Computes `out = factor * left * right`, or adds the product to `out`.
    ///
    /// # Panics
    ///
    /// If the shapes do not match: `left` is `m x k`, `right` is `k x n`, `out` is `m x n`.
    fn matmul(
        out: MatMut<'_, Self>,
        accumulate: Accum,
        left: MatRef<'_, Self>,
        right: MatRef<'_, Self>,
        factor: Self,
    );
}

macro_rules! numbers {
    ($($number:ty)*) => {
        $(impl Number for $number {
            fn of(value: f64) -> Self {
                value as Self
            }

            fn matmul(
                out: MatMut<'_, Self>,
                accumulate: Accum,
                left: MatRef<'_, Self>,
                right: MatRef<'_, Self>,
                factor: Self,
            ) {
                faer::linalg::matmul::matmul(out, accumulate, left, right, factor, Par::Seq);
            }
        })*
    };
}

numbers! { f32 f64 }

/// As [`Number::matmul`], in `f32`.
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
    f32::matmul(out, accumulate, left, right, factor);
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

/// Returns `left * right`, in `f64`.
///
/// ```
/// use ndarray::array;
///
/// let (left, right) = (array![[1.0, 2.0]], array![[3.0], [4.0]]);
/// assert_eq!(bspm_linalg::product(left.view(), right.view()), array![[11.0]]);
/// ```
///
/// # Panics
///
/// If the shapes do not match: `left` is `m x k`, `right` is `k x n`.
pub fn product(left: ArrayView2<'_, f64>, right: ArrayView2<'_, f64>) -> Array2<f64> {
    let (rows, columns) = (left.nrows(), right.ncols());
    let (left, right) = (left.as_standard_layout(), right.as_standard_layout());
    let mut out = Array2::zeros((rows, columns));
    faer::linalg::matmul::matmul(
        by_rows_mut(&mut out),
        Accum::Replace,
        by_rows(&left),
        by_rows(&right),
        1.0,
        Par::Seq,
    );
    out
}

/// The matrix must have the standard layout.
pub(crate) fn by_rows<'a>(matrix: &'a CowArray<'_, f64, Ix2>) -> MatRef<'a, f64> {
    let elements = matrix.as_slice().unwrap_or_default();
    MatRef::from_row_major_slice(elements, matrix.nrows(), matrix.ncols())
}

/// The matrix must have the standard layout.
pub(crate) fn by_rows_mut(matrix: &mut Array2<f64>) -> MatMut<'_, f64> {
    let (rows, columns) = matrix.dim();
    let elements = matrix.as_slice_mut().unwrap_or_default();
    MatMut::from_row_major_slice_mut(elements, rows, columns)
}
