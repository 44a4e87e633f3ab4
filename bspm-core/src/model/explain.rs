//! Explanations of scores: the contribution of each item of the history.

use std::borrow::Borrow;
use std::fmt::Debug;
use std::hash::Hash;

use serde::Serialize;

use super::Model;
use crate::backend::Backend;
use crate::fitted::score::Distinct;
use bspm_data::History;
use bspm_data::Result;
use bspm_data::UnknownIds;

/// A score and its contributions, which sum to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Explanation<I = String> {
    /// The title of the item, if the item table of the data set has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The score of the item.
    pub score: f32,
    /// The part of the score that is independent of the history; 0 for all filters except those that score
    /// an empty history, such as popularity.
    pub base: f32,
    /// One contribution per item of the history, largest first. The contributions and `base` sum to the
    /// score.
    pub contributions: Vec<Contribution<I>>,
}

/// The contribution of an item of the history to a score.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Contribution<I = String> {
    /// The item of the history.
    pub item: I,
    /// The title of the item, if the item table of the data set has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The weight of the item in the history; `None` if the history has no weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<f32>,
    /// The contribution to the score. With sharpening, contributions can be negative.
    pub score: f32,
}

impl<B: Backend, U: Eq + Hash + Clone, I: Eq + Hash + Clone> Model<B, U, I> {
    /// Explains a score: returns the contribution of each item of the user's history to the score of `item`.
    ///
    /// Scores are linear in the history, so the score is the sum of the contributions. Except for rounding,
    /// it is equal to that of [`score`](Self::score). Cost: about that of scoring one user, independent of
    /// the length of the history.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownId`](crate::Error::UnknownId); those of the backend.
    pub fn explain<Q, J>(&self, user: &Q, item: &J) -> Result<Explanation<I>>
    where
        U: Borrow<Q>,
        Q: Hash + Eq + Debug + ?Sized,
        I: Borrow<J>,
        J: Hash + Eq + Debug + ?Sized,
    {
        let user = self.user_index(user)?;
        let item = self.item_index(item)?;
        self.explain_history(self.dataset.interactions().history_of(user), item)
    }

    /// Like [`explain`](Self::explain), for a new user with a history of these items (fold-in).
    ///
    /// # Errors
    ///
    /// As [`explain`](Self::explain).
    pub fn explain_for_items<'q, Q, J>(
        &self,
        history: impl IntoIterator<Item = &'q Q>,
        item: &J,
    ) -> Result<Explanation<I>>
    where
        I: Borrow<Q> + Borrow<J>,
        Q: Hash + Eq + Debug + ?Sized + 'q,
        J: Hash + Eq + Debug + ?Sized,
    {
        let history = self.known_items(history, UnknownIds::Error)?;
        let item = self.item_index(item)?;
        self.explain_history(History::from(&history), item)
    }

    /// Like [`explain_for_items`](Self::explain_for_items), with a weight for each item. An item that occurs
    /// more than once has the sum of its weights.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) if a weight is not finite; as
    /// [`explain`](Self::explain).
    ///
    /// # Examples
    ///
    /// ```
    /// # use bspm_core::{BspmConfig, Dataset, Model};
    /// # use bspm_cpu::CpuBackend;
    /// # let dataset: Dataset<&str, &str> = Dataset::from_pairs(
    /// #     [("ann", "tea"), ("ann", "milk"), ("bob", "milk"), ("bob", "rice")])?;
    /// # let model = Model::fit(CpuBackend::new(), dataset, BspmConfig::builder().build()?)?;
    /// let explanation = model.explain_for_history([("tea", 2.0), ("rice", -1.0)], "milk")?;
    /// assert_eq!(explanation.contributions[0].item, "tea");
    /// assert!(explanation.contributions[1].score < 0.0);
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn explain_for_history<'q, Q, J>(
        &self,
        history: impl IntoIterator<Item = (&'q Q, f32)>,
        item: &J,
    ) -> Result<Explanation<I>>
    where
        I: Borrow<Q> + Borrow<J> + Debug,
        Q: Hash + Eq + Debug + ?Sized + 'q,
        J: Hash + Eq + Debug + ?Sized,
    {
        let (items, weights) = self.known_history(history, UnknownIds::Error)?;
        let item = self.item_index(item)?;
        self.explain_history(History::new(&items, Some(&weights)), item)
    }

    fn explain_history(&self, history: History<'_>, item: u32) -> Result<Explanation<I>> {
        let distinct = Distinct::new(history);
        let history = distinct.as_history();
        let (parts, base) = self.fitted.contributions(history, item)?;
        let sum: f64 = parts.iter().chain([&base]).map(|&it| f64::from(it)).sum();
        let is_weighted = history.weights().is_some();
        let mut contributions: Vec<_> = history
            .entries()
            .zip(parts)
            .filter_map(|((column, weight), score)| {
                Some(Contribution {
                    item: self.dataset.items().id(column)?.clone(),
                    title: self.title_of(column),
                    weight: is_weighted.then_some(weight),
                    score,
                })
            })
            .collect();
        contributions.sort_by(|left, right| right.score.total_cmp(&left.score));
        Ok(Explanation {
            title: self.title_of(item),
            score: sum as f32,
            base,
            contributions,
        })
    }
}
