//! Symmetric positive definite matrices, by Cholesky decompositions.

use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::linalg::cholesky::llt;
use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::traits::RealField;
use faer::{Mat, MatRef, Par};
use ndarray::{Array2, ArrayView2};

use crate::matmul::by_rows_mut;

/// Inverts a symmetric positive definite matrix. Only the lower triangle is read. Returns `None` if the matrix
/// is not positive definite.
///
/// Memory: two more matrices of the same size, one of which is the result.
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
pub fn inverse(mut matrix: Mat<f64>) -> Option<Mat<f64>> {
    let size = matrix.nrows();
    assert_eq!(matrix.ncols(), size, "a square matrix");
    factor(&mut matrix)?;
    let mut inverse = Mat::zeros(size, size);
    with_scratch(
        llt::inverse::inverse_scratch::<f64>(size, Par::Seq),
        |stack| {
            llt::inverse::inverse(inverse.as_mut(), matrix.as_ref(), Par::Seq, stack);
        },
    );
    for column in 0..size {
        for row in 0..column {
            inverse[(row, column)] = inverse[(column, row)];
        }
    }
    Some(inverse)
}

/// Returns `L^-1` of the Cholesky decomposition `matrix = L L^T`, with zeros above the diagonal. Only the lower
/// triangle is read. Returns `None` if the matrix is not positive definite.
///
/// ```
/// let matrix = ndarray::array![[4.0, 0.0], [2.0, 2.0]];
/// let inverse = bspm_linalg::inverse_cholesky_factor(matrix.view()).unwrap();
/// assert_eq!(inverse, ndarray::array![[0.5, 0.0], [-0.5, 1.0]]);
/// ```
///
/// # Panics
///
/// If the matrix is not square.
pub fn inverse_cholesky_factor(matrix: ArrayView2<'_, f64>) -> Option<Array2<f64>> {
    let size = matrix.nrows();
    assert_eq!(matrix.ncols(), size, "a square matrix");
    let mut matrix = Mat::from_fn(size, size, |row, column| matrix[[row, column]]);
    factor(&mut matrix)?;
    let mut inverse = Array2::zeros((size, size));
    invert_lower_triangular(by_rows_mut(&mut inverse), matrix.as_ref(), Par::Seq);
    Some(inverse)
}

/// Solves `matrix * x = right` for a symmetric positive definite matrix, in `f32` if that is accurate enough,
/// and otherwise in `f64`. Only the lower triangle is read. Returns `None` if the matrix is not positive
/// definite in `f64` either, or if a number of the solution is not finite.
///
/// ```
/// let matrix = bspm_linalg::Mat::from_fn(2, 2, |row, column| if row == column { 2.0 } else { 1.0 });
/// let solution = bspm_linalg::solve(matrix.as_ref(), &[3.0, 3.0]).unwrap();
/// assert!((solution[0] - 1.0).abs() < 1e-6);
/// ```
///
/// # Panics
///
/// If `matrix` is not `right.len() x right.len()`.
pub fn solve(matrix: MatRef<'_, f32>, right: &[f32]) -> Option<Vec<f64>> {
    let expected = (right.len(), right.len());
    assert_eq!((matrix.nrows(), matrix.ncols()), expected, "shape");
    solve_in::<f32>(matrix, right).or_else(|| solve_in::<f64>(matrix, right))
}

fn solve_in<T>(matrix: MatRef<'_, f32>, right: &[f32]) -> Option<Vec<f64>>
where
    T: RealField + From<f32> + Into<f64> + Copy,
{
    let size = right.len();
    let mut matrix = Mat::from_fn(size, size, |row, column| T::from(matrix[(row, column)]));
    factor(&mut matrix)?;
    let mut solution = Mat::from_fn(size, 1, |row, _| T::from(right[row]));
    let scratch = llt::solve::solve_in_place_scratch::<T>(size, 1, Par::Seq);
    with_scratch(scratch, |stack| {
        llt::solve::solve_in_place(matrix.as_ref(), solution.as_mut(), Par::Seq, stack);
    });
    let solution: Vec<f64> = (0..size).map(|row| solution[(row, 0)].into()).collect();
    solution.iter().all(|it| it.is_finite()).then_some(solution)
}

/// Replaces the lower triangle by that of the Cholesky factor.
fn factor<T: RealField>(matrix: &mut Mat<T>) -> Option<()> {
    let options = Default::default();
    let scratch = llt::factor::cholesky_in_place_scratch::<T>(matrix.nrows(), Par::Seq, options);
    with_scratch(scratch, |stack| {
        let no_shift = Default::default();
        llt::factor::cholesky_in_place(matrix.as_mut(), no_shift, Par::Seq, stack, options)
    })
    .ok()
    .map(drop)
}

pub(crate) fn with_scratch<T>(request: StackReq, work: impl FnOnce(&mut MemStack) -> T) -> T {
    work(MemStack::new(&mut MemBuffer::new(request)))
}
