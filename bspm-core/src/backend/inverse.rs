//! The inverse of symmetric positive definite matrices on the host.

use faer::linalg::solvers::DenseSolveCore;
use faer::{Mat, Side};
use ndarray::Array2;

use bspm_data::{Error, Result};

/// Inverts by a Cholesky decomposition, on one thread. Only the lower triangle is read.
pub(super) fn invert_positive_definite(
    backend: &'static str,
    mut matrix: Array2<f32>,
) -> Result<Array2<f32>> {
    let size = matrix.nrows();
    let decomposed = Mat::from_fn(size, size, |row, column| matrix[[row, column]])
        .llt(Side::Lower)
        .map_err(|_| Error::Backend {
            backend,
            operation: "invert_positive_definite",
            source: format!("a {size}x{size} matrix is not positive definite").into(),
        })?;
    let inverse = decomposed.inverse();
    for ((row, column), value) in matrix.indexed_iter_mut() {
        *value = inverse[(row, column)];
    }
    Ok(matrix)
}
