//! The model in `f64` on dense matrices, as defined in the paper.

use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut1, Axis, Zip, s};

use bspm_core::Solver;
use bspm_core::filters::Integration;
use bspm_core::{BspmConfig, Merge};
use bspm_data::Interactions;

/// A dense reference implementation of [`FittedFilter`](bspm_core::FittedFilter).
///
/// Rows are users, no matrix is factored, every Runge-Kutta stage is computed from its tableau, and the
/// singular vectors are computed with Jacobi rotations.
#[derive(Clone, Debug)]
pub struct Reference {
    history: Array2<f64>,
    /// `P = R^T R`.
    propagation: Array2<f64>,
    root_degrees: Array1<f64>,
    inverse_root_degrees: Array1<f64>,
    eigenvalues: Vec<f64>,
    eigenvectors: Array2<f64>,
}

impl Reference {
    /// Normalises and decomposes the interaction matrix.
    pub fn new(interactions: &Interactions) -> Self {
        Self::with_offset(interactions, 0.0)
    }

    /// As [`new`](Self::new), with an offset that is added to all degrees, and with `P` scaled so that its
    /// largest eigenvalue is 1.
    pub fn with_offset(interactions: &Interactions, offset: f64) -> Self {
        let mut history = Array2::zeros((interactions.users(), interactions.items()));
        for (user, item, weight) in interactions.entries() {
            history[[user as usize, item as usize]] = f64::from(weight);
        }
        let inverse_root = |degrees: Array1<f64>| {
            degrees.mapv(|degree| {
                if degree > 0.0 {
                    (degree + offset).sqrt().recip()
                } else {
                    0.0
                }
            })
        };
        let user_scale = inverse_root(history.sum_axis(Axis(1)));
        let item_degrees: Array1<f64> = history.sum_axis(Axis(0));
        let inverse_root_degrees = inverse_root(item_degrees.clone());
        let normalised = &history * &user_scale.insert_axis(Axis(1)) * &inverse_root_degrees;
        let mut propagation = normalised.t().dot(&normalised);
        let (mut eigenvalues, eigenvectors) = jacobi(propagation.clone());
        if offset > 0.0 {
            let largest = eigenvalues[0];
            propagation /= largest;
            eigenvalues.iter_mut().for_each(|value| *value /= largest);
        }
        Self {
            history,
            propagation,
            root_degrees: item_degrees.mapv(|degree| (degree + offset).sqrt()),
            inverse_root_degrees,
            eigenvalues,
            eigenvectors,
        }
    }

    /// `P`.
    pub(super) fn propagation(&self) -> &Array2<f64> {
        &self.propagation
    }

    /// The eigenvalues of `P`, descending.
    pub fn eigenvalues(&self) -> &[f64] {
        &self.eigenvalues
    }

    /// The difference between the last eigenvalue that a filter of `factor_dim` vectors keeps and the first
    /// one that it drops.
    ///
    /// Its inverse is the condition number of the ideal low-pass filter: the filter amplifies an error in
    /// `P`, such as rounding to `f32`, by this factor.
    pub fn gap_at(&self, factor_dim: usize) -> f64 {
        let kept = factor_dim.min(self.rank());
        let at = |place: usize| self.eigenvalues.get(place).copied().unwrap_or(0.0);
        if kept == 0 {
            1.0
        } else {
            at(kept - 1) - at(kept)
        }
    }

    fn rank(&self) -> usize {
        self.eigenvalues
            .iter()
            .take_while(|&&value| value > 1e-9)
            .count()
    }

    /// Computes the scores, and the magnitudes of all points of all processes.
    pub fn scores(&self, config: &BspmConfig) -> ReferenceScores {
        let start = &self.history;
        let propagate = |point: &Array2<f64>| point.dot(&self.propagation);

        let blurred = integrate(start, config.blur(), |point| propagate(point) - point);
        let last_blurred = blurred[blurred.len() - 1].clone();
        let low_pass = match config.ideal_low_pass() {
            Some(settings) => {
                let filter = self.ideal_low_pass(settings.factor_dim);
                let points = integrate(start, settings.integration, |point| {
                    point.dot(&filter) - point
                });
                &points[points.len() - 1] * f64::from(settings.beta)
            }
            None => Array2::zeros(start.dim()),
        };
        let sharpening_start = match config.merge() {
            Merge::Early => &low_pass + &last_blurred,
            Merge::Late => last_blurred,
        };
        let sharpened = match config.sharpening() {
            Some(sharpening) => integrate(&sharpening_start, sharpening, |point| -propagate(point)),
            None => Vec::new(),
        };

        let recorded = [blurred, sharpened].concat();
        let combined = if config.t_point_combination() {
            mean(&recorded)
        } else {
            recorded[recorded.len() - 1].clone()
        };
        let joins_late = config.merge() == Merge::Late || config.sharpening().is_none();
        let scores = if joins_late {
            combined + &low_pass
        } else {
            combined
        };
        let magnitudes = [start, &low_pass, &sharpening_start]
            .into_iter()
            .chain(&recorded)
            .fold(Array1::zeros(start.nrows()), |largest, points| {
                let rows = points.map_axis(Axis(1), |row| {
                    row.iter()
                        .fold(0.0_f64, |largest, entry| largest.max(entry.abs()))
                });
                Zip::from(&largest)
                    .and(&rows)
                    .map_collect(|a: &f64, b: &f64| a.max(*b))
            });
        ReferenceScores { scores, magnitudes }
    }

