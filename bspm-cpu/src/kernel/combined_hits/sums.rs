//! All sums of one item and column, beside each other in registers.

use std::cmp::Ordering;

use bspm_core::backend::Combination;

/// How many combinations stand beside each other.
const LANES: usize = 16;

/// How many scores are counted before it is asked whether there are enough.
const AT_ONCE: usize = 8;

/// The weights of every sum.
///
/// A combination has a plain and a scaled part, and a sum for each of its scales: the parts are
/// taken once for all of them. So sums are laid out in rounds: those of the first scale of every
/// combination, then those of the second.
pub(super) struct Sums {
    matrices: usize,
    /// `sums x matrices`.
    weights: Vec<f32>,
    /// The sum of the absolute parts of each weight.
    magnitudes: Vec<f32>,
    /// For as many combinations as stand beside each other, what each matrix is weighted by; then
    /// for the next.
    beside: Vec<Parts>,
    /// For each round the scales of those combinations, then of the next. Where there is none, it is
    /// not a number, and so is the score, which reaches nothing.
    scales: Vec<[f32; LANES]>,
    /// Where the scale of each sum is.
    places: Vec<usize>,
    /// Which sum is at each place, of those where there is one.
    sums: Vec<usize>,
}

/// Of some combinations beside each other the plain and the scaled part: of the weights of a matrix,
/// or of scores.
#[derive(Clone)]
pub(super) struct Parts {
    plain: [f32; LANES],
    scaled: [f32; LANES],
}

impl Parts {
    const BLANK: Self = Self {
        plain: [0.0; LANES],
        scaled: [0.0; LANES],
    };
}

/// A number for each sum, laid out as the scales are.
#[derive(Clone)]
pub(super) struct BySum(Vec<[f32; LANES]>);

impl Sums {
    pub(super) fn of(combinations: &[Combination], matrices: usize) -> Self {
        let blocks = combinations.len().div_ceil(LANES);
        let rounds = combinations.iter().map(|it| it.scales.len()).max();
        let mut beside = vec![Parts::BLANK; blocks * matrices];
        let mut scales = vec![[f32::NAN; LANES]; blocks * rounds.unwrap_or(0)];
        let (mut weights, mut magnitudes) = (Vec::new(), Vec::new());
        let (mut places, mut sums) = (Vec::new(), vec![0; scales.len() * LANES]);
        for (place, combination) in combinations.iter().enumerate() {
            let (block, lane) = (place / LANES, place % LANES);
            let of_block = &mut beside[block * matrices..][..matrices];
            for &(matrix, weight) in &combination.plain {
                of_block[matrix].plain[lane] += weight;
            }
            for &(matrix, weight) in &combination.scaled {
                of_block[matrix].scaled[lane] += weight;
            }
            for (round, &scale) in combination.scales.iter().enumerate() {
                scales[round * blocks + block][lane] = scale;
                let place = (round * blocks + block) * LANES + lane;
                sums[place] = places.len();
                places.push(place);
                for parts in &*of_block {
                    let (plain, scaled) = (parts.plain[lane], scale * parts.scaled[lane]);
                    weights.push(plain + scaled);
                    magnitudes.push(plain.abs() + scaled.abs());
                }
            }
        }
        Self {
            matrices,
            weights,
            magnitudes,
            beside,
            scales,
            places,
            sums,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
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
        BySum(vec![[f32::INFINITY; LANES]; self.scales.len()])
    }

    /// The numbers in the order of the sums.
    pub(super) fn in_order(&self, numbers: &BySum) -> Vec<f32> {
        let numbers = numbers.0.as_flattened();
        self.places.iter().map(|&place| numbers[place]).collect()
    }

    /// The parts of every combination, to be written to.
    pub(super) fn parts(&self) -> Vec<Parts> {
        vec![Parts::BLANK; self.beside.len() / self.matrices]
    }

    /// Writes down what `row`, which has what each matrix has for one item and column, is in each
    /// sum. `parts` is scratch.
    #[inline(always)]
    pub(super) fn score(&self, row: &[f32], parts: &mut [Parts], scores: &mut BySum) {
        for (weights, out) in self.beside.chunks_exact(self.matrices).zip(&mut *parts) {
            let (mut plain, mut scaled) = ([0.0_f32; LANES], [0.0_f32; LANES]);
            for (&value, weights) in row.iter().zip(weights) {
                for (sum, weight) in plain.iter_mut().zip(&weights.plain) {
                    *sum += value * weight;
                }
                for (sum, weight) in scaled.iter_mut().zip(&weights.scaled) {
                    *sum += value * weight;
                }
            }
            *out = Parts { plain, scaled };
        }
        let rounds = self.scales.chunks_exact(parts.len());
        for (scales, out) in rounds.zip(scores.0.chunks_exact_mut(parts.len())) {
            for ((scales, parts), out) in scales.iter().zip(&*parts).zip(out) {
                let mut sums = [0.0_f32; LANES];
                for lane in 0..LANES {
                    sums[lane] = parts.plain[lane] + scales[lane] * parts.scaled[lane];
                }
                *out = sums;
            }
        }
    }

    /// Calls `enter` with each sum whose score reaches its threshold, the score, and the limit of the
    /// sum, for the threshold that it then has.
    #[inline(always)]
    pub(super) fn offer(
        &self,
        scores: &BySum,
        limits: &BySum,
        thresholds: &mut BySum,
        mut enter: impl FnMut(usize, f32, f32) -> f32,
    ) {
        for (block, (scores, thresholds)) in scores.0.iter().zip(&mut thresholds.0).enumerate() {
            let mut any = false;
            for lane in 0..LANES {
                any |= scores[lane] >= thresholds[lane];
            }
            if any {
                let sums = &self.sums[block * LANES..][..LANES];
                enter_lanes(sums, scores, &limits.0[block], thresholds, &mut enter);
            }
        }
    }
}

/// Out of line, since few items enter.
#[inline(never)]
fn enter_lanes(
    sums: &[usize],
    scores: &[f32; LANES],
    limits: &[f32; LANES],
    thresholds: &mut [f32; LANES],
    enter: &mut impl FnMut(usize, f32, f32) -> f32,
) {
    for (lane, threshold) in thresholds.iter_mut().enumerate() {
        if scores[lane] >= *threshold {
            *threshold = enter(sums[lane], scores[lane], limits[lane]);
        }
    }
}

impl BySum {
    /// Whose number is larger in the first sum.
    pub(super) fn compare_first(&self, other: &Self) -> Ordering {
        self.0[0][0].total_cmp(&other.0[0][0])
    }

    /// Each becomes that of `scores` where that is lower and fewer than `k` of the others are above
    /// it. Fewest of the others are looked at where the best ones come first.
    #[inline(always)]
    pub(super) fn lower_where_fewer_above(
        &mut self,
        k: usize,
        others: &[(u32, Self)],
        scores: &Self,
    ) {
        let k = k as f32;
        for (block, (lowest, scores)) in self.0.iter_mut().zip(&scores.0).enumerate() {
            let mut above = [0.0_f32; LANES];
            for others in others.chunks(AT_ONCE) {
                for (_, other) in others {
                    let other = &other.0[block];
                    for lane in 0..LANES {
                        above[lane] += if other[lane] > scores[lane] { 1.0 } else { 0.0 };
                    }
                }
                let mut counts = above.iter().zip(scores);
                if counts.all(|(above, score)| *above >= k || score.is_nan()) {
                    break;
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
