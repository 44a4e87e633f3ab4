//! The best items of a few sums.

use bspm_core::backend::TopK;

use super::stand_ins::Likeness;
use super::sums::Sums;
use super::{BLOCK, CombinedHits, blocks};

/// How many sums are ranked for themselves.
const LEADING: usize = 4;

/// How many matrices are read for that.
const READ: usize = 4;

/// How many times as long as what is asked for their lists are.
const LONGER: usize = 3;

impl<const WIDTH: usize> CombinedHits<'_, WIDTH> {
    /// For each column the items that are among the best of one of [`LEADING`] sums, or nearly.
    #[inline(always)]
    pub(super) fn leaders(&self, sums: &Sums) -> Vec<Vec<u32>> {
        let columns = self.relevant.len();
        let likeness = Likeness::of(self.basis, self.scales);
        let leading = sums.unlike(LEADING, &likeness.norms());
        let weights: Vec<&[f32]> = leading.iter().map(|&sum| sums.weights_of(sum)).collect();
        let stand_ins = likeness.stand_ins(&weights, READ);
        let basis: Vec<_> = stand_ins
            .matrices
            .iter()
            .map(|&it| self.basis[it])
            .collect();
        let leading = stand_ins.weights;
        let blank = TopK::new(self.k.saturating_mul(LONGER));
        let mut thresholds = vec![[f32::INFINITY; WIDTH]; leading.len()];
        for thresholds in &mut thresholds {
            thresholds[..columns].fill(blank.threshold());
        }
        let mut selections = vec![blank; leading.len() * columns];
        let mut scores = [[0.0_f32; WIDTH]; BLOCK];
        for (first, scales) in blocks(self.scales) {
            for (place, weights) in leading.iter().enumerate() {
                scores.fill([0.0; WIDTH]);
                for (&weight, matrix) in weights.iter().zip(&basis) {
                    let rows = &matrix[first..first + scales.len()];
                    let sums = scores.as_flattened_mut().iter_mut();
                    for (sum, value) in sums.zip(rows.as_flattened()) {
                        *sum += weight * value;
                    }
                }
                for (item, (scores, &scale)) in (first..).zip(scores.iter().zip(scales)) {
                    let limits = &thresholds[place];
                    let mut any = false;
                    for lane in 0..WIDTH {
                        any |= scale * scores[lane] >= limits[lane];
                    }
                    if any {
                        offer_row(
                            item,
                            scale,
                            scores,
                            self.hidden[item],
                            &mut thresholds[place],
                            &mut selections[place * columns..][..columns],
                        );
                    }
                }
            }
        }
        let mut leaders = vec![Vec::new(); columns];
        for (place, selection) in selections.into_iter().enumerate() {
            let entries = selection.into_sorted().into_iter();
            leaders[place % columns].extend(entries.map(|entry| entry.item));
        }
        for items in &mut leaders {
            items.sort_unstable();
            items.dedup();
        }
        leaders
    }
}

#[inline(never)]
fn offer_row<const WIDTH: usize>(
    item: usize,
    scale: f32,
    scores: &[f32; WIDTH],
    hidden: u32,
    thresholds: &mut [f32; WIDTH],
    selections: &mut [TopK],
) {
    for (lane, selection) in selections.iter_mut().enumerate() {
        let score = scale * scores[lane];
        if score >= thresholds[lane] && hidden >> lane & 1 == 0 {
            selection.offer(item as u32, score);
            thresholds[lane] = selection.threshold();
        }
    }
}
