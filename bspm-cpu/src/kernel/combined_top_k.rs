//! Top-k of many weighted sums of the same matrices, none of which is ever written down.
//!
//! Item by item: the rows of the matrices are read once, every sum of them is formed in
//! registers, and compared with the thresholds of its columns at once. The items with the
//! best entries in the first sum come first, and the others in their order, as they lie in
//! memory: sums of the same matrices are alike, so that few of the others have an entry that
//! passes in any of them.

use bspm_core::backend::Combination;
use bspm_core::backend::TopK;

use super::instruction_set::Kernel;

pub(crate) struct CombinedTopK<'a, const WIDTH: usize> {
    /// Matrices of `items` rows.
    pub(crate) basis: &'a [&'a [[f32; WIDTH]]],
    pub(crate) combinations: &'a [Combination],
    /// One factor for each item.
    pub(crate) scales: &'a [f32],
    /// For each item, a bit for each column that it is hidden from.
    pub(crate) hidden: &'a [u32],
    /// One for each column that is asked for, of each sum: those of the first sum first.
    pub(crate) selections: &'a mut [TopK],
    /// How many columns are asked for; at least 1.
    pub(crate) columns: usize,
}

impl<const WIDTH: usize> Kernel for CombinedTopK<'_, WIDTH> {
    #[inline(always)]
    fn run(self) {
        let mut thresholds: Vec<[f32; WIDTH]> = self
            .selections
            .chunks(self.columns)
            .map(|selections| {
                let mut thresholds = [f32::INFINITY; WIDTH];
                for (threshold, selection) in thresholds.iter_mut().zip(selections) {
                    *threshold = selection.threshold();
                }
                thresholds
            })
            .collect();
        let sums: Vec<Sums<'_>> = self.combinations.iter().map(Sums::of).collect();
        let mut rows = vec![[0.0_f32; WIDTH]; self.basis.len()];
        for item in order(self.basis, self.combinations, self.scales) {
            let item = item as usize;
            let scale = self.scales[item];
            for (row, matrix) in rows.iter_mut().zip(self.basis) {
                for lane in 0..WIDTH {
                    row[lane] = scale * matrix[item][lane];
                }
            }
            let hidden = self.hidden[item];
            let mut sum = 0;
            for combination in &sums {
                let plain = weighted_sum(&combination.plain, &rows);
                let scaled = weighted_sum(&combination.scaled, &rows);
                for &factor in combination.scales {
                    let mut scores = [0.0_f32; WIDTH];
                    let mut any = false;
                    for lane in 0..WIDTH {
                        scores[lane] = plain[lane] + factor * scaled[lane];
                        any |= scores[lane] >= thresholds[sum][lane];
                    }
                    if any {
                        let selections = &mut self.selections[sum * self.columns..];
                        offer(
                            item,
                            &scores,
                            hidden,
                            &mut thresholds[sum],
                            &mut selections[..self.columns],
                        );
                    }
                    sum += 1;
                }
            }
        }
    }
}

/// How many items come before their turn.
const FIRST: usize = 1024;

/// The items, those with the largest entries in the first sum first.
#[inline(always)]
fn order<const WIDTH: usize>(
    basis: &[&[[f32; WIDTH]]],
    combinations: &[Combination],
    scales: &[f32],
) -> Vec<u32> {
    let mut items: Vec<u32> = (0..scales.len() as u32).collect();
    let Some(first) = combinations.first() else {
        return items;
    };
    let factor = first.scales.first().copied().unwrap_or(0.0);
    let mut peaks = vec![f32::NEG_INFINITY; scales.len()];
    for (item, peak) in peaks.iter_mut().enumerate() {
        let mut sum = [0.0_f32; WIDTH];
        for &(place, weight) in &first.plain {
            for lane in 0..WIDTH {
                sum[lane] += weight * basis[place][item][lane];
            }
        }
        for &(place, weight) in &first.scaled {
            for lane in 0..WIDTH {
                sum[lane] += factor * weight * basis[place][item][lane];
            }
        }
        let best = sum.iter().fold(f32::NEG_INFINITY, |best, &it| best.max(it));
        *peak = scales[item] * best;
    }
    if items.len() > FIRST {
        items.select_nth_unstable_by(FIRST, |&left, &right| {
            peaks[right as usize].total_cmp(&peaks[left as usize])
        });
        items[FIRST..].sort_unstable();
    }
    items
}

/// A combination whose terms are put together to runs of neighbouring matrices.
struct Sums<'a> {
    plain: Vec<Run>,
    scaled: Vec<Run>,
    scales: &'a [f32],
}

/// Weights of the matrices from `start` on.
struct Run {
    start: usize,
    weights: Vec<f32>,
}

impl<'a> Sums<'a> {
    fn of(combination: &'a Combination) -> Self {
        Self {
            plain: runs(&combination.plain),
            scaled: runs(&combination.scaled),
            scales: &combination.scales,
        }
    }
}

fn runs(terms: &[(usize, f32)]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for &(place, weight) in terms {
        match runs.last_mut() {
            Some(run) if run.start + run.weights.len() == place => run.weights.push(weight),
            _ => runs.push(Run {
                start: place,
                weights: vec![weight],
            }),
        }
    }
    runs
}

#[inline(always)]
fn weighted_sum<const WIDTH: usize>(runs: &[Run], rows: &[[f32; WIDTH]]) -> [f32; WIDTH] {
    let mut sum = [0.0; WIDTH];
    for run in runs {
        for (&weight, row) in run.weights.iter().zip(&rows[run.start..]) {
            for lane in 0..WIDTH {
                sum[lane] += weight * row[lane];
            }
        }
    }
    sum
}

#[inline(never)]
fn offer<const WIDTH: usize>(
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
