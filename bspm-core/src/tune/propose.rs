//! What to try next.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};

use super::trial::{Trial, TrialOutcome};
use crate::filters::TurboFilter;
use crate::filters::bspm::config::BspmConfig;
use crate::filters::preset::Preset;
use crate::filters::registry::{FilterConfig, Mix, SettingInfo};
use crate::filters::setting::Search;
use bspm_data::Interactions;
use bspm_data::Result;

/// What of a matrix decides which settings are worth a try.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    users: usize,
    items: usize,
    /// The sum over the users of the square of their degree: what an item graph costs.
    paths: f64,
    /// The most singular vectors that are tried.
    pub(super) most_factors: usize,
}

/// Never more singular vectors than this, nor than half the smaller side of the matrix.
const MOST_FACTORS: usize = 512;

/// Autoencoders take the cube of the items.
const MOST_ITEMS_OF_AN_INVERSE: usize = 6_000;

/// Item graphs with more than so many paths are not formed, and with more than some not
/// multiplied with themselves.
const MOST_PATHS: f64 = 3e9;
const MOST_PATHS_OF_POWERS: f64 = 1e7;

impl Shape {
    pub(super) fn of(interactions: &Interactions) -> Self {
        let degrees = interactions.user_degrees();
        let smaller = interactions.users().min(interactions.items());
        Self {
            users: interactions.users(),
            items: interactions.items(),
            paths: degrees.iter().map(|&it| f64::from(it).powi(2)).sum(),
            most_factors: (smaller / 2).clamp(1, MOST_FACTORS),
        }
    }

    pub(super) fn allows(&self, filter: &str) -> bool {
        match filter {
            "mix" | "neighbours" => false,
            "ease-r" | "ease-dan" => self.items <= MOST_ITEMS_OF_AN_INVERSE,
            "item-knn" | "rp3beta" | "turbo-cf" => self.paths <= MOST_PATHS,
            _ => true,
        }
    }

    /// Whether scoring takes far longer than with other settings.
    fn is_slow(&self, config: &FilterConfig) -> bool {
        match config {
            FilterConfig::TurboCf(settings) => {
                let is_power = settings.filter != TurboFilter::Linear;
                is_power && settings.power != 1.0 && self.paths > MOST_PATHS_OF_POWERS
            }
            FilterConfig::Mix(mix) => mix.parts.iter().any(|part| self.is_slow(&part.filter)),
            _ => false,
        }
    }

