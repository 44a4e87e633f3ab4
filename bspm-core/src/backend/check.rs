//! Checks of operands, shared by all backends.

use super::{Shaped, Update};
use bspm_data::{Error, Result};

/// The numbers of rows and columns.
pub(crate) type Shape = (usize, usize);

/// Returns [`Error::ShapeMismatch`] unless `fits`.
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

/// Checks that both shapes are equal.
pub(crate) fn same(operation: &'static str, left: Shape, right: Shape) -> Result<()> {
    fits(operation, left, right, left == right)
}

/// Checks that `left * right` and the addend have the shape of `out`.
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

/// Checks that a scale has one row per row of `matrix`, and one column.
pub(super) fn row_scale(operation: &'static str, scale: Shape, matrix: Shape) -> Result<()> {
    fits(operation, scale, matrix, scale == (matrix.0, 1))
}

/// Checks that there are at most `columns` histories, and that all items are below `items`.
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
