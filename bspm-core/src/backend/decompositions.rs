//! Decompositions on the host, for backends without their own.

use bspm_linalg::{Mat, SymmetricEigen};
use ndarray::{Array2, ArrayView2};

use bspm_data::{Error, Result};

pub(super) fn symmetric_eigen(
    backend: &'static str,
    matrix: ArrayView2<'_, f64>,
) -> Result<SymmetricEigen> {
    let size = matrix.nrows();
    bspm_linalg::symmetric_eigen(matrix).ok_or_else(|| Error::Backend {
        backend,
        operation: "symmetric_eigen",
        source: format!("the decomposition of a {size}x{size} matrix did not converge").into(),
    })
}

pub(super) fn invert_positive_definite(
    backend: &'static str,
    mut matrix: Array2<f32>,
) -> Result<Array2<f32>> {
    let size = matrix.nrows();
    let entries = Mat::from_fn(size, size, |row, column| f64::from(matrix[[row, column]]));
    let inverse = bspm_linalg::inverse(entries).ok_or_else(|| Error::Backend {
        backend,
        operation: "invert_positive_definite",
        source: format!("a {size}x{size} matrix is not positive definite").into(),
    })?;
    for ((row, column), value) in matrix.indexed_iter_mut() {
        *value = inverse[(row, column)] as f32;
    }
    Ok(matrix)
}
