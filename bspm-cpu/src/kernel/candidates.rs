//! Finds the items that can be in a list, from products of bytes and bounds of their quantization errors.

use bspm_core::backend::TopK;

use super::byte_products::ByteProducts;
use super::cpu::Kernel;
use crate::quantized::{QuantizedColumns, QuantizedRows, ROWS};

/// An item that may be in a list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) item: u32,
    /// An upper bound of the value by which the item is ranked.
    pub(crate) most: f32,
}

/// A bound of the rounding error of the sum in `f32`, relative to the score that is added to the product.
const ROUNDING: f32 = 16.0 * f32::EPSILON;

/// Finds for each column the items whose scores, `(scores + left * right) * scale`, can be among
/// the best: those whose upper bound is not below the current threshold of `least`, which contains the
/// best lower bounds. If `SIGNED`, items are ranked by the magnitude of the score.
pub(crate) struct FindCandidates<'a, P, const WIDTH: usize, const LANES: usize, const SIGNED: bool>
{
    pub(crate) products: P,
    pub(crate) left: &'a QuantizedRows,
    /// Has at least `WIDTH` lanes.
    pub(crate) right: &'a QuantizedColumns<LANES>,
    /// The scores of hidden items are not finite.
    pub(crate) scores: &'a [[f32; WIDTH]],
    /// One factor per item.
    pub(crate) scales: &'a [f32],
    /// One selection per column, with the best lower bounds.
    pub(crate) least: &'a mut [TopK],
    pub(crate) candidates: &'a mut [Vec<Candidate>],
}

impl<P: ByteProducts, const WIDTH: usize, const LANES: usize, const SIGNED: bool> Kernel
    for FindCandidates<'_, P, WIDTH, LANES, SIGNED>
{
    #[inline(always)]
    fn run(self) {
        let mut thresholds = [f32::INFINITY; WIDTH];
        for (threshold, least) in thresholds.iter_mut().zip(&*self.least) {
            *threshold = least.threshold();
        }
        let columns = &self.right.columns[..WIDTH];
        let units: [f32; WIDTH] = std::array::from_fn(|lane| columns[lane].unit);
        let norms: [f32; WIDTH] = std::array::from_fn(|lane| columns[lane].norm);
        let errors: [f32; WIDTH] = std::array::from_fn(|lane| columns[lane].error);
        let rows = self.left.rows.chunks_exact(ROWS);
        let items = self.scores.chunks(ROWS).zip(self.scales.chunks(ROWS));
        for (block, ((bytes, rows), (scores, scales))) in
            self.left.blocks().zip(rows).zip(items).enumerate()
        {
            let mut sums = [[0; LANES]; ROWS];
            self.products.products(bytes, &self.right.bytes, &mut sums);
            for (place, (scores, &scale)) in scores.iter().zip(scales).enumerate() {
                let (row, sums) = (rows[place], &sums[place]);
                let mut least = [0.0_f32; WIDTH];
                let mut most = [0.0_f32; WIDTH];
                let mut any = false;
                for lane in 0..WIDTH {
                    let whole = (sums[lane] - row.offset) as f32;
                    let about = scores[lane] + (row.scale * units[lane]) * whole;
                    let bound = row.error * norms[lane]
                        + row.norm * errors[lane]
                        + ROUNDING * scores[lane].abs();
                    least[lane] = (about - bound) * scale;
                    most[lane] = (about + bound) * scale;
                    if SIGNED {
                        (least[lane], most[lane]) =
                            (least[lane].max(-most[lane]), most[lane].max(-least[lane]));
                    }
                    any |= most[lane] >= thresholds[lane];
                }
                if !any {
                    continue;
                }
                let item = (block * ROWS + place) as u32;
                let lists = self.least.iter_mut().zip(&mut *self.candidates);
                for (lane, (selection, candidates)) in lists.enumerate() {
                    if most[lane] >= thresholds[lane] {
                        let most = most[lane];
                        candidates.push(Candidate { item, most });
                        if least[lane] > thresholds[lane] {
                            selection.offer(item, least[lane]);
                            thresholds[lane] = selection.threshold();
                        }
                    }
                }
            }
        }
    }
}
