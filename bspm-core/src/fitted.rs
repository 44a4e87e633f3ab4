//! Fits a filter to an interaction matrix on a device.

pub(crate) mod evaluate;
pub(crate) mod evaluation;
pub(crate) mod fallback;
mod finite;
mod item_users;
mod lists;
pub(crate) mod rank;
pub(crate) mod rerank;
pub(crate) mod score;
mod sparse_vectors;
pub(crate) mod trial;
mod vectors;

use std::sync::{Arc, OnceLock};

use sprs::CsMatI;

use crate::backend::{Backend, Checked, check};
use crate::engine::filter::Filter;
use crate::engine::fit_options::FitOptions;
use crate::engine::item_graph::ItemGraphPolynomial;
pub use crate::engine::neighbour_rows::NeighbourRows;
use crate::engine::neighbour_table::NeighbourTable;
use crate::engine::shared_svd::{KnownSvd, SharedSvd};
use crate::engine::tensors::{SavedTensors, Source};
use crate::engine::truncated_svd::SvdReport;
use crate::filters::ItemGraph;
use crate::filters::registry::{FilterConfig, Mix, Neighbours};
use bspm_data::Interactions;
use bspm_data::Result;
use bspm_data::parameter::invalid;
pub use evaluate::{EvaluateOptions, Evaluator, Metrics};
pub use evaluation::{CatalogueMetrics, Comparison, Evaluation, Interval};
use fallback::Reach;
use item_users::ItemUsers;
pub use lists::ListEvaluation;
pub use rank::{Fallback, ListRequest, RankOptions};
pub use rerank::{DiversityMethod, Rerank};
pub use score::Ranking;
pub use sparse_vectors::{SparseVector, SparseVectors};
pub use vectors::LowPassVectors;

/// A filter that is fitted to an interaction matrix: BSPM or another filter.
///
/// There is no training: fitting normalises the matrix and computes the parts of the filter that depend on
/// it, such as leading singular vectors. Fit once, then [`rank`](Self::rank) or [`score`](Self::score)
/// any of its users from any thread.
pub struct FittedFilter<B: Backend> {
    pub(crate) backend: B,
    pub(crate) config: FilterConfig,
    pub(crate) interactions: Arc<Interactions>,
    pub(crate) filter: Arc<dyn Filter<B>>,
    pub(crate) tile_columns: usize,
    reach: Reach,
    /// Computed when a list needs it.
    item_users: OnceLock<ItemUsers>,
}

impl<B: Backend> FittedFilter<B> {
    /// Fits a filter to `interactions: users x items`.
    ///
    /// The configuration is a [`FilterConfig`] or the settings of a filter, such as a
    /// [`BspmConfig`](crate::BspmConfig). Cost of BSPM: without the ideal low-pass filter, one pass over
    /// the interactions; with it, a truncated SVD of `factor_dim` vectors, whose memory is about
    /// `2 * items * (1.17 * factor_dim)` floats at its peak and `items * factor_dim` afterwards. If the
    /// rank of the matrix is below `factor_dim`, there are fewer vectors; see
    /// [`svd_report`](Self::svd_report). The documentation of the other filters states their cost.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) for a setting outside its range, and for
    /// a setting or weights with which scores are not finite, with a suitable range;
    /// [`Error::MemoryBudget`](crate::Error::MemoryBudget); those of the backend.
    pub fn fit(
        backend: B,
        interactions: impl Into<Arc<Interactions>>,
        config: impl Into<FilterConfig>,
    ) -> Result<Self> {
        Self::fit_with(backend, interactions, config, &FitOptions::new())
    }

    /// Like [`fit`](Self::fit), with [`FitOptions`]: progress, cancellation, accuracy.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled), and those of [`fit`](Self::fit).
    pub fn fit_with(
        backend: B,
        interactions: impl Into<Arc<Interactions>>,
        config: impl Into<FilterConfig>,
        options: &FitOptions,
    ) -> Result<Self> {
        Self::fit_sharing(backend, interactions.into(), config.into(), options, None)
    }

    /// Like [`fit_with`](Self::fit_with), with shared singular vectors, if there are any.
    pub(crate) fn fit_sharing(
        backend: B,
        interactions: Arc<Interactions>,
        config: FilterConfig,
        options: &FitOptions,
        shared: Option<&SharedSvd>,
    ) -> Result<Self> {
        let _span = tracing::info_span!(
            "fit",
            filter = config.name(),
            backend = backend.name(),
            users = interactions.users(),
            items = interactions.items(),
            interactions = interactions.len()
        )
        .entered();
        options.check()?;
        let source = Source::Fit(options, shared);
        let filter = config.fit(Checked::new(&backend), &interactions, source);
        Self::of_fit(backend, interactions, config, filter)
    }

    /// Returns the mix of filters that are fitted to `interactions`.
    pub(crate) fn of_parts(
        backend: B,
        interactions: Arc<Interactions>,
        mix: &Mix,
        parts: Vec<Arc<dyn Filter<B>>>,
    ) -> Result<Self> {
        let config = FilterConfig::from(mix.clone());
        config.check()?;
        let checked = Checked::new(&backend);
        config.check_budget(checked, &interactions)?;
        let filter = mix.of_fitted(checked, &interactions, parts);
        Self::of_fit(backend, interactions, config, filter)
    }

    /// Checks that the scores of a fitted filter are finite. Explains an error of the fit.
    fn of_fit(
        backend: B,
        interactions: Arc<Interactions>,
        config: FilterConfig,
        filter: Result<Box<dyn Filter<B>>>,
    ) -> Result<Self> {
        let filter = filter.map_err(|error| finite::explained(error, &config, &interactions))?;
        finite::check(Checked::new(&backend), &interactions, &config, &*filter)?;
        Self::new(backend, interactions, config, filter.into())
    }

