//! A model that scores from the neighbour table of another model.

use std::hash::Hash;
use std::sync::Arc;

use super::Model;
use crate::backend::Backend;
use crate::engine::fit_options::FitOptions;
use bspm_data::Result;

impl<B: Backend, U: Eq + Hash + Clone, I: Eq + Hash + Clone> Model<B, U, I> {
    /// Converts the model to a neighbour table, which scores in tens of microseconds: the `keep` most
    /// important entries per item, plus a rank-one baseline
    /// ([`Neighbours`](crate::filters::Neighbours)).
    ///
    /// Its lists are nearly those of this model. Cost: scoring one user per item. Memory: 8 bytes per entry,
    /// and twice as much while the table is computed.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) if `keep` is 0, for popularity, and if the
    /// model is already a neighbour table; [`Error::TooLarge`](crate::Error::TooLarge) above `u32::MAX`
    /// entries; [`Error::MemoryBudget`](crate::Error::MemoryBudget); those of the backend.
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

    /// Like [`neighbours`](Self::neighbours), with an observer; the stage is [`Stage::ItemGraph`](crate::Stage::ItemGraph).
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
