//! Builds a data set from single interactions.

use std::hash::Hash;
use std::sync::Arc;

use super::Dataset;
use super::event_columns::EventColumns;
use super::weighting::Weighting;
use crate::error::Result;
use crate::ids::{FoundId, Ids};
use crate::parameter::{check_range, invalid};

/// One interaction, as read from an application or a file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event<U, I> {
    /// The id of the user.
    pub user: U,
    /// The id of the item.
    pub item: I,
    /// The rating, which is compared with the threshold.
    pub rating: Option<f64>,
    /// The weight before [`Weighting`] is applied, such as a count or a rating.
    pub weight: Option<f64>,
    /// The time in any unit; later times are larger.
    pub time: Option<f64>,
}

impl<U, I> Event<U, I> {
    /// Creates an interaction without a rating, a weight and a time.
    pub fn new(user: U, item: I) -> Self {
        Self {
            user,
            item,
            rating: None,
            weight: None,
            time: None,
        }
    }

    /// Sets the weight.
    pub fn weight(mut self, weight: f64) -> Self {
        self.weight = Some(weight);
        self
    }

    /// Sets the rating.
    pub fn rating(mut self, rating: f64) -> Self {
        self.rating = Some(rating);
        self
    }

    /// Sets the time.
    pub fn time(mut self, time: f64) -> Self {
        self.time = Some(time);
        self
    }
}

/// Collects interactions; [`finish`](Self::finish) returns the [`Dataset`].
#[derive(Clone, Debug)]
pub struct DatasetBuilder<U: Eq + Hash, I: Eq + Hash> {
    users: Ids<U>,
    items: Ids<I>,
    rating_threshold: Option<f64>,
    weighting: Weighting,
    rows: Vec<u32>,
    columns: Vec<u32>,
    /// The given weights; empty until an event has a weight.
    weights: Vec<f64>,
    times: Vec<f64>,
}

impl<U: Eq + Hash + Clone, I: Eq + Hash + Clone> DatasetBuilder<U, I> {
    pub(super) fn new() -> Self {
        Self {
            users: Ids::default(),
            items: Ids::default(),
            rating_threshold: None,
            weighting: Weighting::new(),
            rows: Vec::new(),
            columns: Vec::new(),
            weights: Vec::new(),
            times: Vec::new(),
        }
    }

    /// Keeps only interactions with a rating of at least this value.
    ///
    /// A user or an item without a kept interaction has no row or column. The threshold is applied to
    /// each interaction, before duplicates are combined.
    pub fn rating_threshold(mut self, threshold: f64) -> Self {
        self.rating_threshold = Some(threshold);
        self
    }

    /// Sets how weights are scaled, how duplicates are combined, and how weights decay with time.
    ///
    /// Without weights, a pair counts once, or with [`Duplicates::Sum`](crate::Duplicates::Sum) or
    /// [`Duplicates::Count`](crate::Duplicates::Count) as often as it occurs. If some events have weights, the
    /// others have weight 1.
    pub fn weighting(mut self, weighting: Weighting) -> Self {
        self.weighting = weighting;
        self
    }

    /// Adds an interaction.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) if a rating, a weight or a time is not a number, if a weight is
    /// negative or infinite, if a time is infinite, if there is a threshold and the event has no rating, and if only some
    /// events have a time; [`Error::TooLarge`](crate::Error::TooLarge).
    pub fn push(&mut self, event: Event<U, I>) -> Result<()> {
        self.push_found(Event {
            user: FoundId::Other(event.user),
            item: FoundId::Other(event.item),
            rating: event.rating,
            weight: event.weight,
            time: event.time,
        })
    }

    /// The ids of the users and of the items of the interactions so far.
    #[cfg(feature = "load")]
    pub(crate) fn ids(&self) -> (&Ids<U>, &Ids<I>) {
        (&self.users, &self.items)
    }

    /// Adds an interaction whose ids were looked up in [`ids`](Self::ids).
    pub(crate) fn push_found(&mut self, event: Event<FoundId<U>, FoundId<I>>) -> Result<()> {
        for (parameter, value) in [
            ("rating", event.rating),
            ("rating_threshold", self.rating_threshold),
            ("time", event.time),
        ] {
            if value.is_some_and(f64::is_nan) {
                return Err(invalid(parameter, "a number", "NaN"));
            }
        }
        if let Some(time) = event.time.filter(|time| time.is_infinite()) {
            return Err(invalid("time", "a finite number", time));
        }
        if let Some(threshold) = self.rating_threshold {
            let Some(rating) = event.rating else {
                let expected = "a rating for every interaction, because a threshold is set";
                return Err(invalid("rating", expected, "none"));
            };
            if rating < threshold {
                return Ok(());
            }
        }
        let all_have_times = self.times.len() == self.rows.len();
        if event.time.is_some() != all_have_times && !self.rows.is_empty() {
            let found = if all_have_times { "none" } else { "one" };
            let expected = "a time for all interactions or for none";
            return Err(invalid("time", expected, found));
        }
        if let Some(weight) = event.weight {
            check_range("weight", weight, 0.0..=f64::MAX)?;
            self.weights.resize(self.rows.len(), 1.0);
            self.weights.push(weight);
        } else if !self.weights.is_empty() {
            self.weights.push(1.0);
        }
        let user = self.users.index_of_found(event.user, "users")?;
        let item = self.items.index_of_found(event.item, "items")?;
        self.rows.push(user);
        self.columns.push(item);
        self.times.extend(event.time);
        Ok(())
    }

    /// Adds a row for every id of `users` and a column for every id of `items`, in that order, even if
    /// the id has no interactions.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`](crate::Error::TooLarge).
    pub fn add_ids(
        &mut self,
        users: impl IntoIterator<Item = U>,
        items: impl IntoIterator<Item = I>,
    ) -> Result<()> {
        for user in users {
            self.users.index_or_insert(user, "users")?;
        }
        for item in items {
            self.items.index_or_insert(item, "items")?;
        }
        Ok(())
    }

    /// Returns the data set. Cost: a sort.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`](crate::Error::TooLarge); [`Error::InvalidParameter`](crate::Error::InvalidParameter) if the half-life is not above 0, and for a
    /// weighting without effect: a half-life without times, a scale without weights, or
    /// `Duplicates::Count` with weights.
    pub fn finish(self) -> Result<Dataset<U, I>> {
        let columns = EventColumns {
            users: &self.rows,
            items: &self.columns,
            weights: &self.weights,
            times: &self.times,
        };
        let shape = (self.users.len(), self.items.len());
        let (interactions, times) = columns.interactions(shape, &self.weighting)?;
        let decay = columns.decay(&self.weighting);
        let dataset = Dataset {
            users: Arc::new(self.users),
            items: Arc::new(self.items),
            interactions: interactions.into(),
            times: times.map(Into::into),
            weight_scale: None,
            decay: None,
            item_table: None,
            tags: None,
        };
        Ok(dataset
            .with_weight_scale(self.weighting.scale)
            .with_decay(decay))
    }
}
