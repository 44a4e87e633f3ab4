//! A grid search over settings of BSPM, in one pass over the users.
//!
//! Every configuration is a polynomial of `P` applied to the history, and another one applied to the ideal
//! low-pass part. Therefore the products `P^j z` and `P^j F z` (or those of Chebyshev polynomials of
//! `L = I - 2P` if powers are ill-conditioned) are computed once per tile of users. A configuration is a
//! linear combination of them, from which the ranks of the held-out items are computed.

mod grid;

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use grid::SweepGrid;

use crate::backend::{Backend, Checked, Combination, Operand, Shaped, Update, check};
use crate::engine::basis::Basis;
use crate::engine::fit_options::FitOptions;
use crate::engine::polynomial::Form;
use crate::engine::tensors::Source;
use crate::engine::tiles::tile_ranges;
use crate::engine::walk::{Normalization, NormalizedGraph};
use crate::engine::workspace::TileHistories;
use crate::filters::bspm::config::BspmConfig;
use crate::filters::bspm::merge::Response;
use crate::fitted::evaluate::{Evaluator, Metrics, nothing_held_out};
use crate::fitted::fallback::Reach;
use crate::observe::{Observed, Observer};
use bspm_data::History;
use bspm_data::Interactions;
use bspm_data::Result;
use bspm_data::Stage;
use bspm_data::parameter::invalid;

/// The result of one configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SweepRow {
    /// The configuration.
    pub config: BspmConfig,
    /// The metrics, one entry per cut-off.
    pub metrics: Vec<Metrics>,
}

/// The state of a sweep, for checkpoints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepState {
    users_done: usize,
    evaluators: Vec<Evaluator>,
}

/// A grid search that compares settings of BSPM on held-out interactions.
///
/// # Examples
///
/// ```
/// use bspm_core::sweep::{Sweep, SweepGrid};
/// use bspm_core::{BspmConfig, Dataset};
/// # use bspm_cpu::CpuBackend;
///
/// # let pairs = (0..60_u32).flat_map(|user| (0..6).map(move |it| (user, (user / 4 + it * it) % 30)));
/// # let train: Dataset<u32, u32> = Dataset::from_pairs(pairs)?;
/// let split = train.random_split(0.2, 42)?;
/// let grid = SweepGrid::around(BspmConfig::builder().build()?)
///     .vary("sharpen_time", [1.0, 2.0])?
///     .vary("factor_dim", [4])?
///     .vary("beta", [0.1, 0.2, 0.3])?;
/// let (fit, held_out) = (split.train.interactions(), split.test.interactions());
/// let (fit, held_out) = (fit.clone(), held_out.clone());
/// let mut sweep = Sweep::new(CpuBackend::new(), fit, held_out, grid.configs()?, &[20])?;
/// sweep.advance(usize::MAX)?;
/// let rows = sweep.rows_by_ndcg();
/// assert_eq!(rows.len(), 6);
/// assert!(rows[0].metrics[0].ndcg >= rows[5].metrics[0].ndcg);
/// # Ok::<(), bspm_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Sweep<B: Backend> {
    backend: B,
    train: Arc<Interactions>,
    reach: Reach,
    held_out: Arc<Interactions>,
    /// The users with held-out interactions.
    users: Vec<u32>,
    configs: Vec<BspmConfig>,
    graph: NormalizedGraph<B>,
    /// `V` for each requested number of vectors, in ascending order.
    bases: Vec<(usize, B::Matrix)>,
    products: Products,
    settings: Combinations,
    largest_cutoff: usize,
    observer: Observer,
    state: SweepState,
}

/// The numbers of shared products of the history and of each ideal low-pass part.
#[derive(Debug)]
struct Products {
    form: Form,
    history: usize,
    low_pass: Vec<usize>,
}

impl Products {
    /// Returns the products of all responses, and converts the responses to a common form.
    fn shared(responses: &mut [Response], factor_dims: &[usize]) -> Self {
        let mut parts: Vec<_> = responses.iter_mut().flat_map(Response::parts_mut).collect();
        let form = Form::common(parts.iter().map(|it| it.as_slice()));
        for part in &mut parts {
            **part = form.of_series(part);
        }
        let history = responses.iter().map(Response::history_terms).max();
        let low_pass = factor_dims.iter().map(|&kept| {
            let with_this = responses.iter().filter(|it| it.factor_dim == Some(kept));
            with_this.map(|it| it.low_pass.len()).max().unwrap_or(0)
        });
        Self {
            form,
            history: history.unwrap_or(1),
            low_pass: low_pass.collect(),
        }
    }

