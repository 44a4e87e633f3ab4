//! Top-k of many weighted sums of the same matrices, none of which is ever written down.
//!
//! A few of the sums, as unlike each other as there are, are ranked for themselves, and what
//! stands near the head of one is offered to all: every list then has a threshold near its last
//! one. After that one bound for each item and column tells whether any sum can reach its
//! threshold, and the items that contend are scored in all sums at once.

mod bounds;
mod sums;

use bspm_core::backend::Combination;
use bspm_core::backend::TopK;

use self::bounds::Bounds;
use self::sums::{Sums, Thresholds};
use super::instruction_set::Kernel;

pub(crate) struct CombinedTopK<'a, const WIDTH: usize> {
    /// Matrices of `items` rows.
    pub(crate) basis: &'a [&'a [[f32; WIDTH]]],
    pub(crate) combinations: &'a [Combination],
    /// One factor for each item.
    pub(crate) scales: &'a [f32],
    /// For each item, a bit for each column that it is hidden from; those that it has been offered
    /// to are added.
    pub(crate) hidden: &'a mut [u32],
    /// How many items a list has.
    pub(crate) k: usize,
    /// One for each column that is asked for, of each sum: those of the first sum first.
    pub(crate) selections: &'a mut [TopK],
    /// How many columns are asked for; at least 1.
    pub(crate) columns: usize,
}

impl<const WIDTH: usize> Kernel for CombinedTopK<'_, WIDTH> {
    #[inline(always)]
    fn run(mut self) {
        let sums = Sums::of(self.combinations, self.basis.len());
        if sums.len() == 0 {
            return;
        }
        let mut thresholds: Vec<Thresholds> = (0..self.columns)
            .map(|column| {
                sums.thresholds(|sum| self.selections[sum * self.columns + column].threshold())
            })
            .collect();
        let leaders = self.leaders(&sums);
        let mut row = vec![0.0; self.basis.len()];
        for (column, items) in leaders.iter().enumerate() {
            for &item in items {
                self.copy_row(item, column, &mut row);
                self.offer(&sums, item, column, &row, &mut thresholds[column]);
                self.hidden[item as usize] |= 1 << column;
            }
        }
        let bounds = Bounds::of(&sums, &thresholds);
        self.offer_contenders(&sums, &bounds, &mut thresholds, &mut row);
    }
}

/// How many sums are ranked for themselves.
const LEADING: usize = 4;

/// How many times as long as what is asked for their lists are.
const LONGER: usize = 3;

impl<const WIDTH: usize> CombinedTopK<'_, WIDTH> {
    /// For each column the items that are among the best of one of [`LEADING`] sums.
    #[inline(always)]
    fn leaders(&self, sums: &Sums) -> Vec<Vec<u32>> {
        let leading: Vec<&[f32]> = sums
            .unlike(LEADING, &self.sizes())
            .into_iter()
            .map(|sum| sums.weights_of(sum))
            .collect();
        let blank = TopK::new(self.k.saturating_mul(LONGER));
        let mut thresholds = vec![[f32::INFINITY; WIDTH]; leading.len()];
        for thresholds in &mut thresholds {
            thresholds[..self.columns].fill(blank.threshold());
        }
        let mut selections = vec![blank; leading.len() * self.columns];
        let mut rows = vec![[0.0_f32; WIDTH]; self.basis.len()];
        for item in 0..self.scales.len() {
            self.scale_rows(item, &mut rows);
            for (place, weights) in leading.iter().enumerate() {
                let mut scores = [0.0_f32; WIDTH];
                for (&weight, &row) in weights.iter().zip(&rows) {
                    for lane in 0..WIDTH {
                        scores[lane] += weight * row[lane];
                    }
                }
                let limits = thresholds[place];
                let mut any = false;
                for lane in 0..WIDTH {
                    any |= scores[lane] >= limits[lane];
                }
                if any {
                    offer_row(
                        item,
                        &scores,
                        self.hidden[item],
                        &mut thresholds[place],
                        &mut selections[place * self.columns..][..self.columns],
                    );
                }
            }
        }
        let mut leaders = vec![Vec::new(); self.columns];
        for (place, selection) in selections.into_iter().enumerate() {
            let entries = selection.into_sorted().into_iter();
            leaders[place % self.columns].extend(entries.map(|entry| entry.item));
        }
        for items in &mut leaders {
            items.sort_unstable();
            items.dedup();
        }
        leaders
    }

    /// Offers every item that may reach a threshold, and is not hidden.
    #[inline(always)]
    fn offer_contenders(
        &mut self,
        sums: &Sums,
        bounds: &Bounds<WIDTH>,
        thresholds: &mut [Thresholds],
        row: &mut [f32],
    ) {
        let asked = u32::MAX >> (32 - self.columns.min(32));
        let mut rows = vec![[0.0_f32; WIDTH]; self.basis.len()];
        for item in 0..self.scales.len() {
            self.scale_rows(item, &mut rows);
            let mut contending = bounds.contending(&rows) & asked & !self.hidden[item];
            while contending != 0 {
                let column = contending.trailing_zeros() as usize;
                contending &= contending - 1;
                for (value, lanes) in row.iter_mut().zip(&rows) {
                    *value = lanes[column];
                }
                self.offer(sums, item as u32, column, row, &mut thresholds[column]);
            }
        }
    }

    /// The norm of each matrix, of some of the items.
    #[inline(always)]
    fn sizes(&self) -> Vec<f32> {
        const EVERY: usize = 8;
        let mut squares = vec![[0.0_f32; WIDTH]; self.basis.len()];
        let mut rows = squares.clone();
        for item in (0..self.scales.len()).step_by(EVERY) {
            self.scale_rows(item, &mut rows);
            for (squares, row) in squares.iter_mut().zip(&rows) {
                for lane in 0..WIDTH {
                    squares[lane] += row[lane] * row[lane];
                }
            }
        }
        let root = |squares: &[f32; WIDTH]| squares.iter().sum::<f32>().sqrt();
        squares.iter().map(root).collect()
    }

    #[inline(always)]
    fn scale_rows(&self, item: usize, rows: &mut [[f32; WIDTH]]) {
        let scale = self.scales[item];
        for (row, matrix) in rows.iter_mut().zip(self.basis) {
            *row = matrix[item].map(|entry| scale * entry);
        }
    }

    /// What the matrices have for one item and column.
    fn copy_row(&self, item: u32, column: usize, row: &mut [f32]) {
        let scale = self.scales[item as usize];
        for (value, matrix) in row.iter_mut().zip(self.basis) {
            *value = scale * matrix[item as usize][column];
        }
    }

    #[inline(always)]
    fn offer(
        &mut self,
        sums: &Sums,
        item: u32,
        column: usize,
        row: &[f32],
        thresholds: &mut Thresholds,
    ) {
        sums.offer(row, thresholds, |sum, score| {
            let selection = &mut self.selections[sum * self.columns + column];
            selection.offer(item, score);
            selection.threshold()
        });
    }
}

#[inline(never)]
fn offer_row<const WIDTH: usize>(
    item: usize,
    scores: &[f32; WIDTH],
    hidden: u32,
    thresholds: &mut [f32; WIDTH],
    selections: &mut [TopK],
) {
    for (lane, selection) in selections.iter_mut().enumerate() {
        if scores[lane] >= thresholds[lane] && hidden >> lane & 1 == 0 {
            selection.offer(item as u32, scores[lane]);
            thresholds[lane] = selection.threshold();
        }
    }
}
