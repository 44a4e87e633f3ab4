//! The eigendecomposition of symmetric matrices.

use faer::diag::DiagMut;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::{MatMut, MatRef, Par};
use ndarray::{Array2, ArrayView2};

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
    // Read the lower triangle by rows, as faer does, independent of the layout.
    let rows: Vec<f64> = matrix.iter().copied().collect();
    let mut values = vec![0.0; size];
    let mut vectors = vec![0.0; size * size];
    let scratch = self_adjoint_evd_scratch::<f64>(
        size,
        ComputeEigenvectors::Yes,
        Par::Seq,
        Default::default(),
    );
    self_adjoint_evd(
        MatRef::from_row_major_slice(&rows, size, size),
        DiagMut::from_slice_mut(&mut values),
        Some(MatMut::from_row_major_slice_mut(&mut vectors, size, size)),
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(scratch)),
        Default::default(),
    )
    .ok()?;
    let vectors = Array2::from_shape_fn((size, size), |(row, column)| vectors[row * size + column]);
    Some(SymmetricEigen { values, vectors })
}
