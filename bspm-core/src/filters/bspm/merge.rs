//! The merge of blur, ideal low-pass filter and sharpening (paper, section 3.4), as a frequency
//! response.
//!
//! Early merge adds the ideal low-pass part to the blurred scores before they are sharpened. Late merge
//! adds it to the result of sharpening, which with t-point combination is the mean of the blurred and
//! the sharpened points. With sharpening off, both merges add it to the blurred scores.

use super::blur::blur;
use super::config::{BspmConfig, Merge};
use super::sharpen::sharpen;
use crate::engine::chebyshev::interpolate_spectrum;

/// The scores of a setting: `history(L) z + beta (low_pass_of_history(L) z + low_pass(L) F z)`
/// for the history `z` and its projection `F z`, in the Chebyshev basis of `L = I - 2P`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Response {
    pub(crate) history: Vec<f64>,
    /// The part of the history outside the span of the ideal low-pass filter that it keeps.
    pub(crate) low_pass_of_history: Vec<f64>,
    pub(crate) low_pass: Vec<f64>,
    pub(crate) beta: f32,
    pub(crate) factor_dim: Option<usize>,
}

impl Response {
    pub(crate) fn of(config: &BspmConfig) -> Self {
        let sharpening = config.sharpening().map(sharpen);
        let sharpening_degree = sharpening.map_or(0, |it| it.degree());
        let degree = blur(config.blur()).degree() + sharpening_degree;
        let history = interpolated(degree, |eigenvalue| {
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

    /// All series of the response.
    pub(crate) fn parts_mut(&mut self) -> impl Iterator<Item = &mut Vec<f64>> {
        [
            &mut self.history,
            &mut self.low_pass_of_history,
            &mut self.low_pass,
        ]
        .into_iter()
    }

    /// The number of terms of the history.
    pub(crate) fn history_terms(&self) -> usize {
        self.history.len().max(self.low_pass_of_history.len())
    }

    /// The complete response of the history.
    pub(crate) fn of_history(&self) -> Vec<f64> {
        let mut sum = self.history.clone();
        sum.resize(self.history_terms(), 0.0);
        for (sum, part) in sum.iter_mut().zip(&self.low_pass_of_history) {
            *sum += f64::from(self.beta) * part;
        }
        sum
    }

    /// The complete response of the projection of the history.
    pub(crate) fn of_low_pass(&self) -> Vec<f64> {
        let beta = f64::from(self.beta);
        self.low_pass.iter().map(|part| beta * part).collect()
    }
}

/// The factors of an eigenvector.
struct Points {
    /// The blurred point.
    blurred: f64,
    /// The share of blurred points in the mean; 0 without t-point combination.
    recorded_of_blur: f64,
    /// The factor of the point that sharpening starts from.
    sharpening: f64,
}

impl Points {
    fn at(config: &BspmConfig, eigenvalue: f64) -> Self {
        let blur = blur(config.blur());
        let sharpening = config.sharpening().map(sharpen);
        let blurred = blur.end(eigenvalue);
        if config.t_point_combination() {
            let count = (blur.steps() + sharpening.map_or(0, |it| it.steps())) as f64;
            let of_blur: f64 = blur.points(eigenvalue).sum();
            let of_sharpening: f64 = sharpening.map_or(0.0, |it| it.points(eigenvalue).sum());
            return Self {
                blurred,
                recorded_of_blur: of_blur / count,
                sharpening: of_sharpening / count,
            };
        }
        Self {
            blurred,
            recorded_of_blur: 0.0,
            sharpening: sharpening.map_or(1.0, |it| it.end(eigenvalue)),
        }
    }
}

/// Returns the coefficients of the interpolating polynomial of this degree.
fn interpolated(degree: usize, value: impl Fn(f64) -> f64) -> Vec<f64> {
    // Below the resolution of f32.
    const NEGLIGIBLE: f64 = 1e-9;
    interpolate_spectrum(degree + 1, NEGLIGIBLE, value)
}
