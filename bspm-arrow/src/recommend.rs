//! Lists for the rows of a record batch.

use arrow_array::RecordBatch;

use super::ids::ArrowId;
use super::lists::with_lists;
use super::requests::Requests;
use bspm_core::fitted::ListRequest;
use bspm_core::{Backend, Model, RecommendOptions};
use bspm_data::Result;

/// Lists for the rows of record batches.
pub trait RecommendBatch<I> {
    /// The best items for each row of a record batch.
    ///
    /// Columns of the batch, of which any but the first two may be missing:
    ///
    /// | column | holds |
    /// | --- | --- |
    /// | `user` | ids of the model's users, whose own histories count where the row has none |
    /// | `history` | lists of items that somebody interacted with |
    /// | `weights` | what each of them counts, also below 0; 1 for a null |
    /// | `deny` | lists of items that stay out of the row's list, beside those of the options |
    /// | `allow` | lists of the only items that may enter it |
    ///
    /// Ids are text or whole numbers. The other columns, and `user`, come back as they are and
    /// are not copied; `items` and `scores` are added, which are lists, best item first, and `titles` if
    /// the model has an item table: null for an item without one. The score of
    /// an item that only fills a list ([`Fallback`](bspm_core::Fallback)) is null.
    /// [`long_form`](crate::long_form) has a row for each of their entries.
    ///
    /// A list does not depend on the rows beside it, to the last bit: however an engine cuts its
    /// data, the lists are the same. A batch should have some hundreds of rows or more; a
    /// smaller one takes the time of a whole tile.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidColumn`](bspm_data::Error::InvalidColumn) for columns of the wrong type, nulls,
    /// and unknown ids unless they are skipped: then an unknown user's list is that of an empty
    /// history, and an unknown item is passed over. Those of [`recommend_many`](Model::recommend_many).
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
