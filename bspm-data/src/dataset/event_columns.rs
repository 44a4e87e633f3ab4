//! Interactions as columns of numbers.

use super::decay::Decay;
use super::weighting::Weighting;
use crate::error::{Error, Result};
use crate::grouped::Grouped;
use crate::interactions::{Duplicates, Interactions, check_sides};

/// Interactions in the order of their source: rows and columns of a matrix, and weights and times, which
/// are empty if there are none. All values must be valid.
#[derive(Clone, Copy, Debug)]
pub struct EventColumns<'a> {
    /// The row of the user of each interaction.
    pub users: &'a [u32],
    /// The column of the item of each interaction.
    pub items: &'a [u32],
    /// The weight of each interaction before [`Weighting`] is applied.
    pub weights: &'a [f64],
    /// The time of each interaction.
    pub times: &'a [f64],
}

impl EventColumns<'_> {
    /// Returns the matrix of this shape, and the latest time of each of its entries if there are times.
    ///
    /// # Errors
    ///
    /// As [`DatasetBuilder::finish`](crate::DatasetBuilder::finish).
    pub fn interactions(
        &self,
        shape: (usize, usize),
        weighting: &Weighting,
    ) -> Result<(Interactions, Option<Vec<f64>>)> {
        let (has_weights, has_times) = (!self.weights.is_empty(), !self.times.is_empty());
        if !self.users.is_empty() {
            weighting.check(has_weights, has_times)?;
        }
        let limit = u32::MAX as usize;
        if self.users.len() > limit {
            return Err(Error::TooLarge {
                what: "rows",
                found: self.users.len(),
                limit,
            });
        }
        let counts_once =
            !has_weights && weighting.half_life.is_none() && !weighting.counts_events();
        if counts_once && !has_times {
            let once = Interactions::from_columns(shape.0, shape.1, self.users, self.items)?;
            return Ok((once, None));
        }
        check_sides(shape.0, shape.1)?;
        let (entries, times) = self.combined(shape.0, weighting);
        let interactions = Interactions::from_sorted_entries(shape.0, shape.1, &entries)?;
        Ok((interactions, has_times.then_some(times)))
    }

    /// Returns how the weights decay relative to the latest interaction; `None` if they do not.
    pub fn decay(&self, weighting: &Weighting) -> Option<Decay> {
        let latest = self.times.iter().copied().reduce(f64::max)?;
        weighting.decay_from(latest)
    }

    /// Returns each pair with its weight and its latest time, without the pairs of weight 0.
    fn combined(&self, users: usize, weighting: &Weighting) -> (Vec<(u32, u32, f32)>, Vec<f64>) {
        let time = |place: usize| self.times.get(place).copied().unwrap_or_default();
        let decay = self.decay(weighting);
        let weighting = match self.weights.is_empty() && weighting.duplicates.is_none() {
            // Without weights, a pair counts once.
            true => weighting.duplicates(Duplicates::Last),
            false => *weighting,
        };
        let weight = |place: usize| self.weights.get(place).copied().unwrap_or(1.0);
        let event = |place: usize| (self.items[place], time(place), place as u32, weight(place));
        let events = self.users.iter().enumerate();
        let events = events.map(|(place, &user)| (user, event(place)));
        let mut rows = Grouped::new(users, events);
        // Events of the same time keep their order.
        rows.sort_rows(|row| {
            row.sort_unstable_by(|left, right| {
                let by_time = || left.1.total_cmp(&right.1).then(left.2.cmp(&right.2));
                left.0.cmp(&right.0).then_with(by_time)
            });
        });
        let (mut entries, mut times) = (Vec::new(), Vec::new());
        let mut events = Vec::new();
        for (user, row) in (0..).zip(rows.rows()) {
            for group in row.chunk_by(|left, right| left.0 == right.0) {
                events.clear();
                let factor = |time| decay.map_or(1.0, |decay| decay.factor(time));
                let event = |&(_, time, _, given)| (given, factor(time));
                events.extend(group.iter().map(event));
                let weight = weighting.combine(&events);
                if weight > 0.0 {
                    let (item, time, ..) = group[group.len() - 1];
                    entries.push((user, item, weight));
                    times.push(time);
                }
            }
        }
        (entries, times)
    }
}
