//! Symmetric positive definite matrices, by Cholesky decompositions.

use faer::linalg::solvers::{DenseSolveCore, Solve};
use faer::traits::ComplexField;
use faer::{Mat, MatRef, Side};

/// Inverts a symmetric positive definite matrix. Only the lower triangle is read. Returns `None` if the matrix
/// is not positive definite.
///
/// ```
/// let matrix = bspm_linalg::Mat::from_fn(2, 2, |row, column| if row == column { 2.0 } else { 1.0 });
/// let inverse = bspm_linalg::inverse(matrix).unwrap();
/// assert!((inverse[(0, 1)] + 1.0 / 3.0).abs() < 1e-12);
/// ```
///
/// # Panics
///
/// If the matrix is not square.
pub fn inverse(matrix: Mat<f64>) -> Option<Mat<f64>> {
    let decomposed = matrix.llt(Side::Lower).ok()?;
    drop(matrix);
    Some(decomposed.inverse())
}

/// Solves `matrix * x = right` for a symmetric positive definite matrix, in `f32` if that is accurate enough,
/// and otherwise in `f64`. Only the lower triangle is read. Returns `None` if the matrix is not positive
/// definite in `f64` either.
///
/// # Panics
///
/// If the matrix is not square, or `right` has another length.
pub fn solve(matrix: MatRef<'_, f32>, right: &[f32]) -> Option<Vec<f64>> {
    solve_in::<f32>(matrix, right).or_else(|| solve_in::<f64>(matrix, right))
}

fn solve_in<T>(matrix: MatRef<'_, f32>, right: &[f32]) -> Option<Vec<f64>>
where
    T: ComplexField + From<f32> + Into<f64> + Copy,
{
    let size = right.len();
    let matrix = Mat::from_fn(size, size, |row, column| T::from(matrix[(row, column)]));
    let column = Mat::from_fn(size, 1, |row, _| T::from(right[row]));
    let solution = matrix.llt(Side::Lower).ok()?.solve(&column);
    let solution: Vec<f64> = (0..size).map(|row| solution[(row, 0)].into()).collect();
    solution.iter().all(|it| it.is_finite()).then_some(solution)
}
