//! The transpose of a weighted item graph times a dense matrix: each row of the matrix is
//! added, weighted, to the rows that its item leads to.

use super::instruction_set::Kernel;
use crate::item_graph::CpuItemGraph;

/// `out += graph^T * dense`, for rows of `stride`.
pub(crate) struct Follow<'a> {
    pub(crate) graph: &'a CpuItemGraph,
    pub(crate) dense: &'a [f32],
    pub(crate) stride: usize,
    pub(crate) out: &'a mut [f32],
}

impl Kernel for Follow<'_> {
    #[inline(always)]
    fn run(self) {
        let rows = self.dense.chunks_exact(self.stride.max(1));
        for (item, row) in rows.enumerate() {
            let (columns, weights) = self.graph.row(item);
            for (&column, &weight) in columns.iter().zip(weights) {
                let start = column as usize * self.stride;
                let out = &mut self.out[start..start + self.stride];
                for (out, value) in out.iter_mut().zip(row) {
                    *out += weight * value;
                }
            }
        }
    }
}
