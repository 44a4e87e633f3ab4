//! Evaluates a model on a test set.

use std::borrow::Cow;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use super::Model;
use crate::backend::Backend;
use crate::fitted::evaluate::{EvaluateOptions, Evaluator};
use crate::fitted::evaluation::{Evaluation, tested_ids};
use bspm_data::Dataset;
use bspm_data::History;
use bspm_data::UnknownIds;
use bspm_data::{Error, Result};

/// The users of a test set and their test items.
struct HeldOut<'a> {
    /// The model's column of each item of the test set.
    columns: Vec<u32>,
    users: Vec<u32>,
    /// The rows of the users in the test set.
    tested: Vec<u32>,
    histories: Vec<History<'a>>,
    /// Columns of the test set.
    items: Vec<&'a [u32]>,
}

impl HeldOut<'_> {
    /// The test items of the user at this index, as columns of the model in ascending order.
    fn relevant(&self, place: usize) -> Cow<'static, [u32]> {
        let items = self.items[place].iter();
        let mut items: Vec<u32> = items.map(|&item| self.columns[item as usize]).collect();
        items.sort_unstable();
        Cow::Owned(items)
    }
}

impl<B: Backend, U: Eq + Hash + Clone, I: Eq + Hash + Clone> Model<B, U, I> {
    /// Evaluates the model on a test set: the metrics at these cut-offs, over the users with interactions in
    /// `test`.
    ///
    /// Lists exclude the items that a user already has in the model. An item of `test` that the model does
    /// not know cannot be recommended and counts as missed. Memory: the lists of 2048 users.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownId`] for a user of `test` that the model does not know, unless unknown users are
    /// skipped; [`Error::NothingToEvaluate`] if no interaction of `test` can be in a list
    /// ([`test_coverage`](Self::test_coverage)); [`Error::InvalidParameter`] for an invalid cut-off;
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
        let held_out = self.held_out(test, &options)?;
        let relevant = |place: usize| held_out.relevant(place);
        self.fitted
            .evaluate_histories(&held_out.histories, relevant, &options)
    }

    /// Like [`evaluate`](Self::evaluate), with metrics per user: for confidence intervals, comparisons of two
    /// models, and catalogue metrics. The users of the result are rows of this model.
    ///
    /// Memory: the lists and the metrics of all users.
    ///
    /// # Errors
    ///
    /// As [`evaluate`](Self::evaluate).
    ///
    /// # Examples
    ///
    /// ```
    /// # use bspm_core::{BspmConfig, Dataset, Model};
    /// # use bspm_cpu::CpuBackend;
    /// # let train: Dataset<&str, u32> =
    /// #     Dataset::from_pairs([("ann", 1), ("ann", 2), ("bob", 2), ("bob", 3)])?;
    /// # let model = Model::fit(CpuBackend::new(), train, BspmConfig::builder().build()?)?;
    /// let test = Dataset::from_pairs([("bob", 9), ("ann", 3)])?;
    /// let evaluation = model.evaluate_users(&test, [20])?;
    /// assert_eq!(evaluation.users(), [1, 0]);
    /// assert_eq!(evaluation.values("recall", 20)?, [0.0, 1.0]);
    /// assert_eq!(evaluation.means(), model.evaluate(&test, [20])?.means());
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn evaluate_users(
        &self,
        test: &Dataset<U, I>,
        options: impl Into<EvaluateOptions>,
    ) -> Result<Evaluation>
    where
        U: Debug,
    {
        let options = options.into();
        let held_out = self.held_out(test, &options)?;
        let relevant = |place: usize| held_out.relevant(place);
        let (histories, users) = (&held_out.histories, &held_out.users);
        let tested = tested_ids(test, &held_out.tested);
        self.fitted
            .evaluate_histories_by_user(histories, users, tested, relevant, &options)
    }

    fn held_out<'a>(
        &'a self,
        test: &'a Dataset<U, I>,
        options: &EvaluateOptions,
    ) -> Result<HeldOut<'a>>
    where
        U: Debug,
    {
        if options.unknown_users == UnknownIds::Error {
            let has_items = |row: usize| !test.interactions().items_of(row as u32).is_empty();
            let tested = test.users().iter().enumerate();
            for (_, user) in tested.filter(|(row, _)| has_items(*row)) {
                self.user_index(user)?;
            }
        }
        self.test_coverage(test).check()?;
        options
            .rerank
            .check_table(self.dataset.item_table().map(Arc::as_ref))?;
        let mut held_out = HeldOut {
            columns: self.columns_of(test)?,
            users: Vec::new(),
            tested: Vec::new(),
            histories: Vec::new(),
            items: Vec::new(),
        };
        for (row, id) in test.users().iter().enumerate() {
            let items = test.interactions().items_of(row as u32);
            if items.is_empty() {
                continue;
            }
            // Skip unknown users. If they are errors, they were reported before.
            let Some(user) = self.dataset.users().index(id) else {
                continue;
            };
            let history = self.dataset.interactions().history_of(user);
            held_out.users.push(user);
            held_out.tested.push(row as u32);
            held_out.histories.push(history);
            held_out.items.push(items);
        }
        Ok(held_out)
    }

    /// Returns the column of each item of `test`, and an index beyond all columns for unknown items.
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
