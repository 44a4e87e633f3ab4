//! The items of a tile, some rows at a time.

/// How many items a block has: a matrix's part of it is 4 KiB at the width of a tile.
pub(super) const ITEMS: usize = 32;

/// Consecutive items of all matrices.
pub(super) struct Block<'a, const WIDTH: usize> {
    pub(super) first: usize,
    pub(super) matrices: Vec<&'a [[f32; WIDTH]]>,
    /// One factor for each item.
    pub(super) scales: &'a [f32],
}

/// All items, in blocks.
pub(super) fn blocks<'a, const WIDTH: usize>(
    basis: &'a [&'a [[f32; WIDTH]]],
    scales: &'a [f32],
) -> impl Iterator<Item = Block<'a, WIDTH>> {
    scales
        .chunks(ITEMS)
        .enumerate()
        .map(move |(place, scales)| {
            let first = place * ITEMS;
            let rows = |matrix: &&'a [[f32; WIDTH]]| &matrix[first..first + scales.len()];
            Block {
                first,
                matrices: basis.iter().map(rows).collect(),
                scales,
            }
        })
}
