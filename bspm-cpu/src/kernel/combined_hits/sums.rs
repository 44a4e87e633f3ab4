//! All sums of one item and column, beside each other in registers.

use bspm_core::backend::Combination;

/// How many sums stand beside each other.
const LANES: usize = 32;

/// The weights of every sum.
pub(super) struct Sums {
    count: usize,
    matrices: usize,
    /// `sums x matrices`.
    weights: Vec<f32>,
    /// The sum of the absolute parts of each weight.
    magnitudes: Vec<f32>,
    /// For as many sums as stand beside each other, what each matrix is weighted by; then for the
    /// next. Beside the last sum it is not a number, and so is the score, which reaches nothing.
    beside: Vec<[f32; LANES]>,
}

/// A number for each sum, laid out as the weights are.
#[derive(Clone)]
pub(super) struct BySum(Vec<[f32; LANES]>);

impl Sums {
    pub(super) fn of(combinations: &[Combination], matrices: usize) -> Self {
        let mut weights = Vec::new();
        let mut magnitudes = Vec::new();
        let scales = combinations
            .iter()
            .flat_map(|it| it.scales.iter().map(move |&scale| (it, scale)));
        for (combination, scale) in scales {
            let start = weights.len();
            weights.resize(start + matrices, 0.0);
            magnitudes.resize(start + matrices, 0.0);
            let scaled = combination
                .scaled
                .iter()
                .map(|&(it, weight)| (it, scale * weight));
            for (matrix, weight) in combination.plain.iter().copied().chain(scaled) {
                weights[start + matrix] += weight;
                magnitudes[start + matrix] += weight.abs();
            }
        }
        let count = weights.len().checked_div(matrices).unwrap_or(0);
        let mut beside = vec![[f32::NAN; LANES]; count.div_ceil(LANES) * matrices];
        for sum in 0..count {
            for matrix in 0..matrices {
                beside[sum / LANES * matrices + matrix][sum % LANES] =
                    weights[sum * matrices + matrix];
            }
        }
        Self {
            count,
            matrices,
            weights,
            magnitudes,
            beside,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn matrices(&self) -> usize {
        self.matrices
    }

    pub(super) fn weights_of(&self, sum: usize) -> &[f32] {
        &self.weights[sum * self.matrices..][..self.matrices]
    }

    pub(super) fn magnitudes_of(&self, sum: usize) -> &[f32] {
        &self.magnitudes[sum * self.matrices..][..self.matrices]
    }

    /// Some of the sums, each as far from those before as there is one, where the matrices are of
    /// these sizes.
    pub(super) fn unlike(&self, count: usize, sizes: &[f32]) -> Vec<usize> {
        let mut nearest = vec![f32::INFINITY; self.len()];
        let mut found = Vec::with_capacity(count);
        let mut next = Some(0);
        while let Some(sum) = next.filter(|_| found.len() < count) {
            found.push(sum);
            for (other, nearest) in nearest.iter_mut().enumerate() {
                let weights = self.weights_of(sum).iter().zip(self.weights_of(other));
                let squares = weights.zip(sizes).map(|((left, right), size)| {
                    let difference = (left - right) * size;
                    difference * difference
                });
                *nearest = nearest.min(squares.sum());
            }
            next = (0..self.len()).max_by(|&left, &right| nearest[left].total_cmp(&nearest[right]));
            next = next.filter(|&sum| nearest[sum] > 0.0);
        }
        found
    }

    /// Infinity for every sum.
    pub(super) fn infinite(&self) -> BySum {
        BySum(vec![[f32::INFINITY; LANES]; self.count.div_ceil(LANES)])
    }

    /// Writes down what `row`, which has what each matrix has for one item and column, is in each
    /// sum.
    #[inline(always)]
    pub(super) fn score(&self, row: &[f32], scores: &mut BySum) {
        let beside = self.beside.chunks_exact(self.matrices);
        for (weights, out) in beside.zip(&mut scores.0) {
            let mut sums = [0.0_f32; LANES];
            for (&value, weights) in row.iter().zip(weights) {
                for lane in 0..LANES {
                    sums[lane] += value * weights[lane];
                }
            }
            *out = sums;
        }
    }

    /// Calls `enter` with each sum whose score reaches its threshold, and the score, for the
    /// threshold that it then has.
    #[inline(always)]
    pub(super) fn offer(
        &self,
        scores: &BySum,
        thresholds: &mut BySum,
        mut enter: impl FnMut(usize, f32) -> f32,
    ) {
        for (block, (scores, thresholds)) in scores.0.iter().zip(&mut thresholds.0).enumerate() {
            let mut any = false;
            for lane in 0..LANES {
                any |= scores[lane] >= thresholds[lane];
            }
            if any {
                enter_lanes(block * LANES, scores, thresholds, &mut enter);
            }
        }
    }
}

/// Out of line, since few items enter.
#[inline(never)]
fn enter_lanes(
    before: usize,
    scores: &[f32; LANES],
    thresholds: &mut [f32; LANES],
    enter: &mut impl FnMut(usize, f32) -> f32,
) {
    for (lane, (&score, threshold)) in scores.iter().zip(thresholds).enumerate() {
        if score >= *threshold {
            *threshold = enter(before + lane, score);
        }
    }
}

impl BySum {
    /// In the order of the sums.
    pub(super) fn numbers(&self) -> &[f32] {
        self.0.as_flattened()
    }

    /// Each becomes that of `scores` where that is lower and fewer than `k` of the others are above
    /// it.
    #[inline(always)]
    pub(super) fn lower_where_fewer_above(&mut self, k: usize, others: &[Self], scores: &Self) {
        let k = k as f32;
        for (block, (lowest, scores)) in self.0.iter_mut().zip(&scores.0).enumerate() {
            let mut above = [0.0_f32; LANES];
            for other in others {
                let other = &other.0[block];
                for lane in 0..LANES {
                    above[lane] += if other[lane] > scores[lane] { 1.0 } else { 0.0 };
                }
            }
            for lane in 0..LANES {
                if above[lane] < k && scores[lane] < lowest[lane] {
                    lowest[lane] = scores[lane];
                }
            }
        }
    }
}
