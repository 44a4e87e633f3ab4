//! Products that update a matrix in place.
//!
//! libtorch's `addmm` has factors for the product and for the addend, but `tch` does not expose them. So the
//! matrix is first set to the addend, a product with the factor 1 is added, and the factor is multiplied
//! into the smaller operand.

use tch::{Kind, TchError, Tensor};

/// `out = keep * out + addend.0 * addend.1`, in at most two passes and without a temporary.
pub(crate) fn join(
    out: &mut Tensor,
    keep: f32,
    addend: Option<(f32, Tensor)>,
) -> Result<(), TchError> {
    match (keep, addend) {
        (0.0, None) => out.f_zero_().map(drop),
        (0.0, Some((1.0, addend))) => {
            out.f_copy_(&addend)?;
            Ok(())
        }
        (0.0, Some((factor, addend))) => addend.f_mul_out(out, &scalar(factor, out)?).map(drop),
        (keep, addend) => {
            if keep != 1.0 {
                let _ = out.f_mul_scalar_(f64::from(keep))?;
            }
            match addend {
                Some((factor, addend)) => {
                    let factor = scalar(factor, out)?;
                    out.f_addcmul_(&addend, &factor).map(drop)
                }
                None => Ok(()),
            }
        }
    }
}

/// Creates a scalar on the device of a tensor.
fn scalar(value: f32, like: &Tensor) -> Result<Tensor, TchError> {
    let no_dimension: [i64; 0] = [];
    Tensor::f_full(no_dimension, f64::from(value), (Kind::Float, like.device()))
}

/// `out += factor * left * right`, for dense matrices.
pub(crate) fn add_product(
    factor: f32,
    left: &Tensor,
    right: &Tensor,
    out: &Tensor,
) -> Result<(), TchError> {
    let factor = f64::from(factor);
    let (left, right) = if factor == 1.0 {
        (left.shallow_clone(), right.shallow_clone())
    } else if left.numel() < right.numel() {
        (left.f_mul_scalar(factor)?, right.shallow_clone())
    } else {
        (left.shallow_clone(), right.f_mul_scalar(factor)?)
    };
    out.f_addmm_out(out, &left, &right).map(drop)
}
