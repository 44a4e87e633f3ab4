//! Chooses how the interactions of a data set are weighted.

use std::hash::Hash;

use super::choose::{SHARE, best_value};
use super::portfolio::candidates;
use crate::backend::Backend;
use crate::engine::fit_options::FitOptions;
use crate::filters::registry::FilterConfig;
use bspm_data::{Dataset, Interactions};
use bspm_data::{Error, Result, WeightScale, Weighting};

/// The factor by which another weighting must be better than unchanged weights.
const WORTH_A_CHANGE: f64 = 1.01;

/// The largest number of distinct weights that are ratings, among which a threshold is tried.
const MOST_RATINGS: usize = 10;

/// The half-lives that are tried, as shares of the time from the first to the last interaction.
const HALF_LIVES: [f64; 4] = [1.0, 0.5, 0.25, 0.125];

/// The chosen weighting, and the NDCG of the others.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct WeightingChoice {
    /// The chosen weighting, for [`Dataset::reweighted`].
    pub weighting: Weighting,
    /// All weightings that were compared, with the NDCG@20 of their best filter on held-out
    /// interactions; empty if there was nothing to compare.
    pub trials: Vec<(Weighting, f64)>,
}

/// Chooses how the interactions of a data set are weighted, by the NDCG@20 on the interactions that
/// [`choose`](super::choose) holds out. The weights stay unchanged unless another weighting is better by
/// one percent. These are compared:
///
/// 1. if there are weights without a [scale](Dataset::weight_scale): their logarithms, equal weights, and
///    thresholds if there are at most ten distinct weights, as with ratings;
/// 2. if there are times, and the weights do not [decay](Dataset::decay) already: half-lives of 1, 1/2, 1/4 and 1/8 of the time from the first to the last
///    interaction, until a shorter one is worse.
///
/// Each weighting is evaluated with the first candidate of each of two filters.
///
/// Cost: two fits and evaluations for each weighting; none without weights and times.
///
/// # Errors
///
/// [`Error::Cancelled`]; the error of the first trial if all fail.
///
/// # Examples
///
/// ```
/// use bspm_core::data::Event;
/// use bspm_core::tune::choose_weighting;
/// use bspm_core::{Dataset, FitOptions};
/// # use bspm_cpu::CpuBackend;
///
/// # let mut builder = Dataset::builder();
/// # for user in 0..40_u32 {
/// #     for step in 0..6 {
/// #         let event = Event::new(user, (user / 4 + step * step) % 20);
/// #         builder.push(event.weight(f64::from(step + 1)))?;
/// #     }
/// # }
/// let plays: Dataset<u32, u32> = builder.finish()?;
/// let choice = choose_weighting(CpuBackend::new(), &plays, &FitOptions::new())?;
/// let plays = plays.reweighted(&choice.weighting)?;
/// assert!(choice.trials.len() > 3);
/// # Ok::<(), bspm_core::Error>(())
/// ```
pub fn choose_weighting<B, U, I>(
    backend: B,
    dataset: &Dataset<U, I>,
    options: &FitOptions,
) -> Result<WeightingChoice>
where
    B: Backend,
    U: Eq + Hash + Clone,
    I: Eq + Hash + Clone,
{
    let none = WeightingChoice {
        weighting: Weighting::new(),
        trials: Vec::new(),
    };
    if dataset.decay().is_some() {
        return Ok(none);
    }
    let scales = match dataset.weight_scale() {
        Some(_) => Vec::new(),
        None => scales(dataset.interactions()),
    };
    let half_lives = half_lives(dataset.times());
    if scales.is_empty() && half_lives.is_empty() {
        return Ok(none);
    }
    let split = dataset.hold_out(SHARE, options.seed)?;
    let held_out = split.test.interactions();
    let train = split.train.matrix_to_fit()?;
    let probes = probes(&train);
    let value_of = |weighting: &Weighting| -> Result<f64> {
        let train = split.train.reweighted(weighting)?.matrix_to_fit()?;
        best_value(&backend, train, held_out, &probes, options)
    };
    let mut choice = none;
    let first = match value_of(&choice.weighting) {
        Err(Error::NothingToEvaluate { .. }) => return Ok(choice),
        value => value?,
    };
    choice.trials.push((choice.weighting, first));
    let mut best = first;
    for scale in scales {
        let weighting = Weighting::new().scale(scale);
        let value = value_of(&weighting)?;
        choice.trials.push((weighting, value));
        if value > best.max(WORTH_A_CHANGE * first) {
            (choice.weighting, best) = (weighting, value);
        }
    }
    let (scaled, first) = (choice.weighting, best);
    let mut last = first;
    for half_life in half_lives {
        let weighting = scaled.half_life(half_life);
        let value = value_of(&weighting)?;
        choice.trials.push((weighting, value));
        if value > best.max(WORTH_A_CHANGE * first) {
            (choice.weighting, best) = (weighting, value);
        }
        if value < last {
            break;
        }
        last = value;
    }
    Ok(choice)
}

/// The scales to compare with unchanged weights.
fn scales(interactions: &Interactions) -> Vec<WeightScale> {
    let Some(weights) = interactions.weights() else {
        return Vec::new();
    };
    let mut distinct: Vec<f32> = Vec::new();
    for &weight in weights {
        if distinct.len() <= MOST_RATINGS && !distinct.contains(&weight) {
            distinct.push(weight);
        }
    }
    let least = weights.iter().copied().fold(f32::MAX, f32::min);
    let mut thresholds = vec![least];
    if distinct.len() <= MOST_RATINGS {
        distinct.retain(|&weight| weight > least);
        distinct.sort_unstable_by(f32::total_cmp);
        thresholds.extend(distinct);
    }
    let thresholds = thresholds.into_iter();
    let thresholds = thresholds.map(|least| WeightScale::Threshold(f64::from(least)));
    [WeightScale::Log].into_iter().chain(thresholds).collect()
}

/// The half-lives to compare with no decay.
fn half_lives(times: Option<&[f64]>) -> Vec<f64> {
    let times = times.unwrap_or_default().iter().copied();
    let first = times.clone().fold(f64::MAX, f64::min);
    let span = times.fold(f64::MIN, f64::max) - first;
    match span > 0.0 && span.is_finite() {
        true => HALF_LIVES.map(|share| share * span).to_vec(),
        false => Vec::new(),
    }
}

/// The first candidate of each of two filters.
fn probes(train: &Interactions) -> Vec<FilterConfig> {
    let mut probes: Vec<FilterConfig> = Vec::new();
    for config in candidates(train) {
        if probes.len() < 2 && probes.iter().all(|probe| probe.name() != config.name()) {
            probes.push(config);
        }
    }
    probes
}
