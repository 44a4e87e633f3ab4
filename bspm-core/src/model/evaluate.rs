//! How well a model predicts interactions that it has not seen.

use std::borrow::Cow;
use std::fmt::Debug;
use std::hash::Hash;

use super::Model;
use crate::backend::Backend;
use crate::data::dataset::Dataset;
use crate::data::ids::UnknownIds;
use crate::error::{Error, Result};
use crate::fitted::evaluate::{EvaluateOptions, Evaluator};

impl<B: Backend, U: Eq + Hash + Clone, I: Eq + Hash + Clone> Model<B, U, I> {
    /// The metrics at these cut-offs, over the users that have interactions in `test`.
    ///
    /// The items that a user has in the model are hidden from the list. An item of `test`
    /// that the model does not know cannot be recommended and counts as missed. Memory:
    /// the lists of 2048 users at a time.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownId`] for a user of `test` that the model does not know, unless
    /// they are skipped; [`Error::InvalidParameter`] for an impossible cut-off;
    /// [`Error::Cancelled`]; those of the backend.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_core::{BspmConfig, Dataset, Model};
    /// # use bspm_cpu::CpuBackend;
    ///
    /// let train: Dataset<&str, u32> =
    ///     Dataset::from_pairs([("ann", 1), ("ann", 2), ("bob", 2), ("bob", 3)])?;
    /// let model = Model::fit(CpuBackend::new(), train, BspmConfig::builder().build()?)?;
    ///
    /// let test = Dataset::from_pairs([("ann", 3), ("bob", 9)])?;
    /// let metrics = model.evaluate(&test, [20])?;
    /// assert_eq!((metrics.users(), metrics.means()[0].recall), (2, 0.5));
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn evaluate(
        &self,
        test: &Dataset<U, I>,
        options: impl Into<EvaluateOptions>,
    ) -> Result<Evaluator>
    where
        U: Debug,
    {
        let options = options.into();
        let columns = self.columns_of(test)?;
        let mut histories = Vec::new();
        let mut relevant = Vec::new();
        for (row, id) in test.users().iter().enumerate() {
            let items = test.interactions().items_of(row as u32);
            if items.is_empty() {
                continue;
            }
            match self.user_index(id) {
                Ok(user) => histories.push(self.dataset.interactions().history_of(user)),
                Err(_) if options.unknown_users == UnknownIds::Skip => continue,
                Err(error) => return Err(error),
            }
            relevant.push(items);
        }
        let relevant_at = |place: usize| {
            let items: &[u32] = relevant[place];
            let mut items: Vec<u32> = items.iter().map(|&item| columns[item as usize]).collect();
            items.sort_unstable();
            Cow::Owned(items)
        };
        self.fitted
            .evaluate_histories(&histories, relevant_at, &options)
    }

    /// The model's column of each item of `test`, and a number beyond all columns for
    /// each that it does not know.
    fn columns_of(&self, test: &Dataset<U, I>) -> Result<Vec<u32>> {
        let known = self.dataset.items().len();
        let mut beyond = known..;
        test.items()
            .iter()
            .map(|item| match self.dataset.items().index(item) {
                Some(column) => Ok(column),
                None => {
                    let place = beyond.next().unwrap_or(usize::MAX);
                    u32::try_from(place).map_err(|_| Error::TooLarge {
                        what: "items",
                        found: place,
                        limit: u32::MAX as usize,
                    })
                }
            })
            .collect()
    }
}
