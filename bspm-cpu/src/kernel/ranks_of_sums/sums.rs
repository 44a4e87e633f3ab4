//! The weights of every sum, in a layout in which few instructions score an item in all sums.
//!
//! A combination has a plain part, a scaled part, and one sum per scale. The parts of [`LANES`]
//! combinations are computed side by side, and then their sums, in rounds: the sums of the first scale
//! of each combination, those of the second, and so on.

use bspm_core::backend::Combination;

pub(super) const LANES: usize = 16;

/// One number per sum. Elements without a sum are NaN or infinite.
pub(super) type BySum = Vec<[f32; LANES]>;

pub(super) struct Sums {
    matrices: usize,
    /// One element per block of combinations and matrix.
    parts: Vec<Parts>,
    /// One element per round and block of combinations. NaN if there is no sum.
    scales: BySum,
    /// The index of each sum.
    places: Vec<usize>,
    /// The weight of each matrix, for each sum.
    weights: Vec<Vec<f32>>,
    /// The sum of the magnitudes of the two parts of each weight. The parts may cancel each other.
    magnitudes: Vec<Vec<f32>>,
}

/// The plain and the scaled parts of [`LANES`] combinations, for the weights of a matrix.
#[derive(Clone)]
struct Parts {
    plain: [f32; LANES],
    scaled: [f32; LANES],
}

const BLANK: Parts = Parts {
    plain: [0.0; LANES],
    scaled: [0.0; LANES],
};

impl Sums {
    pub(super) fn of(combinations: &[Combination], matrices: usize) -> Self {
        let blocks = combinations.len().div_ceil(LANES);
        let rounds = combinations.iter().map(|it| it.scales.len()).max();
        let mut sums = Self {
            matrices,
            parts: vec![BLANK; blocks * matrices],
            scales: vec![[f32::NAN; LANES]; blocks * rounds.unwrap_or(0)],
            places: Vec::new(),
            weights: Vec::new(),
            magnitudes: Vec::new(),
        };
        for (place, combination) in combinations.iter().enumerate() {
            let (block, lane) = (place / LANES, place % LANES);
            let parts = &mut sums.parts[block * matrices..][..matrices];
            for &(matrix, weight) in &combination.plain {
                parts[matrix].plain[lane] += weight;
            }
            for &(matrix, weight) in &combination.scaled {
                parts[matrix].scaled[lane] += weight;
            }
            for (round, &scale) in combination.scales.iter().enumerate() {
                let row = round * blocks + block;
                sums.scales[row][lane] = scale;
                sums.places.push(row * LANES + lane);
                let weight = |parts: &Parts| parts.plain[lane] + scale * parts.scaled[lane];
                let magnitude =
                    |parts: &Parts| parts.plain[lane].abs() + (scale * parts.scaled[lane]).abs();
                sums.weights.push(parts.iter().map(weight).collect());
                sums.magnitudes.push(parts.iter().map(magnitude).collect());
            }
        }
        sums
    }

    pub(super) fn matrices(&self) -> usize {
        self.matrices
    }

    /// The index of each sum, and the weight of each matrix in it.
    pub(super) fn weights(&self) -> impl Iterator<Item = (usize, &[f32])> {
        let weights = self.weights.iter().map(Vec::as_slice);
        self.places.iter().copied().zip(weights)
    }

    /// For each sum, the magnitude of the parts of each weight. Rounding errors are relative to it.
    pub(super) fn magnitudes(&self) -> impl Iterator<Item = &[f32]> {
        self.magnitudes.iter().map(Vec::as_slice)
    }

    /// Creates a buffer for the scores of an item.
    pub(super) fn blank(&self) -> BySum {
        vec![[f32::NAN; LANES]; self.scales.len()]
    }

    /// Writes the score of an item in each sum; `row` has its value in each matrix.
    #[inline(always)]
    pub(super) fn score(&self, row: &[f32], scores: &mut BySum) {
        let blocks = self.parts.len() / self.matrices.max(1);
        for block in 0..blocks {
            let (mut plain, mut scaled) = ([0.0_f32; LANES], [0.0_f32; LANES]);
            let weights = &self.parts[block * self.matrices..][..self.matrices];
            for (&value, weights) in row.iter().zip(weights) {
                for (sum, weight) in plain.iter_mut().zip(&weights.plain) {
                    *sum += value * weight;
                }
                for (sum, weight) in scaled.iter_mut().zip(&weights.scaled) {
                    *sum += value * weight;
                }
            }
            let rounds = scores
                .chunks_exact_mut(blocks)
                .zip(self.scales.chunks_exact(blocks));
            for (scores, scales) in rounds {
                let mut sums = [0.0_f32; LANES];
                for lane in 0..LANES {
                    sums[lane] = plain[lane] + scales[block][lane] * scaled[lane];
                }
                scores[block] = sums;
            }
        }
    }
}
