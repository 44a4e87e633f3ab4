//! Ranks of some items in many weighted sums of the same matrices. The ranks are counted, and the sums
//! are not stored.
//!
//! The rank of an item is the number of items above it. An item with `within` or more items above it has
//! no rank. Each column of a sum has a threshold: the score of its lowest item that may still have a
//! rank. The best items of a few of the sums (threshold seeds) are counted first, in all sums. After
//! that, most thresholds are infinite, and one bound per item and column shows whether the item can
//! reach any of the other thresholds (`bounds`).

mod bounds;
mod sums;

use bspm_core::backend::{Combination, TopK};

use self::bounds::Bounds;
use self::sums::{BySum, LANES, Sums};
use super::cpu::Kernel;

/// The number of rows that are processed before the next matrix: 4 KiB of each at the width of a tile.
const BLOCK: usize = 32;

/// The number of sums whose best items are threshold seeds.
const SEED_SUMS: usize = 4;

/// The number of seeds from each sum, per entry of a list.
const SEEDS_OF_PLACE: usize = 3;

/// The maximum number of seeds from a sum: more seeds take memory, and thresholds need few.
const MOST_SEEDS: usize = 1_000;

pub(crate) struct RanksOfSums<'a, const WIDTH: usize> {
    /// Matrices with one row per item.
    pub(crate) basis: &'a [&'a [[f32; WIDTH]]],
    pub(crate) combinations: &'a [Combination],
    /// One factor per item.
    pub(crate) scales: &'a [f32],
    /// The items that are excluded from each column.
    pub(crate) hidden: &'a [&'a [u32]],
    /// The items of each column whose ranks are counted.
    pub(crate) items: &'a [&'a [u32]],
    pub(crate) within: usize,
    /// The ranks, from 0, ascending, for each sum and column.
    pub(crate) ranks: &'a mut Vec<Vec<Vec<u32>>>,
}

impl<const WIDTH: usize> Kernel for RanksOfSums<'_, WIDTH> {
    #[inline(always)]
    fn run(self) {
        let sums = Sums::of(self.combinations, self.basis.len());
        // No rank exceeds the number of items.
        let within = self.within.min(self.scales.len() + 1) as u32;
        // For each item, one bit per column in which it has been counted.
        let mut done = vec![0_u32; self.scales.len()];
        for (column, hidden) in self.hidden.iter().enumerate() {
            for &item in *hidden {
                done[item as usize] |= 1 << column;
            }
        }
        let seeds = self.seeds(&sums, &done);
        let mut row = vec![0.0; sums.matrices()];
        let mut scores = sums.blank();
        let mut columns: Vec<Column> = Vec::with_capacity(self.items.len());
        for (column, seeds) in seeds.iter().enumerate() {
            let mut counts = self.column(&sums, column, &done);
            for &item in self.items[column].iter().chain(seeds) {
                if done[item as usize] >> column & 1 == 0 {
                    done[item as usize] |= 1 << column;
                    self.score(&sums, item, column, &mut row, &mut scores);
                    counts.count(item, &scores, within);
                }
            }
            columns.push(counts);
        }
        let bounds = Bounds::<WIDTH>::of(&sums, columns.iter().map(|it| &it.thresholds));
        let mut reaching = [0_u32; BLOCK];
        for first in (0..self.scales.len()).step_by(BLOCK) {
            let scales = &self.scales[first..self.scales.len().min(first + BLOCK)];
            bounds.reaching(self.basis, first, scales, &mut reaching);
            for (item, reaching) in (first..first + scales.len()).zip(reaching) {
                let mut left = reaching & !done[item];
                while left != 0 {
                    let column = left.trailing_zeros() as usize;
                    left &= left - 1;
                    self.score(&sums, item as u32, column, &mut row, &mut scores);
                    columns[column].count(item as u32, &scores, within);
                }
            }
        }
        self.ranks.extend(sums.weights().map(|(sum, _)| {
            let ranks = |column: &Column| column.ranks(sum, within);
            columns.iter().map(ranks).collect()
        }));
    }
}

