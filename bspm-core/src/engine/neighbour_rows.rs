//! What a neighbour table says, row by row.

use sprs::CsMatI;

/// The rows of a neighbour table: `K_ji = value_ji + share_j * common_i` is what item `j` of a
/// history gives to item `i`.
#[derive(Clone, Copy, Debug)]
pub struct NeighbourRows<'a> {
    graph: &'a CsMatI<f32, u32>,
    shares: &'a [f32],
    common: &'a [f32],
}

impl<'a> NeighbourRows<'a> {
    pub(crate) fn new(graph: &'a CsMatI<f32, u32>, shares: &'a [f32], common: &'a [f32]) -> Self {
        Self {
            graph,
            shares,
            common,
        }
    }

    /// The item of the history, the neighbour and the value of each entry that was kept, row by row.
    pub fn entries(self) -> impl Iterator<Item = (u32, u32, f32)> + 'a {
        let rows = self.graph.outer_iterator().enumerate();
        rows.flat_map(|(item, row)| {
            let entries = row.indices().iter().zip(row.data());
            let entries: Vec<(u32, u32, f32)> = entries
                .map(|(&neighbour, &value)| (item as u32, neighbour, value))
                .collect();
            entries
        })
    }

    /// Of each item of a history, its share of what all give alike.
    pub fn shares(self) -> &'a [f32] {
        self.shares
    }

    /// What all items give to each item alike.
    pub fn common(self) -> &'a [f32] {
        self.common
    }
}
