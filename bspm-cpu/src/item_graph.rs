//! Weighted item graphs.

use sprs::CsMatI;

/// A sparse `items x items` matrix in memory, compressed by rows.
#[derive(Clone, Debug)]
pub struct CpuItemGraph {
    weights: CsMatI<f32, u32>,
}

impl CpuItemGraph {
    /// The weights must be compressed by rows.
    pub(crate) fn new(weights: CsMatI<f32, u32>) -> Self {
        Self {
            weights: weights.into_csr(),
        }
    }

    pub(crate) fn weights(&self) -> &CsMatI<f32, u32> {
        &self.weights
    }

    pub(crate) fn shape(&self) -> (usize, usize) {
        self.weights.shape()
    }

    /// What item `item` gives to which items.
    pub(crate) fn row(&self, item: usize) -> (&[u32], &[f32]) {
        let ends = self.weights.indptr();
        let ends = ends.into_raw_storage();
        let place = ends[item] as usize..ends[item + 1] as usize;
        (
            &self.weights.indices()[place.clone()],
            &self.weights.data()[place],
        )
    }
}
