//! Interactions that come after the fit.

use std::borrow::Borrow;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use super::Model;
use crate::backend::Backend;
use bspm_data::Dataset;
use bspm_data::ItemTable;
use bspm_data::Result;

impl<B: Backend, U: Eq + Hash + Clone, I: Eq + Hash + Clone> Model<B, U, I> {
    /// The model with more interactions, its singular vectors left as they were fitted.
    ///
    /// The histories are updated: of known users, and of new ones, who become users of
    /// the result. What is approximate is the filter; the exact model is that of
    /// [`refit`](Self::refit).
    ///
    /// - Where all items are known, the filter stays: degrees, item graph and singular vectors
    ///   are those of the fit, as if the new interactions had been made by somebody who does
    ///   not count. Cost: a sort of all interactions.
    /// - New items join: degrees and item graph are those of all interactions. Singular vectors
    ///   are kept, and a new item's row of them is what `P V = V Sigma^2` makes of the items that
    ///   its users interacted with; so what the vectors would learn from the new interactions is
    ///   left out. Cost: that of a fit, but for the truncated SVD.
    ///
    /// This model stays as it is.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`](crate::Error::TooLarge); where items are new, those of
    /// [`fit`](Self::fit).
    ///
    /// # Examples
    ///
    /// ```
    /// # use bspm_core::{BspmConfig, Dataset, Model};
    /// # use bspm_cpu::CpuBackend;
    /// # let dataset: Dataset<&str, &str> =
    /// #     Dataset::from_pairs([("ann", "tea"), ("ann", "milk"), ("bob", "milk")])?;
    /// # let config = BspmConfig::builder().build()?;
    /// # let model = Model::fit(CpuBackend::new(), dataset, config)?;
    /// let later = model.with_interactions([("cid", "tea")])?;
    /// assert_eq!(later.recommend("cid", 1)?, model.recommend_for_items(["tea"], 1)?);
    ///
    /// let later = model.with_interactions([("ann", "rice")])?;
    /// assert_eq!(later.similar_items("rice", 2)?.len(), 2);
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn with_interactions(&self, pairs: impl IntoIterator<Item = (U, I)>) -> Result<Self> {
        self.with_extended(self.dataset.with_pairs(pairs)?)
    }

    /// [`with_interactions`](Self::with_interactions) of a data set, with its weights and times
    /// ([`Dataset::with_dataset`]).
    ///
    /// # Errors
    ///
    /// As [`with_interactions`](Self::with_interactions).
    pub fn with_dataset(&self, more: &Dataset<U, I>) -> Result<Self> {
        self.with_extended(self.dataset.with_dataset(more)?)
    }

    /// The model that answers from more interactions.
    fn with_extended(&self, dataset: Dataset<U, I>) -> Result<Self> {
        let has_new_items = dataset.items().len() > self.dataset.items().len();
        let has_new_tags = dataset.tags() != self.dataset.tags();
        let fitted = match !has_new_items && !has_new_tags {
            true => self.fitted.clone(),
            false => Arc::new(self.fitted.extended(dataset.matrix_to_fit()?)?),
        };
        Ok(Self {
            fitted,
            dataset,
            trials: self.trials.clone(),
        })
    }

    /// The model with an item table, in place of the one that it may have: lists and explanations have
    /// the titles of the table ([`Dataset::with_items`]). The filter stays as it is.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`](crate::Error::TooLarge).
    ///
    /// # Examples
    ///
    /// ```
    /// # use bspm_core::{BspmConfig, Dataset, Model};
    /// # use bspm_cpu::CpuBackend;
    /// use bspm_core::data::ItemTable;
    /// # let dataset: Dataset<&str, &str> =
    /// #     Dataset::from_pairs([("ann", "t1"), ("ann", "m1"), ("bob", "m1")])?;
    /// # let model = Model::fit(CpuBackend::new(), dataset, BspmConfig::builder().build()?)?;
    /// let model = model.with_items(ItemTable::from_titles([("t1", "Green tea"), ("m1", "Milk")])?)?;
    /// assert_eq!(model.recommend("bob", 1)?[0].title.as_deref(), Some("Green tea"));
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn with_items(&self, table: ItemTable<I>) -> Result<Self> {
        Ok(Self {
            fitted: self.fitted.clone(),
            dataset: self.dataset.clone().with_items(table)?,
            trials: self.trials.clone(),
        })
    }

    /// Fits the filter anew, to all interactions that this model answers from.
    ///
    /// # Errors
    ///
    /// Those of [`fit`](Self::fit).
    pub fn refit(&self) -> Result<Self>
    where
        B: Clone,
    {
        self.fitted_to(self.dataset.clone())
    }

    /// Fits the filter anew, to what is left without these users and items: of them no trace
    /// stays, in the interactions or in the filter.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownId`](crate::Error::UnknownId); those of [`fit`](Self::fit).
    ///
    /// # Examples
    ///
    /// ```
    /// # use bspm_core::{BspmConfig, Dataset, Model};
    /// # use bspm_cpu::CpuBackend;
    /// # let dataset: Dataset<&str, &str> =
    /// #     Dataset::from_pairs([("ann", "tea"), ("ann", "milk"), ("bob", "milk"), ("bob", "rice")])?;
    /// # let model = Model::fit(CpuBackend::new(), dataset, BspmConfig::builder().build()?)?;
    /// let later = model.forget(["bob"], ["tea"])?;
    /// assert!(later.recommend("bob", 1).is_err());
    /// assert_eq!(later.dataset().len(), 1);
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn forget<'q, Q, J>(
        &self,
        users: impl IntoIterator<Item = &'q Q>,
        items: impl IntoIterator<Item = &'q J>,
    ) -> Result<Self>
    where
        B: Clone,
        U: Borrow<Q>,
        Q: Hash + Eq + Debug + ?Sized + 'q,
        I: Borrow<J>,
        J: Hash + Eq + Debug + ?Sized + 'q,
    {
        self.fitted_to(self.dataset.without(users, items)?)
    }

    fn fitted_to(&self, dataset: Dataset<U, I>) -> Result<Self>
    where
        B: Clone,
    {
        let (backend, config) = (self.fitted.backend(), self.fitted.config());
        Self::fit(backend.clone(), dataset, config.clone())
    }
}
