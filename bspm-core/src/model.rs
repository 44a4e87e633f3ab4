//! A fitted model under the application's own ids.

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

/// A model that was fitted once and answers from any thread.
///
/// Every score is a linear function of the user's history, so recommendations for a
/// history that the model has never seen are exact, and so is the part that each item
/// of a history has in a score. Cloning is cheap: clones share everything.
///
/// `recommend`, `recommend_for_items` and `similar_items` score one history on the
/// calling thread; `recommend_many` scores many at once, on the backend's threads, and
/// takes far less time per user. The two ways round differently, in the last bits.
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
    /// The histories that are answered from: those fitted, or later ones.
    dataset: Dataset<U, I>,
    /// What its settings were chosen from.
    trials: Arc<[Trial]>,
}

impl<B: Backend, U: Eq + Hash + Clone, I: Eq + Hash + Clone> Model<B, U, I> {
    /// Fits the model to a data set; see [`FittedFilter::fit`] for what that costs.
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

    /// [`fit`](Self::fit) with [`FitOptions`]: progress, cancellation, strictness.
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

    /// The model of a filter that is fitted already, under the ids of its rows and columns.
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch) for a data set of another shape.
    pub fn from_filter(filter: FittedFilter<B>, dataset: Dataset<U, I>) -> Result<Self> {
        let (fitted, asked) = (filter.interactions(), dataset.matrix_to_fit()?);
        check::same("model", fitted.shape(), asked.shape())?;
        Ok(Self::from_parts(Arc::new(filter), dataset))
    }

    pub(crate) fn from_parts(fitted: Arc<FittedFilter<B>>, dataset: Dataset<U, I>) -> Self {
        Self {
            fitted,
            dataset,
            trials: Arc::default(),
        }
    }

    /// The model with the trials that its settings were chosen from, best first, so that its file has
    /// them: [`tune::choose`](crate::tune::choose) and [`Tuner`](crate::tune::Tuner) return them.
    ///
    /// Their seconds are set to 0, since the same data shall give the same file.
    pub fn with_trials(mut self, trials: impl IntoIterator<Item = Trial>) -> Self {
        let without_times = |trial| Trial {
            fit_seconds: 0.0,
            score_seconds: 0.0,
            ..trial
        };
        self.trials = trials.into_iter().map(without_times).collect();
        self
    }

    /// The trials that its settings were chosen from, best first; none if they were given.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// The interactions that are answered from: those fitted, and those of
    /// [`with_interactions`](Self::with_interactions).
    pub fn dataset(&self) -> &Dataset<U, I> {
        &self.dataset
    }

    /// The fitted filter, which speaks of rows and columns.
    pub fn filter(&self) -> &FittedFilter<B> {
        &self.fitted
    }

    /// The title of a column, for a list.
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
