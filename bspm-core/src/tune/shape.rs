//! Selects the settings that are feasible for a matrix of some shape.

use crate::filters::registry::FilterConfig;
use crate::filters::{EaseDan, EaseR, TurboFilter};
use bspm_data::Interactions;

/// The properties of a matrix that determine the cost of settings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) users: usize,
    pub(super) items: usize,
    interactions: usize,
    /// The sum over the users of the square of their degree, which is the cost of an item graph.
    paths: f64,
    /// The maximum number of singular vectors that is tried.
    pub(super) most_factors: usize,
    /// The number of neighbours of autoencoders if there are too many items for dense ones.
    neighbours: usize,
}

/// The maximum number of singular vectors; it is also limited to half the smaller side of the matrix.
const MOST_FACTORS: usize = 512;

const INTERACTIONS_PER_FACTOR: usize = 1_000;
const LEAST_FACTORS: usize = 16;

/// The maximum number of items of a dense autoencoder, whose cost is the cube of the number of items.
const MOST_ITEMS_OF_AN_INVERSE: usize = 6_000;

/// The number of neighbours of autoencoders if there are more items, and in a short search.
const NEIGHBOURS: usize = 100;
const NEIGHBOURS_IF_SHORT: usize = 50;

/// The maximum number of paths of an item graph that is formed, and of one that is multiplied with itself.
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
            neighbours: NEIGHBOURS,
        }
    }

    /// Uses fewer neighbours, for a short search.
    pub(super) fn with_few_neighbours(self) -> Self {
        Self {
            neighbours: NEIGHBOURS_IF_SHORT,
            ..self
        }
    }

    /// Limits the singular vectors to one per [`INTERACTIONS_PER_FACTOR`] interactions: more take much of the
    /// time of a short search, and are only better on large data.
    pub(super) fn with_few_factors(mut self) -> Self {
        let most = (self.interactions / INTERACTIONS_PER_FACTOR).max(LEAST_FACTORS);
        self.most_factors = self.most_factors.min(most);
        self
    }

    /// Whether the time of fitting and scoring is acceptable for one trial of a search.
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

    /// Limits the number of singular vectors, and uses autoencoders with neighbours if there are too many items
    /// for dense ones. Returns `None` if a trial would still take too long.
    pub(super) fn adapt(&self, mut config: FilterConfig) -> Option<FilterConfig> {
        match &mut config {
            FilterConfig::EaseR(EaseR { neighbours, .. })
            | FilterConfig::EaseDan(EaseDan { neighbours, .. })
                if *neighbours == 0 && self.items > MOST_ITEMS_OF_AN_INVERSE =>
            {
                *neighbours = self.neighbours;
            }
            config => {
                if factor_dim(config).is_some_and(|found| found > self.most_factors) {
                    // A smaller number than a valid one is valid.
                    let _ = config.set("factor_dim", &self.most_factors.to_string());
                }
            }
        }
        self.allows(&config).then_some(config)
    }

    /// Estimates the seconds of a trial on two cores that is evaluated on `users` users. The estimate depends only
    /// on the shape, so that the trials do not depend on the machine.
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

    /// The budget of [`choose`](super::choose) in these seconds.
    pub(super) fn budget(&self) -> f64 {
        let size = self.interactions as f64 / 3e5;
        (BUDGET * size.powi(2)).clamp(BUDGET, MOST_BUDGET)
    }

    /// The numbers of singular vectors that are tried, each 1.5 times the previous one.
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

/// Returns the number of singular vectors of a filter, if it uses them.
pub(super) fn factor_dim(config: &FilterConfig) -> Option<usize> {
    let mut settings = config.settings().into_iter();
    let setting = settings.find(|it| it.name == "factor_dim")?;
    setting.value?.parse().ok()
}
