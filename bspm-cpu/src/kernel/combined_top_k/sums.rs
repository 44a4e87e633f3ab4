//! All sums of one item and column, beside each other in registers.

use bspm_core::backend::Combination;

/// How many combinations stand beside each other.
const LANES: usize = 16;

/// The weights of every sum.
pub(super) struct Sums {
    groups: Vec<Group>,
    matrices: usize,
    /// `sums x matrices`.
    weights: Vec<f32>,
    /// The sum of the absolute parts of each weight.
    magnitudes: Vec<f32>,
}

/// Up to [`LANES`] combinations.
struct Group {
    plain: Vec<Term>,
    scaled: Vec<Term>,
    layers: Vec<Layer>,
}

/// A matrix, and its weight in each combination.
struct Term {
    matrix: usize,
    weights: [f32; LANES],
}

/// One scale of each combination, where it has as many.
struct Layer {
    scales: [f32; LANES],
    sums: [Option<usize>; LANES],
}

/// What each sum has to reach in one column, laid out as the layers are; infinite for those
/// that are none.
pub(super) struct Thresholds(Vec<[f32; LANES]>);

impl Sums {
    pub(super) fn of(combinations: &[Combination], matrices: usize) -> Self {
        let mut weights = Vec::new();
        let mut magnitudes = Vec::new();
        for combination in combinations {
            for &scale in &combination.scales {
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
        }
        let mut before = 0;
        let groups = combinations
            .chunks(LANES)
            .map(|chunk| Group::of(chunk, &mut before));
        Self {
            groups: groups.collect(),
            matrices,
            weights,
            magnitudes,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.weights.len().checked_div(self.matrices).unwrap_or(0)
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

    pub(super) fn thresholds(&self, threshold: impl Fn(usize) -> f32) -> Thresholds {
        let layers = self.groups.iter().flat_map(|group| &group.layers);
        let of_layer = |layer: &Layer| layer.sums.map(|sum| sum.map_or(f32::INFINITY, &threshold));
        Thresholds(layers.map(of_layer).collect())
    }

    /// The threshold of each sum.
    pub(super) fn by_sum(&self, thresholds: &Thresholds) -> Vec<f32> {
        let mut by_sum = vec![f32::INFINITY; self.len()];
        let layers = self.groups.iter().flat_map(|group| &group.layers);
        for (layer, thresholds) in layers.zip(&thresholds.0) {
            for (sum, &threshold) in layer.sums.iter().zip(thresholds) {
                if let Some(sum) = *sum {
                    by_sum[sum] = threshold;
                }
            }
        }
        by_sum
    }

    /// Calls `enter` with each sum that reaches its threshold, and its score, for the threshold that
    /// it then has. `row` has what each matrix has for one item and column.
    #[inline(always)]
    pub(super) fn offer(
        &self,
        row: &[f32],
        thresholds: &mut Thresholds,
        mut enter: impl FnMut(usize, f32) -> f32,
    ) {
        let mut thresholds = thresholds.0.iter_mut();
        for group in &self.groups {
            let plain = weighted_sum(&group.plain, row);
            let scaled = weighted_sum(&group.scaled, row);
            for layer in &group.layers {
                let Some(thresholds) = thresholds.next() else {
                    return;
                };
                let mut any = false;
                for lane in 0..LANES {
                    let score = plain[lane] + layer.scales[lane] * scaled[lane];
                    any |= score >= thresholds[lane];
                }
                if any {
                    layer.enter(&plain, &scaled, thresholds, &mut enter);
                }
            }
        }
    }
}

impl Group {
    /// `before` counts the sums of the groups before.
    fn of(combinations: &[Combination], before: &mut usize) -> Self {
        let most = combinations.iter().map(|it| it.scales.len()).max();
        let mut layers: Vec<Layer> = (0..most.unwrap_or(0)).map(|_| Layer::EMPTY).collect();
        for (lane, combination) in combinations.iter().enumerate() {
            for (layer, &scale) in layers.iter_mut().zip(&combination.scales) {
                layer.scales[lane] = scale;
                layer.sums[lane] = Some(*before);
                *before += 1;
            }
        }
        Self {
            plain: terms(combinations.iter().map(|it| it.plain.as_slice())),
            scaled: terms(combinations.iter().map(|it| it.scaled.as_slice())),
            layers,
        }
    }
}

impl Layer {
    const EMPTY: Self = Self {
        scales: [0.0; LANES],
        sums: [None; LANES],
    };

    /// Out of line, with the scores made once more, so that where none enters they need no place.
    #[inline(never)]
    fn enter(
        &self,
        plain: &[f32; LANES],
        scaled: &[f32; LANES],
        thresholds: &mut [f32; LANES],
        enter: &mut impl FnMut(usize, f32) -> f32,
    ) {
        for lane in 0..LANES {
            let score = plain[lane] + self.scales[lane] * scaled[lane];
            if let Some(sum) = self.sums[lane]
                && score >= thresholds[lane]
            {
                thresholds[lane] = enter(sum, score);
            }
        }
    }
}

/// The weights of each matrix that has one, in the order of the matrices.
fn terms<'a>(combinations: impl Iterator<Item = &'a [(usize, f32)]>) -> Vec<Term> {
    let mut terms: Vec<Term> = Vec::new();
    for (lane, weights) in combinations.enumerate() {
        for &(matrix, weight) in weights {
            let place = terms.partition_point(|term| term.matrix < matrix);
            if terms.get(place).is_none_or(|term| term.matrix != matrix) {
                terms.insert(
                    place,
                    Term {
                        matrix,
                        weights: [0.0; LANES],
                    },
                );
            }
            terms[place].weights[lane] += weight;
        }
    }
    terms
}

#[inline(always)]
fn weighted_sum(terms: &[Term], row: &[f32]) -> [f32; LANES] {
    let mut sum = [0.0; LANES];
    for term in terms {
        let (value, weights) = (row[term.matrix], &term.weights);
        for lane in 0..LANES {
            sum[lane] += weights[lane] * value;
        }
    }
    sum
}
