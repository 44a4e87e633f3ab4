//! Interactions with external ids and times.

mod aligned;
mod builder;
mod decay;
mod event_columns;
mod items;
mod k_core;
mod reweighted;
mod selection;
mod split;
mod summary;
mod tags;
mod weighting;

use std::borrow::Borrow;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

pub use builder::{DatasetBuilder, Event};
pub use decay::Decay;
pub use event_columns::EventColumns;
pub use split::DatasetSplit;
pub use summary::{DatasetSummary, Quantiles};
pub use tags::ItemTags;
pub use weighting::{WeightScale, Weighting};

use crate::error::{Error, Result};
use crate::ids::Ids;
use crate::interactions::{Duplicates, Interactions};
use crate::item_table::ItemTable;
use crate::parameter::invalid;

/// A matrix of interactions, `users x items`, with external ids of type `U` and `I`: any
/// `Eq + Hash + Clone` type.
///
/// Users and items are numbered in the order of their first occurrence. Duplicates (the same
/// user and item) count once, with the latest time. Cloning is cheap: ids and interactions are
/// shared.
///
/// # Examples
///
/// ```
/// use bspm_data::Dataset;
/// use bspm_data::Event;
///
/// let dataset: Dataset<&str, u64> = Dataset::from_pairs([("ann", 7), ("bob", 7), ("ann", 7)])?;
/// assert_eq!((dataset.users().len(), dataset.items().len(), dataset.len()), (2, 1, 2));
///
/// let mut builder = Dataset::builder().rating_threshold(4.0);
/// builder.push(Event::new("ann", 7_u64).rating(5.0))?;
/// builder.push(Event::new("ann", 8).rating(1.0))?;
/// assert_eq!(builder.finish()?.items().iter().collect::<Vec<_>>(), [&7]);
/// # Ok::<(), bspm_data::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset<U: Eq + Hash = String, I: Eq + Hash = String> {
    users: Arc<Ids<U>>,
    items: Arc<Ids<I>>,
    interactions: Arc<Interactions>,
    times: Option<Arc<[f64]>>,
    /// How the weights were scaled; `None` if they were not.
    weight_scale: Option<WeightScale>,
    /// How the weights decay; `None` if they do not.
    decay: Option<Decay>,
    /// The first rows are the items of the data set, in column order.
    item_table: Option<Arc<ItemTable<I>>>,
    tags: Option<Arc<ItemTags<I>>>,
}

/// An interaction that is added to a data set.
struct NewEntry<U, I> {
    user: U,
    item: I,
    weight: f32,
    time: f64,
    /// The time at which the weight has not decayed.
    reference_time: f64,
}

impl<U: Eq + Hash + Clone, I: Eq + Hash + Clone> Dataset<U, I> {
    /// Returns an empty builder.
    pub fn builder() -> DatasetBuilder<U, I> {
        DatasetBuilder::new()
    }

