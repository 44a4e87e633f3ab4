//! The eigendecomposition of symmetric matrices.

use faer::Par;
use faer::diag::DiagMut;
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use ndarray::{Array2, ArrayView2};

use crate::matmul::{by_rows, by_rows_mut};
use crate::positive_definite::with_scratch;

/// The eigenvalues of a symmetric matrix in ascending order, and the eigenvectors as columns in the same
/// order.
#[derive(Clone, Debug)]
pub struct SymmetricEigen {
    /// The eigenvalues, in ascending order.
    pub values: Vec<f64>,
    /// The eigenvectors: orthonormal columns.
    pub vectors: Array2<f64>,
}

/// Computes the eigendecomposition of a symmetric matrix. Only the lower triangle is read. Returns `None` if
/// the iteration does not converge, for example because an entry is not finite.
///
/// ```
/// let matrix = ndarray::array![[2.0, 0.0], [1.0, 2.0]];
/// let eigen = bspm_linalg::symmetric_eigen(matrix.view()).unwrap();
/// assert!((eigen.values[0] - 1.0).abs() < 1e-12);
/// assert!((eigen.values[1] - 3.0).abs() < 1e-12);
/// ```
///
/// # Panics
///
/// If the matrix is not square.
pub fn symmetric_eigen(matrix: ArrayView2<'_, f64>) -> Option<SymmetricEigen> {
    let size = matrix.nrows();
    let matrix = matrix.as_standard_layout();
    let mut values = vec![0.0; size];
    let mut vectors = Array2::zeros((size, size));
    if size == 0 {
        return Some(SymmetricEigen { values, vectors });
    }
    let scratch = self_adjoint_evd_scratch::<f64>(
        size,
        ComputeEigenvectors::Yes,
        Par::Seq,
        Default::default(),
    );
    with_scratch(scratch, |stack| {
        let values = DiagMut::from_slice_mut(&mut values);
        let vectors = Some(by_rows_mut(&mut vectors));
        let matrix = by_rows(&matrix);
        self_adjoint_evd(matrix, values, vectors, Par::Seq, stack, Default::default())
    })
    .ok()?;
    Some(SymmetricEigen { values, vectors })
}
