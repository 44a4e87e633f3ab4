//! A search for the best filter and settings for a data set, within a budget.
//!
//! The search starts with the published settings of each filter. Then it draws random settings, and changes
//! the best ones, of all filters and of mixes of two, with decreasing step sizes. A trial is first evaluated
//! on a part of the users, and stops early if it is worse than the best trial by several standard errors of
//! the paired difference. Singular vectors are computed once for each normalisation, and the best filters are
//! fitted once for all their mixes. The next trial depends only on the seed and the previous results.

mod choose;
mod choose_weighting;
mod portfolio;
mod propose;
mod shape;

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

pub use crate::fitted::trial::{Trial, TrialOutcome};
pub use choose::{Choice, choose, choose_tag_weight};
pub use choose_weighting::{WeightingChoice, choose_weighting};
pub use portfolio::{adapted, candidates};

use crate::backend::{Backend, check};
use crate::engine::filter::Filter;
use crate::engine::fit_options::FitOptions;
use crate::engine::shared_svd::SharedSvd;
use crate::filters::registry::FilterConfig;
use crate::fitted::FittedFilter;
use crate::fitted::evaluate::{Evaluator, Metrics, nothing_held_out};
use crate::fitted::rank::RankOptions;
use bspm_data::Interactions;
use bspm_data::parameter::{check_positive, check_range, invalid};
use bspm_data::{Error, Result};
use portfolio::candidates_for;
use propose::{Proposals, check_filters, is_asked, published};
use shape::Shape;

/// Options of a search.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use bspm_core::tune::TuneOptions;
///
/// let options = TuneOptions::new().time(Duration::from_secs(600)).metric("recall").k(10);
/// assert_eq!(options.seed, 0);
/// ```
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub struct TuneOptions {
    /// The metric to maximize, one of [`Metrics::NAMES`]. Default: `ndcg`.
    pub metric: String,
    /// The cut-off of the metric; at least 1. Default: 20.
    pub k: usize,
    /// The weight of a popularity penalty: this weight times the mean popularity of a list is subtracted
    /// from the metric. The most popular item has popularity 1. Default: 0.
    pub popularity_penalty: f64,
    /// The maximum number of trials; at least 1. Default: 300.
    pub trials: usize,
    /// The time limit, after which no new trial starts. Default: no limit.
    pub time: Option<Duration>,
    /// The seed of the search. Default: 0.
    pub seed: u64,
    /// The filters to search. Default: all filters.
    pub filters: Vec<String>,
    /// The only settings to try, in order. Default: none, which runs a search.
    pub candidates: Vec<FilterConfig>,
    /// The options of the fit of each trial.
    pub fit: FitOptions,
}

impl TuneOptions {
    /// Returns the default options: NDCG@20 with 300 trials over all filters.
    pub fn new() -> Self {
        Self {
            metric: "ndcg".into(),
            k: 20,
            popularity_penalty: 0.0,
            trials: 300,
            time: None,
            seed: 0,
            filters: Vec::new(),
            candidates: Vec::new(),
            fit: FitOptions::new(),
        }
    }

    /// Sets the metric to maximize.
    pub fn metric(mut self, name: impl Into<String>) -> Self {
        self.metric = name.into();
        self
    }

    /// Sets the cut-off of the metric.
    pub fn k(mut self, k: usize) -> Self {
        self.k = k;
        self
    }

    /// Sets the weight of the popularity penalty.
    pub fn popularity_penalty(mut self, penalty: f64) -> Self {
        self.popularity_penalty = penalty;
        self
    }

    /// Sets the maximum number of trials.
    pub fn trials(mut self, trials: usize) -> Self {
        self.trials = trials;
        self
    }

