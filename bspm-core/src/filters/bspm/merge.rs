//! The merge of blur, ideal low-pass and sharpen (paper, section 3.4), as what it does to each
//! frequency.
//!
//! Early merge adds the ideal low-pass part to the blurred scores before they are
//! sharpened, late merge to what comes out. With t-point combination that is the
//! mean of the blurred and the sharpened points. With sharpening off, both merges
//! add it to the blurred scores.

use super::blur::blur;
use super::config::{BspmConfig, Merge};
use super::sharpen::sharpen;
use crate::engine::chebyshev::interpolate_spectrum;

/// The scores of a setting: `history(L) z + beta (low_pass_of_history(L) z + low_pass(L) F z)`
/// for the history `z` and its projection `F z`, in the Chebyshev basis of `L = I - 2P`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Response {
    pub(crate) history: Vec<f64>,
    /// What the ideal low-pass filter leaves of the history outside its span.
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

    /// Each of its series.
    pub(crate) fn parts_mut(&mut self) -> impl Iterator<Item = &mut Vec<f64>> {
        [
            &mut self.history,
            &mut self.low_pass_of_history,
            &mut self.low_pass,
        ]
        .into_iter()
    }

    /// How many terms of the history it uses.
    pub(crate) fn history_terms(&self) -> usize {
        self.history.len().max(self.low_pass_of_history.len())
    }

    /// All that is done to the history itself.
    pub(crate) fn of_history(&self) -> Vec<f64> {
        let mut sum = self.history.clone();
        sum.resize(self.history_terms(), 0.0);
        for (sum, part) in sum.iter_mut().zip(&self.low_pass_of_history) {
            *sum += f64::from(self.beta) * part;
        }
        sum
    }

    /// All that is done to its projection.
    pub(crate) fn of_low_pass(&self) -> Vec<f64> {
        let beta = f64::from(self.beta);
        self.low_pass.iter().map(|part| beta * part).collect()
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

/// The coefficients of the polynomial of this degree that takes these values.
fn interpolated(degree: usize, value: impl Fn(f64) -> f64) -> Vec<f64> {
    // What f32 does not resolve.
    const NEGLIGIBLE: f64 = 1e-9;
    interpolate_spectrum(degree + 1, NEGLIGIBLE, value)
}
