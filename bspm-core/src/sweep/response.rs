//! What a setting does to each part of the spectrum, as two polynomials of `P`.

use crate::config::{BspmConfig, Integration, Merge};
use crate::process::chebyshev::interpolate_spectrum;
use crate::solver::{Solver, exponential_series};

/// The scores of a setting: `history(L) z + beta (low_pass_of_history(L) z + low_pass(L) F z)`
/// for the history `z` and its projection `F z`, in the Chebyshev basis of `L = I - 2P`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Response {
    pub(super) history: Vec<f64>,
    /// What the ideal low-pass filter leaves of the history outside its span.
    pub(super) low_pass_of_history: Vec<f64>,
    pub(super) low_pass: Vec<f64>,
    pub(super) beta: f32,
    pub(super) factor_dim: Option<usize>,
}

impl Response {
    pub(super) fn of(config: &BspmConfig) -> Self {
        let blur = config.blur();
        let sharpening = config.sharpening();
        let sharpening_degree = sharpening.map_or(0, |it| degree(it, -1.0, 0.0));
        let blur_degree = degree(blur, 1.0, -1.0);
        let history = interpolated(blur_degree + sharpening_degree, |eigenvalue| {
            let points = Points::at(config, eigenvalue);
            points.recorded_of_blur + points.sharpening * points.blurred
        });
        let Some(filter) = config.ideal_low_pass() else {
            return Self {
                history,
                low_pass_of_history: Vec::new(),
                low_pass: Vec::new(),
                beta: 0.0,
                factor_dim: None,
            };
        };
        let outside = filter.outside_factor();
        let part = if config.merge() == Merge::Early && sharpening.is_some() {
            interpolated(sharpening_degree, |eigenvalue| {
                Points::at(config, eigenvalue).sharpening
            })
        } else {
            vec![1.0]
        };
        let times = |factor: f64| -> Vec<f64> {
            if factor == 0.0 {
                return Vec::new();
            }
            part.iter()
                .map(|coefficient| factor * coefficient)
                .collect()
        };
        Self {
            history,
            low_pass_of_history: times(outside),
            low_pass: times(1.0 - outside),
            beta: filter.beta,
            factor_dim: Some(filter.factor_dim),
        }
    }

    /// How many terms of the history it uses.
    pub(super) fn history_terms(&self) -> usize {
        self.history.len().max(self.low_pass_of_history.len())
    }
}

/// What the processes make of an eigenvector.
struct Points {
    /// The blurred point.
    blurred: f64,
    /// The part of the mean that blurred points are, and 0 where no mean is taken.
    recorded_of_blur: f64,
    /// What a point is multiplied by that sharpening starts from.
    sharpening: f64,
}

impl Points {
    fn at(config: &BspmConfig, eigenvalue: f64) -> Self {
        let blur = config.blur();
        let blur_factor = blur.solver.factor(blur.step_size(), eigenvalue - 1.0);
        let blurred = blur_factor.powi(blur.steps as i32);
        let sharpened: Vec<f64> = config.sharpening().map_or_else(Vec::new, |it| {
            let factor = it.solver.factor(it.step_size(), -eigenvalue);
            (1..=it.steps)
                .map(|step| factor.powi(step as i32))
                .collect()
        });
        if config.t_point_combination() {
            let count = (blur.steps + sharpened.len()) as f64;
            let blurred_points = (1..=blur.steps).map(|step| blur_factor.powi(step as i32));
            return Self {
                blurred,
                recorded_of_blur: blurred_points.sum::<f64>() / count,
                sharpening: sharpened.iter().sum::<f64>() / count,
            };
        }
        Self {
            blurred,
            recorded_of_blur: 0.0,
            sharpening: sharpened.last().copied().unwrap_or(1.0),
        }
    }
}

/// The degree of a process as a polynomial of `P`.
fn degree(integration: Integration, walk: f64, decay: f64) -> usize {
    let step_size = integration.step_size();
    let of_step = match integration.solver {
        Solver::Exact { .. } => exponential_series(step_size, walk, decay, 1e-10).len() - 1,
        solver => solver.stage_factors().len() * solver.substeps(step_size),
    };
    of_step * integration.steps
}

/// The coefficients of the polynomial of this degree that takes these values.
fn interpolated(degree: usize, value: impl Fn(f64) -> f64) -> Vec<f64> {
    // What f32 does not resolve.
    const NEGLIGIBLE: f64 = 1e-9;
    interpolate_spectrum(degree + 1, NEGLIGIBLE, value)
}
