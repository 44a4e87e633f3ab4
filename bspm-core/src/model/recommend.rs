//! Recommendations: for the model's users, for unseen histories, and for items.

use std::borrow::Borrow;
use std::fmt::Debug;
use std::hash::Hash;

use serde::Serialize;

use super::{Model, RecommendOptions, UnknownIds};
use crate::backend::Backend;
use crate::error::Result;
use crate::observe::{Observer, UNOBSERVED};
use crate::rank::{RankOptions, ScoredItem};

/// An item and its score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recommendation<I = String> {
    /// The item.
    pub item: I,
    /// Its score; higher is better, and comparable within one user only.
    pub score: f32,
}

impl<B: Backend, U: Eq + Hash + Clone, I: Eq + Hash + Clone> Model<B, U, I> {
    /// The `k` best items that the user has not interacted with, best first.
    ///
    /// Fewer where fewer are left. Equal scores rank the lower column first.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownId`](crate::Error::UnknownId);
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) when `k` is 0; those
    /// of the backend.
    pub fn recommend<Q>(&self, user: &Q, k: usize) -> Result<Vec<Recommendation<I>>>
    where
        U: Borrow<Q>,
        Q: Hash + Eq + Debug + ?Sized,
    {
        self.for_user(user, &RankOptions::top(k), UnknownIds::Error)
    }

    /// [`recommend`](Self::recommend) with [`RecommendOptions`].
    ///
    /// # Errors
    ///
    /// As [`recommend`](Self::recommend).
    pub fn recommend_with<Q>(
        &self,
        user: &Q,
        k: usize,
        options: &RecommendOptions<I>,
    ) -> Result<Vec<Recommendation<I>>>
    where
        U: Borrow<Q>,
        Q: Hash + Eq + Debug + ?Sized,
        I: Debug,
    {
        self.for_user(user, &self.rank_options(k, options)?, options.unknown_ids)
    }

    /// The lists of many users, in their order; scored in parallel.
    ///
    /// # Errors
    ///
    /// As [`recommend`](Self::recommend).
    pub fn recommend_many<'q, Q>(
        &self,
        users: impl IntoIterator<Item = &'q Q>,
        k: usize,
    ) -> Result<Vec<Vec<Recommendation<I>>>>
    where
        U: Borrow<Q>,
        Q: Hash + Eq + Debug + ?Sized + 'q,
    {
        self.for_users(users, &RankOptions::top(k), UnknownIds::Error, UNOBSERVED)
    }

    /// [`recommend_many`](Self::recommend_many) with [`RecommendOptions`], under an
    /// [`Observer`].
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled), and as
    /// [`recommend`](Self::recommend).
    pub fn recommend_many_with<'q, Q>(
        &self,
        users: impl IntoIterator<Item = &'q Q>,
        k: usize,
        options: &RecommendOptions<I>,
        observer: Observer<'_>,
    ) -> Result<Vec<Vec<Recommendation<I>>>>
    where
        U: Borrow<Q>,
        Q: Hash + Eq + Debug + ?Sized + 'q,
        I: Debug,
    {
        let rank_options = self.rank_options(k, options)?;
        self.for_users(users, &rank_options, options.unknown_ids, observer)
    }

    /// The `k` best items for somebody who interacted with just these items.
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
        k: usize,
    ) -> Result<Vec<Recommendation<I>>>
    where
        I: Borrow<Q>,
        Q: Hash + Eq + Debug + ?Sized + 'q,
    {
        let history = self.known_items(history, UnknownIds::Error)?;
        self.for_history(&history, &RankOptions::top(k))
    }

    /// [`recommend_for_items`](Self::recommend_for_items) with [`RecommendOptions`].
    ///
    /// # Errors
    ///
    /// As [`recommend`](Self::recommend).
    pub fn recommend_for_items_with<'q, Q>(
        &self,
        history: impl IntoIterator<Item = &'q Q>,
        k: usize,
        options: &RecommendOptions<I>,
    ) -> Result<Vec<Recommendation<I>>>
    where
        I: Borrow<Q> + Debug,
        Q: Hash + Eq + Debug + ?Sized + 'q,
    {
        let history = self.known_items(history, options.unknown_ids)?;
        self.for_history(&history, &self.rank_options(k, options)?)
    }

    /// The `k` items that this item speaks for most: the best ones for a history of
    /// just this item, itself left out.
    ///
    /// # Errors
    ///
    /// As [`recommend`](Self::recommend).
    pub fn similar_items<Q>(&self, item: &Q, k: usize) -> Result<Vec<Recommendation<I>>>
    where
        I: Borrow<Q>,
        Q: Hash + Eq + Debug + ?Sized,
    {
        self.recommend_for_items([item], k)
    }

    /// [`similar_items`](Self::similar_items) with [`RecommendOptions`]; an unknown item
    /// that is skipped has no similar ones.
    ///
    /// # Errors
    ///
    /// As [`recommend`](Self::recommend).
    pub fn similar_items_with<Q>(
        &self,
        item: &Q,
        k: usize,
        options: &RecommendOptions<I>,
    ) -> Result<Vec<Recommendation<I>>>
    where
        I: Borrow<Q> + Debug,
        Q: Hash + Eq + Debug + ?Sized,
    {
        let rank_options = self.rank_options(k, options)?;
        match self.known_items([item], options.unknown_ids)?.as_slice() {
            [] => Ok(Vec::new()),
            history => self.for_history(history, &rank_options),
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
        let history = self.dataset.interactions().items_of(user);
        let items = self.known_items(items, UnknownIds::Error)?;
        let scores = self.fitted.score_histories(&[history])?;
        Ok(items
            .into_iter()
            .map(|item| scores[[0, item as usize]])
            .collect())
    }

    fn for_user<Q>(
        &self,
        user: &Q,
        options: &RankOptions,
        unknown_ids: UnknownIds,
    ) -> Result<Vec<Recommendation<I>>>
    where
        U: Borrow<Q>,
        Q: Hash + Eq + Debug + ?Sized,
    {
        match self.user_index(user) {
            Ok(user) => self.for_history(self.dataset.interactions().items_of(user), options),
            Err(_) if unknown_ids == UnknownIds::Skip => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn for_users<'q, Q>(
        &self,
        users: impl IntoIterator<Item = &'q Q>,
        options: &RankOptions,
        unknown_ids: UnknownIds,
        observer: Observer<'_>,
    ) -> Result<Vec<Vec<Recommendation<I>>>>
    where
        U: Borrow<Q>,
        Q: Hash + Eq + Debug + ?Sized + 'q,
    {
        let interactions = self.dataset.interactions();
        let mut is_known = Vec::new();
        let mut histories = Vec::new();
        for user in users {
            let user = match self.user_index(user) {
                Ok(user) => Some(user),
                Err(_) if unknown_ids == UnknownIds::Skip => None,
                Err(error) => return Err(error),
            };
            is_known.push(user.is_some());
            histories.extend(user.map(|user| interactions.items_of(user)));
        }
        let ranking = self.fitted.rank_histories(&histories, options, observer)?;
        let mut lists = ranking.lists.into_iter();
        Ok(is_known
            .into_iter()
            .map(|is_known| {
                let list = if is_known { lists.next() } else { None };
                self.named(list.unwrap_or_default())
            })
            .collect())
    }

    fn for_history(
        &self,
        history: &[u32],
        options: &RankOptions,
    ) -> Result<Vec<Recommendation<I>>> {
        let ranking = self
            .fitted
            .rank_histories(&[history], options, UNOBSERVED)?;
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
