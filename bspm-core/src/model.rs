//! A fitted model with external ids.

mod evaluate;
mod explain;
mod neighbours;
mod options;
mod recommend;
mod similar_users;
mod test_coverage;
mod update;

use std::borrow::Borrow;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

pub use explain::{Contribution, Explanation};
pub use options::RecommendOptions;
pub use recommend::Recommendation;
pub use test_coverage::TestCoverage;

use crate::backend::{Backend, check};
use crate::engine::fit_options::FitOptions;
use crate::filters::registry::FilterConfig;
use crate::fitted::FittedFilter;
use crate::fitted::trial::Trial;
use bspm_data::Dataset;
use bspm_data::Result;

/// A fitted model with external ids of users and items, which can be used from any thread.
///
/// Every score is a linear function of the history, so recommendations for a new history (fold-in) and
/// contributions of items to a score are exact. Cloning is cheap: clones share everything.
///
/// `recommend`, `recommend_for_items` and `similar_items` score one history on the calling thread.
/// `recommend_many` scores many histories on the threads of the backend, and takes far less time per user.
/// The results may differ in the last bits, because of rounding.
///
/// # Examples
///
/// ```
/// use bspm_core::{BspmConfig, Dataset, Model};
/// # use bspm_cpu::CpuBackend;
///
/// let dataset: Dataset = Dataset::from_pairs(
///     [("ann", "tea"), ("ann", "milk"), ("bob", "milk"), ("bob", "rice")]
///         .map(|(user, item)| (user.into(), item.into())),
/// )?;
/// let config = BspmConfig::builder().build()?;
/// let model = Model::fit(CpuBackend::new(), dataset, config)?;
///
/// assert_eq!(model.recommend("ann", 1)?[0].item, "rice");
/// assert_eq!(model.recommend_for_items(["rice"], 1)?[0].item, "milk");
/// assert_eq!(model.explain("ann", "rice")?.contributions[0].item, "milk");
/// # Ok::<(), bspm_core::Error>(())
/// ```
pub struct Model<B: Backend, U: Eq + Hash = String, I: Eq + Hash = String> {
    fitted: Arc<FittedFilter<B>>,
    /// The histories of the users: the fitted ones, or updated ones.
    dataset: Dataset<U, I>,
    /// The trials that the settings were selected from.
    trials: Arc<[Trial]>,
}

impl<B: Backend, U: Eq + Hash + Clone, I: Eq + Hash + Clone> Model<B, U, I> {
    /// Fits the model to a data set. For the cost, see [`FittedFilter::fit`].
    ///
    /// # Errors
    ///
    /// Those of [`FittedFilter::fit`].
    pub fn fit(
        backend: B,
        dataset: Dataset<U, I>,
        config: impl Into<FilterConfig>,
    ) -> Result<Self> {
        Self::fit_with(backend, dataset, config, &FitOptions::new())
    }

    /// Like [`fit`](Self::fit), with [`FitOptions`]: progress, cancellation, accuracy.
    ///
    /// # Errors
    ///
    /// Those of [`FittedFilter::fit_with`].
    pub fn fit_with(
        backend: B,
        dataset: Dataset<U, I>,
        config: impl Into<FilterConfig>,
        options: &FitOptions,
    ) -> Result<Self> {
        let interactions = dataset.matrix_to_fit()?;
        let fitted = FittedFilter::fit_with(backend, interactions, config, options)?;
        Ok(Self::from_parts(Arc::new(fitted), dataset))
    }

    /// Creates a model from a fitted filter and a data set with the ids of its rows and columns.
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch) if the filter was not fitted to a matrix with the
    /// shape and the tags of [`Dataset::matrix_to_fit`].
    pub fn from_filter(filter: FittedFilter<B>, dataset: Dataset<U, I>) -> Result<Self> {
        let fitted = filter.interactions();
        let (users, items) = dataset.interactions().shape();
        let tags = dataset.tags().map_or(0, |tags| tags.names().len());
        check::same("model", fitted.shape(), (users + tags, items))?;
        check::same("tags of a model", (fitted.tag_rows(), items), (tags, items))?;
        Ok(Self::from_parts(Arc::new(filter), dataset))
    }

    pub(crate) fn from_parts(fitted: Arc<FittedFilter<B>>, dataset: Dataset<U, I>) -> Self {
        Self {
            fitted,
            dataset,
            trials: Arc::default(),
        }
    }

    /// Adds the trials that the settings were selected from, best first, so that they are saved with the
    /// model. [`tune::choose`](crate::tune::choose) and [`Tuner`](crate::tune::Tuner) return them.
    ///
    /// Their times are set to 0, so that the same data give the same file.
    pub fn with_trials(mut self, trials: impl IntoIterator<Item = Trial>) -> Self {
        let without_times = |trial| Trial {
            fit_seconds: 0.0,
            score_seconds: 0.0,
            ..trial
        };
        self.trials = trials.into_iter().map(without_times).collect();
        self
    }

    /// The trials that the settings were selected from, best first; empty if the settings were given.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// The current interactions: the fitted ones, and those of
    /// [`with_interactions`](Self::with_interactions).
    pub fn dataset(&self) -> &Dataset<U, I> {
        &self.dataset
    }

    /// The fitted filter, which uses row and column indices instead of ids.
    pub fn filter(&self) -> &FittedFilter<B> {
        &self.fitted
    }

    /// The title of the item of a column, for a list.
    fn title_of(&self, column: u32) -> Option<String> {
        self.dataset.title_of_column(column).map(str::to_owned)
    }

    fn user_index<Q>(&self, user: &Q) -> Result<u32>
    where
        U: Borrow<Q>,
        Q: Hash + Eq + Debug + ?Sized,
    {
        self.dataset.users().known_index("user", user)
    }

    fn item_index<Q>(&self, item: &Q) -> Result<u32>
    where
        I: Borrow<Q>,
        Q: Hash + Eq + Debug + ?Sized,
    {
        self.dataset.items().known_index("item", item)
    }
}

impl<B: Backend, U: Eq + Hash + Clone, I: Eq + Hash + Clone> Clone for Model<B, U, I> {
    fn clone(&self) -> Self {
        Self {
            fitted: self.fitted.clone(),
            dataset: self.dataset.clone(),
            trials: self.trials.clone(),
        }
    }
}

impl<B: Backend, U: Eq + Hash, I: Eq + Hash> Debug for Model<B, U, I> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Model")
            .field("filter", &self.fitted)
            .finish_non_exhaustive()
    }
}