    /// Numbers of singular vectors that are tried, each half as large again as the one before.
    fn factors(&self) -> Vec<usize> {
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

/// The settings to try, one after the other.
#[derive(Debug)]
pub(super) struct Proposals {
    shape: Shape,
    seed: u64,
    /// What every search begins with.
    first: Vec<FilterConfig>,
    may_mix: bool,
    /// Whether nothing follows these but a mix of the best two.
    is_fixed: bool,
}

/// How often a proposal that was tried before is drawn anew.
const DRAWS: usize = 50;

impl Proposals {
    pub(super) fn new(shape: Shape, seed: u64, filters: &[String]) -> Result<Self> {
        let mut first: Vec<FilterConfig> = Vec::new();
        for name in filters {
            FilterConfig::published(name, Preset::Gowalla)?;
        }
        let is_asked = |name: &str| filters.is_empty() || filters.iter().any(|it| it == name);
        for &name in FilterConfig::NAMES {
            if !is_asked(name) || !shape.allows(name) {
                continue;
            }
            let mut starts: Vec<FilterConfig> = Vec::new();
            if name == "bspm" {
                starts.push(BspmConfig::for_shape(shape.users, shape.items).into());
            }
            for preset in Preset::ALL {
                starts.push(FilterConfig::published(name, preset)?);
            }
            for mut start in starts {
                reduce_factors(&mut start, shape.most_factors);
                if !first.contains(&start) {
                    first.push(start);
                }
            }
        }
        Ok(Self {
            shape,
            seed,
            first,
            may_mix: is_asked("mix"),
            is_fixed: false,
        })
    }

    /// These settings, then a mix of the best two, and no others.
    pub(super) fn fixed(shape: Shape, first: Vec<FilterConfig>) -> Self {
        Self {
            shape,
            seed: 0,
            first,
            may_mix: false,
            is_fixed: true,
        }
    }

    /// The most singular vectors of those that the search begins with.
    pub(super) fn most_factors(&self) -> usize {
        let factors = self.first.iter().filter_map(factor_dim);
        match self.is_fixed {
            true => factors.max().unwrap_or(1),
            false => self.shape.most_factors,
        }
    }

    /// What follows these trials; none where nothing new is found.
    pub(super) fn next(&self, trials: &[Trial]) -> Option<FilterConfig> {
        if let Some(config) = self.first.get(trials.len()) {
            return Some(config.clone());
        }
        if self.is_fixed {
            let is_last = trials.len() == self.first.len();
            return is_last.then(|| mix_of_best(trials)).flatten();
        }
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(trials.len() as u64 + 1);
        let ranked = ranked(trials);
        for _ in 0..DRAWS {
            let draw = self.draw(&ranked, trials.len(), &mut random);
            if let Some(config) = draw
                && config.check().is_ok()
                && !self.shape.is_slow(&config)
                && trials.iter().all(|trial| trial.config != config)
            {
                return Some(config);
            }
        }
        None
    }

    fn draw(
        &self,
        ranked: &[&Trial],
        count: usize,
        random: &mut ChaCha8Rng,
    ) -> Option<FilterConfig> {
        // The steps get shorter: a quarter of a range at first, a twentieth in the end.
        let step = (0.25 / (1.0 + count as f64 / 80.0)).max(0.05);
        let of_filters = best_of_filters(ranked);
        let choice = random.random_range(0.0..1.0);
        if choice < 0.15 {
            // Anything, of one of the better filters.
            let start = of_filters.get(skewed(of_filters.len(), random))?;
            return Some(self.changed(&start.config, 1.0, usize::MAX, random));
        }
        if self.may_mix && choice < 0.45 {
            let first = of_filters.get(skewed(of_filters.len(), random))?;
            let second = of_filters.get(skewed(of_filters.len(), random))?;
            return mixed(&first.config, &second.config, random);
        }
        let start = match choice < 0.85 {
            true => ranked.get(skewed(ranked.len().min(12), random))?,
            false => of_filters.get(skewed(of_filters.len(), random))?,
        };
        let most = random.random_range(1..=3);
        Some(self.changed(&start.config, step, most, random))
    }

    /// The settings with at most so many of them changed by a step, a share of their range.
    fn changed(
        &self,
        config: &FilterConfig,
        step: f64,
        most: usize,
        random: &mut ChaCha8Rng,
    ) -> FilterConfig {
        if let FilterConfig::Mix(mix) = config {
            let mut mix = mix.clone();
            let place = random.random_range(0..mix.parts.len());
            let part = &mut mix.parts[place];
            if random.random_bool(0.5) {
                let factor = (step * 4.0 * normal(random)).exp();
                part.share = rounded((part.share * factor).clamp(0.01, 1.0));
            } else {
                part.filter = self.changed(&part.filter, step, most, random);
            }
            return mix.into();
        }
        let mut settings: Vec<SettingInfo> = config.settings();
        settings.retain(|it| it.search != Search::Fixed && it.value.is_some());
        let mut changed = config.clone();
        for _ in 0..settings.len().min(most) {
            let setting = settings.swap_remove(random.random_range(0..settings.len()));
            if let Some(text) = self.value(&setting, step, random) {
                // What does not parse leaves the setting as it is.
                let mut next = changed.clone();
                if next.set(setting.name, &text).is_ok() {
                    changed = next;
                }
            }
        }
        changed
    }

    fn value(&self, setting: &SettingInfo, step: f64, random: &mut ChaCha8Rng) -> Option<String> {
        let now = setting.value.as_deref()?.parse::<f64>();
        let is_count = setting.value.as_deref()?.parse::<u64>().is_ok()
            && matches!(setting.search, Search::Log(least, _) if least >= 10.0);
        let is_far = step >= 1.0;
        let number = match setting.search {
            Search::Linear(least, most) => match (now, is_far) {
                (Ok(now), false) => now + step * (most - least) * normal(random),
                _ => random.random_range(least..most),
            }
            .clamp(least, most),
            Search::Log(least, most) => match (now, is_far) {
                (Ok(now), false) if now > 0.0 => {
                    now * (step * (most / least).ln() * normal(random)).exp()
                }
                _ => (random.random_range(least.ln()..most.ln())).exp(),
            }
            .clamp(least, most),
            Search::Factors => {
                let factors = self.shape.factors();
                let place = match (now, is_far) {
                    (Ok(now), false) => {
                        let place = factors.partition_point(|&it| (it as f64) < now) as f64;
                        let moved = place + (1.0 + 8.0 * step) * normal(random);
                        moved.round().clamp(0.0, factors.len() as f64 - 1.0) as usize
                    }
                    _ => random.random_range(0..factors.len()),
                };
                return Some(factors[place].to_string());
            }
            Search::Words(words) => {
                return Some(words[random.random_range(0..words.len())].into());
            }
            Search::Fixed => return None,
        };
        Some(match is_count {
            true => (number.round() as u64).to_string(),
            false => rounded(number).to_string(),
        })
    }
}

/// All trials that did not fail, best first.
fn ranked(trials: &[Trial]) -> Vec<&Trial> {
    let mut ranked: Vec<&Trial> = trials
        .iter()
        .filter(|trial| !matches!(trial.outcome, TrialOutcome::Failed(_)))
        .collect();
    ranked.sort_by(|left, right| right.estimate.total_cmp(&left.estimate));
    ranked
}

/// The best trial of each filter that is no mix, best first.
fn best_of_filters<'t>(ranked: &[&'t Trial]) -> Vec<&'t Trial> {
    let mut best: Vec<&Trial> = Vec::new();
    for trial in ranked {
        let name = trial.config.name();
        if name != "mix" && best.iter().all(|it| it.config.name() != name) {
            best.push(trial);
        }
    }
    best
}

