//! Selects a filter for a data set from a few candidates, without a search.

use std::hash::Hash;
use std::slice;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::portfolio::candidates_for;
use super::propose::Proposals;
use super::shape::Shape;
use super::{Trial, TrialOutcome, TuneOptions, Tuner};
use crate::backend::Backend;
use crate::engine::fit_options::FitOptions;
use crate::filters::registry::FilterConfig;
use bspm_data::parameter::invalid;
use bspm_data::{Dataset, Error, Interactions, Result};

/// The share of each user's interactions that is held out for the selection.
pub(super) const SHARE: f64 = 0.2;

/// The maximum number of candidates; with more, the selection overfits to the split.
const MOST_TRIALS: usize = 64;

/// The factor by which a mix of two filters must be better than one filter to be selected.
const WORTH_A_MIX: f64 = 1.01;

/// The selected filter, and the candidates that it was compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Choice {
    /// The filter and its settings.
    pub config: FilterConfig,
    /// The trials, best first; empty if there are too few data for a comparison.
    pub trials: Vec<Trial>,
}

/// Selects a filter and its settings for a data set from [`candidates`](super::candidates): the one with the
/// best NDCG@20 on held-out interactions (20% of each user's interactions: the latest ones if there are times,
/// else a random sample). Mixes of two of the best three filters are tried too. A mix is selected if it is better by one
/// percent. Then the settings of the best filter are varied, as long as the budget allows.
///
/// A candidate is evaluated on 600 users first, then on 3,000, then on up to 10,000, and is stopped early if
/// it is worse than the best one. The selection depends only on the data, and not on the number of threads or
/// the speed of the machine. If no user has two interactions, the result is
/// [`BspmConfig::for_shape`](crate::BspmConfig::for_shape). [`Tuner`] searches further.
///
/// Cost: one fit and one evaluation for each candidate.
///
/// # Errors
///
/// [`Error::Cancelled`]; [`Error::InvalidParameter`] if no candidate could be fitted.
///
/// # Examples
///
/// ```
/// use bspm_core::tune::choose;
/// use bspm_core::{Dataset, FitOptions, Model};
/// # use bspm_cpu::CpuBackend;
///
/// # let pairs = (0..60_u32).flat_map(|user| (0..6).map(move |it| (user, (user / 4 + it * it) % 30)));
/// let dataset: Dataset<u32, u32> = Dataset::from_pairs(pairs)?;
/// let choice = choose(CpuBackend::new(), &dataset, &FitOptions::new())?;
/// println!("{}: {:.4}", choice.config.name(), choice.trials[0].metrics.ndcg);
/// let model = Model::fit(CpuBackend::new(), dataset, choice.config)?;
/// # Ok::<(), bspm_core::Error>(())
/// ```
pub fn choose<B, U, I>(backend: B, dataset: &Dataset<U, I>, options: &FitOptions) -> Result<Choice>
where
    B: Backend,
    U: Eq + Hash + Clone,
    I: Eq + Hash + Clone,
{
    let split = dataset.hold_out(SHARE, options.seed)?;
    let (train, held_out) = (split.train.matrix_to_fit()?, split.test.interactions());
    let shape = Shape::of(&train);
    let first = candidates_for(shape);
    let proposals = Proposals::search(shape, options.seed, &[], first).without_factors_ahead();
    let tune = TuneOptions::new()
        .trials(MOST_TRIALS)
        .seed(options.seed)
        .fit(options.clone());
    let mut tuner = match Tuner::with_proposals(backend, train, held_out, tune, proposals) {
        Err(Error::NothingToEvaluate { .. }) => {
            return Ok(Choice {
                config: FilterConfig::for_shape("bspm", dataset.interactions().shape())?,
                trials: Vec::new(),
            });
        }
        tuner => tuner?,
    };
    let mut seconds = shape.budget();
    while seconds > 0.0
        && let Some(trial) = tuner.advance()?
    {
        seconds -= shape.seconds(&trial.config, trial.users);
    }
    let trials: Vec<Trial> = tuner.leaderboard().into_iter().cloned().collect();
    let is_complete = |trial: &&Trial| trial.outcome == TrialOutcome::Complete;
    let complete = || trials.iter().filter(is_complete);
    let Some(best) = complete().next() else {
        return Err(tuner.first_error());
    };
    // A mix takes the time of both parts for each list.
    let is_mix = |trial: &Trial| matches!(trial.config, FilterConfig::Mix(_));
    let single = complete().find(|trial| !is_mix(trial));
    let single = single.filter(|single| best.value < WORTH_A_MIX * single.value);
    let config = single.unwrap_or(best).config.clone();
    Ok(Choice { config, trials })
}

