//! Lists for the rows of a record batch.

use arrow_array::RecordBatch;

use super::ids::ArrowId;
use super::lists::with_lists;
use super::requests::Requests;
use bspm_core::fitted::ListRequest;
use bspm_core::{Backend, Model, RecommendOptions};
use bspm_data::Result;

/// Computes the lists of items for the rows of record batches.
pub trait RecommendBatch<I> {
    /// Returns the best items for each row of a record batch.
    ///
    /// The batch has these columns. At least one of `user` and `history` is required, and `weights`
    /// requires `history`:
    ///
    /// | column | contents |
    /// | --- | --- |
    /// | `user` | users of the model, whose histories are used if `history` is null or missing |
    /// | `history` | lists of items that a user interacted with |
    /// | `weights` | lists with the weight of each item of `history`, may be negative; a null list means 1 for each |
    /// | `deny` | lists of items that are excluded from the row's list, in addition to the options |
    /// | `allow` | lists of the only items that the row's list may contain |
    /// | `where` | conditions on the item table ([`ItemCondition`](bspm_rules::ItemCondition)) that the items of the row's list satisfy |
    ///
    /// Ids are text or whole numbers. The result has `user` and all other columns of the batch,
    /// unchanged and not copied. It also has `items` and `scores`, which are lists with the best item
    /// first, and `titles` if the model has an item table. The title of an item without a title is null,
    /// and so is the score of an item that a [`Fallback`](bspm_core::Fallback) added.
    /// [`long_form`](crate::long_form) converts the result to one row per entry.
    ///
    /// A list does not depend on the other rows of the batch, to the last bit, so the lists are the same
    /// regardless of how an engine partitions its data. A batch should have some hundreds of rows or
    /// more, because a smaller batch takes the time of a whole tile.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidColumn`](bspm_data::Error::InvalidColumn) for columns of the wrong type, for
    /// nulls, and for unknown ids unless the options skip them: then an unknown user has an empty
    /// history, and unknown items are ignored. Also the errors of
    /// [`recommend_many`](Model::recommend_many).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use arrow_array::{RecordBatch, StringArray};
    /// use bspm_arrow::RecommendBatch;
    /// # use bspm_core::{BspmConfig, Dataset, Model};
    /// # use bspm_cpu::CpuBackend;
    /// # let dataset: Dataset = Dataset::from_pairs(
    /// #     [("ann", "tea"), ("ann", "milk"), ("bob", "milk"), ("bob", "rice")]
    /// #         .map(|(user, item)| (user.into(), item.into())),
    /// # )?;
    /// # let model = Model::fit(CpuBackend::new(), dataset, BspmConfig::builder().build()?)?;
    ///
    /// let users = Arc::new(StringArray::from(vec!["ann", "bob"]));
    /// let batch = RecordBatch::try_from_iter([("user", users as _)])?;
    /// let lists = model.recommend_batch(&batch, 10)?;
    /// assert_eq!(lists.num_rows(), 2);
    /// assert_eq!(lists.schema().field(1).name(), "items");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn recommend_batch(
        &self,
        batch: &RecordBatch,
        options: impl Into<RecommendOptions<I>>,
    ) -> Result<RecordBatch>;
}

impl<B: Backend, U: ArrowId, I: ArrowId> RecommendBatch<I> for Model<B, U, I> {
    fn recommend_batch(
        &self,
        batch: &RecordBatch,
        options: impl Into<RecommendOptions<I>>,
    ) -> Result<RecordBatch> {
        let options = options.into();
        let rank_options = self.rank_options(&options)?.batch_invariant();
        let requests = Requests::read(self, batch, options.unknown_ids)?;
        let requests: Vec<ListRequest<'_>> = requests.rows(self).collect();
        let lists = self.filter().rank_requests(&requests, &rank_options)?.lists;
        with_lists(batch, self.dataset(), &lists, rank_options.fallback)
    }
}
