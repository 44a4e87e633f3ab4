//! Dense products, by faer's matrix multiplication.

use bspm_core::backend::Update;
use faer::linalg::matmul::matmul;
use faer::{Accum, Par};

use crate::matrix::CpuMatrix;

/// `out = update.product * op(left) * right + update.keep * out`, on one thread.
pub(crate) fn multiply(
    left: &CpuMatrix,
    transpose_left: bool,
    right: &CpuMatrix,
    update: Update<'_, CpuMatrix>,
    out: &mut CpuMatrix,
) {
    let left = left.as_faer();
    let left = if transpose_left {
        left.transpose()
    } else {
        left
    };
    let accumulate = if update.keep == 0.0 {
        Accum::Replace
    } else {
        Accum::Add
    };
    matmul(
        out.as_faer_mut(),
        accumulate,
        left,
        right.as_faer(),
        update.product,
        Par::Seq,
    );
}
