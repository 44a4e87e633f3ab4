//! Recommendations for users of the model, for new histories, and for items.

use std::borrow::Borrow;
use std::fmt::Debug;
use std::hash::Hash;

use serde::Serialize;

use super::{Model, RecommendOptions};
use crate::backend::Backend;
use crate::backend::ScoredItem;
use crate::fitted::rank::RankOptions;
use bspm_data::History;
use bspm_data::Result;
use bspm_data::UnknownIds;

/// A recommended item and its score.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Recommendation<I = String> {
    /// The item.
    pub item: I,
    /// The title of the item, if the item table of the data set has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The score; higher is better. Scores of different users are not comparable.
    pub score: f32,
    /// Whether the item has no score and only fills the list
    /// ([`Fallback::Popularity`](crate::Fallback::Popularity)).
    #[serde(rename = "fallback", skip_serializing_if = "std::ops::Not::not")]
    pub is_fallback: bool,
}

impl<B: Backend, U: Eq + Hash + Clone, I: Eq + Hash + Clone> Model<B, U, I> {
    /// Recommends items to a user: the top items that the user has not interacted with, best first. The
    /// options are a number of items or [`RecommendOptions`].
    ///
    /// The list is shorter if fewer items remain, or if fewer items have a score: it ends before the first
    /// item without a path from the history, unless a [`Fallback`](crate::Fallback) is set. Items with equal
    /// scores are sorted by column.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownId`](crate::Error::UnknownId), unless unknown ids are skipped: an unknown user then
    /// has an empty history; [`Error::InvalidParameter`](crate::Error::InvalidParameter) if `k` is 0; those
    /// of the backend.
    ///
    /// # Examples
    ///
    /// ```
    /// # use bspm_core::{BspmConfig, Dataset, Model, RecommendOptions};
    /// # use bspm_cpu::CpuBackend;
    /// # let dataset: Dataset<&str, &str> =
    /// #     Dataset::from_pairs([("ann", "tea"), ("ann", "milk"), ("bob", "milk"), ("bob", "rice")])?;
    /// # let model = Model::fit(CpuBackend::new(), dataset, BspmConfig::builder().build()?)?;
    /// assert_eq!(model.recommend("ann", 3)?[0].item, "rice");
    /// let options = RecommendOptions::top(3).deny(["rice"]);
    /// assert!(model.recommend("ann", options)?.is_empty());
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn recommend<Q>(
        &self,
        user: &Q,
        options: impl Into<RecommendOptions<I>>,
    ) -> Result<Vec<Recommendation<I>>>
    where
        U: Borrow<Q>,
        Q: Hash + Eq + Debug + ?Sized,
        I: Debug,
    {
        let options = options.into();
        let rank_options = self.rank_options(&options)?;
        match self.user_index(user) {
            Ok(user) => {
                let history = self.dataset.interactions().history_of(user);
                self.for_history(history, &rank_options)
            }
            Err(_) if options.unknown_ids == UnknownIds::Skip => {
                self.for_history(History::EMPTY, &rank_options)
            }
            Err(error) => Err(error),
        }
    }

