//! Ranks of some items in many weighted sums of the same matrices. They are counted, and no sum is
//! ever written down.
//!
//! Each column of a sum has a threshold: the score of its lowest item that fewer than `within`
//! items are known to be above. A block of rows is summed in registers and compared with the
//! thresholds. What reaches one is counted for the items that it is above, so that thresholds rise,
//! and few rows after the first reach one.

use std::cmp::Ordering;

use bspm_core::backend::Combination;

use super::instruction_set::Kernel;

/// Rows that are summed at a time: 4 KiB of each matrix at the width of a tile.
const BLOCK: usize = 32;

pub(crate) struct RanksOfSums<'a, const WIDTH: usize> {
    /// Matrices of one row for each item.
    pub(crate) basis: &'a [&'a [[f32; WIDTH]]],
    pub(crate) combinations: &'a [Combination],
    /// One factor for each item.
    pub(crate) scales: &'a [f32],
    /// The items that are left out of each column.
    pub(crate) hidden: &'a [&'a [u32]],
    /// The items of each column whose ranks are counted.
    pub(crate) items: &'a [&'a [u32]],
    pub(crate) within: usize,
    /// The ranks, from 0, ascending, for each sum and column.
    pub(crate) ranks: &'a mut Vec<Vec<Vec<u32>>>,
}

type Block<const WIDTH: usize> = [[f32; WIDTH]; BLOCK];

impl<const WIDTH: usize> Kernel for RanksOfSums<'_, WIDTH> {
    #[inline(always)]
    fn run(self) {
        let mut sums = self.sums();
        let mut hidden: Vec<(u32, usize)> = Vec::new();
        for (column, items) in self.hidden.iter().enumerate() {
            hidden.extend(items.iter().map(|&item| (item, column)));
        }
        hidden.sort_unstable();
        let mut hidden = hidden.as_slice();
        let (mut plain, mut scaled) = ([[0.0; WIDTH]; BLOCK], [[0.0; WIDTH]; BLOCK]);
        for first in (0..self.scales.len()).step_by(BLOCK) {
            let rows = BLOCK.min(self.scales.len() - first);
            let end = hidden.partition_point(|&(item, _)| (item as usize) < first + rows);
            let (hidden_here, later) = hidden.split_at(end);
            hidden = later;
            let mut sums = sums.iter_mut();
            for combination in self.combinations {
                self.add_terms(&combination.plain, first, rows, &mut plain);
                self.add_terms(&combination.scaled, first, rows, &mut scaled);
                for &(item, column) in hidden_here {
                    plain[item as usize - first][column] = f32::NEG_INFINITY;
                }
                for (&scale, sum) in combination.scales.iter().zip(&mut sums) {
                    for row in 0..rows {
                        let mut scores = [0.0; WIDTH];
                        let mut any = false;
                        for lane in 0..WIDTH {
                            scores[lane] = plain[row][lane] + scale * scaled[row][lane];
                            any |= scores[lane] >= sum.thresholds[lane];
                        }
                        if any {
                            sum.count((first + row) as u32, &scores, self.within as u32);
                        }
                    }
                }
            }
        }
        self.ranks.extend(sums.into_iter().map(Sum::into_ranks));
    }
}

impl<const WIDTH: usize> RanksOfSums<'_, WIDTH> {
    /// `out = scale * (the weighted sum of the matrices)` for some rows.
    #[inline(always)]
    fn add_terms(&self, terms: &[(usize, f32)], first: usize, rows: usize, out: &mut Block<WIDTH>) {
        let out = &mut out[..rows];
        out.fill([0.0; WIDTH]);
        for &(matrix, weight) in terms {
            for (out, row) in out.iter_mut().zip(&self.basis[matrix][first..]) {
                for lane in 0..WIDTH {
                    out[lane] += weight * row[lane];
                }
            }
        }
        for (out, &scale) in out.iter_mut().zip(&self.scales[first..]) {
            for value in out {
                *value *= scale;
            }
        }
    }

    /// Each sum, with its score of each item whose rank is counted: to the last bit what is
    /// compared with it.
    fn sums(&self) -> Vec<Sum<WIDTH>> {
        let mut sums = Vec::new();
        for combination in self.combinations {
            for &scale in &combination.scales {
                let columns = self.items.iter().zip(self.hidden).enumerate();
                let columns = columns.map(|(column, (items, hidden))| {
                    let score = |&item: &u32| {
                        let part = |terms: &[(usize, f32)]| {
                            let weighted = terms.iter().map(|&(matrix, weight)| {
                                weight * self.basis[matrix][item as usize][column]
                            });
                            weighted.fold(0.0, |sum, it| sum + it) * self.scales[item as usize]
                        };
                        let score = part(&combination.plain) + scale * part(&combination.scaled);
                        Counted {
                            item,
                            score,
                            above: 0,
                        }
                    };
                    let items = items
                        .iter()
                        .filter(|item| hidden.binary_search(item).is_err());
                    let scored = items.map(score);
                    let mut counted: Vec<Counted> = scored
                        .filter(|it| it.score != 0.0 && it.score.is_finite())
                        .collect();
                    counted.sort_unstable_by(Counted::order);
                    counted
                });
                let columns: Vec<Vec<Counted>> = columns.collect();
                let mut thresholds = [f32::INFINITY; WIDTH];
                for (threshold, counted) in thresholds.iter_mut().zip(&columns) {
                    *threshold = threshold_of(counted);
                }
                sums.push(Sum {
                    thresholds,
                    columns,
                });
            }
        }
        sums
    }
}

/// An item whose rank is counted.
struct Counted {
    item: u32,
    score: f32,
    /// How many items are known to be above it.
    above: u32,
}

impl Counted {
    /// Best first; of equal scores the lower id first.
    fn order(&self, other: &Self) -> Ordering {
        let by_score = other.score.total_cmp(&self.score);
        by_score.then(self.item.cmp(&other.item))
    }

    fn is_below(&self, item: u32, score: f32) -> bool {
        score > self.score || (score == self.score && item < self.item)
    }
}

/// What has to be reached to count: the lowest score.
fn threshold_of(counted: &[Counted]) -> f32 {
    counted.last().map_or(f32::INFINITY, |it| it.score)
}

struct Sum<const WIDTH: usize> {
    thresholds: [f32; WIDTH],
    /// For each column, best first, the items that may have a rank below the limit.
    columns: Vec<Vec<Counted>>,
}

impl<const WIDTH: usize> Sum<WIDTH> {
    /// Counts an item in the columns whose threshold it reaches. Out of line, since few do.
    #[inline(never)]
    fn count(&mut self, item: u32, scores: &[f32; WIDTH], within: u32) {
        let columns = self.columns.iter_mut().zip(&mut self.thresholds);
        for ((counted, threshold), &score) in columns.zip(scores) {
            if score >= *threshold {
                for lower in counted.iter_mut().rev() {
                    if !lower.is_below(item, score) {
                        break;
                    }
                    // What has no score ends the list before what scores less.
                    lower.above += if score == 0.0 { within } else { 1 };
                }
                while counted.last().is_some_and(|it| it.above >= within) {
                    counted.pop();
                }
                *threshold = threshold_of(counted);
            }
        }
    }

    fn into_ranks(self) -> Vec<Vec<u32>> {
        let ranks = |counted: Vec<Counted>| counted.iter().map(|it| it.above).collect();
        self.columns.into_iter().map(ranks).collect()
    }
}
