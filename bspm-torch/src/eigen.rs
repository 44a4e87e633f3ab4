//! The eigendecomposition of symmetric matrices, with libtorch's LAPACK.

use bspm_core::backend::SymmetricEigen;
use ndarray::{Array2, ArrayView2};
use tch::{TchError, Tensor};

/// Computes the eigendecomposition on the threads of libtorch. Only the lower triangle is read.
pub(crate) fn eigh(matrix: ArrayView2<'_, f64>) -> Result<SymmetricEigen, TchError> {
    let size = matrix.nrows();
    let matrix = matrix.as_standard_layout();
    let elements = matrix.as_slice().unwrap_or_default();
    let (values, vectors) = Tensor::f_from_slice(elements)?
        .f_view([size as i64, size as i64])?
        .f_linalg_eigh("L")?;
    let mut eigen = SymmetricEigen {
        values: vec![0.0; size],
        vectors: Array2::zeros((size, size)),
    };
    values.f_copy_data(&mut eigen.values, size)?;
    if let Some(elements) = eigen.vectors.as_slice_mut() {
        vectors.f_contiguous()?.f_copy_data(elements, size * size)?;
    }
    Ok(eigen)
}
