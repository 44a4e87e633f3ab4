//! Divides the columns of a matrix into tiles.

use std::ops::Range;

use crate::backend::{Backend, Checked, Shaped};
use bspm_data::Result;

/// Divides `0..columns` into consecutive ranges of at most `width`.
pub(crate) fn tile_ranges(columns: usize, width: usize) -> Vec<Range<usize>> {
    (0..columns)
        .step_by(width.max(1))
        .map(|start| start..(start + width).min(columns))
        .collect()
}

/// Computes a matrix whose column tiles `work` computes from `input`. `input` is dropped before the tiles are
/// concatenated, so at most two matrices of its size exist.
pub(crate) fn map_tiles<B: Backend, I: Sync>(
    backend: Checked<'_, B>,
    input: I,
    ranges: &[Range<usize>],
    work: impl Fn(&mut Scratch<B::Matrix>, &I, Range<usize>) -> Result<B::Matrix> + Sync,
) -> Result<B::Matrix> {
    let tiles = backend.for_each_tile(
        ranges.len(),
        || Ok(Scratch::default()),
        |scratch, tile| work(scratch, &input, ranges[tile].clone()),
    )?;
    drop(input);
    backend.concatenate_columns(&tiles)
}

/// A matrix that a worker reuses for all its tiles, because new memory must be zeroed and mapped.
#[derive(Debug)]
pub(crate) struct Scratch<M>(Option<M>);

impl<M> Default for Scratch<M> {
    fn default() -> Self {
        Self(None)
    }
}

impl<M: Shaped> Scratch<M> {
    /// Returns the matrix with this shape and arbitrary contents.
    pub(crate) fn of_shape<B: Backend<Matrix = M>>(
        &mut self,
        backend: Checked<'_, B>,
        rows: usize,
        columns: usize,
    ) -> Result<&mut M> {
        let kept = self.0.take().filter(|it| it.shape() == (rows, columns));
        Ok(self.0.insert(match kept {
            Some(kept) => kept,
            None => backend.zeros(rows, columns)?,
        }))
    }
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
