//! The product of a weighted item graph, or of its transpose, and a dense matrix.

use sprs::CsMatI;

use super::cpu::Kernel;
use crate::sparse::row_of;

/// `out += factor * graph^T * dense`, for rows of `stride`: each row of the matrix is added, weighted, to
/// the rows of the neighbours of its item. Or `out += factor * graph * dense`.
pub(crate) struct Scatter<'a> {
    pub(crate) graph: &'a CsMatI<f32, u32>,
    pub(crate) is_transposed: bool,
    pub(crate) factor: f32,
    pub(crate) dense: &'a [f32],
    pub(crate) stride: usize,
    pub(crate) out: &'a mut [f32],
}

impl Kernel for Scatter<'_> {
    #[inline(always)]
    fn run(self) {
        let stride = self.stride;
        for item in 0..self.graph.rows() {
            let (columns, weights) = row_of(self.graph, item);
            for (&column, &weight) in columns.iter().zip(weights) {
                let (from, to) = match self.is_transposed {
                    true => (item, column as usize),
                    false => (column as usize, item),
                };
                let row = &self.dense[from * stride..from * stride + stride];
                let out = &mut self.out[to * stride..to * stride + stride];
                let weight = self.factor * weight;
                for (out, value) in out.iter_mut().zip(row) {
                    *out += weight * value;
                }
            }
        }
    }
}