    /// Fits the filter to a matrix whose first columns are the items of this one, but keeps the singular
    /// vectors of this filter. The rows of new items are computed from the other items of their users.
    pub(crate) fn extended(&self, interactions: Arc<Interactions>) -> Result<Self> {
        let backend = Checked::new(&self.backend);
        let bases = self.filter.bases().into_iter();
        let known = bases.map(|basis| basis.extended(backend, &interactions));
        let known: Vec<KnownSvd> = known.collect::<Result<_>>()?;
        let shared = (!known.is_empty()).then(|| SharedSvd::of(known));
        Self::fit_sharing(
            self.backend.clone(),
            interactions,
            self.config.clone(),
            &FitOptions::new(),
            shared.as_ref(),
        )
    }

    /// Creates a custom filter from an item graph: the scores of a history `r` are `r G`, for a graph
    /// `G: items x items` with finite weights. `name` is used in reports and model files. A graph in
    /// compressed columns is converted to rows.
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch) if the graph has a wrong size;
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) if a weight is not finite; those of the
    /// backend.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_core::{FittedFilter, Interactions};
    /// # use bspm_cpu::CpuBackend;
    ///
    /// let interactions = Interactions::from_pairs(2, 3, [(0, 0), (0, 1), (1, 1), (1, 2)])?;
    /// let mut links = sprs::TriMatI::<f32, u32>::new((3, 3));
    /// links.add_triplet(0, 1, 1.0);
    /// links.add_triplet(1, 2, 0.5);
    /// let fitted =
    ///     FittedFilter::from_item_graph(CpuBackend::new(), interactions, "links", links.to_csr())?;
    /// assert_eq!(fitted.score(&[0])?.row(0).to_vec(), [0.0, 1.0, 0.5]);
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn from_item_graph(
        backend: B,
        interactions: impl Into<Arc<Interactions>>,
        name: impl Into<String>,
        graph: CsMatI<f32, u32>,
    ) -> Result<Self> {
        let interactions = interactions.into();
        let items = interactions.items();
        check::same("item graph", (items, items), graph.shape())?;
        if let Some(weight) = graph.data().iter().find(|it| !it.is_finite()) {
            return Err(invalid("graph", "finite weights", weight));
        }
        let graph = Arc::new(match graph.is_csr() {
            true => graph,
            false => graph.to_csr(),
        });
        let filter = ItemGraphPolynomial::of(Checked::new(&backend), graph, vec![1.0])?;
        let config = ItemGraph { name: name.into() };
        Self::new(backend, interactions, config.into(), Arc::new(filter))
    }

    /// Creates a fitted filter from its saved parts.
    pub(crate) fn open(
        backend: B,
        interactions: Arc<Interactions>,
        config: FilterConfig,
        tensors: &dyn SavedTensors,
    ) -> Result<Self> {
        let source = Source::Saved(tensors);
        let filter = config.fit(Checked::new(&backend), &interactions, source)?;
        Self::new(backend, interactions, config, filter.into())
    }

    fn new(
        backend: B,
        interactions: Arc<Interactions>,
        config: FilterConfig,
        filter: Arc<dyn Filter<B>>,
    ) -> Result<Self> {
        Ok(Self {
            tile_columns: backend.tile_columns(interactions.shape(), filter.scoring())?,
            backend,
            config,
            reach: Reach::new(interactions.clone(), filter.scores_any_item()),
            item_users: OnceLock::new(),
            interactions,
            filter,
        })
    }

    /// Returns the neighbour table of this filter, with `keep` entries per item.
    pub(crate) fn neighbours(&self, keep: usize, options: &FitOptions) -> Result<Self> {
        let config: FilterConfig = Neighbours::new(self.config.clone(), keep).into();
        config.check()?;
        let (backend, filter) = (Checked::new(&self.backend), &*self.filter);
        let interactions = self.interactions.clone();
        let table = NeighbourTable::of(backend, &interactions, filter, keep, options)?;
        finite::check(backend, &interactions, &config, &table)?;
        Self::new(self.backend.clone(), interactions, config, Arc::new(table))
    }

    /// The rows of the neighbour table, if the filter is one.
    pub fn neighbour_rows(&self) -> Option<NeighbourRows<'_>> {
        self.filter.neighbour_rows()
    }

    /// The filter and the settings that were fitted.
    pub fn config(&self) -> &FilterConfig {
        &self.config
    }

    /// The interactions that were fitted, `users x items`, with a row below for each tag
    /// ([`Dataset::matrix_to_fit`](bspm_data::Dataset::matrix_to_fit)).
    pub fn interactions(&self) -> &Arc<Interactions> {
        &self.interactions
    }

    /// The backend of the filter.
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// The singular values of `R` whose vectors the filter uses, in descending order; empty if it uses
    /// none.
    pub fn singular_values(&self) -> &[f32] {
        let basis = self.filter.bases().into_iter().next();
        basis.map_or(&[], |basis| &basis.singular_values)
    }

    /// The report of the truncated SVD: its cost, its accuracy, and why it stopped. `None` if the filter
    /// uses no singular vectors, or if new items were folded in since. A saved model keeps the report.
    pub fn svd_report(&self) -> Option<&SvdReport> {
        self.filter.bases().into_iter().next()?.report.as_ref()
    }
}

impl<B: Backend> std::fmt::Debug for FittedFilter<B> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("FittedFilter")
            .field("backend", &self.backend.name())
            .field("config", &self.config)
            .field("users", &self.interactions.users())
            .field("items", &self.interactions.items())
            .field("factors", &self.singular_values().len())
            .finish()
    }
}
