//! The half-life of weights, and checks that it fits the times of a data set.

use std::hash::Hash;
use std::str::FromStr;

use super::dataset::Dataset;
use crate::error::{Error, Result};
use crate::parameter::invalid;

/// A half-life of weights: in seconds if it is given with a unit, as in `90d`, else in the unit of the
/// times of the data set.
///
/// # Examples
///
/// ```
/// use bspm_data::HalfLife;
///
/// let half_life: HalfLife = "90d".parse()?;
/// assert_eq!((half_life.time, half_life.has_unit), (90.0 * 86_400.0, true));
/// # Ok::<(), bspm_data::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HalfLife {
    /// The half-life, above 0.
    pub time: f64,
    /// Whether the half-life is in seconds, and not in the unit of the times.
    pub has_unit: bool,
}

impl HalfLife {
    /// The largest time that is read as seconds since 1970: the year 5138.
    pub const LARGEST_SECONDS: f64 = 1e11;

    /// After this number of half-lives, a weight is below a ten-thousandth of its value.
    const OLD: f64 = 14.0;

    /// Returns a warning if the half-life has almost no effect on a data set, or if it makes most weights
    /// almost 0.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] if the half-life has a unit and the times are not in seconds.
    pub fn check<U: Eq + Hash + Clone, I: Eq + Hash + Clone>(
        self,
        dataset: &Dataset<U, I>,
    ) -> Result<Option<String>> {
        self.check_times(dataset.times().unwrap_or_default())
    }

    /// Like [`check`](Self::check), for the times of interactions.
    #[doc(hidden)]
    pub fn check_times(self, times: &[f64]) -> Result<Option<String>> {
        if times.is_empty() {
            return Ok(None);
        }
        let first = times.iter().copied().fold(f64::INFINITY, f64::min);
        let last = times.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if self.has_unit && first.abs().max(last.abs()) > Self::LARGEST_SECONDS {
            let expected = "times in seconds for a half-life with a unit (a half-life without a unit is in the \
                 unit of the times)";
            return Err(invalid("time", expected, last));
        }
        let old = times
            .iter()
            .filter(|&&it| last - it > Self::OLD * self.time);
        let (old, span) = (old.count(), last - first);
        Ok(if old * 2 > times.len() {
            Some(format!(
                "{old} of {} interactions are older than {} half-lives and have weights of almost 0: the \
                 times span {span}, and the half-life is {}{}",
                times.len(),
                Self::OLD,
                self.time,
                if self.has_unit {
                    " seconds"
                } else {
                    " in their unit"
                }
            ))
        } else if span < self.time / 100.0 {
            Some(format!(
                "the half-life ({}) has almost no effect, because the times span only {span}",
                self.time
            ))
        } else {
            None
        })
    }
}

impl FromStr for HalfLife {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        const DAY: f64 = 86_400.0;
        let units = [
            ("s", 1.0),
            ("h", 3_600.0),
            ("d", DAY),
            ("w", 7.0 * DAY),
            ("y", 365.25 * DAY),
        ];
        let found = units
            .into_iter()
            .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
        let (number, seconds) = found.unwrap_or((text, 1.0));
        let time = number.trim().parse::<f64>().unwrap_or_default() * seconds;
        match time > 0.0 && time.is_finite() {
            true => Ok(Self {
                time,
                has_unit: found.is_some(),
            }),
            false => {
                let expected =
                    "a number above 0, optionally with the unit s, h, d, w or y, as in '90d'";
                Err(invalid("half_life", expected, format!("{text:?}")))
            }
        }
    }
}