    /// Sets the time limit, after which no new trial starts.
    pub fn time(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// Sets the seed of the search.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Searches only these filters, and mixes of them if `mix` is one of the names. The neighbour table of a filter is
    /// not searched.
    pub fn filters(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.filters = names.into_iter().map(Into::into).collect();
        self
    }

    /// Tries these settings and no others.
    pub fn candidates(mut self, candidates: Vec<FilterConfig>) -> Self {
        self.candidates = candidates;
        self
    }

    /// Sets the options of the fit of each trial.
    pub fn fit(mut self, options: FitOptions) -> Self {
        self.fit = options;
        self
    }
}

impl Default for TuneOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// The numbers of users after which a trial is compared with the best one, and the number of standard errors
/// by which it must be worse to be stopped.
const RUNGS: [(usize, f64); 2] = [(600, 2.0), (3_000, 0.25)];

/// The maximum number of users that a trial is evaluated on, and that of a short search.
const MOST_USERS: usize = 10_000;
const MOST_USERS_IF_SHORT: usize = 3_000;

/// The size of the largest filter that is kept for mixes, in bytes. A larger one is an item graph, which is
/// fitted in a second or two.
const LARGEST_PART: usize = 256 << 20;

/// A search for the best filter.
///
/// Memory: that of the largest fit, the shared singular vectors, and up to five fitted filters of at most
/// 256 MiB for mixes.
///
/// # Examples
///
/// ```
/// use bspm_core::Dataset;
/// use bspm_core::tune::{TuneOptions, Tuner};
/// # use bspm_cpu::CpuBackend;
/// # let pairs = (0..60_u32).flat_map(|user| (0..6).map(move |it| (user, (user / 4 + it * it) % 30)));
///
/// let dataset: Dataset<u32, u32> = Dataset::from_pairs(pairs)?;
/// let split = dataset.hold_out(0.2, 0)?;
/// let (train, held_out) = (split.train.interactions(), split.test.interactions());
/// let options = TuneOptions::new().trials(30);
/// let mut tuner = Tuner::new(CpuBackend::new(), train.clone(), held_out, options)?;
/// while tuner.advance()?.is_some() {}
/// let best = tuner.best().expect("a trial that did not fail");
/// println!("{}: {:.4}", best.config.name(), best.value);
/// # Ok::<(), bspm_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Tuner<B: Backend> {
    backend: B,
    train: Arc<Interactions>,
    held_out: Interactions,
    options: TuneOptions,
    /// The users with held-out items, in the order of evaluation.
    users: Vec<u32>,
    /// The popularity of each item, relative to the most popular one.
    popularity: Vec<f64>,
    shared: SharedSvd,
    /// Fitted filters that the next mixes are likely to contain.
    parts: Vec<(FilterConfig, Arc<dyn Filter<B>>)>,
    proposals: Proposals,
    trials: Vec<Trial>,
    /// The index of the best trial.
    best: Option<usize>,
    /// The objective of the best trial for each user; `None` if the trial comes from a checkpoint.
    best_values: Option<Vec<f64>>,
    started: Instant,
}

