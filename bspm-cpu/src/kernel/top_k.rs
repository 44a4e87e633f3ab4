//! Top-k selection over all columns of a tile at once.

use bspm_core::backend::TopK;

use super::cpu::Kernel;

/// Offers every score to the selection of its column.
///
/// The items ascend, so an item is selected only if its score is above the threshold: at a tie, the item
/// that is already selected has the lower id. A row is compared with all thresholds at once, and few rows
/// after the first have a score above a threshold.
pub(crate) struct SelectTop<'a, const WIDTH: usize> {
    /// `items` rows, in one or more blocks side by side.
    pub(crate) scores: &'a [[f32; WIDTH]],
    pub(crate) blocks: usize,
    pub(crate) block: usize,
    /// One factor per item.
    pub(crate) scales: &'a [f32],
    /// One selection per column of the block.
    pub(crate) selections: &'a mut [TopK],
}

impl<const WIDTH: usize> Kernel for SelectTop<'_, WIDTH> {
    #[inline(always)]
    fn run(self) {
        let mut thresholds = [f32::INFINITY; WIDTH];
        for (threshold, selection) in thresholds.iter_mut().zip(&*self.selections) {
            *threshold = selection.threshold();
        }
        for (item, &scale) in self.scales.iter().enumerate() {
            let entries = &self.scores[item * self.blocks + self.block];
            let mut any = false;
            for lane in 0..WIDTH {
                any |= entries[lane] * scale > thresholds[lane];
            }
            if !any {
                continue;
            }
            for (lane, selection) in self.selections.iter_mut().enumerate() {
                let score = entries[lane] * scale;
                if score > thresholds[lane] {
                    selection.offer(item as u32, score);
                    thresholds[lane] = selection.threshold();
                }
            }
        }
    }
}

/// [`SelectTop`] for a single column: compares blocks of its scores with the threshold.
pub(crate) struct SelectTopOfColumn<'a> {
    pub(crate) scores: &'a [f32],
    /// One factor for each item.
    pub(crate) scales: &'a [f32],
    pub(crate) selection: &'a mut TopK,
}

impl Kernel for SelectTopOfColumn<'_> {
    #[inline(always)]
    fn run(self) {
        const BLOCK: usize = 64;
        let mut threshold = self.selection.threshold();
        let blocks = self.scores.chunks(BLOCK).zip(self.scales.chunks(BLOCK));
        for (block, (scores, scales)) in blocks.enumerate() {
            let pairs = || scores.iter().zip(scales);
            if !pairs().fold(false, |any, (score, scale)| {
                any | (score * scale > threshold)
            }) {
                continue;
            }
            for (item, (score, scale)) in (block * BLOCK..).zip(pairs()) {
                if score * scale > threshold {
                    self.selection.offer(item as u32, score * scale);
                    threshold = self.selection.threshold();
                }
            }
        }
    }
}