    /// Recommends items to many users, in the same order; scored in parallel.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled), and as
    /// [`recommend`](Self::recommend).
    pub fn recommend_many<'q, Q>(
        &self,
        users: impl IntoIterator<Item = &'q Q>,
        options: impl Into<RecommendOptions<I>>,
    ) -> Result<Vec<Vec<Recommendation<I>>>>
    where
        U: Borrow<Q>,
        Q: Hash + Eq + Debug + ?Sized + 'q,
        I: Debug,
    {
        let options = options.into();
        let rank_options = self.rank_options(&options)?;
        let interactions = self.dataset.interactions();
        let mut histories = Vec::new();
        for user in users {
            histories.push(match self.user_index(user) {
                Ok(user) => interactions.history_of(user),
                Err(_) if options.unknown_ids == UnknownIds::Skip => History::EMPTY,
                Err(error) => return Err(error),
            });
        }
        let lists = self.fitted.rank_histories(&histories, &rank_options)?.lists;
        let named = lists
            .into_iter()
            .map(|list| self.named(list, &rank_options));
        Ok(named.collect())
    }

    /// Recommends items to a new user with a history of these items (fold-in).
    ///
    /// The history need not belong to a user of the model. The result is exact: for the items of a user of
    /// the model, it is the list of [`recommend`](Self::recommend), bit for bit
    /// ([`recommend_many`](Self::recommend_many) rounds differently). The order of the items and duplicates
    /// do not matter.
    ///
    /// # Errors
    ///
    /// As [`recommend`](Self::recommend).
    pub fn recommend_for_items<'q, Q>(
        &self,
        history: impl IntoIterator<Item = &'q Q>,
        options: impl Into<RecommendOptions<I>>,
    ) -> Result<Vec<Recommendation<I>>>
    where
        I: Borrow<Q> + Debug,
        Q: Hash + Eq + Debug + ?Sized + 'q,
    {
        let options = options.into();
        let history = self.known_items(history, options.unknown_ids)?;
        self.for_history(History::from(&history), &self.rank_options(&options)?)
    }

    /// Recommends items to a new user with a weighted history (fold-in). A negative weight lowers the scores
    /// of similar items.
    ///
    /// An item that occurs more than once has the sum of its weights. The list excludes all items of the
    /// history.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) if a weight is not finite; as
    /// [`recommend`](Self::recommend).
    ///
    /// # Examples
    ///
    /// ```
    /// # use bspm_core::{BspmConfig, Dataset, Model};
    /// # use bspm_cpu::CpuBackend;
    /// # let dataset: Dataset<&str, &str> = Dataset::from_pairs(
    /// #     [("ann", "tea"), ("ann", "milk"), ("bob", "rice"), ("bob", "salt")])?;
    /// # let model = Model::fit(CpuBackend::new(), dataset, BspmConfig::builder().build()?)?;
    /// let liked_and_disliked = [("tea", 1.0), ("rice", -1.0)];
    /// let list = model.recommend_for_history(liked_and_disliked, 2)?;
    /// assert_eq!(list[0].item, "milk");
    /// assert!(list[1].score < 0.0); // salt, which goes with rice
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn recommend_for_history<'q, Q>(
        &self,
        history: impl IntoIterator<Item = (&'q Q, f32)>,
        options: impl Into<RecommendOptions<I>>,
    ) -> Result<Vec<Recommendation<I>>>
    where
        I: Borrow<Q> + Debug,
        Q: Hash + Eq + Debug + ?Sized + 'q,
    {
        let options = options.into();
        let (items, weights) = self.known_history(history, options.unknown_ids)?;
        let history = History::new(&items, Some(&weights));
        self.for_history(history, &self.rank_options(&options)?)
    }

    /// Returns the items most similar to an item: the recommendations for a history of only this item. With
    /// unknown ids skipped, an unknown item has no similar items.
    ///
    /// # Errors
    ///
    /// As [`recommend`](Self::recommend).
    pub fn similar_items<Q>(
        &self,
        item: &Q,
        options: impl Into<RecommendOptions<I>>,
    ) -> Result<Vec<Recommendation<I>>>
    where
        I: Borrow<Q> + Debug,
        Q: Hash + Eq + Debug + ?Sized,
    {
        let options = options.into();
        let rank_options = self.rank_options(&options)?;
        match self.known_items([item], options.unknown_ids)?.as_slice() {
            [] => Ok(Vec::new()),
            history => self.for_history(history.into(), &rank_options),
        }
    }

    /// Returns the scores of these items for a user, in the same order.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownId`](crate::Error::UnknownId); those of the backend.
    pub fn score<'q, Q, J>(
        &self,
        user: &Q,
        items: impl IntoIterator<Item = &'q J>,
    ) -> Result<Vec<f32>>
    where
        U: Borrow<Q>,
        Q: Hash + Eq + Debug + ?Sized,
        I: Borrow<J>,
        J: Hash + Eq + Debug + ?Sized + 'q,
    {
        let user = self.user_index(user)?;
        self.scores_of(self.dataset.interactions().history_of(user), items)
    }

    /// Returns the scores of these items for a new user with a weighted history (fold-in), in the same order.
    ///
    /// # Errors
    ///
    /// As [`score`](Self::score) and [`recommend_for_history`](Self::recommend_for_history).
    ///
    /// # Examples
    ///
    /// ```
    /// # use bspm_core::{BspmConfig, Dataset, Model};
    /// # use bspm_cpu::CpuBackend;
    /// # let dataset: Dataset<&str, &str> = Dataset::from_pairs(
    /// #     [("ann", "tea"), ("ann", "milk"), ("bob", "milk"), ("bob", "rice")])?;
    /// # let model = Model::fit(CpuBackend::new(), dataset, BspmConfig::builder().build()?)?;
    /// let scores = model.score_history([("tea", 1.0)], ["milk", "rice"])?;
    /// assert!(scores[0] > scores[1]);
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn score_history<'q, Q, J>(
        &self,
        history: impl IntoIterator<Item = (&'q Q, f32)>,
        items: impl IntoIterator<Item = &'q J>,
    ) -> Result<Vec<f32>>
    where
        I: Borrow<Q> + Borrow<J> + Debug,
        Q: Hash + Eq + Debug + ?Sized + 'q,
        J: Hash + Eq + Debug + ?Sized + 'q,
    {
        let (columns, weights) = self.known_history(history, UnknownIds::Error)?;
        self.scores_of(History::new(&columns, Some(&weights)), items)
    }

    fn scores_of<'q, J>(
        &self,
        history: History<'_>,
        items: impl IntoIterator<Item = &'q J>,
    ) -> Result<Vec<f32>>
    where
        I: Borrow<J>,
        J: Hash + Eq + Debug + ?Sized + 'q,
    {
        let items = self.known_items(items, UnknownIds::Error)?;
        let scores = self.fitted.score_histories(&[history])?;
        let score = |item: u32| scores[[0, item as usize]];
        Ok(items.into_iter().map(score).collect())
    }

    /// Returns the columns and the weights of a history; unknown items are ignored, or are an error.
    pub(super) fn known_history<'q, Q>(
        &self,
        history: impl IntoIterator<Item = (&'q Q, f32)>,
        unknown_ids: UnknownIds,
    ) -> Result<(Vec<u32>, Vec<f32>)>
    where
        I: Borrow<Q>,
        Q: Hash + Eq + Debug + ?Sized + 'q,
    {
        let (mut items, mut weights) = (Vec::new(), Vec::new());
        for (item, weight) in history {
            items.extend(self.known_items([item], unknown_ids)?);
            weights.resize(items.len(), weight);
        }
        Ok((items, weights))
    }

    fn for_history(
        &self,
        history: History<'_>,
        options: &RankOptions,
    ) -> Result<Vec<Recommendation<I>>> {
        let ranking = self.fitted.rank_histories(&[history], options)?;
        Ok(self.named(ranking.lists.into_iter().flatten(), options))
    }

    fn named(
        &self,
        list: impl IntoIterator<Item = ScoredItem>,
        options: &RankOptions,
    ) -> Vec<Recommendation<I>> {
        list.into_iter()
            .filter_map(|entry| {
                Some(Recommendation {
                    item: self.dataset.items().id(entry.item)?.clone(),
                    title: self.title_of(entry.item),
                    score: entry.score,
                    is_fallback: options.fallback.has_filled(&entry),
                })
            })
            .collect()
    }
}
