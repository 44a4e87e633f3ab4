//! The eigen-decomposition of small symmetric matrices.

use bspm_core::backend::SymmetricEigen;
use faer::diag::DiagMut;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::{MatMut, MatRef, Par};
use ndarray::{Array2, ArrayView2};

use crate::error::CpuError;

/// On one thread, so that the result does not depend on how many there are.
pub(crate) fn symmetric_eigen(matrix: ArrayView2<'_, f64>) -> Result<SymmetricEigen, CpuError> {
    let size = matrix.nrows();
    let matrix = matrix.as_standard_layout();
    // The lower triangle of a row-major matrix is its transpose's upper one, so the
    // rows are read as rows: faer reads the lower triangle too.
    let input = MatRef::from_row_major_slice(
        matrix.as_slice().expect("the layout is standard"),
        size,
        size,
    );
    let mut values = vec![0.0; size];
    let mut vectors = Array2::zeros((size, size));
    let scratch = self_adjoint_evd_scratch::<f64>(
        size,
        ComputeEigenvectors::Yes,
        Par::Seq,
        Default::default(),
    );
    self_adjoint_evd(
        input,
        DiagMut::from_slice_mut(&mut values),
        Some(MatMut::from_row_major_slice_mut(
            vectors.as_slice_mut().expect("the layout is standard"),
            size,
            size,
        )),
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(scratch)),
        Default::default(),
    )
    .map_err(|_| CpuError::EigenNotConverged { size })?;
    Ok(SymmetricEigen { values, vectors })
}
