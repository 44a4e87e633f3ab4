//! Top-k of many weighted sums of the same matrices, each up to its last hit, and none of the
//! sums ever written down.
//!
//! A few of the sums, as unlike each other as there are, are ranked for themselves, and what
//! stands near the head of one is offered to all. Most sums then have as many items above every
//! relevant one as a list has places, and are done. The others need what reaches their lowest hit:
//! one bound for each item and column tells whether any sum can, and the items that contend are
//! scored in all sums at once.

mod bounds;
mod leaders;
mod stand_ins;
mod sums;

use bspm_core::backend::{Combination, TopK};

use self::bounds::Bounds;
use self::sums::{BySum, Parts, Sums};
use super::instruction_set::Kernel;

/// How many items are looked at before the next matrix: 4 KiB of each at the width of a tile.
const BLOCK: usize = 32;

pub(crate) struct CombinedHits<'a, const WIDTH: usize> {
    /// Matrices of `items` rows.
    pub(crate) basis: &'a [&'a [[f32; WIDTH]]],
    pub(crate) combinations: &'a [Combination],
    /// One factor for each item.
    pub(crate) scales: &'a [f32],
    /// For each item, a bit for each column that it is hidden from; those that it has been offered
    /// to are added.
    pub(crate) hidden: &'a mut [u32],
    /// For each column that is asked for, of which there is one at least, the items up to the
    /// last of which its lists are needed.
    pub(crate) relevant: &'a [&'a [u32]],
    /// How many items a list has.
    pub(crate) k: usize,
    /// One for each column, of each sum: those of the first sum first. What is in them is right
    /// up to the last relevant item.
    pub(crate) selections: &'a mut [TopK],
}

impl<const WIDTH: usize> Kernel for CombinedHits<'_, WIDTH> {
    #[inline(always)]
    fn run(mut self) {
        let sums = Sums::of(self.combinations, self.basis.len());
        if sums.len() == 0 {
            return;
        }
        let leaders = self.leaders(&sums);
        let mut cell = Cell::of(&sums);
        let mut limits = Vec::with_capacity(leaders.len());
        let mut thresholds = Vec::with_capacity(leaders.len());
        for (column, leaders) in leaders.iter().enumerate() {
            let (lowest, reached) = self.offer_first(&sums, column, leaders, &mut cell);
            limits.push(lowest);
            thresholds.push(reached);
        }
        self.offer_contenders(&sums, &limits, &mut thresholds, &mut cell);
    }
}

impl<const WIDTH: usize> CombinedHits<'_, WIDTH> {
    /// Offers the relevant items of a column, and those that lead, and hides them then. The score in
    /// each sum of the lowest relevant item that fewer than `k` of the leaders are above, infinite
    /// where there is none; and what has to be reached after that.
    #[inline(always)]
    fn offer_first(
        &mut self,
        sums: &Sums,
        column: usize,
        leaders: &[u32],
        cell: &mut Cell,
    ) -> (BySum, BySum) {
        let is_open = |item: &u32| self.hidden[*item as usize] >> column & 1 == 0;
        let relevant: Vec<u32> = self.relevant[column]
            .iter()
            .copied()
            .filter(is_open)
            .collect();
        let relevant = self.scored(sums, column, &relevant, cell);
        let mut leaders = self.scored(sums, column, leaders, cell);
        leaders.sort_unstable_by(|(_, left), (_, right)| right.compare_first(left));
        let mut limits = sums.infinite();
        for (_, scores) in &relevant {
            limits.lower_where_fewer_above(self.k, &leaders, scores);
        }
        let mut thresholds = limits.clone();
        for (item, scores) in relevant.into_iter().chain(leaders) {
            if self.hidden[item as usize] >> column & 1 == 0 {
                self.hidden[item as usize] |= 1 << column;
                self.offer(sums, item, column, &scores, &limits, &mut thresholds);
            }
        }
        (limits, thresholds)
    }

    /// Some items of a column with their scores.
    #[inline(always)]
    fn scored(
        &self,
        sums: &Sums,
        column: usize,
        items: &[u32],
        cell: &mut Cell,
    ) -> Vec<(u32, BySum)> {
        let mut scored = Vec::with_capacity(items.len());
        for &item in items {
            self.score(sums, item, column, cell);
            scored.push((item, cell.scores.clone()));
        }
        scored
    }

    /// Offers every item that may reach a threshold, and is not hidden. A threshold stays at what it
    /// is, or at that of the list where that is higher.
    #[inline(always)]
    fn offer_contenders(
        &mut self,
        sums: &Sums,
        limits: &[BySum],
        thresholds: &mut [BySum],
        cell: &mut Cell,
    ) {
        let bounds = Bounds::of(sums, thresholds);
        let asked = u32::MAX >> (32 - self.relevant.len().min(32));
        let mut contending = [0; BLOCK];
        for (first, scales) in blocks(self.scales) {
            bounds.contending(self.basis, first, scales, &mut contending);
            for (item, columns) in (first..first + scales.len()).zip(&contending) {
                let mut columns = columns & asked & !self.hidden[item];
                while columns != 0 {
                    let column = columns.trailing_zeros() as usize;
                    columns &= columns - 1;
                    self.score(sums, item as u32, column, cell);
                    let (limits, thresholds) = (&limits[column], &mut thresholds[column]);
                    self.offer(sums, item as u32, column, &cell.scores, limits, thresholds);
                }
            }
        }
    }

    /// Scores one item and column in all sums.
    #[inline(always)]
    fn score(&self, sums: &Sums, item: u32, column: usize, cell: &mut Cell) {
        let scale = self.scales[item as usize];
        for (value, matrix) in cell.row.iter_mut().zip(self.basis) {
            *value = scale * matrix[item as usize][column];
        }
        sums.score(&cell.row, &mut cell.parts, &mut cell.scores);
    }

    /// Offers an item to the sums whose thresholds it reaches. A threshold is that of the list,
    /// or of the limits where that is higher.
    #[inline(always)]
    fn offer(
        &mut self,
        sums: &Sums,
        item: u32,
        column: usize,
        scores: &BySum,
        limits: &BySum,
        thresholds: &mut BySum,
    ) {
        let columns = self.relevant.len();
        sums.offer(scores, limits, thresholds, |sum, score, limit| {
            let selection = &mut self.selections[sum * columns + column];
            selection.offer(item, score);
            selection.threshold().max(limit)
        });
    }
}

/// The first item of each block, and the factors of its items.
fn blocks(scales: &[f32]) -> impl Iterator<Item = (usize, &[f32])> {
    (0..).step_by(BLOCK).zip(scales.chunks(BLOCK))
}

/// One item and column.
struct Cell {
    /// What each matrix has for it.
    row: Vec<f32>,
    /// What each combination has.
    parts: Vec<Parts>,
    /// What each sum has.
    scores: BySum,
}

impl Cell {
    fn of(sums: &Sums) -> Self {
        Self {
            row: vec![0.0; sums.matrices()],
            parts: sums.parts(),
            scores: sums.infinite(),
        }
    }
}