/// How near the second filter must come to the best for a mix of them to be tried: what is further
/// behind takes from a mix more than it gives.
const NEAR: f64 = 0.97;

/// The best trial mixed with the best of another filter, if that is near.
fn mix_of_best(trials: &[Trial]) -> Option<FilterConfig> {
    let best = best_of_filters(&ranked(trials));
    let [first, second, ..] = best.as_slice() else {
        return None;
    };
    let is_near = second.estimate >= NEAR * first.estimate;
    is_near.then(|| mix(&first.config, &second.config, 0.5))
}

/// A mix of two different filters.
fn mixed(
    first: &FilterConfig,
    second: &FilterConfig,
    random: &mut ChaCha8Rng,
) -> Option<FilterConfig> {
    if first.name() == second.name() {
        return None;
    }
    let share = rounded(random.random_range(0.1..0.9));
    Some(mix(first, second, share))
}

/// A mix of which the first filter has this share.
fn mix(first: &FilterConfig, second: &FilterConfig, share: f64) -> FilterConfig {
    let part = |share: f64, filter: &FilterConfig| (rounded(share), filter.clone());
    Mix::new([part(share, first), part(1.0 - share, second)]).into()
}

/// How many singular vectors it uses, if it does.
fn factor_dim(config: &FilterConfig) -> Option<usize> {
    let mut settings = config.settings().into_iter();
    let setting = settings.find(|it| it.name == "factor_dim")?;
    setting.value?.parse().ok()
}

pub(super) fn reduce_factors(config: &mut FilterConfig, most: usize) {
    if factor_dim(config).is_some_and(|found| found > most) {
        // A number that is smaller than one that was allowed is.
        let _ = config.set("factor_dim", &most.to_string());
    }
}

/// A place below `count`; the first ones are more likely. 0 for none.
fn skewed(count: usize, random: &mut impl Rng) -> usize {
    let share: f64 = random.random_range(0.0..1.0);
    ((share.powi(2) * count as f64) as usize).min(count.saturating_sub(1))
}

/// Nearly normal, with mean 0 and variance 1.
fn normal(random: &mut impl Rng) -> f64 {
    (0..12).map(|_| random.random_range(0.0..1.0)).sum::<f64>() - 6.0
}

/// To three digits.
fn rounded(number: f64) -> f64 {
    if number == 0.0 {
        return 0.0;
    }
    let unit = 10_f64.powf(number.abs().log10().floor() - 2.0);
    let text = format!("{:.*}", 12, (number / unit).round() * unit);
    text.parse().unwrap_or(number)
}
