//! The filter for some data, chosen among a few settings without a search.

use std::hash::Hash;

use serde::{Deserialize, Serialize};

use super::propose::{Shape, reduce_factors};
use super::{Trial, TuneOptions, Tuner};
use crate::backend::Backend;
use crate::data::dataset::Dataset;
use crate::data::interactions::Interactions;
use crate::engine::fit_options::FitOptions;
use crate::error::{Error, Result};
use crate::filters::bspm::config::BspmConfig;
use crate::filters::preset::Preset;
use crate::filters::registry::FilterConfig;

/// The share of each user's interactions that is held out to choose by.
const SHARE: f64 = 0.2;

/// Filters, and settings in which they differ from those published. Each was the best on held-out
/// interactions of some data set, beside BSPM for the shape of the data.
const CANDIDATES: [(&str, &[(&str, &str)]); 8] = [
    ("family", &[("offset", "10"), ("factor_dim", "64")]),
    (
        "family",
        &[("offset", "10"), ("factor_dim", "64"), ("share", "0.5")],
    ),
    ("family", &[("offset", "10")]),
    (
        "sgfcf",
        &[
            ("offset", "20"),
            ("factor_dim", "64"),
            ("beta", "1.84"),
            ("epsilon", "0.53"),
            ("gamma", "0.5"),
        ],
    ),
    (
        "ease-dan",
        &[("lambda", "1"), ("alpha", "0.7"), ("beta", "0.5")],
    ),
    ("turbo-cf", &[]),
    ("rp3beta", &[]),
    ("item-knn", &[]),
];

/// A filter that was chosen for some data, and what it was compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Choice {
    /// The filter and its settings.
    pub config: FilterConfig,
    /// What was tried, best first; none if the data were too few to compare by.
    pub trials: Vec<Trial>,
}

/// Chooses a filter and its settings for the data, among those of [`candidates`]: the one with the
/// best NDCG@20 on a fifth of each user's interactions, which is held out (the latest if there are
/// times, else some at random).
///
/// A candidate is evaluated on 600 users first, then 3,000, then up to 10,000, and is given up as
/// soon as it is behind the best. The choice depends on the data alone: not on the number of
/// threads, and not on the speed of the machine. If no user has two interactions, it is
/// [`BspmConfig::for_shape`]. [`Tuner`] searches further.
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
    let (train, held_out) = (split.train.interactions(), split.test.interactions());
    let tune = TuneOptions::new()
        .candidates(candidates(train))
        .seed(options.seed)
        .fit(options.clone());
    let mut tuner = match Tuner::new(backend, train.clone(), held_out, tune) {
        Err(Error::NothingToEvaluate { .. }) => {
            let (users, items) = dataset.interactions().shape();
            return Ok(Choice {
                config: BspmConfig::for_shape(users, items).into(),
                trials: Vec::new(),
            });
        }
        tuner => tuner?,
    };
    while tuner.advance()?.is_some() {}
    let trials: Vec<Trial> = tuner.leaderboard().into_iter().cloned().collect();
    match tuner.best() {
        Some(best) => Ok(Choice {
            config: best.config.clone(),
            trials,
        }),
        None => Err(tuner.first_error()),
    }
}

/// What [`choose`] tries for such interactions: filters that were the best on held-out
/// interactions of one data set or another, without those that cost too much for this one.
pub fn candidates(interactions: &Interactions) -> Vec<FilterConfig> {
    let shape = Shape::of(interactions);
    let (users, items) = interactions.shape();
    let mut candidates = vec![BspmConfig::for_shape(users, items).into()];
    for (name, changes) in CANDIDATES {
        let Ok(mut config) = FilterConfig::published(name, Preset::Gowalla) else {
            continue;
        };
        let is_valid = changes
            .iter()
            .all(|(name, value)| config.set(name, value).is_ok());
        reduce_factors(&mut config, shape.most_factors);
        if is_valid && shape.allows(config.name()) && !candidates.contains(&config) {
            candidates.push(config);
        }
    }
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_candidates_are_settings_that_exist() {
        let interactions = Interactions::from_pairs(2_000, 2_000, [(0, 0), (1, 1)]).unwrap();
        let candidates = candidates(&interactions);
        assert_eq!(candidates.len(), CANDIDATES.len() + 1);
        for config in candidates {
            config.check().unwrap();
        }
    }
}