    fn len(&self) -> usize {
        self.history + self.low_pass.iter().sum::<usize>()
    }
}

/// Returns `V` for each of these numbers of vectors, in ascending order, from one decomposition.
fn bases<B: Backend>(
    backend: Checked<'_, B>,
    graph: &NormalizedGraph<B>,
    factor_dims: &[usize],
    options: &FitOptions,
) -> Result<Vec<(usize, B::Matrix)>> {
    let Some(&most) = factor_dims.last() else {
        return Ok(Vec::new());
    };
    let basis = Basis::obtain(backend, graph, most, Source::Fit(options, None))?;
    let columns = |kept: usize| backend.columns(&basis.vectors, 0..kept.min(basis.factors()));
    let bases = factor_dims.iter().map(|&kept| Ok((kept, columns(kept)?)));
    bases.collect()
}

impl<B: Backend> Sweep<B> {
    /// Fits the parts that all configurations share: the graph, and the largest number of singular vectors.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) if there is no configuration, or for an
    /// invalid cut-off or `factor_dim`; [`Error::NothingToEvaluate`](crate::Error::NothingToEvaluate) if there
    /// are no held-out interactions; [`Error::ShapeMismatch`](crate::Error::ShapeMismatch) unless both matrices
    /// have the same shape; those of fitting.
    pub fn new(
        backend: B,
        train: impl Into<Arc<Interactions>>,
        held_out: impl Into<Arc<Interactions>>,
        configs: Vec<BspmConfig>,
        cutoffs: &[usize],
    ) -> Result<Self> {
        let options = FitOptions::new();
        Self::new_with(backend, train, held_out, configs, cutoffs, &options)
    }

    /// Like [`new`](Self::new), with [`FitOptions`]; the observer is called for the fit and for the
    /// evaluated users.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled), and those of [`new`](Self::new).
    pub fn new_with(
        backend: B,
        train: impl Into<Arc<Interactions>>,
        held_out: impl Into<Arc<Interactions>>,
        configs: Vec<BspmConfig>,
        cutoffs: &[usize],
        options: &FitOptions,
    ) -> Result<Self> {
        let (train, held_out) = (train.into(), held_out.into());
        let evaluator = Evaluator::new(cutoffs)?;
        if configs.is_empty() {
            return Err(invalid("settings", "at least 1", 0));
        }
        check::same("sweep", train.shape(), held_out.shape())?;
        if held_out.is_empty() {
            return Err(nothing_held_out());
        }
        let offset = configs[0].offset();
        if let Some(other) = configs.iter().find(|config| config.offset() != offset) {
            let expected =
                format!("{offset}, because all settings of a sweep have the same offset");
            return Err(invalid("offset", expected, other.offset()));
        }
        let normalization = Normalization::SYMMETRIC.with_offset(offset, &train);
        let graph = NormalizedGraph::with_normalization(&backend, &train, normalization)?;
        let mut factor_dims: Vec<usize> = configs
            .iter()
            .filter_map(|config| Some(config.ideal_low_pass()?.factor_dim))
            .collect();
        factor_dims.sort_unstable();
        factor_dims.dedup();
        let bases = bases(Checked::new(&backend), &graph, &factor_dims, options)?;
        let mut responses: Vec<Response> = configs.iter().map(Response::of).collect();
        let products = Products::shared(&mut responses, &factor_dims);
        let settings = Combinations::of(&responses, &products, &factor_dims);
        Ok(Self {
            largest_cutoff: evaluator.largest_cutoff(),
            observer: options.observer.clone(),
            state: SweepState {
                users_done: 0,
                evaluators: vec![evaluator; configs.len()],
            },
            backend,
            reach: Reach::new(train.clone(), false),
            train,
            users: held_out.users_with_items(),
            held_out,
            configs,
            graph,
            bases,
            products,
            settings,
        })
    }

    /// The number of users with held-out interactions.
    pub fn users(&self) -> usize {
        self.users.len()
    }

    /// The number of evaluated users.
    pub fn users_done(&self) -> usize {
        self.state.users_done
    }

    /// The state, for a checkpoint.
    pub fn state(&self) -> &SweepState {
        &self.state
    }