/// Returns the NDCG@20 of the best of these configurations on held-out interactions.
///
/// # Errors
///
/// [`Error::NothingToEvaluate`]; [`Error::Cancelled`]; the error of the first trial if all fail.
pub(super) fn best_value<B: Backend>(
    backend: &B,
    train: Arc<Interactions>,
    held_out: &Interactions,
    configs: &[FilterConfig],
    options: &FitOptions,
) -> Result<f64> {
    let tune = TuneOptions::new()
        .trials(configs.len())
        .seed(options.seed)
        .candidates(configs.to_vec())
        .fit(options.clone());
    let mut tuner = Tuner::new(backend.clone(), train, held_out, tune)?;
    while tuner.advance()?.is_some() {}
    let best = tuner.best().map(|best| best.value);
    best.ok_or_else(|| tuner.first_error())
}

/// The weights of tags among which one is chosen.
const TAG_WEIGHTS: [f64; 5] = [0.1, 0.3, 1.0, 3.0, 10.0];

/// The share of the best NDCG that the chosen weight has at least.
const NEAR_THE_BEST: f64 = 0.98;

/// Chooses the weight of the tags of a data set ([`Dataset::with_tags`]) for a filter. Of 0.1, 0.3, 1, 3 and
/// 10 it is the largest whose NDCG@20 on the interactions that [`choose`] holds out is at most 2% below the
/// best one: items without interactions, which cannot be measured like this, gain from a large weight. If
/// nothing can be held out, it is the weight of the data set.
///
/// Cost: a fit and an evaluation of the filter for each weight.
///
/// # Errors
///
/// [`Error::Cancelled`]; [`Error::InvalidParameter`] without tags; the error of the first trial if all
/// fail.
pub fn choose_tag_weight<B, U, I>(
    backend: B,
    dataset: &Dataset<U, I>,
    config: &FilterConfig,
    options: &FitOptions,
) -> Result<f64>
where
    B: Backend,
    U: Eq + Hash + Clone,
    I: Eq + Hash + Clone,
{
    let Some(tags) = dataset.tags() else {
        let expected = "a data set with tags, whose weight is chosen";
        return Err(invalid("tag_weight", expected, "none"));
    };
    let split = dataset.hold_out(SHARE, options.seed)?;
    let own = f64::from(tags.weight());
    let mut values: Vec<(f64, f64)> = Vec::new();
    let mut failure = None;
    for weight in TAG_WEIGHTS {
        let train = split.train.with_tag_weight(weight)?.matrix_to_fit()?;
        let configs = slice::from_ref(config);
        match best_value(&backend, train, split.test.interactions(), configs, options) {
            Ok(value) => values.push((weight, value)),
            Err(Error::NothingToEvaluate { .. }) => return Ok(own),
            Err(error @ Error::Cancelled { .. }) => return Err(error),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    let best = values.iter().map(|it| it.1).fold(0.0, f64::max);
    if best == 0.0 && !values.is_empty() {
        return Ok(own);
    }
    let near = values.iter().filter(|it| it.1 >= NEAR_THE_BEST * best);
    match (near.map(|it| it.0).reduce(f64::max), failure) {
        (Some(weight), _) => Ok(weight),
        (None, Some(error)) => Err(error),
        (None, None) => Ok(own),
    }
}
