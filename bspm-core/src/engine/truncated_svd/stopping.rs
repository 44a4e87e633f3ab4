//! The stopping criteria of the iteration: the accuracy of `f32` on this matrix, and the accuracy that
//! changes the scores of a filter.

use serde::{Deserialize, Serialize};

/// The reason why the iteration stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SvdStop {
    /// Every residual is within the tolerance, and a further round would not halve them or would not
    /// change the scores.
    Converged,
    /// The spectrum is flat at the cut. The residuals above the tolerance correspond to rotations within
    /// the flat part, which do not change the scores of a filter.
    FlatCut,
    /// Further rounds do not reduce the residuals, which are at the accuracy of `f32` on this matrix.
    Rounding,
    /// The maximum number of rounds was reached.
    MaxRounds,
}

impl std::fmt::Display for SvdStop {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Converged => "converged",
            Self::FlatCut => "flat cut",
            Self::Rounding => "rounding",
            Self::MaxRounds => "max rounds",
        })
    }
}

/// From this relative gap at the cut, the span of the vectors is well defined.
const CLEAR_GAP: f64 = 1e-2;

/// With a clear gap, the maximum part of a unit vector outside the span.
const CLEAR_LEAK: f64 = 5e-5;

/// Without a clear gap, an eigenvalue counts as outside if it is lower than the one at the cut by this
/// relative difference.
const FLAT_STRETCH: f64 = 0.05;

/// Without a clear gap, the maximum part of a unit vector outside.
const FLAT_LEAK: f64 = 5e-4;

/// The number of consecutive rounds without a halved residual after which the iteration stops.
const MOST_STALLS: usize = 2;

/// Returns the residual below which the scores of a filter do not change.
///
/// A unit vector with the Ritz value `theta` and the residual `r` has at most
/// `r / (theta - lambda)` of its length in the directions of eigenvalues below `lambda`. With
/// a clear gap, `lambda` is the first eigenvalue beyond the cut. Without one, a rotation
/// among nearly equal eigenvalues is not an error.
pub(super) fn effective_tolerance(at_cut: f64, beyond: f64) -> f64 {
    let gap = at_cut - beyond;
    if gap > CLEAR_GAP * at_cut {
        CLEAR_LEAK * gap
    } else {
        FLAT_LEAK * FLAT_STRETCH * at_cut
    }
}

/// The decision after a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Continue,
    /// The locked vectors limit the accuracy of the others: iterate all together.
    Unlock,
    Stop(SvdStop),
}

/// The largest residuals of the rounds so far.
#[derive(Debug)]
pub(super) struct Rounds {
    tolerance: f64,
    previous: f64,
    best: f64,
    stalls: usize,
    was_unlocked: bool,
}

impl Rounds {
    pub(super) fn new(tolerance: f64) -> Self {
        Self {
            tolerance,
            previous: f64::INFINITY,
            best: f64::INFINITY,
            stalls: 0,
            was_unlocked: false,
        }
    }

    /// Decides after a round with the residual `worst`, if `effective` is required.
    pub(super) fn judge(&mut self, worst: f64, effective: f64, has_locked: bool) -> Verdict {
        let halves = worst < self.previous / 2.0;
        self.previous = worst;
        if worst <= effective || (worst <= self.tolerance && !halves) {
            return Verdict::Stop(if worst <= self.tolerance {
                SvdStop::Converged
            } else {
                SvdStop::FlatCut
            });
        }
        if worst < self.best / 2.0 {
            self.best = worst;
            self.stalls = 0;
            return Verdict::Continue;
        }
        self.stalls += 1;
        if self.stalls < MOST_STALLS {
            return Verdict::Continue;
        }
        if has_locked && !self.was_unlocked {
            self.was_unlocked = true;
            self.stalls = 0;
            self.previous = f64::INFINITY;
            self.best = f64::INFINITY;
            return Verdict::Unlock;
        }
        Verdict::Stop(SvdStop::Rounding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(residuals: &[f64], effective: f64, has_locked: bool) -> Vec<Verdict> {
        let mut progress = Rounds::new(5e-6);
        residuals
            .iter()
            .map(|&worst| progress.judge(worst, effective, has_locked))
            .collect()
    }

    #[test]
    fn a_clear_gap_asks_for_more_than_a_flat_cut() {
        assert_eq!(effective_tolerance(0.5, 0.1), CLEAR_LEAK * 0.4);
        assert!(effective_tolerance(0.5, 0.494) < effective_tolerance(0.5, 0.496));
        assert_eq!(
            effective_tolerance(0.5, 0.5),
            FLAT_LEAK * FLAT_STRETCH * 0.5
        );
    }

    #[test]
    fn within_the_tolerance_it_goes_on_while_rounds_help_and_matter() {
        use Verdict::{Continue, Stop};
        assert_eq!(
            verdicts(&[1e-3, 4e-6, 1e-6, 8e-7], 1e-8, true),
            [Continue, Continue, Continue, Stop(SvdStop::Converged)]
        );
        assert_eq!(
            verdicts(&[1e-3, 8e-6], 1e-5, true),
            [Continue, Stop(SvdStop::FlatCut)]
        );
        assert_eq!(
            verdicts(&[1e-3, 1e-9], 1e-8, true),
            [Continue, Stop(SvdStop::Converged)]
        );
    }

    #[test]
    fn rounds_that_do_not_help_end_it_but_locked_vectors_are_tried_anew_first() {
        use Verdict::{Continue, Stop, Unlock};
        let stalled = [1e-4, 8e-5, 9e-5];
        assert_eq!(
            verdicts(&stalled, 1e-8, false),
            [Continue, Continue, Stop(SvdStop::Rounding)]
        );
        let again = [stalled, stalled].concat();
        assert_eq!(
            verdicts(&again, 1e-8, true),
            [
                Continue,
                Continue,
                Unlock,
                Continue,
                Continue,
                Stop(SvdStop::Rounding)
            ]
        );
    }
}
