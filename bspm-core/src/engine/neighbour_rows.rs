//! The rows of a neighbour table.

use sprs::CsMatI;

/// The rows of a neighbour table: the contribution of item `j` of a history to the score of item `i` is
/// `K_ji = value_ji + loading_j * baseline_i`.
#[derive(Clone, Copy, Debug)]
pub struct NeighbourRows<'a> {
    graph: &'a CsMatI<f32, u32>,
    loadings: &'a [f32],
    baseline: &'a [f32],
}

impl<'a> NeighbourRows<'a> {
    pub(crate) fn new(
        graph: &'a CsMatI<f32, u32>,
        loadings: &'a [f32],
        baseline: &'a [f32],
    ) -> Self {
        Self {
            graph,
            loadings,
            baseline,
        }
    }

    /// The item of the history, the neighbour and the value of each entry, row by row.
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

    /// The entries as a matrix with a row for each neighbour and a column for each item of a history.
    pub(crate) fn by_neighbour(self) -> CsMatI<f32, u32> {
        self.graph.transpose_view().to_csr()
    }

    /// The loading of each item of a history: its factor of the baseline.
    pub fn loadings(self) -> &'a [f32] {
        self.loadings
    }

    /// The rank-one baseline: the contribution to each item, before it is multiplied by the loading.
    pub fn baseline(self) -> &'a [f32] {
        self.baseline
    }
}
