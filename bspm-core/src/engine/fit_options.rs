//! Options of a fit.

use crate::observe::Observer;
use bspm_data::Result;
use bspm_data::parameter::check_range;

/// Options of a fit: the accuracy of the singular vectors, and an observer of the progress.
///
/// # Examples
///
/// ```
/// use bspm_core::FitOptions;
///
/// let options = FitOptions::new().tolerance(1e-6).seed(7);
/// assert_eq!(options.max_rounds, 60);
/// ```
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub struct FitOptions {
    /// The residual `||P v - lambda v||` that each singular vector should reach. Default: `None`, with
    /// which the truncated SVD stops when the remaining errors do not change the scores of a filter, and
    /// uses [`DEFAULT_TOLERANCE`](Self::DEFAULT_TOLERANCE) if they do.
    pub tolerance: Option<f64>,
    /// The maximum number of rounds of the truncated SVD, at least 1. Default: 60.
    pub max_rounds: usize,
    /// The seed of the random start of the truncated SVD. Default: 0.
    pub seed: u64,
    /// The observer of the progress, which can cancel the fit.
    pub observer: Observer,
}

impl FitOptions {
    /// The residual of a singular vector above which there is a warning.
    pub const DEFAULT_TOLERANCE: f64 = 5e-6;

    /// Returns the default options.
    pub fn new() -> Self {
        Self {
            tolerance: None,
            max_rounds: 60,
            seed: 0,
            observer: Observer::default(),
        }
    }

    /// Returns an error for an option out of range.
    pub(crate) fn check(&self) -> Result<()> {
        match self.tolerance {
            Some(tolerance) => check_range("tolerance", tolerance, f64::MIN_POSITIVE..=1.0),
            None => Ok(()),
        }
    }

    /// Sets the residual that each singular vector should reach, above 0 and at most 1, even if it does not change
    /// the scores.
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = Some(tolerance);
        self
    }

    /// Sets the maximum number of rounds of the truncated SVD.
    pub fn max_rounds(mut self, rounds: usize) -> Self {
        self.max_rounds = rounds;
        self
    }

    /// Sets the seed of the random start of the truncated SVD.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the observer of the progress.
    pub fn observer(mut self, observer: Observer) -> Self {
        self.observer = observer;
        self
    }
}

impl Default for FitOptions {
    fn default() -> Self {
        Self::new()
    }
}