impl<const WIDTH: usize> RanksOfSums<'_, WIDTH> {
    /// The best items of a few sums, for each column, without the items that have been counted.
    #[inline(always)]
    fn seeds(&self, sums: &Sums, done: &[u32]) -> Vec<Vec<u32>> {
        let columns = self.items.len();
        let chosen = self.unlike_sums(sums);
        let seeds = self.within.saturating_mul(SEEDS_OF_PLACE);
        let blank = TopK::new(seeds.min(MOST_SEEDS));
        let mut thresholds = [f32::INFINITY; WIDTH];
        thresholds[..columns].fill(blank.threshold());
        let mut thresholds = [thresholds; SEED_SUMS];
        let mut best = vec![blank; SEED_SUMS * columns];
        for first in (0..self.scales.len()).step_by(BLOCK) {
            let rows = first..self.scales.len().min(first + BLOCK);
            for (sum, weights) in chosen.iter().enumerate() {
                let mut scores = [[0.0_f32; WIDTH]; BLOCK];
                for (&weight, matrix) in weights.iter().zip(self.basis) {
                    let values = matrix[rows.clone()].as_flattened();
                    for (score, value) in scores.as_flattened_mut().iter_mut().zip(values) {
                        *score += weight * value;
                    }
                }
                for (item, scores) in rows.clone().zip(&mut scores) {
                    let mut any = false;
                    for lane in 0..WIDTH {
                        scores[lane] *= self.scales[item];
                        any |= scores[lane] >= thresholds[sum][lane];
                    }
                    if any {
                        let best = &mut best[sum * columns..][..columns];
                        offer(item, scores, done[item], &mut thresholds[sum], best);
                    }
                }
            }
        }
        let mut seeds = vec![Vec::new(); columns];
        for (place, best) in best.into_iter().enumerate() {
            let entries = best.into_sorted().into_iter();
            seeds[place % columns].extend(entries.map(|entry| entry.item));
        }
        seeds
    }

    /// Selects [`SEED_SUMS`] of the sums, each of them the farthest from those before it.
    fn unlike_sums<'w>(&self, sums: &'w Sums) -> Vec<&'w [f32]> {
        let weights: Vec<&[f32]> = sums.weights().map(|it| it.1).collect();
        const EVERY: usize = 64;
        let squares = |matrix: &&[[f32; WIDTH]]| -> f32 {
            let rows = matrix.iter().zip(self.scales).step_by(EVERY);
            let squares = rows.flat_map(|(row, scale)| row.map(|value| (value * scale).powi(2)));
            squares.sum()
        };
        let squares: Vec<f32> = self.basis.iter().map(squares).collect();
        let mut nearest = vec![f32::INFINITY; weights.len()];
        let mut chosen: Vec<&[f32]> = Vec::with_capacity(SEED_SUMS);
        let mut next = (!weights.is_empty()).then_some(0);
        while let Some(sum) = next.filter(|_| chosen.len() < SEED_SUMS) {
            chosen.push(weights[sum]);
            for (other, nearest) in weights.iter().zip(&mut nearest) {
                let differences = weights[sum].iter().zip(*other).zip(&squares);
                let distances =
                    differences.map(|((left, right), square)| (left - right).powi(2) * square);
                *nearest = nearest.min(distances.sum());
            }
            let farthest =
                (0..weights.len()).max_by(|&left, &right| nearest[left].total_cmp(&nearest[right]));
            next = farthest.filter(|&sum| nearest[sum] > 0.0);
        }
        chosen
    }

    /// The items of a column whose ranks are counted, in each sum.
    #[inline(always)]
    fn column(&self, sums: &Sums, column: usize, done: &[u32]) -> Column {
        let (mut row, mut scores) = (vec![0.0; sums.matrices()], sums.blank());
        let mut counted: Vec<Vec<Counted>> = vec![Vec::new(); scores.as_flattened().len()];
        for &item in self.items[column] {
            if done[item as usize] >> column & 1 == 0 {
                self.score(sums, item, column, &mut row, &mut scores);
                for (counted, &score) in counted.iter_mut().zip(scores.as_flattened()) {
                    if score != 0.0 && score.is_finite() {
                        counted.push(Counted {
                            item,
                            score,
                            above: 0,
                        });
                    }
                }
            }
        }
        for counted in &mut counted {
            counted.sort_unstable_by(|left, right| {
                let by_score = right.score.total_cmp(&left.score);
                by_score.then(left.item.cmp(&right.item))
            });
        }
        let mut thresholds = sums.blank();
        for (threshold, counted) in thresholds.as_flattened_mut().iter_mut().zip(&counted) {
            *threshold = threshold_of(counted);
        }
        Column {
            thresholds,
            counted,
        }
    }

    /// The score of an item in each sum; `row` is scratch.
    #[inline(always)]
    fn score(&self, sums: &Sums, item: u32, column: usize, row: &mut [f32], scores: &mut BySum) {
        let scale = self.scales[item as usize];
        for (value, matrix) in row.iter_mut().zip(self.basis) {
            *value = scale * matrix[item as usize][column];
        }
        sums.score(row, scores);
    }
}