    /// The projection `V V^T` onto the leading vectors.
    pub(super) fn projection(&self, factor_dim: usize) -> Array2<f64> {
        let kept = self
            .eigenvectors
            .slice(ndarray::s![.., ..factor_dim.min(self.rank())]);
        kept.dot(&kept.t())
    }

    /// `D_i^-1/2 V V^T D_i^1/2`.
    fn ideal_low_pass(&self, factor_dim: usize) -> Array2<f64> {
        self.projection(factor_dim)
            * self.inverse_root_degrees.view().insert_axis(Axis(1))
            * &self.root_degrees
    }
}

/// Returns the points at the end of every step.
fn integrate(
    start: &Array2<f64>,
    integration: Integration,
    derivative: impl Fn(&Array2<f64>) -> Array2<f64>,
) -> Vec<Array2<f64>> {
    let step = f64::from(integration.time) / integration.steps as f64;
    let mut point = start.clone();
    let mut points = Vec::new();
    for _ in 0..integration.steps {
        point = match integration.solver {
            Solver::Euler => &point + derivative(&point) * step,
            Solver::Rk4 => rk4(&point, step, &derivative),
            // The reference of the other solvers is the exact solution: the tolerance of Dormand-Prince is
            // far below that of the comparison.
            _ => (0..FINE_STEPS).fold(point, |point, _| {
                rk4(&point, step / f64::from(FINE_STEPS), &derivative)
            }),
        };
        points.push(point.clone());
    }
    points
}

/// The number of RK4 steps that give the exponential to 1e-9 for the times of the comparison.
const FINE_STEPS: u32 = 200;

fn rk4(
    point: &Array2<f64>,
    step: f64,
    derivative: impl Fn(&Array2<f64>) -> Array2<f64>,
) -> Array2<f64> {
    let first = derivative(point);
    let second = derivative(&(point + &first * (step / 2.0)));
    let third = derivative(&(point + &second * (step / 2.0)));
    let fourth = derivative(&(point + &third * step));
    point + &((first + (second + third) * 2.0 + fourth) * (step / 6.0))
}

fn mean(points: &[Array2<f64>]) -> Array2<f64> {
    let sum = points
        .iter()
        .skip(1)
        .fold(points[0].clone(), |sum, point| sum + point);
    sum / points.len() as f64
}

/// Eigenvalues, descending, and eigenvectors of a symmetric matrix, by cyclic
/// Jacobi rotations.
pub(super) fn jacobi(mut matrix: Array2<f64>) -> (Vec<f64>, Array2<f64>) {
    let size = matrix.nrows();
    // The eigenvectors as rows.
    let mut vectors = Array2::eye(size);
    for _sweep in 0..60 {
        let mut off_diagonal = 0.0;
        for row in 0..size {
            for column in row + 1..size {
                let entry = matrix[[row, column]];
                off_diagonal += entry * entry;
                if entry.abs() < 1e-300 {
                    continue;
                }
                let ratio = (matrix[[column, column]] - matrix[[row, row]]) / (2.0 * entry);
                let tangent = ratio.signum() / (ratio.abs() + (ratio * ratio + 1.0).sqrt());
                let cosine = (tangent * tangent + 1.0).sqrt().recip();
                let sine = tangent * cosine;
                let rotate = |(left, right): (ArrayViewMut1<f64>, ArrayViewMut1<f64>)| {
                    Zip::from(left).and(right).for_each(|left, right| {
                        (*left, *right) = (
                            cosine * *left - sine * *right,
                            sine * *left + cosine * *right,
                        );
                    });
                };
                rotate(matrix.multi_slice_mut((s![.., row], s![.., column])));
                rotate(matrix.multi_slice_mut((s![row, ..], s![column, ..])));
                rotate(vectors.multi_slice_mut((s![row, ..], s![column, ..])));
            }
        }
        if off_diagonal < 1e-28 {
            break;
        }
    }
    let mut order: Vec<usize> = (0..size).collect();
    order.sort_by(|&left, &right| matrix[[right, right]].total_cmp(&matrix[[left, left]]));
    (
        order.iter().map(|&place| matrix[[place, place]]).collect(),
        vectors.select(Axis(0), &order).reversed_axes(),
    )
}

/// The result of [`Reference::scores`].
#[derive(Clone, Debug)]
pub struct ReferenceScores {
    /// `users x items`.
    pub scores: Array2<f64>,
    /// For each user, the largest magnitude of the entries of all intermediate points.
    pub magnitudes: Array1<f64>,
}

impl ReferenceScores {
    /// The largest difference of a score from the reference, relative to the largest number from which the
    /// scores of the user are computed.
    ///
    /// The difference is not relative to the score, because sharpening subtracts: if the result is close to
    /// 0, the rounding error is not.
    pub fn largest_relative_error(&self, found: ArrayView2<'_, f32>) -> f64 {
        let mut largest = 0.0_f64;
        let rows = found.outer_iter().zip(self.scores.outer_iter());
        for ((found, expected), magnitude) in rows.zip(&self.magnitudes) {
            for (&found, &expected) in found.iter().zip(expected) {
                let difference = (f64::from(found) - expected).abs();
                if difference > 0.0 {
                    largest = largest.max(difference / magnitude);
                }
            }
        }
        largest
    }
}
