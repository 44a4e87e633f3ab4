//! What no sum of a column exceeds.
//!
//! Take sums with weights `w_s` and thresholds `t_s > 0`. Where one of them reaches its threshold,
//! `sum_m max(u_m x_m, l_m x_m) >= 1` for the largest and the smallest `w_sm / t_s` of all. Sums
//! with other thresholds have a bound of their own: their weights are not divided, and the
//! smallest threshold stands in place of the 1. A sum whose threshold is infinite is none.

use super::BLOCK;
use super::sums::{BySum, Sums};

/// Bounds on all sums of each column.
pub(super) struct Bounds<const WIDTH: usize> {
    /// Of sums whose thresholds are divided by.
    relative: Extremes<WIDTH>,
    /// Of the others, where there are any.
    absolute: Option<Extremes<WIDTH>>,
}

impl<const WIDTH: usize> Bounds<WIDTH> {
    #[inline(always)]
    pub(super) fn of(sums: &Sums, thresholds: &[BySum]) -> Self {
        let mut relative = Extremes::new(sums.matrices());
        let mut absolute = Extremes::new(sums.matrices());
        for (column, thresholds) in thresholds.iter().enumerate() {
            let thresholds = sums.in_order(thresholds);
            let (divisible, others): (Vec<usize>, Vec<usize>) = (0..sums.len())
                .filter(|&it| thresholds[it] < f32::INFINITY)
                .partition(|&it| thresholds[it] >= LEAST_DIVISOR);
            relative.write(column, sums, &divisible, |sum| 1.0 / thresholds[sum], 1.0);
            let least = others.iter().map(|&sum| thresholds[sum]);
            let least = least.fold(f32::INFINITY, f32::min);
            absolute.write(column, sums, &others, |_| 1.0, least);
        }
        let is_needed = absolute.limits.iter().any(|limit| *limit < f32::INFINITY);
        Self {
            relative,
            absolute: is_needed.then_some(absolute),
        }
    }

    /// Sets a bit for each column in which a sum may reach its threshold, of the items from `first`
    /// on that have these factors.
    #[inline(always)]
    pub(super) fn contending(
        &self,
        basis: &[&[[f32; WIDTH]]],
        first: usize,
        scales: &[f32],
        found: &mut [u32; BLOCK],
    ) {
        found.fill(0);
        self.relative.reaching(basis, first, scales, found);
        if let Some(absolute) = &self.absolute {
            absolute.reaching(basis, first, scales, found);
        }
    }
}

/// What is divided by at least.
const LEAST_DIVISOR: f32 = 1e-20;

/// The largest and the smallest weights of some sums, for each column.
struct Extremes<const WIDTH: usize> {
    of_matrices: Vec<Pair<WIDTH>>,
    /// What a bound has to reach; infinite where there is no sum.
    limits: [f32; WIDTH],
}

/// Those of one matrix, widened by what rounding may do.
#[derive(Clone)]
struct Pair<const WIDTH: usize> {
    largest: [f32; WIDTH],
    smallest: [f32; WIDTH],
}

impl<const WIDTH: usize> Extremes<WIDTH> {
    fn new(matrices: usize) -> Self {
        let blank = Pair {
            largest: [0.0; WIDTH],
            smallest: [0.0; WIDTH],
        };
        Self {
            of_matrices: vec![blank; matrices],
            limits: [f32::INFINITY; WIDTH],
        }
    }

    #[inline(always)]
    fn write(
        &mut self,
        column: usize,
        sums: &Sums,
        members: &[usize],
        factor: impl Fn(usize) -> f32,
        limit: f32,
    ) {
        let Some((&first, others)) = members.split_first() else {
            return;
        };
        let scaled = |sum, values: &[f32]| -> Vec<f32> {
            let factor = factor(sum);
            values.iter().map(|value| factor * value).collect()
        };
        let mut largest = scaled(first, sums.weights_of(first));
        let mut smallest = largest.clone();
        let mut magnitudes = scaled(first, sums.magnitudes_of(first));
        for &sum in others {
            let factor = factor(sum);
            for (largest, &weight) in largest.iter_mut().zip(sums.weights_of(sum)) {
                *largest = largest.max(factor * weight);
            }
            for (smallest, &weight) in smallest.iter_mut().zip(sums.weights_of(sum)) {
                *smallest = smallest.min(factor * weight);
            }
            for (largest, &magnitude) in magnitudes.iter_mut().zip(sums.magnitudes_of(sum)) {
                *largest = largest.max(factor * magnitude);
            }
        }
        // Both the score and its bound are sums of so many rounded products.
        let rounding = (2 * magnitudes.len() + 10) as f32 * f32::EPSILON;
        for (matrix, pair) in self.of_matrices.iter_mut().enumerate() {
            let slack = rounding * magnitudes[matrix];
            pair.largest[column] = largest[matrix] + slack;
            pair.smallest[column] = smallest[matrix] - slack;
        }
        self.limits[column] = limit;
    }

    #[inline(always)]
    fn reaching(
        &self,
        basis: &[&[[f32; WIDTH]]],
        first: usize,
        scales: &[f32],
        found: &mut [u32; BLOCK],
    ) {
        let mut bounds = [[0.0_f32; WIDTH]; BLOCK];
        for (pair, matrix) in self.of_matrices.iter().zip(basis) {
            let rows = &matrix[first..first + scales.len()];
            for (bounds, row) in bounds.iter_mut().zip(rows) {
                for lane in 0..WIDTH {
                    let above = pair.largest[lane] * row[lane];
                    let below = pair.smallest[lane] * row[lane];
                    bounds[lane] += if above > below { above } else { below };
                }
            }
        }
        for ((found, bounds), &scale) in found.iter_mut().zip(&bounds).zip(scales) {
            for (lane, (bound, limit)) in bounds.iter().zip(&self.limits).enumerate() {
                *found |= u32::from(scale * bound >= *limit) << lane;
            }
        }
    }
}
