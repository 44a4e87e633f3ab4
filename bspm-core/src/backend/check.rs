//! What operands must fit, once for all backends.

use super::{Shaped, Update};
use bspm_data::{Error, Result};

/// Rows and columns.
pub(crate) type Shape = (usize, usize);

/// [`Error::ShapeMismatch`] unless `fits`.
pub(super) fn fits(operation: &'static str, left: Shape, right: Shape, fits: bool) -> Result<()> {
    if fits {
        Ok(())
    } else {
        Err(Error::ShapeMismatch {
            operation,
            left,
            right,
        })
    }
}

/// Both shapes are the same.
pub(crate) fn same(operation: &'static str, left: Shape, right: Shape) -> Result<()> {
    fits(operation, left, right, left == right)
}

/// `left * right` has the shape of `out`, and so has the addend.
pub(super) fn product<M: Shaped>(
    operation: &'static str,
    left: Shape,
    right: Shape,
    update: Update<'_, M>,
    out: Shape,
) -> Result<()> {
    fits(operation, left, right, left.1 == right.0)?;
    same(operation, (left.0, right.1), out)?;
    match update.addend {
        Some((_, addend)) => same(operation, addend.shape(), out),
        None => Ok(()),
    }
}

/// A scale has one row for each of `matrix` and one column.
pub(super) fn row_scale(operation: &'static str, scale: Shape, matrix: Shape) -> Result<()> {
    fits(operation, scale, matrix, scale == (matrix.0, 1))
}

/// Histories fill at most `columns` columns and hold no item beyond `items`.
pub(super) fn histories<'h>(
    operation: &'static str,
    histories: impl ExactSizeIterator<Item = &'h [u32]>,
    items: usize,
    columns: usize,
) -> Result<()> {
    let count = histories.len();
    fits(
        operation,
        (items, count),
        (items, columns),
        count <= columns,
    )?;
    match histories.flatten().find(|&&item| item as usize >= items) {
        Some(&item) => Err(Error::UnknownItem { item, items }),
        None => Ok(()),
    }
}
