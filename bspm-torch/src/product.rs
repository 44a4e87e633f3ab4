//! How products join the matrix that they are written to, in its place.
//!
//! libtorch's `addmm` has factors for the product and for what it is added to, which `tch` does
//! not pass on. So what is there is brought to what a product of factor 1 is to be added to,
//! and the factor goes into whatever is smallest.

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

/// A number on the device of a tensor.
fn scalar(value: f32, like: &Tensor) -> Result<Tensor, TchError> {
    let no_dimension: [i64; 0] = [];
    Tensor::f_full(no_dimension, f64::from(value), (Kind::Float, like.device()))
}

/// `out += factor * left * right`, dense.
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
