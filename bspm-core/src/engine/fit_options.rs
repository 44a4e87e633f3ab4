//! How to fit.

use crate::observe::Observer;

/// How to fit: how exact the singular vectors must be, and who is told of the progress.
///
/// # Examples
///
/// ```
/// use bspm_core::FitOptions;
///
/// let options = FitOptions::new().tolerance(1e-6).strict();
/// assert_eq!(options.max_rounds, 60);
/// ```
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub struct FitOptions {
    /// The residual `||P v - lambda v||` that each singular vector should reach. Unless
    /// told, the truncated SVD ends where a filter would feel no more, and a residual is to
    /// be within [`DEFAULT_TOLERANCE`](Self::DEFAULT_TOLERANCE) where one would.
    pub tolerance: Option<f64>,
    /// Whether a residual above the tolerance is an error, and not a warning; off unless
    /// told.
    pub is_strict: bool,
    /// After how many rounds of the truncated SVD to keep what there is; at least 1, and
    /// 60 unless told.
    pub max_rounds: usize,
    /// Seed of the truncated SVD's random start.
    pub seed: u64,
    /// Who is told how far the fit is, and may end it.
    pub observer: Observer,
}

impl FitOptions {
    /// The residual of a singular vector above which there is a warning.
    pub const DEFAULT_TOLERANCE: f64 = 5e-6;

    /// What filters feel, a warning where that is not reached, and no observer.
    pub fn new() -> Self {
        Self {
            tolerance: None,
            is_strict: false,
            max_rounds: 60,
            seed: 0,
            observer: Observer::default(),
        }
    }

    /// Asks for this residual of each singular vector, whether or not a filter feels it.
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = Some(tolerance);
        self
    }

    /// Makes a residual above the tolerance an error.
    pub fn strict(mut self) -> Self {
        self.is_strict = true;
        self
    }

    /// Ends the truncated SVD after so many rounds.
    pub fn max_rounds(mut self, rounds: usize) -> Self {
        self.max_rounds = rounds;
        self
    }

    /// Starts the truncated SVD from other random numbers.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Tells this observer.
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
