//! How much an interaction counts: what ratings, counts and times become.

use crate::data::interactions::Duplicates;
use crate::error::{Error, Result};
use crate::parameter::{check_range, invalid};

/// How much an interaction counts.
///
/// # Examples
///
/// ```
/// use bspm_core::data::{Event, WeightScale, Weighting};
/// use bspm_core::Dataset;
///
/// let weighting = Weighting::new().scale(WeightScale::Log).half_life(30.0);
/// let mut builder = Dataset::builder().weighting(weighting);
/// builder.push(Event::new("ann", "tea").weight(3.0).time(0.0))?;
/// builder.push(Event::new("ann", "milk").weight(1.0).time(30.0))?;
/// let dataset = builder.finish()?;
/// // The logarithm to base 2 of 1 + 3 is 2, and that is one half-life old.
/// assert_eq!(dataset.interactions().weights(), None);
/// # Ok::<(), bspm_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[must_use]
#[non_exhaustive]
pub struct Weighting {
    /// What a weight that is given becomes.
    pub scale: WeightScale,
    /// In what time, in the unit of the times, a weight is halved; none where age is no matter.
    /// Ages are counted from the latest interaction.
    pub half_life: Option<f64>,
    /// The weight of a pair that occurs more than once.
    pub duplicates: Duplicates,
}

/// What a weight that is given, such as a rating or a count, becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum WeightScale {
    /// Itself.
    #[default]
    Linear,
    /// `log2(1 + weight)`, of which 1 is 1 again.
    Log,
    /// 1 from this weight on, and nothing below.
    Threshold(f64),
}

impl std::str::FromStr for WeightScale {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "linear" => Ok(Self::Linear),
            "log" => Ok(Self::Log),
            _ => text
                .strip_prefix("threshold:")
                .and_then(|least| least.parse().ok())
                .filter(|least: &f64| least.is_finite())
                .map(Self::Threshold)
                .ok_or_else(|| {
                    let expected = "linear, log or threshold:NUMBER";
                    invalid("weight", expected, format!("{text:?}"))
                }),
        }
    }
}

impl Weighting {
    /// Weights as they are, and their sum for a pair that occurs more than once.
    pub fn new() -> Self {
        Self::default()
    }

    /// What a weight that is given becomes.
    pub fn scale(mut self, scale: WeightScale) -> Self {
        self.scale = scale;
        self
    }

    /// Halves weights after each such time.
    pub fn half_life(mut self, half_life: f64) -> Self {
        self.half_life = Some(half_life);
        self
    }

    /// The weight of a pair that occurs more than once.
    pub fn duplicates(mut self, duplicates: Duplicates) -> Self {
        self.duplicates = duplicates;
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        match self.half_life {
            Some(half_life) => check_range("half_life", half_life, f64::MIN_POSITIVE..=f64::MAX),
            None => Ok(()),
        }
    }

    /// What an interaction counts at this age.
    pub(super) fn weight(&self, given: f64, age: Option<f64>) -> f32 {
        let scaled = match self.scale {
            WeightScale::Linear => given,
            WeightScale::Log => (1.0 + given).log2(),
            WeightScale::Threshold(least) => f64::from(u8::from(given >= least)),
        };
        let decay = match (self.half_life, age) {
            (Some(half_life), Some(age)) => (-age / half_life).exp2(),
            _ => 1.0,
        };
        if scaled <= 0.0 {
            return 0.0;
        }
        // However old, it stays an interaction.
        (scaled * decay).clamp(f64::from(f32::MIN_POSITIVE), f64::from(f32::MAX)) as f32
    }
}
