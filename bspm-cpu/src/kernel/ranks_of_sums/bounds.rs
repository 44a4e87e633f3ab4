//! Upper bounds of the scores of an item in all sums, for each column.
//!
//! Let sums have weights `w_s` and thresholds `t_s > 0`. If one of them reaches its threshold, then
//! `sum_m max(u_m x_m, l_m x_m) >= 1`, where `u_m` and `l_m` are the largest and the smallest
//! `w_sm / t_s` of all sums. Sums with an infinite threshold are excluded. A column that has a threshold
//! of 0 or below has no bound, so every item is scored.

use super::BLOCK;
use super::sums::{BySum, Sums};

pub(super) struct Bounds<const WIDTH: usize> {
    of_matrices: Vec<Pair<WIDTH>>,
    /// The value that a bound must reach.
    limits: [f32; WIDTH],
}

/// The largest and the smallest weights of one matrix, widened by a bound of the rounding errors.
#[derive(Clone)]
struct Pair<const WIDTH: usize> {
    largest: [f32; WIDTH],
    smallest: [f32; WIDTH],
}

/// The minimum of the divisors.
const LEAST_DIVISOR: f32 = 1e-20;

impl<const WIDTH: usize> Bounds<WIDTH> {
    /// Computes the bounds of the sums for the thresholds of each column.
    #[inline(always)]
    pub(super) fn of<'t>(sums: &Sums, thresholds: impl Iterator<Item = &'t BySum>) -> Self {
        let matrices = sums.matrices();
        let blank = Pair {
            largest: [f32::NEG_INFINITY; WIDTH],
            smallest: [f32::INFINITY; WIDTH],
        };
        let mut bounds = Self {
            of_matrices: vec![blank; matrices],
            limits: [f32::INFINITY; WIDTH],
        };
        // Bounds the rounding errors of a score and of its bound, which are sums of rounded products.
        let rounding = (4 * matrices + 10) as f32 * f32::EPSILON;
        for (column, thresholds) in thresholds.enumerate() {
            let thresholds = thresholds.as_flattened();
            let sums = sums.weights().zip(sums.magnitudes());
            let sums = sums.map(|((sum, weights), magnitudes)| {
                (weights.iter().zip(magnitudes), thresholds[sum])
            });
            for (weights, threshold) in sums.filter(|it| it.1 < f32::INFINITY) {
                let limit = &mut bounds.limits[column];
                *limit = match threshold >= LEAST_DIVISOR && *limit > 0.0 {
                    true => 1.0,
                    false => f32::NEG_INFINITY,
                };
                for (pair, (weight, magnitude)) in bounds.of_matrices.iter_mut().zip(weights) {
                    let divisor = threshold.max(LEAST_DIVISOR);
                    let relative = weight / divisor;
                    let slack = rounding * (magnitude / divisor);
                    let largest = &mut pair.largest[column];
                    *largest = largest.max(relative + slack);
                    let smallest = &mut pair.smallest[column];
                    *smallest = smallest.min(relative - slack);
                }
            }
        }
        for pair in &mut bounds.of_matrices {
            for (column, limit) in bounds.limits.iter().enumerate() {
                if *limit != 1.0 {
                    (pair.largest[column], pair.smallest[column]) = (0.0, 0.0);
                }
            }
        }
        bounds
    }

    /// Sets a bit for each column in which a sum may reach its threshold, for the items from `first` on,
    /// which have these factors.
    #[inline(always)]
    pub(super) fn reaching(
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
        found.fill(0);
        for ((found, bounds), &scale) in found.iter_mut().zip(&bounds).zip(scales) {
            for (lane, (bound, limit)) in bounds.iter().zip(&self.limits).enumerate() {
                *found |= u32::from(scale * bound >= *limit) << lane;
            }
        }
    }
}