    /// Creates a data set from `(user, item)` pairs, without times.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] above [`Interactions::MAX_SIDE`] users or items.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (U, I)>) -> Result<Self> {
        let mut builder = Self::builder();
        for (user, item) in pairs {
            builder.push(Event::new(user, item))?;
        }
        builder.finish()
    }

    /// Creates a data set in which row `u` has the id `users[u]` and column `i` has the id
    /// `items[i]`.
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`] unless each row and each column has a distinct id.
    pub fn from_interactions(
        users: Ids<U>,
        items: Ids<I>,
        interactions: impl Into<Arc<Interactions>>,
    ) -> Result<Self> {
        let interactions = interactions.into();
        let ids = (users.len(), items.len());
        let shape = (interactions.users(), interactions.items());
        if ids != shape {
            return Err(Error::ShapeMismatch {
                operation: "ids of interactions",
                left: ids,
                right: shape,
            });
        }
        Ok(Self {
            users: Arc::new(users),
            items: Arc::new(items),
            interactions,
            times: None,
            weight_scale: None,
            decay: None,
            item_table: None,
            tags: None,
        })
    }

    /// Adds interactions, of known or new users and items. A new interaction has weight 1; for an
    /// existing one the larger weight is kept. If the data set has times, the added interactions get
    /// the latest time. If the weights [decay](Self::decay), those of all interactions are computed for the new latest
    /// time. Cost: a sort of all interactions.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`].
    pub fn with_pairs(&self, pairs: impl IntoIterator<Item = (U, I)>) -> Result<Self> {
        let latest = self.latest();
        let timed = pairs.into_iter().map(|(user, item)| (user, item, latest));
        self.with_timed_pairs(timed)
    }

    /// Like [`with_pairs`](Self::with_pairs), with a time for each pair, in the unit of the data set.
    /// For an existing interaction the later time is kept. If the data set has no times, the given
    /// times are ignored.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`]; [`Error::InvalidParameter`] if a time is not finite.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::Dataset;
    ///
    /// let dataset: Dataset<&str, &str> = Dataset::from_pairs([("ann", "tea"), ("bob", "tea")])?
    ///     .with_times(vec![3.0, 4.0])?;
    /// let later = dataset.with_timed_pairs([("ann", "milk", 9.0), ("bob", "tea", 7.0)])?;
    /// assert_eq!(later.times(), Some(&[3.0, 9.0, 7.0][..]));
    /// assert_eq!(later.with_pairs([("cid", "tea")])?.times().unwrap()[3], 9.0);
    /// # Ok::<(), bspm_data::Error>(())
    /// ```
    pub fn with_timed_pairs(&self, pairs: impl IntoIterator<Item = (U, I, f64)>) -> Result<Self> {
        let pairs = pairs.into_iter();
        self.with_entries(pairs.map(|(user, item, time)| NewEntry {
            user,
            item,
            weight: 1.0,
            time,
            reference_time: time,
        }))
    }

    /// Adds the interactions of another data set, with their weights and times. If both have weights, these must have
    /// the same [scale](Self::weight_scale). An interaction of a data set without weights has weight 1. Its users and
    /// items may be new. For an interaction that both have, the larger weight and the later time are kept. If only the
    /// other data set has no times, its interactions get the latest time of this data set. If this data set has no
    /// times, the result has none. If the weights of this data set [decay](Self::decay), those of the other decay in the
    /// same way, and the weights of all interactions are computed for the new latest time. The item table and the tags
    /// of this data set are kept; if it has none, those of the other are used. Cost: a sort of all interactions.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for weights of another scale or with another half-life; [`Error::TooLarge`].
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::Dataset;
    /// use bspm_data::Event;
    ///
    /// let dataset: Dataset<&str, &str> = Dataset::from_pairs([("ann", "tea")])?;
    /// let mut more = Dataset::builder();
    /// more.push(Event::new("bob", "tea").weight(3.0))?;
    /// let both = dataset.with_dataset(&more.finish()?)?;
    /// assert_eq!(both.interactions().weights(), Some(&[1.0, 3.0][..]));
    /// # Ok::<(), bspm_data::Error>(())
    /// ```
    pub fn with_dataset(&self, more: &Self) -> Result<Self> {
        if self.has_weights() && more.has_weights() && more.weight_scale != self.weight_scale {
            let text = |scale: Option<WeightScale>| scale.unwrap_or_default().to_string();
            let own = text(self.weight_scale);
            let expected = format!("{own}, the scale of the weights that the data set has");
            return Err(invalid("weight_scale", expected, text(more.weight_scale)));
        }
        if let Some(decay) = more.decay
            && self.decay.map(|own| own.half_life) != Some(decay.half_life)
        {
            let own = self.decay.map(|own| own.half_life.to_string());
            let own = own.unwrap_or_else(|| "none".into());
            let expected = format!("{own}, the half-life of the weights that the data set has");
            return Err(invalid("half_life", expected, decay.half_life));
        }
        let latest = self.latest();
        let times = more.times().unwrap_or_default();
        let entries = more.entries().enumerate();
        let both = self.with_entries(entries.map(|(place, (user, item, weight))| {
            let time = times.get(place).copied().unwrap_or(latest);
            NewEntry {
                user: user.clone(),
                item: item.clone(),
                weight,
                time,
                reference_time: more.decay.map_or(time, |decay| decay.reference_time),
            }
        }))?;
        let item_table = match both.item_table {
            None => more.table_for(&both.items)?,
            own => own,
        };
        let both = Self {
            item_table,
            weight_scale: self.weight_scale.or(more.weight_scale),
            ..both
        };
        match (&both.tags, &more.tags) {
            (None, Some(tags)) => both.with_item_tags(tags.clone()),
            _ => Ok(both),
        }
    }

    /// Whether the interactions have weights, which a scale may have made equal.
    fn has_weights(&self) -> bool {
        self.weight_scale.is_some() || self.interactions.weights().is_some()
    }

    /// Returns the latest time; 0 without times.
    fn latest(&self) -> f64 {
        let times = self.times().unwrap_or_default().iter().copied();
        times.reduce(f64::max).unwrap_or_default()
    }

    /// Adds interactions with weights and times.
    fn with_entries(&self, entries: impl Iterator<Item = NewEntry<U, I>>) -> Result<Self> {
        let (mut users, mut items) = (Ids::clone(&self.users), Ids::clone(&self.items));
        let mut all: Vec<(u32, u32, f32)> = self.interactions.entries().collect();
        let mut reference_times = Vec::new();
        let old = self
            .interactions
            .pairs()
            .zip(self.times().unwrap_or_default());
        let mut times: Vec<((u32, u32), f64)> = old.map(|(pair, &time)| (pair, time)).collect();
        for entry in entries {
            let user = users.index_or_insert(entry.user, "users")?;
            let item = items.index_or_insert(entry.item, "items")?;
            all.push((user, item, entry.weight));
            times.push(((user, item), entry.time));
            reference_times.push(entry.reference_time);
        }
        let decay = self.decay.map(|own| own.until_latest(&reference_times));
        if let (Some(own), Some(decay)) = (self.decay, decay) {
            let own = std::iter::repeat_n(own.reference_time, self.len());
            for ((_, _, weight), time) in all.iter_mut().zip(own.chain(reference_times)) {
                *weight = Decay::of_weight((*weight).into(), decay.factor(time));
            }
        }
        let max = Duplicates::Max;
        let interactions = Interactions::from_weighted(users.len(), items.len(), all, max)?;
        let mut dataset = Self::from_interactions(users, items, interactions)?;
        dataset.item_table = self.table_for(&dataset.items)?;
        dataset.tags = self.tags.clone();
        dataset.weight_scale = self.weight_scale;
        dataset.decay = decay;
        if self.times.is_none() {
            return Ok(dataset);
        }
        times.sort_by(|left, right| left.0.cmp(&right.0).then(right.1.total_cmp(&left.1)));
        times.dedup_by_key(|(pair, _)| *pair);
        dataset.with_times(times.into_iter().map(|(_, time)| time).collect())
    }

    /// Sets the times of the interactions, in the order of [`Interactions::pairs`] and in any unit.
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`] if the number of times differs from the number of interactions;
    /// [`Error::InvalidParameter`] if a time is not finite.
    pub fn with_times(self, times: Vec<f64>) -> Result<Self> {
        if times.len() != self.len() {
            return Err(Error::ShapeMismatch {
                operation: "times of interactions",
                left: (times.len(), 1),
                right: (self.len(), 1),
            });
        }
        if let Some(time) = times.iter().find(|time| !time.is_finite()) {
            return Err(invalid("time", "a finite number", time));
        }
        Ok(Self {
            times: Some(times.into()),
            ..self
        })
    }

    /// The ids of the users, in row order.
    pub fn users(&self) -> &Arc<Ids<U>> {
        &self.users
    }

    /// The ids of the items, in column order.
    pub fn items(&self) -> &Arc<Ids<I>> {
        &self.items
    }

    /// The matrix, `users x items`.
    pub fn interactions(&self) -> &Arc<Interactions> {
        &self.interactions
    }

    /// The time of each interaction, in the order of [`Interactions::pairs`] and in the unit of the
    /// source; `None` if the source has no times.
    pub fn times(&self) -> Option<&[f64]> {
        self.times.as_deref()
    }

    /// How the weights were scaled when the data set was created; `None` if they are the given ones.
    pub fn weight_scale(&self) -> Option<WeightScale> {
        self.weight_scale
    }

    /// Records how the weights of the data set were scaled. The weights do not change.
    pub fn with_weight_scale(self, scale: Option<WeightScale>) -> Self {
        let weight_scale = scale.filter(|scale| *scale != WeightScale::Linear);
        Self {
            weight_scale,
            ..self
        }
    }

    /// How the weights decay with time; `None` if they do not.
    pub fn decay(&self) -> Option<Decay> {
        self.decay
    }

    /// Records how the weights of the data set decay. The weights do not change.
    pub fn with_decay(self, decay: Option<Decay>) -> Self {
        Self { decay, ..self }
    }

    /// All interactions as `(user, item, weight)`, in row order. Without weights, each weight is 1.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::Dataset;
    ///
    /// let visits: Dataset<&str, &str> = Dataset::from_pairs([("ann", "tea"), ("bob", "tea"), ("ann", "jam")])?;
    /// let entries: Vec<_> = visits.entries().collect();
    /// assert_eq!(entries[1], (&"ann", &"jam", 1.0));
    /// assert_eq!(entries[2], (&"bob", &"tea", 1.0));
    /// # Ok::<(), bspm_data::Error>(())
    /// ```
    pub fn entries(&self) -> impl Iterator<Item = (&U, &I, f32)> {
        let entries = self.interactions.entries();
        entries.filter_map(|(user, item, weight)| {
            Some((self.users.id(user)?, self.items.id(item)?, weight))
        })
    }

    /// The number of interactions.
    pub fn len(&self) -> usize {
        self.interactions.len()
    }

    /// Whether there is no interaction.
    pub fn is_empty(&self) -> bool {
        self.interactions.is_empty()
    }

    /// Returns the same interactions with converted ids.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] if two ids are converted to the same id.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::Dataset;
    ///
    /// let numbers: Dataset<u32, u32> = Dataset::from_pairs([(3, 4)])?;
    /// let strings = numbers.map_ids(ToString::to_string, ToString::to_string)?;
    /// assert_eq!(strings.history("3")?, ["4"]);
    /// # Ok::<(), bspm_data::Error>(())
    /// ```
    pub fn map_ids<V: Eq + Hash + Clone, J: Eq + Hash + Clone>(
        &self,
        user: impl Fn(&U) -> V,
        item: impl Fn(&I) -> J,
    ) -> Result<Dataset<V, J>> {
        let users: Ids<V> = self.users.iter().map(user).collect();
        let items: Ids<J> = self.items.iter().map(&item).collect();
        for (what, found, count) in [
            ("user ids", users.len(), self.users.len()),
            ("item ids", items.len(), self.items.len()),
        ] {
            if found != count {
                let found = format!("{found} among {count}");
                return Err(invalid(what, "a different id for each", found));
            }
        }
        let mapped = Dataset::from_interactions(users, items, self.interactions.clone())?;
        let item_table = match &self.item_table {
            Some(table) => Some(Arc::new(table.map_ids(&item)?.with_first(&mapped.items)?)),
            None => None,
        };
        Ok(Dataset {
            times: self.times.clone(),
            weight_scale: self.weight_scale,
            decay: self.decay,
            item_table,
            tags: self.tags.as_ref().map(|it| Arc::new(it.map_items(&item))),
            ..mapped
        })
    }

    /// The items of one user, in column order.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownId`].
    pub fn history<Q>(&self, user: &Q) -> Result<Vec<&I>>
    where
        U: Borrow<Q>,
        Q: Hash + Eq + Debug + ?Sized,
    {
        let user = self.users.known_index("user", user)?;
        let items = self.interactions.items_of(user).iter();
        Ok(items.filter_map(|&item| self.items.id(item)).collect())
    }

    /// Returns the same users and items with a subset of the interactions.
    fn subset(&self, keep: impl Fn(usize, u32, u32) -> bool) -> Result<Self> {
        let times = self.times.as_ref().map(|times| {
            let pairs = self.interactions.pairs().zip(times.iter()).enumerate();
            pairs
                .filter(|&(place, ((user, item), _))| keep(place, user, item))
                .map(|(_, (_, &time))| time)
                .collect()
        });
        let interactions = self.interactions.kept(keep)?;
        Ok(Self {
            users: self.users.clone(),
            items: self.items.clone(),
            interactions: interactions.into(),
            times,
            weight_scale: self.weight_scale,
            decay: self.decay,
            item_table: self.item_table.clone(),
            tags: self.tags.clone(),
        })
    }
}
