//! Cutting the columns of a matrix into tiles.

use std::ops::Range;

use crate::backend::Backend;
use crate::error::Result;

/// `0..columns` in consecutive ranges of at most `width`.
pub(crate) fn tile_ranges(columns: usize, width: usize) -> Vec<Range<usize>> {
    (0..columns)
        .step_by(width.max(1))
        .map(|start| start..(start + width).min(columns))
        .collect()
}

/// The matrix whose column tiles `work` computes.
pub(crate) fn concatenate_tiles<B: Backend, W>(
    backend: &B,
    ranges: &[Range<usize>],
    workspace: impl Fn() -> Result<W> + Sync,
    work: impl Fn(&mut W, Range<usize>) -> Result<B::Matrix> + Sync,
) -> Result<B::Matrix> {
    let tiles = backend.for_each_tile(ranges.len(), workspace, |scratch, tile| {
        work(scratch, ranges[tile].clone())
    })?;
    backend.concatenate_columns(&tiles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_cover_the_columns_once() {
        assert_eq!(tile_ranges(7, 3), [0..3, 3..6, 6..7]);
        assert_eq!(tile_ranges(0, 3), []);
        assert_eq!(tile_ranges(2, 9), [0..2]);
    }
}