    /// Resumes from a checkpoint of a sweep over the same matrices and settings.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) if the numbers of settings or users, or the
    /// cut-offs, differ.
    pub fn resume(&mut self, state: SweepState) -> Result<()> {
        let mine = &self.state.evaluators[0];
        let fits = state.users_done <= self.users.len()
            && state.evaluators.len() == self.configs.len()
            && state
                .evaluators
                .iter()
                .all(|it| mine.could_become(it, state.users_done));
        if !fits {
            return Err(invalid(
                "state",
                format!(
                    "a state of {} settings, at most {} users, and cut-offs {:?}",
                    self.configs.len(),
                    self.users.len(),
                    mine.cutoffs()
                ),
                format!(
                    "one of {} settings and {} users",
                    state.evaluators.len(),
                    state.users_done
                ),
            ));
        }
        self.state = state;
        Ok(())
    }

    /// Evaluates up to this number of further users, and calls the observer of the options.
    ///
    /// Cost per user: that of the longest polynomial, and of sharpening once for each number of singular
    /// vectors, plus a few multiplications per configuration and item.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled), which does not change the state; those of the backend.
    pub fn advance(&mut self, users: usize) -> Result<()> {
        let start = self.state.users_done;
        let end = start.saturating_add(users).min(self.users.len());
        let batch = &self.users[start..end];
        let _span = tracing::info_span!(
            "sweep",
            users = batch.len(),
            settings = self.configs.len(),
            products = self.products.len()
        )
        .entered();
        let observed = Observed::starting_at(&self.observer, Stage::Sweep, start, self.users.len());
        let width = self.graph.tile_columns().min(batch.len());
        let ranges = tile_ranges(batch.len(), width);
        let blank: Vec<Evaluator> = self.state.evaluators.iter().map(Evaluator::blank).collect();
        let tiles = Checked::new(&self.backend).for_each_tile(
            ranges.len(),
            || self.workspace(width),
            |workspace, tile| {
                let users = &batch[ranges[tile].clone()];
                let of = |&user: &u32| self.train.history_of(user);
                let histories: Vec<History<'_>> = users.iter().map(of).collect();
                let seen: Vec<&[u32]> = histories.iter().map(|it| it.items()).collect();
                self.share_products(TileHistories::new(&histories, width), workspace)?;
                let relevant: Vec<&[u32]> = users
                    .iter()
                    .map(|&user| self.held_out.items_of(user))
                    .collect();
                let reached: Vec<Cow<'_, [u32]>> = relevant
                    .iter()
                    .zip(&seen)
                    .map(|(relevant, history)| self.reach.of(history).keep_reached(relevant))
                    .collect();
                let reached: Vec<&[u32]> = reached.iter().map(AsRef::as_ref).collect();
                let ranks = Checked::new(&self.backend).ranks_of_sums(
                    &workspace.products[self.settings.unused..],
                    &self.settings.combinations,
                    self.graph.output_scale(),
                    &seen,
                    &reached,
                    self.largest_cutoff,
                )?;
                let mut evaluators = blank.clone();
                for (evaluator, &place) in evaluators.iter_mut().zip(&self.settings.places) {
                    for (ranks, relevant) in ranks[place].iter().zip(&relevant) {
                        evaluator.add_ranks(ranks, relevant.len());
                    }
                }
                observed.advance(users.len())?;
                Ok(evaluators)
            },
        )?;
        for evaluators in &tiles {
            for (sum, evaluator) in self.state.evaluators.iter_mut().zip(evaluators) {
                sum.merge(evaluator);
            }
        }
        self.state.users_done = end;
        Ok(())
    }

    /// Returns one row per configuration, in order, over the users evaluated so far.
    pub fn rows(&self) -> Vec<SweepRow> {
        self.configs
            .iter()
            .zip(&self.state.evaluators)
            .map(|(config, evaluator)| SweepRow {
                config: config.clone(),
                metrics: evaluator.means(),
            })
            .collect()
    }

    /// Like [`rows`](Self::rows), sorted by NDCG at the first cut-off, best first.
    pub fn rows_by_ndcg(&self) -> Vec<SweepRow> {
        let mut rows = self.rows();
        rows.sort_by(|left, right| right.metrics[0].ndcg.total_cmp(&left.metrics[0].ndcg));
        rows
    }

