//! Weights that decay with time.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::parameter::{check_range, invalid};

/// How the weights of a data set decay with time: exponentially, relative to one reference time.
///
/// # Examples
///
/// ```
/// use bspm_data::Decay;
///
/// let decay = Decay::new(30.0, 100.0)?;
/// assert_eq!((decay.factor(100.0), decay.factor(70.0)), (1.0, 0.5));
/// # Ok::<(), bspm_data::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Decay {
    /// The time after which a weight is halved, in the unit of the times.
    pub half_life: f64,
    /// The time at which a weight has not decayed: that of the latest interaction when the weights were computed.
    pub reference_time: f64,
}

impl Decay {
    /// Creates a decay.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) if the half-life is not above 0, or if a number is
    /// not finite.
    pub fn new(half_life: f64, reference_time: f64) -> Result<Self> {
        check_range("half_life", half_life, f64::MIN_POSITIVE..=f64::MAX)?;
        if !reference_time.is_finite() {
            return Err(invalid("reference_time", "a finite number", reference_time));
        }
        Ok(Self {
            half_life,
            reference_time,
        })
    }

    /// The factor of the weight of an interaction at this time.
    pub fn factor(&self, time: f64) -> f64 {
        (-(self.reference_time - time) / self.half_life).exp2()
    }

    /// Returns the decay whose reference time is the latest of its own and of these times.
    pub(super) fn until_latest(self, times: &[f64]) -> Self {
        Self {
            reference_time: times.iter().copied().fold(self.reference_time, f64::max),
            ..self
        }
    }

    /// Returns a decayed weight. The weight of a very old interaction does not become 0.
    pub(super) fn of_weight(weight: f64, factor: f64) -> f32 {
        (weight * factor).max(f64::from(f32::MIN_POSITIVE)) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Dataset, Event, WeightScale, Weighting};
    use super::*;

    /// The events of these places of a list without duplicates.
    fn plays(places: std::ops::Range<u32>, weighting: Weighting) -> Dataset<u32, u32> {
        let mut builder = Dataset::builder().weighting(weighting);
        for place in places {
            let event = Event::new(place % 7, place % 11).weight(f64::from(1 + place % 5));
            builder.push(event.time(f64::from(3 * place))).unwrap();
        }
        builder.finish().unwrap()
    }

    #[test]
    fn weights_that_are_added_later_are_those_of_one_data_set() {
        for scale in [
            WeightScale::Linear,
            WeightScale::Log,
            WeightScale::Threshold(2.0),
        ] {
            let scaled = Weighting::new().scale(scale);
            let weighting = scaled.half_life(20.0);
            let expected = plays(0..77, weighting);
            let first = plays(0..40, weighting);
            for rest in [plays(40..77, scaled), plays(40..77, weighting)] {
                let both = first.with_dataset(&rest).unwrap();
                assert_eq!(both.decay(), expected.decay());
                let sorted = |of: &Dataset<u32, u32>| {
                    let mut entries: Vec<_> = of.interactions().entries().collect();
                    let ids = |row: u32, column: u32| (of.users().id(row), of.items().id(column));
                    entries.sort_by_key(|&(row, column, _)| ids(row, column));
                    entries.into_iter().map(|it| it.2).collect::<Vec<f32>>()
                };
                let (found, expected) = (sorted(&both), sorted(&expected));
                assert_eq!(found.len(), expected.len());
                for (found, expected) in found.iter().zip(&expected) {
                    assert!((found / expected - 1.0).abs() < 1e-6, "{found} {expected}");
                }
            }
        }
    }

    #[test]
    fn an_interaction_one_half_life_later_halves_the_weights() {
        let pairs: Dataset<u32, u32> = Dataset::from_pairs([(0, 0), (0, 1)]).unwrap();
        let timed = pairs.with_times(vec![0.0, 20.0]).unwrap();
        let decayed = timed.reweighted(&Weighting::new().half_life(20.0)).unwrap();
        let later = decayed.with_timed_pairs([(1, 0, 40.0)]).unwrap();
        assert_eq!(later.interactions().weights().unwrap(), [0.25, 0.5, 1.0]);
        // The reference time stays if the latest interaction is removed.
        let less = later.without([&1], []).unwrap();
        assert_eq!(less.decay(), Some(Decay::new(20.0, 40.0).unwrap()));
        let again = less.with_timed_pairs([(1, 0, 40.0)]).unwrap();
        assert_eq!(again.interactions(), later.interactions());
        // Earlier interactions and those without a time.
        let early = later.with_timed_pairs([(2, 0, 0.0)]).unwrap();
        assert_eq!(early.interactions().weights().unwrap()[3], 0.25);
        let untimed = later.with_pairs([(2, 0)]).unwrap();
        assert_eq!(untimed.interactions().weights().unwrap()[3], 1.0);
    }

    #[test]
    fn weights_decay_once_and_with_one_half_life() {
        let decayed = plays(0..20, Weighting::new().half_life(20.0));
        let other = plays(0..20, Weighting::new().half_life(30.0));
        let plain = plays(0..20, Weighting::new());
        for (left, right) in [(&decayed, &other), (&plain, &decayed)] {
            let error = left.with_dataset(right).unwrap_err().to_string();
            assert!(error.starts_with("half_life: expected"), "{error}");
        }
        for weighting in [
            Weighting::new().half_life(20.0),
            Weighting::new().scale(WeightScale::Log),
        ] {
            let error = decayed.reweighted(&weighting).unwrap_err().to_string();
            assert!(
                error.contains("the weights decay already (half_life 20)"),
                "{error}"
            );
        }
    }
}
