//! Weights of interactions: scaling, duplicates, and decay with time.

use super::decay::Decay;
use crate::error::{Error, Result};
use crate::interactions::Duplicates;
use crate::parameter::{check_range, invalid};

/// How the weight of an interaction is computed from ratings, counts and times.
///
/// # Examples
///
/// ```
/// use bspm_data::{Event, WeightScale, Weighting};
/// use bspm_data::Dataset;
///
/// let weighting = Weighting::new().scale(WeightScale::Log).half_life(30.0);
/// let mut builder = Dataset::builder().weighting(weighting);
/// builder.push(Event::new("ann", "tea").weight(3.0).time(0.0))?;
/// builder.push(Event::new("ann", "milk").weight(1.0).time(30.0))?;
/// let dataset = builder.finish()?;
/// // The logarithm to base 2 of 1 + 3 is 2, and the interaction is one half-life old.
/// assert_eq!(dataset.interactions().weights(), None);
/// # Ok::<(), bspm_data::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[must_use]
#[non_exhaustive]
pub struct Weighting {
    /// How the weight of a pair is scaled, after its duplicates are combined. Default:
    /// [`WeightScale::Linear`].
    pub scale: Option<WeightScale>,
    /// The half-life of the weights, in the unit of the times. The age of an interaction is counted
    /// from the latest interaction. Default: weights do not decay.
    pub half_life: Option<f64>,
    /// How duplicates of a pair are combined. Default: [`Duplicates::Sum`] if there are weights;
    /// without weights, a pair counts once, with its latest time.
    pub duplicates: Option<Duplicates>,
}

/// How a weight, such as a rating or a count, is scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum WeightScale {
    /// The weight itself.
    #[default]
    Linear,
    /// `log2(1 + weight)`, which maps 1 to 1.
    Log,
    /// 1 if the weight is at least this threshold, else 0: the interaction is removed.
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

/// As [`FromStr`](std::str::FromStr) parses it.
impl std::fmt::Display for WeightScale {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Linear => out.write_str("linear"),
            Self::Log => out.write_str("log"),
            Self::Threshold(least) => write!(out, "threshold:{least}"),
        }
    }
}

impl Weighting {
    /// Returns the default: weights are not scaled and do not decay.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how the weight of a pair is scaled.
    pub fn scale(mut self, scale: WeightScale) -> Self {
        self.scale = Some(scale);
        self
    }

    /// Sets the half-life `h` of weights, in the unit of the times: an event at the time `t` has the factor
    /// `2^((t - t_latest) / h)` of its weight. The scale is applied first. With [`Duplicates::Sum`], the scaled sum of the
    /// weights of a pair is multiplied by the mean of the factors, weighted by the weights.
    pub fn half_life(mut self, half_life: f64) -> Self {
        self.half_life = Some(half_life);
        self
    }

    /// Sets how duplicates of a pair are combined.
    pub fn duplicates(mut self, duplicates: Duplicates) -> Self {
        self.duplicates = Some(duplicates);
        self
    }

    /// Whether each event without a weight has weight 1, instead of each pair counting once.
    pub(crate) fn counts_events(&self) -> bool {
        matches!(self.duplicates, Some(Duplicates::Sum | Duplicates::Count))
    }

    /// Returns an error if a setting has no effect on events with or without weights and times.
    pub(super) fn check(&self, has_weights: bool, has_times: bool) -> Result<()> {
        if let Some(half_life) = self.half_life {
            check_range("half_life", half_life, f64::MIN_POSITIVE..=f64::MAX)?;
            if !has_times {
                let expected = "a data set with times, to compute the age of interactions";
                return Err(invalid("half_life", expected, "one without times"));
            }
        }
        if let Some(WeightScale::Threshold(least)) = self.scale
            && !least.is_finite()
        {
            return Err(invalid("weight_scale", "a finite threshold", least));
        }
        if self.duplicates == Some(Duplicates::Count) && has_weights {
            let expected = "sum, max or last for interactions with weights";
            return Err(invalid("duplicates", expected, "count"));
        }
        if self.scale.is_some() && !has_weights && !self.counts_events() {
            let expected = "weights, or duplicates = sum or count, which give each event weight 1";
            return Err(invalid(
                "weight_scale",
                expected,
                "interactions without weights",
            ));
        }
        Ok(())
    }

    /// Computes the weight of a pair from its events in order of time, each with a weight and a decay
    /// (0 to 1). Returns infinity for a weight above the largest `f32`.
    pub(super) fn combine(&self, events: &[(f64, f64)]) -> f32 {
        let largest = |weights: &mut dyn Iterator<Item = f64>| weights.fold(0.0, f64::max);
        let scaled = |event: &(f64, f64)| self.scaled(event.0);
        // Without and with decay.
        let (weight, decayed) = match (self.duplicates.unwrap_or_default(), events) {
            (_, []) => (0.0, 0.0),
            (_, [event]) | (Duplicates::Last, [.., event]) => {
                (scaled(event), scaled(event) * event.1)
            }
            (Duplicates::Sum | Duplicates::Count, events) => {
                let total: f64 = events.iter().map(|event| event.0).sum();
                let decayed: f64 = events.iter().map(|event| event.0 * event.1).sum();
                let (total, decayed) = (total.min(f64::MAX), decayed.min(f64::MAX));
                let weight = self.scaled(total);
                // The weighted mean decay of the events, which is undefined if all weights are 0.
                (weight, weight * (decayed / total.max(f64::MIN_POSITIVE)))
            }
            (Duplicates::Max, events) => (
                largest(&mut events.iter().map(scaled)),
                largest(&mut events.iter().map(|event| scaled(event) * event.1)),
            ),
        };
        if weight <= 0.0 {
            return 0.0;
        }
        Decay::of_weight(decayed, 1.0)
    }

    fn scaled(&self, weight: f64) -> f64 {
        match self.scale.unwrap_or_default() {
            WeightScale::Linear => weight,
            WeightScale::Log => (1.0 + weight).log2(),
            WeightScale::Threshold(least) => f64::from(u8::from(weight >= least)),
        }
    }

    /// Returns how weights decay relative to a time; `None` if they do not.
    pub(super) fn decay_from(&self, reference_time: f64) -> Option<Decay> {
        self.half_life.map(|half_life| Decay {
            half_life,
            reference_time,
        })
    }
}
