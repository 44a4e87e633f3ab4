//! Cutting the columns of a matrix into tiles.

use std::ops::Range;

use crate::backend::{Backend, Checked};
use crate::error::Result;

/// `0..columns` in consecutive ranges of at most `width`.
pub(crate) fn tile_ranges(columns: usize, width: usize) -> Vec<Range<usize>> {
    (0..columns)
        .step_by(width.max(1))
        .map(|start| start..(start + width).min(columns))
        .collect()
}

/// The matrix whose column tiles `work` computes from `input`, which is given up
/// before the tiles are put together: at most two matrices of its size exist.
pub(crate) fn map_tiles<B: Backend, I: Sync>(
    backend: Checked<'_, B>,
    input: I,
    ranges: &[Range<usize>],
    work: impl Fn(&I, Range<usize>) -> Result<B::Matrix> + Sync,
) -> Result<B::Matrix> {
    let tiles = backend.for_each_tile(
        ranges.len(),
        || Ok(()),
        |(), tile| work(&input, ranges[tile].clone()),
    )?;
    drop(input);
    backend.concatenate_columns(&tiles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_cover_the_columns_once() {
        assert_eq!(tile_ranges(7, 3), [0..3, 3..6, 6..7]);
        assert_eq!(tile_ranges(0, 3), []);
        assert_eq!(tile_ranges(2, 9).len(), 1);
    }
}
