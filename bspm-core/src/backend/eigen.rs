//! The eigendecomposition of small symmetric matrices on the host.

use faer::diag::DiagMut;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::{MatMut, MatRef, Par};
use ndarray::{Array2, ArrayView2};

use bspm_data::{Error, Result};

/// The eigenvalues of a symmetric matrix in ascending order, and the eigenvectors as columns in the same
/// order.
#[derive(Clone, Debug)]
pub struct SymmetricEigen {
    /// The eigenvalues, in ascending order.
    pub values: Vec<f64>,
    /// The eigenvectors: orthonormal columns.
    pub vectors: Array2<f64>,
}

/// Computes the eigendecomposition on one thread, so that the result does not depend on their number.
pub(super) fn symmetric_eigen(
    backend: &'static str,
    matrix: ArrayView2<'_, f64>,
) -> Result<SymmetricEigen> {
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
    .map_err(|_| Error::Backend {
        backend,
        operation: "symmetric_eigen",
        source: format!("the decomposition of a {size}x{size} matrix did not converge").into(),
    })?;
    let vectors = Array2::from_shape_fn((size, size), |(row, column)| vectors[row * size + column]);
    Ok(SymmetricEigen { values, vectors })
}