impl<B: Backend> Tuner<B> {
    /// Creates a search with filters that are fitted to `train` and evaluated on `held_out`, both
    /// `users x items`. `train` may have rows of tags
    /// ([`Dataset::matrix_to_fit`](bspm_data::Dataset::matrix_to_fit)); `held_out` has none.
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`]; [`Error::InvalidParameter`] for invalid options;
    /// [`Error::NothingToEvaluate`] if there are no held-out interactions.
    pub fn new(
        backend: B,
        train: impl Into<Arc<Interactions>>,
        held_out: &Interactions,
        options: TuneOptions,
    ) -> Result<Self> {
        let train = train.into();
        let shape = Shape::of(&train);
        let proposals = match options.candidates.as_slice() {
            [] => {
                check_filters(&options.filters)?;
                let is_short = options
                    .time
                    .is_some_and(|time| time.as_secs_f64() < shape.budget());
                let mut first = match is_short {
                    true => candidates_for(shape.with_few_neighbours()),
                    false => candidates_for(shape),
                };
                first.retain(|config| is_asked(&options.filters, config.name()));
                if is_short {
                    let users = held_out.users_with_items().len().min(MOST_USERS_IF_SHORT);
                    let seconds = |config: &FilterConfig| shape.seconds(config, users);
                    first.sort_by(|left, right| seconds(left).total_cmp(&seconds(right)));
                }
                // A short search changes the candidates and mixes them instead.
                if !is_short || first.is_empty() {
                    for config in published(shape, &options.filters)? {
                        if !first.contains(&config) {
                            first.push(config);
                        }
                    }
                }
                let proposals = Proposals::search(shape, options.seed, &options.filters, first);
                match is_short {
                    true => proposals.for_short_search(),
                    false => proposals,
                }
            }
            candidates => Proposals::fixed(shape, candidates.to_vec()),
        };
        Self::with_proposals(backend, train, held_out, options, proposals)
    }

    fn with_proposals(
        backend: B,
        train: Arc<Interactions>,
        held_out: &Interactions,
        options: TuneOptions,
        proposals: Proposals,
    ) -> Result<Self> {
        let shape = (train.user_rows(), train.items());
        check::same("tune", shape, held_out.shape())?;
        check_positive("trials", options.trials)?;
        check_range(
            "popularity_penalty",
            options.popularity_penalty,
            0.0..=f64::MAX,
        )?;
        Evaluator::new(&[options.k])?;
        if !Metrics::NAMES.contains(&options.metric.as_str()) {
            let found = format!("{:?}", options.metric);
            return Err(invalid("metric", Metrics::NAMES.join(", "), found));
        }
        let mut users = held_out.users_with_items();
        if users.is_empty() {
            return Err(nothing_held_out());
        }
        users.shuffle(&mut ChaCha8Rng::seed_from_u64(options.seed));
        users.truncate(proposals.most_users);
        let degrees = train.of_users().item_degrees();
        let most = f64::from(degrees.iter().copied().max().unwrap_or(0).max(1));
        Ok(Self {
            popularity: degrees.iter().map(|&it| f64::from(it) / most).collect(),
            shared: SharedSvd::ahead(proposals.factors_ahead),
            parts: Vec::new(),
            proposals,
            backend,
            train,
            held_out: held_out.clone(),
            options,
            users,
            trials: Vec::new(),
            best: None,
            best_values: None,
            started: Instant::now(),
        })
    }

    /// Resumes with the trials of an earlier search with the same data and options.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] if they are not the trials of this search.
    pub fn resume(&mut self, trials: Vec<Trial>) -> Result<()> {
        for trial in trials {
            let next = self.proposals.next(&self.trials);
            if next.as_ref() != Some(&trial.config) {
                let expected = "trials of a search with the same data and options";
                let found = format!("a different trial number {}", self.trials.len());
                return Err(invalid("resume", expected, found));
            }
            if trial.outcome == TrialOutcome::Complete && trial.users != self.users.len() {
                let expected = format!("trials with {} users", self.users.len());
                return Err(invalid("resume", expected, trial.users));
            }
            self.record(trial, None);
        }
        Ok(())
    }

    /// Runs the next trial; `None` if the budget is used up or there is nothing left to try.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`]. Other errors are recorded as the outcome of the trial.
    pub fn advance(&mut self) -> Result<Option<&Trial>> {
        let is_late = self
            .options
            .time
            .is_some_and(|time| self.started.elapsed() >= time);
        if self.trials.len() >= self.options.trials || is_late && !self.trials.is_empty() {
            return Ok(None);
        }
        let Some(config) = self.proposals.next(&self.trials) else {
            return Ok(None);
        };
        if self.best_values.is_none()
            && let Some(best) = self.best
        {
            let config = self.trials[best].config.clone();
            self.best_values = Some(self.try_out(config, false)?.1);
        }
        let (trial, values) = match self.try_out(config.clone(), true) {
            Ok(tried) => tried,
            Err(error @ Error::Cancelled { .. }) => return Err(error),
            Err(error) => (Trial::failed(config, &error), Vec::new()),
        };
        self.record(trial, Some(values));
        Ok(self.trials.last())
    }

    fn record(&mut self, trial: Trial, values: Option<Vec<f64>>) {
        let value = |place: usize| self.trials[place].value;
        let is_best = trial.outcome == TrialOutcome::Complete
            && self.best.is_none_or(|best| trial.value > value(best));
        if is_best {
            self.best = Some(self.trials.len());
            self.best_values = values;
        }
        self.trials.push(trial);
        let kept = self.proposals.parts(&self.trials);
        self.parts.retain(|part| kept.contains(&&part.0));
    }

    /// Fits a configuration. A mix shares parts with previous trials. If these parts leave too little memory,
    /// fits it without them.
    fn fit(&mut self, config: &FilterConfig) -> Result<FittedFilter<B>> {
        match self.fit_with_parts(config) {
            Err(Error::MemoryBudget { .. }) if !self.parts.is_empty() => {
                self.parts.clear();
                self.fit_with_parts(config)
            }
            fitted => fitted,
        }
    }

    fn fit_with_parts(&mut self, config: &FilterConfig) -> Result<FittedFilter<B>> {
        let FilterConfig::Mix(mix) = config else {
            return self.fit_part(config);
        };
        let parts = mix.parts.iter().map(|part| {
            match self.parts.iter().find(|known| known.0 == part.filter) {
                Some((_, filter)) => Ok(filter.clone()),
                None => Ok(self.fit_part(&part.filter)?.filter),
            }
        });
        let parts = parts.collect::<Result<_>>()?;
        FittedFilter::of_parts(self.backend.clone(), self.train.clone(), mix, parts)
    }

    fn fit_part(&mut self, config: &FilterConfig) -> Result<FittedFilter<B>> {
        let fitted = FittedFilter::fit_sharing(
            self.backend.clone(),
            self.train.clone(),
            config.clone(),
            &self.options.fit,
            Some(&self.shared),
        )?;
        let tensors = fitted.filter.tensors().into_iter();
        if tensors.map(|(_, tensor)| tensor.bytes()).sum::<usize>() <= LARGEST_PART {
            self.parts.push((config.clone(), fitted.filter.clone()));
        }
        Ok(fitted)
    }

    /// Fits and evaluates a configuration on increasing numbers of users; returns the trial and the objective
    /// of each user.
    fn try_out(&mut self, config: FilterConfig, may_stop: bool) -> Result<(Trial, Vec<f64>)> {
        let start = Instant::now();
        let fitted = self.fit(&config)?;
        let fit_seconds = start.elapsed().as_secs_f64();
        let start = Instant::now();
        let mut values: Vec<f64> = Vec::with_capacity(self.users.len());
        let mut evaluator = Evaluator::new(&[self.options.k])?;
        let mut outcome = TrialOutcome::Complete;
        let mut estimate = None;
        let rungs = RUNGS.into_iter().filter(|rung| rung.0 < self.users.len());
        for (end, patience) in rungs.chain([(self.users.len(), 0.0)]) {
            let users = &self.users[values.len()..end];
            let options =
                RankOptions::top(self.options.k).observer(self.options.fit.observer.clone());
            for (&user, list) in users.iter().zip(fitted.rank(users, &options)?.lists) {
                let items: Vec<u32> = list.iter().map(|entry| entry.item).collect();
                let relevant = self.held_out.items_of(user);
                let metrics = evaluator.of_user(items.iter().copied(), relevant)[0];
                values.push(self.objective(&metrics, &items));
                evaluator.add(items, relevant);
            }
            if may_stop
                && end < self.users.len()
                && let (Some(best_values), Some(best)) = (&self.best_values, self.best)
            {
                let (lead, error) = lead_of(&values, best_values);
                estimate = Some(self.trials[best].value + lead);
                if lead + patience * error < 0.0 {
                    outcome = TrialOutcome::Stopped;
                    break;
                }
            }
        }
        let value = values.iter().sum::<f64>() / values.len() as f64;
        let trial = Trial {
            config,
            value,
            estimate: match outcome {
                TrialOutcome::Stopped => estimate.unwrap_or(value),
                _ => value,
            },
            metrics: evaluator.means()[0],
            users: values.len(),
            fit_seconds,
            score_seconds: start.elapsed().as_secs_f64(),
            outcome,
        };
        Ok((trial, values))
    }

    fn objective(&self, metrics: &Metrics, items: &[u32]) -> f64 {
        let place = Metrics::NAMES
            .iter()
            .position(|name| *name == self.options.metric);
        let value = metrics.values()[place.unwrap_or_default()];
        if self.options.popularity_penalty == 0.0 || items.is_empty() {
            return value;
        }
        let sum: f64 = items
            .iter()
            .map(|&item| self.popularity[item as usize])
            .sum();
        value - self.options.popularity_penalty * sum / items.len() as f64
    }

    /// All trials, in the order in which they were run.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// The best trial among those that were evaluated on all users.
    pub fn best(&self) -> Option<&Trial> {
        self.best.map(|best| &self.trials[best])
    }

    /// Returns the error of the first trial.
    fn first_error(&self) -> Error {
        let mut outcomes = self.trials.iter().map(|trial| &trial.outcome);
        let reason = match outcomes.next() {
            Some(TrialOutcome::Failed(reason)) => reason.clone(),
            _ => "no setting was tried".into(),
        };
        invalid(
            "filter",
            "settings that can be fitted to these data",
            reason,
        )
    }

    /// The number of users that a complete trial is evaluated on.
    pub fn users(&self) -> usize {
        self.users.len()
    }

    /// The trials, best first: those evaluated on all users, then those stopped early, sorted by their
    /// estimate, then those that failed.
    pub fn leaderboard(&self) -> Vec<&Trial> {
        let mut trials: Vec<&Trial> = self.trials.iter().collect();
        trials.sort_by(|left, right| {
            let class = left.outcome.class().cmp(&right.outcome.class());
            class.then(right.estimate.total_cmp(&left.estimate))
        });
        trials
    }
}

/// Returns the mean difference to the values of another trial for the same users, and its standard error.
fn lead_of(values: &[f64], others: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let differences = || {
        values
            .iter()
            .zip(others)
            .map(|(value, other)| value - other)
    };
    let mean = differences().sum::<f64>() / count;
    let squares: f64 = differences().map(|it| (it - mean).powi(2)).sum();
    (mean, (squares / (count * (count - 1.0).max(1.0))).sqrt())
}
