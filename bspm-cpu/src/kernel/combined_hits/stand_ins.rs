//! A few of the matrices, in place of all: sums of them that are nearly the sums asked for.
//!
//! Powers of a walk are much alike, so that the best items of a sum are found without reading all
//! of its matrices.

/// The products of the matrices with each other.
pub(super) struct Likeness {
    matrices: usize,
    /// `matrices x matrices`.
    products: Vec<f64>,
}

/// Sums of some of the matrices.
pub(super) struct StandIns {
    pub(super) matrices: Vec<usize>,
    /// For each sum the weights of these matrices.
    pub(super) weights: Vec<Vec<f32>>,
}

/// What of a matrix is not a sum of those chosen must be this share of it at least, or it is taken
/// for rounding.
const LEAST_SHARE: f64 = 1e-9;

impl Likeness {
    /// Of some of the items.
    #[inline(always)]
    pub(super) fn of<const WIDTH: usize>(basis: &[&[[f32; WIDTH]]], scales: &[f32]) -> Self {
        const EVERY: usize = 64;
        let matrices = basis.len();
        let mut products = vec![0.0; matrices * matrices];
        for (item, &scale) in scales.iter().enumerate().step_by(EVERY) {
            for (place, left) in basis.iter().enumerate() {
                for (other, right) in basis.iter().enumerate().take(place + 1) {
                    let mut sums = [0.0_f64; WIDTH];
                    for lane in 0..WIDTH {
                        sums[lane] = f64::from(left[item][lane]) * f64::from(right[item][lane]);
                    }
                    let sum = f64::from(scale * scale) * sums.iter().sum::<f64>();
                    products[place * matrices + other] += sum;
                }
            }
        }
        for place in 0..matrices {
            for other in 0..place {
                products[other * matrices + place] = products[place * matrices + other];
            }
        }
        Self { matrices, products }
    }

    /// The norm of each matrix.
    pub(super) fn norms(&self) -> Vec<f32> {
        let squares = self.products.iter().step_by(self.matrices + 1);
        squares.map(|square| square.sqrt() as f32).collect()
    }

    /// At most `count` of the matrices, and the sums of them that are nearest to those of all with
    /// these weights. Each matrix chosen is that which brings them nearest; regression goes along,
    /// by the sweep operator (Beaton 1964).
    pub(super) fn stand_ins(&self, sums: &[&[f32]], count: usize) -> StandIns {
        let matrices = self.matrices;
        let columns = matrices + sums.len();
        let mut table: Vec<Vec<f64>> = self
            .products
            .chunks_exact(matrices)
            .map(|row| {
                let with_sum = |weights: &&[f32]| {
                    let terms = row.iter().zip(*weights);
                    terms.map(|(it, &weight)| it * f64::from(weight)).sum()
                };
                let with_sums = sums.iter().map(with_sum);
                row.iter().copied().chain(with_sums).collect()
            })
            .collect();
        let mut chosen = Vec::with_capacity(count);
        while chosen.len() < count {
            let gain = |matrix: usize| -> f64 {
                let left = table[matrix][matrix];
                let all = self.products[matrix * (matrices + 1)];
                if chosen.contains(&matrix) || left <= LEAST_SHARE * all {
                    return 0.0;
                }
                let covered = table[matrix][matrices..].iter().map(|it| it * it);
                covered.sum::<f64>() / left
            };
            let gains: Vec<f64> = (0..matrices).map(gain).collect();
            let best = (0..matrices).max_by(|&left, &right| gains[left].total_cmp(&gains[right]));
            let Some(best) = best.filter(|&best| gains[best] > 0.0) else {
                break;
            };
            let pivot = table[best][best];
            let row: Vec<f64> = table[best].iter().map(|it| it / pivot).collect();
            for other in (0..matrices).filter(|&other| other != best) {
                let factor = table[other][best];
                for column in 0..columns {
                    table[other][column] -= factor * row[column];
                }
            }
            table[best] = row;
            chosen.push(best);
        }
        chosen.sort_unstable();
        let weights = (matrices..columns)
            .map(|sum| chosen.iter().map(|&it| table[it][sum] as f32).collect())
            .collect();
        StandIns {
            matrices: chosen,
            weights,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(seed: u32) -> Vec<[f32; 8]> {
        let number = |place: u32| (place * 8 + seed).wrapping_mul(2_654_435_761) as f32 / 2e9 - 1.0;
        (0..640)
            .map(|item| std::array::from_fn(|lane| number(item * 64 + lane as u32)))
            .collect()
    }

    #[test]
    fn what_two_matrices_span_needs_no_others() {
        let (first, second) = (matrix(1), matrix(2));
        let both = |left: f32, right: f32| -> Vec<[f32; 8]> {
            let rows = first.iter().zip(&second);
            rows.map(|(a, b)| std::array::from_fn(|lane| left * a[lane] + right * b[lane]))
                .collect()
        };
        let matrices = [
            both(1.0, 0.0),
            both(2.0, -1.0),
            both(0.0, 0.5),
            both(1.0, 1.0),
        ];
        let basis: Vec<&[[f32; 8]]> = matrices.iter().map(Vec::as_slice).collect();
        let scales = vec![0.5; 640];
        let likeness = Likeness::of(&basis, &scales);
        let sums: [&[f32]; 2] = [&[1.0, 0.5, 2.0, 0.0], &[0.0, 0.0, 1.0, -3.0]];
        let stand_ins = likeness.stand_ins(&sums, 4);
        assert_eq!(stand_ins.matrices.len(), 2);
        for (weights, sum) in stand_ins.weights.iter().zip(sums) {
            for item in [0, 7, 333] {
                let all: f32 = basis
                    .iter()
                    .zip(sum)
                    .map(|(it, weight)| weight * it[item][3])
                    .sum();
                let of_two = stand_ins.matrices.iter().zip(weights);
                let few: f32 = of_two
                    .map(|(&it, weight)| weight * basis[it][item][3])
                    .sum();
                assert!((all - few).abs() < 1e-4, "{few} instead of {all}");
            }
        }
        assert!(likeness.stand_ins(&sums, 1).matrices.len() == 1);
    }
}
