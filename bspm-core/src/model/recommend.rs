//! Recommendations: for the model's users, for unseen histories, and for items.

use std::borrow::Borrow;
use std::fmt::Debug;
use std::hash::Hash;

use serde::Serialize;

use super::{Model, RecommendOptions};
use crate::backend::Backend;
use crate::backend::ScoredItem;
use crate::data::history::History;
use crate::data::ids::UnknownIds;
use crate::error::Result;
use crate::fitted::rank::RankOptions;

/// An item and its score.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Recommendation<I = String> {
    /// The item.
    pub item: I,
    /// Its score; higher is better, and comparable within one user only.
    pub score: f32,
}

impl<B: Backend, U: Eq + Hash + Clone, I: Eq + Hash + Clone> Model<B, U, I> {
    /// The best items that the user has not interacted with, best first: `k` of them, or
    /// what [`RecommendOptions`] say.
    ///
    /// Fewer where fewer are left. Equal scores rank the lower column first.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownId`](crate::Error::UnknownId), unless unknown ids are skipped: then
    /// an unknown user's list is empty;
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) when `k` is 0; those
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
            Err(_) if options.unknown_ids == UnknownIds::Skip => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// The lists of many users, in their order; scored in parallel.
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
        let mut is_known = Vec::new();
        let mut histories = Vec::new();
        for user in users {
            let user = match self.user_index(user) {
                Ok(user) => Some(user),
                Err(_) if options.unknown_ids == UnknownIds::Skip => None,
                Err(error) => return Err(error),
            };
            is_known.push(user.is_some());
            histories.extend(user.map(|user| interactions.history_of(user)));
        }
        let ranking = self.fitted.rank_histories(&histories, &rank_options)?;
        let mut lists = ranking.lists.into_iter();
        Ok(is_known
            .into_iter()
            .map(|is_known| {
                let list = if is_known { lists.next() } else { None };
                self.named(list.unwrap_or_default())
            })
            .collect())
    }

    /// The best items for somebody who interacted with just these items.
    ///
    /// The history need not belong to a user of the model, and the result is exact: for
    /// the items of one of its users, it is that user's list, bit for bit. The order of
    /// the items, and how often one occurs, does not matter.
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

    /// The best items for somebody to whom these items count as much as is said: more or less
    /// than 1, or, below 0, against what is like them.
    ///
    /// An item that occurs more than once counts the sum of its weights; all of them are left
    /// out of the list.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) for a weight that is not
    /// finite; as [`recommend`](Self::recommend).
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
    pub fn recommend_for_history<Q>(
        &self,
        history: impl IntoIterator<Item = (Q, f32)>,
        options: impl Into<RecommendOptions<I>>,
    ) -> Result<Vec<Recommendation<I>>>
    where
        Q: Borrow<I>,
        I: Debug,
    {
        let options = options.into();
        let mut items = Vec::new();
        let mut weights = Vec::new();
        for (item, weight) in history {
            let known = self.known_items([item.borrow()], options.unknown_ids)?;
            items.extend_from_slice(&known);
            weights.resize(items.len(), weight);
        }
        let history = History::new(&items, Some(&weights));
        self.for_history(history, &self.rank_options(&options)?)
    }

    /// The items that this item speaks for most: the best ones for a history of just this
    /// item, itself left out. An unknown item that is skipped has no similar ones.
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

    /// The scores of these items for a user, in their order.
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
        let history = self.dataset.interactions().history_of(user);
        let items = self.known_items(items, UnknownIds::Error)?;
        let scores = self.fitted.score_histories(&[history])?;
        Ok(items
            .into_iter()
            .map(|item| scores[[0, item as usize]])
            .collect())
    }

    fn for_history(
        &self,
        history: History<'_>,
        options: &RankOptions,
    ) -> Result<Vec<Recommendation<I>>> {
        let ranking = self.fitted.rank_histories(&[history], options)?;
        Ok(self.named(ranking.lists.into_iter().flatten()))
    }

    fn named(&self, list: impl IntoIterator<Item = ScoredItem>) -> Vec<Recommendation<I>> {
        list.into_iter()
            .filter_map(|entry| {
                Some(Recommendation {
                    item: self.dataset.items().id(entry.item)?.clone(),
                    score: entry.score,
                })
            })
            .collect()
    }
}
