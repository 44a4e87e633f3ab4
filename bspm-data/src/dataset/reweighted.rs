//! Changes how the interactions of a data set are weighted.

use std::hash::Hash;

use super::{Dataset, Weighting};
use crate::error::Result;
use crate::interactions::{Duplicates, Interactions};
use crate::parameter::invalid;

impl<U: Eq + Hash + Clone, I: Eq + Hash + Clone> Dataset<U, I> {
    /// Returns the data set with scaled weights that decay with time. An interaction without a weight has
    /// weight 1, and its age is counted from the latest interaction. An interaction whose weight becomes 0
    /// is removed; its user and item stay.
    ///
    /// The weights of this data set are those of combined duplicates. [`DatasetBuilder::weighting`]
    /// applies a half-life to each event before it combines them.
    ///
    /// [`DatasetBuilder::weighting`]: super::DatasetBuilder::weighting
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) for a setting without effect: a
    /// half-life without times, a scale without weights, or a rule for duplicates; for a scale of weights
    /// that are scaled already; for a scale or a half-life of weights that decay already.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::{Dataset, Event, WeightScale, Weighting};
    ///
    /// let mut plays = Dataset::builder();
    /// plays.push(Event::new("ann", "jazz").weight(3.0))?;
    /// plays.push(Event::new("bob", "folk").weight(15.0))?;
    /// let plays = plays.finish()?.reweighted(&Weighting::new().scale(WeightScale::Log))?;
    /// assert_eq!(plays.interactions().weights().unwrap(), [2.0, 4.0]);
    /// # Ok::<(), bspm_data::Error>(())
    /// ```
    pub fn reweighted(&self, weighting: &Weighting) -> Result<Self> {
        weighting.check(self.interactions.weights().is_some(), self.times.is_some())?;
        if weighting.duplicates.is_some() {
            let expected = "none, because the duplicates of a data set are combined already";
            return Err(invalid("duplicates", expected, "a rule"));
        }
        if let (Some(own), Some(scale)) = (self.weight_scale, weighting.scale) {
            let expected = format!("none, because the weights are scaled already ({own})");
            return Err(invalid("weight_scale", expected, scale));
        }
        if let Some(own) = self.decay {
            let expected = format!(
                "none, because the weights decay already (half_life {})",
                own.half_life
            );
            match (weighting.scale, weighting.half_life) {
                (Some(scale), _) => return Err(invalid("weight_scale", expected, scale)),
                (_, Some(half_life)) => return Err(invalid("half_life", expected, half_life)),
                (None, None) => {}
            }
        }
        let decay = weighting.decay_from(self.latest());
        let times = self.times.as_deref().unwrap_or_default();
        let entries = self.interactions.entries().enumerate();
        let weights: Vec<f32> = entries
            .map(|(place, (_, _, weight))| {
                let time = times.get(place);
                let factor = decay
                    .zip(time)
                    .map_or(1.0, |(decay, &time)| decay.factor(time));
                weighting.combine(&[(f64::from(weight), factor)])
            })
            .collect();
        let kept = self.subset(|place, _, _| weights[place] > 0.0)?;
        let left = weights.into_iter().filter(|&weight| weight > 0.0);
        let entries = kept.interactions.pairs().zip(left);
        let entries = entries.map(|((user, item), weight)| (user, item, weight));
        let (users, items) = self.interactions.shape();
        // The pairs are distinct, so nothing is summed.
        let matrix = Interactions::from_weighted(users, items, entries, Duplicates::Sum)?;
        let scale = weighting.scale.or(self.weight_scale);
        Ok(Self {
            interactions: matrix.into(),
            ..kept
                .with_weight_scale(scale)
                .with_decay(decay.or(self.decay))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Event, WeightScale};
    use super::*;

    fn plays() -> Dataset<u32, u32> {
        let mut builder = Dataset::builder();
        for (user, item, weight, time) in [(0, 0, 1.0, 0.0), (0, 1, 4.0, 10.0), (1, 0, 3.0, 20.0)] {
            builder
                .push(Event::new(user, item).weight(weight).time(time))
                .unwrap();
        }
        builder.finish().unwrap()
    }

    #[test]
    fn weights_are_those_of_a_data_set_that_was_built_with_the_weighting() {
        for weighting in [
            Weighting::new(),
            Weighting::new().scale(WeightScale::Log),
            Weighting::new().scale(WeightScale::Log).half_life(7.0),
            Weighting::new().scale(WeightScale::Threshold(3.0)),
            Weighting::new().half_life(10.0),
        ] {
            let mut builder = Dataset::builder().weighting(weighting);
            let plays = plays();
            let times = plays.times().unwrap();
            for ((user, item, weight), &time) in plays.interactions().entries().zip(times) {
                let event = Event::new(user, item).weight(f64::from(weight));
                builder.push(event.time(time)).unwrap();
            }
            let expected = builder.finish().unwrap();
            let found = plays.reweighted(&weighting).unwrap();
            assert_eq!(
                found.interactions().weights(),
                expected.interactions().weights()
            );
            assert_eq!(found.times(), expected.times());
        }
    }

    #[test]
    fn settings_without_effect_are_errors() {
        let pairs: Dataset<u32, u32> = Dataset::from_pairs([(0, 0), (1, 1)]).unwrap();
        let error = |weighting: Weighting| pairs.reweighted(&weighting).unwrap_err().to_string();
        assert!(error(Weighting::new().half_life(1.0)).starts_with("half_life: "));
        assert!(error(Weighting::new().scale(WeightScale::Log)).starts_with("weight_scale: "));
        let rule = Weighting::new().duplicates(Duplicates::Max);
        assert!(error(rule).starts_with("duplicates: "));
        assert_eq!(pairs.reweighted(&Weighting::new()).unwrap(), pairs);
    }
}
