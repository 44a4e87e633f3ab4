//! Interactions that come after the fit.

use std::borrow::Borrow;
use std::fmt::Debug;
use std::hash::Hash;

use super::Model;
use crate::backend::Backend;
use crate::data::dataset::Dataset;
use crate::error::Result;

impl<B: Backend, U: Eq + Hash + Clone, I: Eq + Hash + Clone> Model<B, U, I> {
    /// The model with more interactions, its filter left as it was fitted.
    ///
    /// The histories are updated: of known users, and of new ones, who become users of
    /// the result. What is approximate is the filter: degrees, item graph and singular
    /// vectors are those of the fit, as if the new interactions had been made by
    /// somebody who does not count. The exact model is that of [`refit`](Self::refit).
    /// Items that the filter does not know need a refit of a larger
    /// [`Dataset`].
    ///
    /// This model stays as it is. Cost: a sort of all interactions.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownId`](crate::Error::UnknownId) for an item of which the model has
    /// no column; [`Error::TooLarge`](crate::Error::TooLarge).
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
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn with_interactions(&self, pairs: impl IntoIterator<Item = (U, I)>) -> Result<Self>
    where
        I: Debug,
    {
        let pairs: Vec<(U, I)> = pairs.into_iter().collect();
        for (_, item) in &pairs {
            self.item_index(item)?;
        }
        Ok(Self {
            fitted: self.fitted.clone(),
            dataset: self.dataset.with_pairs(pairs)?,
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