    fn workspace(&self, columns: usize) -> Result<Workspace<B>> {
        let backend = Checked::new(&self.backend);
        let product = |_| backend.zeros(self.graph.items(), columns);
        let coefficients =
            |(_, basis): &(usize, B::Matrix)| backend.zeros(basis.shape().1, columns);
        Ok(Workspace {
            products: (0..self.products.len())
                .map(product)
                .collect::<Result<_>>()?,
            users: backend.zeros(self.graph.users(), columns)?,
            coefficients: self.bases.iter().map(coefficients).collect::<Result<_>>()?,
        })
    }

    /// Computes the shared products of one tile.
    fn share_products(
        &self,
        histories: TileHistories<'_>,
        workspace: &mut Workspace<B>,
    ) -> Result<()> {
        let backend = Checked::new(&self.backend);
        let (graph, users) = (&self.graph, &mut workspace.users);
        let histories = histories.upload(backend, graph.history_weights())?;
        let (of_history, mut rest) = workspace.products.split_at_mut(self.products.history);
        backend.add_scaled(1.0, Operand::Histories(&histories), 0.0, &mut of_history[0])?;
        let form = self.products.form;
        form.fill_points(backend, graph, Some(&histories), of_history, users)?;
        let bases = self.bases.iter().zip(&self.products.low_pass);
        for (((_, basis), &terms), coefficients) in bases.zip(&mut workspace.coefficients) {
            let (of_low_pass, others) = rest.split_at_mut(terms);
            rest = others;
            if terms > 0 {
                let histories = Operand::Histories(&histories);
                backend.matmul(basis, true, histories, Update::REPLACE, coefficients)?;
                let (coefficients, first) = (Operand::Dense(coefficients), &mut of_low_pass[0]);
                backend.matmul(basis, false, coefficients, Update::REPLACE, first)?;
                form.fill_points(backend, graph, None, of_low_pass, users)?;
            }
        }
        Ok(())
    }
}

/// The shared products of one tile, and scratch.
struct Workspace<B: Backend> {
    products: Vec<B::Matrix>,
    users: B::Matrix,
    coefficients: Vec<B::Matrix>,
}

/// The configurations as linear combinations of the products.
#[derive(Debug)]
struct Combinations {
    /// Combinations of the products after the unused ones; configurations that differ only in `beta` share
    /// one.
    combinations: Vec<Combination>,
    /// The number of leading products that no combination uses: the history itself, if all configurations
    /// start with a full blur.
    unused: usize,
    /// The index of each configuration in the results.
    places: Vec<usize>,
}

impl Combinations {
    fn of(responses: &[Response], products: &Products, factor_dims: &[usize]) -> Self {
        let mut combinations: Vec<Combination> = Vec::new();
        let mut found = Vec::with_capacity(responses.len());
        for response in responses {
            let plain = terms(&response.history, 0);
            let mut scaled = terms(&response.low_pass_of_history, 0);
            if let Some(kept) = response.factor_dim {
                let place = factor_dims.iter().position(|&it| it == kept).unwrap_or(0);
                let before: usize = products.low_pass[..place].iter().sum();
                scaled.extend(terms(&response.low_pass, products.history + before));
            }
            let same = combinations
                .iter()
                .position(|it| it.plain == plain && it.scaled == scaled);
            let combination = same.unwrap_or_else(|| {
                combinations.push(Combination {
                    plain,
                    scaled,
                    scales: Vec::new(),
                });
                combinations.len() - 1
            });
            combinations[combination].scales.push(response.beta);
            found.push((combination, combinations[combination].scales.len() - 1));
        }
        let starts: Vec<usize> = combinations
            .iter()
            .scan(0, |next, it| {
                let start = *next;
                *next += it.scales.len();
                Some(start)
            })
            .collect();
        let places = found
            .into_iter()
            .map(|(combination, scale)| starts[combination] + scale)
            .collect();
        let mut used: Vec<&mut usize> = combinations
            .iter_mut()
            .flat_map(|it| it.plain.iter_mut().chain(&mut it.scaled))
            .map(|(product, _)| product)
            .collect();
        let unused = used.iter().map(|it| **it).min().unwrap_or(0);
        for product in &mut used {
            **product -= unused;
        }
        Self {
            combinations,
            unused,
            places,
        }
    }
}

/// Returns the products with nonzero weights, starting at an index.
fn terms(weights: &[f64], start: usize) -> Vec<(usize, f32)> {
    let weights = weights.iter().enumerate();
    weights
        .filter(|(_, weight)| **weight != 0.0)
        .map(|(place, &weight)| (start + place, weight as f32))
        .collect()
}
