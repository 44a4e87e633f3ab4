//! Symmetric products on the host.

use ndarray::Array2;

use super::{Backend, Operand, Shaped, Update};
use bspm_data::Result;

/// The default of [`Backend::symmetric_product`]: the complete product, with the mean of its two
/// triangles.
pub(super) fn symmetric_product<B: Backend>(
    backend: &B,
    left: &B::Matrix,
    right: &[B::Matrix],
) -> Result<Array2<f64>> {
    let size = left.shape().1;
    let joined;
    let right = match right {
        [] => return Ok(Array2::zeros((size, size))),
        [only] => only,
        several => {
            joined = backend.concatenate_columns(several)?;
            &joined
        }
    };
    let mut product = backend.zeros(size, size)?;
    let right = Operand::Dense(right);
    backend.matmul(left, true, right, Update::REPLACE, &mut product)?;
    let product = backend.download(&product)?.mapv(f64::from);
    Ok((&product + &product.t()) * 0.5)
}