#[inline(never)]
fn offer<const WIDTH: usize>(
    item: usize,
    scores: &[f32; WIDTH],
    done: u32,
    thresholds: &mut [f32; WIDTH],
    best: &mut [TopK],
) {
    for (column, best) in best.iter_mut().enumerate() {
        if scores[column] >= thresholds[column] && done >> column & 1 == 0 {
            best.offer(item as u32, scores[column]);
            thresholds[column] = best.threshold();
        }
    }
}

/// An item whose rank is counted.
#[derive(Clone, Copy)]
struct Counted {
    item: u32,
    score: f32,
    /// The number of items that are known to be above it.
    above: u32,
}

/// The counts of one column.
struct Column {
    /// For each sum, best first, the items that may have a rank.
    counted: Vec<Vec<Counted>>,
    /// For each sum, the lowest score of an item that may have a rank.
    thresholds: BySum,
}

fn threshold_of(counted: &[Counted]) -> f32 {
    counted.last().map_or(f32::INFINITY, |it| it.score)
}

impl Column {
    fn ranks(&self, sum: usize, within: u32) -> Vec<u32> {
        let ranks = self.counted[sum].iter().map(|it| it.above);
        ranks.filter(|&rank| rank < within).collect()
    }

    /// Counts an item above the items with lower scores, in each sum.
    #[inline(always)]
    fn count(&mut self, item: u32, scores: &BySum, within: u32) {
        for (row, (scores, thresholds)) in scores.iter().zip(&mut self.thresholds).enumerate() {
            let mut any = false;
            for lane in 0..LANES {
                any |= scores[lane] >= thresholds[lane];
            }
            if any {
                let counted = &mut self.counted[row * LANES..][..LANES];
                count_row(counted, thresholds, item, scores, within);
            }
        }
    }
}

/// Not inlined, because few items reach a threshold.
#[inline(never)]
fn count_row(
    counted: &mut [Vec<Counted>],
    thresholds: &mut [f32; LANES],
    item: u32,
    scores: &[f32; LANES],
    within: u32,
) {
    for ((counted, threshold), &score) in counted.iter_mut().zip(thresholds).zip(scores) {
        if score >= *threshold {
            for lower in counted.iter_mut().rev() {
                let is_above = score > lower.score || (score == lower.score && item < lower.item);
                if !is_above {
                    break;
                }
                // An item with the score 0 ends the list, and items with lower scores have no rank.
                lower.above = match score == 0.0 {
                    true => within,
                    false => lower.above + 1,
                };
            }
            while counted.last().is_some_and(|it| it.above >= within) {
                counted.pop();
            }
            *threshold = threshold_of(counted);
        }
    }
}
