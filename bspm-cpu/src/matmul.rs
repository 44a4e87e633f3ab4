//! Dense products, by faer's matrix multiplication.

use faer::linalg::matmul::matmul;
use faer::{Accum, Par};

use crate::matrix::CpuMatrix;

/// `out = product * op(left) * right`, or that added to `out`, on one thread.
pub(crate) fn multiply(
    left: &CpuMatrix,
    transpose_left: bool,
    right: &CpuMatrix,
    product: f32,
    is_added: bool,
    out: &mut CpuMatrix,
) {
    let left = left.as_faer();
    let left = if transpose_left {
        left.transpose()
    } else {
        left
    };
    let accumulate = if is_added { Accum::Add } else { Accum::Replace };
    matmul(
        out.as_faer_mut(),
        accumulate,
        left,
        right.as_faer(),
        product,
        Par::Seq,
    );
}
