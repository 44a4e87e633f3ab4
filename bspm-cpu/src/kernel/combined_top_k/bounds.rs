//! What no sum of a column exceeds.
//!
//! Take sums with weights `w_s` and thresholds `t_s > 0`. Where one of them reaches its threshold,
//! `sum_m max(u_m x_m, l_m x_m) >= 1` for the largest and the smallest `w_sm / t_s` of all. Sums
//! with other thresholds have a bound of their own: their weights are not divided, and the
//! smallest threshold stands in place of the 1.

use super::sums::{Sums, Thresholds};

/// Bounds on all sums of each column.
pub(super) struct Bounds<const WIDTH: usize> {
    /// Of sums whose thresholds are divided by.
    relative: Extremes<WIDTH>,
    /// Of the others, where there are any.
    absolute: Option<Extremes<WIDTH>>,
}

impl<const WIDTH: usize> Bounds<WIDTH> {
    #[inline(always)]
    pub(super) fn of(sums: &Sums, thresholds: &[Thresholds]) -> Self {
        let mut relative = Extremes::new(sums.matrices());
        let mut absolute = Extremes::new(sums.matrices());
        for (column, thresholds) in thresholds.iter().enumerate() {
            let thresholds = sums.by_sum(thresholds);
            let (divisible, others): (Vec<usize>, Vec<usize>) =
                (0..sums.len()).partition(|&it| is_divisible(thresholds[it]));
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

    /// A bit for each column in which a sum may reach its threshold with these entries of the
    /// matrices.
    #[inline(always)]
    pub(super) fn contending(&self, rows: &[[f32; WIDTH]]) -> u32 {
        let mut contending = self.relative.reaching(rows);
        if let Some(absolute) = &self.absolute {
            contending |= absolute.reaching(rows);
        }
        contending
    }
}

fn is_divisible(threshold: f32) -> bool {
    (1e-20..f32::INFINITY).contains(&threshold)
}

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
    fn reaching(&self, rows: &[[f32; WIDTH]]) -> u32 {
        let mut bounds = [0.0_f32; WIDTH];
        for (pair, row) in self.of_matrices.iter().zip(rows) {
            for lane in 0..WIDTH {
                let above = pair.largest[lane] * row[lane];
                let below = pair.smallest[lane] * row[lane];
                bounds[lane] += if above > below { above } else { below };
            }
        }
        let limits = &self.limits;
        let mut reaching = 0;
        for lane in 0..WIDTH {
            reaching |= u32::from(bounds[lane] >= limits[lane]) << lane;
        }
        reaching
    }
}
