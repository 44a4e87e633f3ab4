//! Which settings are worth a try for data of some shape.

use crate::filters::registry::FilterConfig;
use crate::filters::{EaseDan, EaseR, TurboFilter};
use bspm_data::Interactions;

/// What of a matrix decides which settings are worth a try.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) users: usize,
    pub(super) items: usize,
    interactions: usize,
    /// The sum over the users of the square of their degree: what an item graph costs.
    paths: f64,
    /// The most singular vectors that are tried.
    pub(super) most_factors: usize,
}

/// Never more singular vectors than this, nor than half the smaller side of the matrix.
const MOST_FACTORS: usize = 512;

const INTERACTIONS_PER_FACTOR: usize = 1_000;
const LEAST_FACTORS: usize = 16;

/// Autoencoders take the cube of the items.
const MOST_ITEMS_OF_AN_INVERSE: usize = 6_000;

/// How many neighbours autoencoders have if there are more items.
const NEIGHBOURS: usize = 100;

/// The most paths of an item graph that is formed, and of one that is multiplied with itself.
const MOST_PATHS: f64 = 3e9;
const MOST_PATHS_OF_POWERS: f64 = 1e7;

/// Seconds for a path of an item graph, for a pair of items of a dense autoencoder and each third, for
/// a pair of neighbours of an item, and for an interaction and each user or singular vector.
const SECONDS_PER_PATH: f64 = 2e-8;
const SECONDS_PER_INVERTED: f64 = 2e-11;
const SECONDS_PER_SOLVED: f64 = 2e-8;
const SECONDS_PER_WALK: f64 = 4e-10;
const SECONDS_PER_FACTOR: f64 = 1e-8;

const BUDGET: f64 = 16.0;
const MOST_BUDGET: f64 = 120.0;

impl Shape {
    pub(super) fn of(interactions: &Interactions) -> Self {
        let degrees = interactions.user_degrees();
        let smaller = interactions.users().min(interactions.items());
        Self {
            users: interactions.users(),
            items: interactions.items(),
            interactions: interactions.len(),
            paths: degrees.iter().map(|&it| f64::from(it).powi(2)).sum(),
            most_factors: (smaller / 2).clamp(1, MOST_FACTORS),
        }
    }

    /// With at most one singular vector for each [`INTERACTIONS_PER_FACTOR`] interactions: more of them
    /// take much of the time of a short search, and are the best on large data only.
    pub(super) fn with_few_factors(mut self) -> Self {
        let most = (self.interactions / INTERACTIONS_PER_FACTOR).max(LEAST_FACTORS);
        self.most_factors = self.most_factors.min(most);
        self
    }

    /// Whether fitting and scoring take a time that a search can spend on one trial.
    pub(super) fn allows(&self, config: &FilterConfig) -> bool {
        let has_few_paths = self.paths <= MOST_PATHS;
        match config {
            FilterConfig::Neighbours(_) => false,
            FilterConfig::Mix(mix) => mix.parts.iter().all(|part| self.allows(&part.filter)),
            FilterConfig::EaseR(EaseR { neighbours: 0, .. })
            | FilterConfig::EaseDan(EaseDan { neighbours: 0, .. }) => {
                self.items <= MOST_ITEMS_OF_AN_INVERSE
            }
            FilterConfig::TurboCf(settings) => {
                let is_power = settings.filter != TurboFilter::Linear;
                let is_slow = is_power && settings.power != 1.0;
                has_few_paths && !(is_slow && self.paths > MOST_PATHS_OF_POWERS)
            }
            FilterConfig::EaseR(_)
            | FilterConfig::EaseDan(_)
            | FilterConfig::ItemKnn(_)
            | FilterConfig::Rp3Beta(_) => has_few_paths,
            _ => true,
        }
    }

    /// The settings with no more singular vectors than are tried, and with autoencoders of some
    /// neighbours if there are too many items for dense ones. None if they still take too long for one
    /// trial.
    pub(super) fn adapt(&self, mut config: FilterConfig) -> Option<FilterConfig> {
        match &mut config {
            FilterConfig::EaseR(EaseR { neighbours, .. })
            | FilterConfig::EaseDan(EaseDan { neighbours, .. })
                if *neighbours == 0 && self.items > MOST_ITEMS_OF_AN_INVERSE =>
            {
                *neighbours = NEIGHBOURS;
            }
            config => {
                if factor_dim(config).is_some_and(|found| found > self.most_factors) {
                    // A number that is smaller than one that was allowed is.
                    let _ = config.set("factor_dim", &self.most_factors.to_string());
                }
            }
        }
        self.allows(&config).then_some(config)
    }

    /// An estimate of the seconds that a trial takes on two cores if it is evaluated on `users` users.
    /// It depends on the shape alone, so that what is tried does not depend on the machine.
    pub(super) fn seconds(&self, config: &FilterConfig, users: usize) -> f64 {
        let [users, items, interactions] =
            [users, self.items, self.interactions].map(|count| count as f64);
        let formed = self.paths * SECONDS_PER_PATH;
        match config {
            FilterConfig::Mix(mix) => {
                let parts = mix.parts.iter();
                parts
                    .map(|part| self.seconds(&part.filter, users as usize))
                    .sum()
            }
            FilterConfig::EaseR(EaseR { neighbours, .. })
            | FilterConfig::EaseDan(EaseDan { neighbours, .. }) => match *neighbours {
                0 => items.powi(3) * SECONDS_PER_INVERTED,
                neighbours => formed + items * (neighbours as f64).powi(2) * SECONDS_PER_SOLVED,
            },
            FilterConfig::ItemKnn(_) | FilterConfig::Rp3Beta(_) | FilterConfig::TurboCf(_) => {
                formed
            }
            _ => {
                let factors = factor_dim(config).unwrap_or(0) as f64;
                users * interactions * SECONDS_PER_WALK
                    + factors * interactions * SECONDS_PER_FACTOR
            }
        }
    }

    /// For how many of these seconds a filter is chosen.
    pub(super) fn budget(&self) -> f64 {
        let size = self.interactions as f64 / 3e5;
        (BUDGET * size.powi(2)).clamp(BUDGET, MOST_BUDGET)
    }

    /// Numbers of singular vectors that are tried, each half as large again as the one before.
    pub(super) fn factors(&self) -> Vec<usize> {
        let mut factors = vec![self.most_factors];
        while let Some(&last) = factors.last()
            && last > 4
        {
            factors.push((last * 2).div_ceil(3));
        }
        factors.reverse();
        factors
    }
}

/// How many singular vectors it uses, if it does.
pub(super) fn factor_dim(config: &FilterConfig) -> Option<usize> {
    let mut settings = config.settings().into_iter();
    let setting = settings.find(|it| it.name == "factor_dim")?;
    setting.value?.parse().ok()
}
