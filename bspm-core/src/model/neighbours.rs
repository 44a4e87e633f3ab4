//! A model that serves from the neighbour table of another.

use std::hash::Hash;
use std::sync::Arc;

use super::Model;
use crate::backend::Backend;
use crate::engine::fit_options::FitOptions;
use bspm_data::Result;

impl<B: Backend, U: Eq + Hash + Clone, I: Eq + Hash + Clone> Model<B, U, I> {
    /// The model that answers from the neighbour table of this one's filter, in tens of
    /// microseconds: the `keep` entries of each item that matter most, and the rest as a share of
    /// what all items give alike ([`Neighbours`](crate::filters::Neighbours)).
    ///
    /// Its lists are nearly those of this model. Cost: that of scoring a user for each item;
    /// memory: 8 bytes for each entry, twice while the table is made.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) for `keep` 0, for popularity, and for a
    /// model that is a table already; [`Error::TooLarge`](crate::Error::TooLarge) above
    /// `u32::MAX` entries; [`Error::MemoryBudget`](crate::Error::MemoryBudget) before more memory is
    /// taken than the backend is given; those of the backend.
    ///
    /// # Examples
    ///
    /// ```
    /// # use bspm_core::{BspmConfig, Dataset, Model};
    /// # use bspm_cpu::CpuBackend;
    /// # let dataset: Dataset<&str, &str> =
    /// #     Dataset::from_pairs([("ann", "tea"), ("ann", "milk"), ("bob", "milk"), ("bob", "jam")])?;
    /// # let config = BspmConfig::builder().build()?;
    /// # let model = Model::fit(CpuBackend::new(), dataset, config)?;
    /// let table = model.neighbours(100)?;
    /// assert_eq!(table.recommend("ann", 1)?[0].item, model.recommend("ann", 1)?[0].item);
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn neighbours(&self, keep: usize) -> Result<Self> {
        self.neighbours_with(keep, &FitOptions::new())
    }

    /// [`neighbours`](Self::neighbours) with an observer, whose stage is the item graph's.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled); as [`neighbours`](Self::neighbours).
    pub fn neighbours_with(&self, keep: usize, options: &FitOptions) -> Result<Self> {
        Ok(Self {
            fitted: Arc::new(self.fitted.neighbours(keep, options)?),
            dataset: self.dataset.clone(),
            trials: self.trials.clone(),
        })
    }
}
