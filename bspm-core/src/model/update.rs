//! Updates of a model with new interactions.

use std::borrow::Borrow;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use super::Model;
use crate::backend::Backend;
use crate::engine::fit_options::FitOptions;
use bspm_data::Dataset;
use bspm_data::ItemTable;
use bspm_data::Result;

impl<B: Backend, U: Eq + Hash + Clone, I: Eq + Hash + Clone> Model<B, U, I> {
    /// Returns the model with more interactions, without a new truncated SVD (fold-in).
    ///
    /// The histories of known and new users are updated, and new users become users of the result. The filter
    /// is approximate; [`refit`](Self::refit) gives the exact model.
    ///
    /// - If all items are known, the filter does not change: degrees, item graph and singular vectors do not
    ///   include the new interactions. Cost: a sort of all interactions.
    /// - If there are new items, degrees and item graph are computed from all interactions. The singular
    ///   vectors are kept, and the row of a new item is computed with `P V = V Sigma^2` from the other items
    ///   of its users, so the vectors do not learn from the new interactions. Cost: that of a fit without the
    ///   truncated SVD.
    ///
    /// This model does not change.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`](crate::Error::TooLarge); if there are new items, those of [`fit`](Self::fit).
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

    /// Like [`with_interactions`](Self::with_interactions), for a data set with weights and times
    /// ([`Dataset::with_dataset`]). The weights must have the [scale](Dataset::weight_scale) of those of the
    /// model.
    ///
    /// # Errors
    ///
    /// As [`with_interactions`](Self::with_interactions);
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) for weights of another scale.
    pub fn with_dataset(&self, more: &Dataset<U, I>) -> Result<Self> {
        self.with_extended(self.dataset.with_dataset(more)?)
    }

    /// Returns the model with an extended data set.
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

    /// Sets the item table, and replaces an existing one. Lists and explanations then have the titles of the
    /// table ([`Dataset::with_items`]). The filter does not change.
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

    /// Refits the filter to all current interactions of this model.
    ///
    /// # Errors
    ///
    /// Those of [`fit`](Self::fit).
    pub fn refit(&self) -> Result<Self> {
        self.refit_with(&FitOptions::new())
    }

    /// Like [`refit`](Self::refit), with [`FitOptions`]: progress, cancellation, seed, accuracy.
    ///
    /// # Errors
    ///
    /// Those of [`fit_with`](Self::fit_with).
    pub fn refit_with(&self, options: &FitOptions) -> Result<Self> {
        self.fitted_to(self.dataset.clone(), options)
    }

    /// Removes these users and items, and refits the filter to the remaining interactions. The result contains
    /// no data of the removed users and items.
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
        U: Borrow<Q>,
        Q: Hash + Eq + Debug + ?Sized + 'q,
        I: Borrow<J>,
        J: Hash + Eq + Debug + ?Sized + 'q,
    {
        let dataset = self.dataset.without(users, items)?;
        self.fitted_to(dataset, &FitOptions::new())
    }

    fn fitted_to(&self, dataset: Dataset<U, I>, options: &FitOptions) -> Result<Self> {
        let (backend, config) = (self.fitted.backend(), self.fitted.config());
        let fitted = Self::fit_with(backend.clone(), dataset, config.clone(), options)?;
        Ok(Self {
            trials: self.trials.clone(),
            ..fitted
        })
    }
}
