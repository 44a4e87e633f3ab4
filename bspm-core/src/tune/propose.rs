//! Proposals of settings to try.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};

use super::shape::{Shape, factor_dim};
use super::{MOST_USERS, MOST_USERS_IF_SHORT};
use crate::filters::preset::Preset;
use crate::filters::registry::{FilterConfig, Mix, MixPart, SettingInfo};
use crate::filters::setting::{Search, SettingKind};
use crate::fitted::trial::{Trial, TrialOutcome};
use bspm_data::Result;
use bspm_data::parameter::invalid;

/// The sequence of settings to try: given ones, mixes of the best of them, and then random settings and
/// changes of the best ones.
#[derive(Debug)]
pub(super) struct Proposals {
    shape: Shape,
    seed: u64,
    first: Vec<FilterConfig>,
    may_mix: bool,
    /// Whether only the given settings are tried.
    is_fixed: bool,
    /// The minimum number of singular vectors that are computed, so that later settings share them.
    pub(super) factors_ahead: usize,
    /// The maximum number of users that a setting is evaluated on.
    pub(super) most_users: usize,
    /// The minimum ratio of the result of a filter to the best one for a mix of them to be tried.
    near: f64,
}

/// The number of draws to find a proposal that was not tried before.
const DRAWS: usize = 50;

impl Proposals {
    /// Proposes these settings, mixes, and a search of all filters, or of the named ones.
    pub(super) fn search(
        shape: Shape,
        seed: u64,
        filters: &[String],
        first: Vec<FilterConfig>,
    ) -> Self {
        Self {
            shape,
            seed,
            first,
            may_mix: is_asked(filters, "mix"),
            is_fixed: false,
            factors_ahead: shape.most_factors,
            most_users: MOST_USERS,
            near: NEAR,
        }
    }

    /// Proposes only these settings.
    pub(super) fn fixed(shape: Shape, first: Vec<FilterConfig>) -> Self {
        Self {
            shape,
            seed: 0,
            factors_ahead: first.iter().filter_map(factor_dim).max().unwrap_or(1),
            most_users: MOST_USERS,
            near: NEAR,
            first,
            may_mix: false,
            is_fixed: true,
        }
    }

    /// Computes only as many singular vectors as each setting needs.
    pub(super) fn without_factors_ahead(self) -> Self {
        Self {
            factors_ahead: 1,
            ..self
        }
    }

    /// Evaluates each setting on fewer users, and also mixes filters that are worse, since a short search
    /// has settings that favour speed.
    pub(super) fn for_short_search(self) -> Self {
        Self {
            most_users: MOST_USERS_IF_SHORT,
            near: NEAR_IF_SHORT,
            ..self.without_factors_ahead()
        }
    }

    /// Returns the proposal after these trials; `None` if there is nothing new.
    pub(super) fn next(&self, trials: &[Trial]) -> Option<FilterConfig> {
        if let Some(config) = self.first.get(trials.len()) {
            return Some(config.clone());
        }
        if self.is_fixed {
            return None;
        }
        let is_new = |config: &FilterConfig| trials.iter().all(|trial| trial.config != *config);
        if self.may_mix
            && let Some(mix) = mixes(&trials[..self.first.len()], trials, self.near).find(is_new)
        {
            return Some(mix);
        }
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(trials.len() as u64 + 1);
        let ranked = ranked(trials);
        for _ in 0..DRAWS {
            let draw = self.draw(&ranked, trials.len(), &mut random);
            if let Some(config) = draw
                && config.check().is_ok()
                && self.shape.allows(&config)
                && is_new(&config)
            {
                return Some(config);
            }
        }
        None
    }

    /// Returns the filters that the next mixes are likely to contain.
    pub(super) fn parts<'t>(&self, trials: &'t [Trial]) -> Vec<&'t FilterConfig> {
        if !self.may_mix {
            return Vec::new();
        }
        let singles = worth_mixing(trials, self.near).into_iter();
        let best_mix = ranked(trials)
            .into_iter()
            .find_map(|trial| match &trial.config {
                FilterConfig::Mix(mix) => Some(&mix.parts),
                _ => None,
            });
        let mixed = best_mix.into_iter().flatten().map(|part| &part.filter);
        singles.map(|trial| &trial.config).chain(mixed).collect()
    }

    fn draw(
        &self,
        ranked: &[&Trial],
        count: usize,
        random: &mut ChaCha8Rng,
    ) -> Option<FilterConfig> {
        // Decreasing step size: from a quarter of a range to a twentieth.
        let step = (0.25 / (1.0 + count as f64 / 80.0)).max(0.05);
        let of_filters = best_of_filters(ranked);
        let choice = random.random_range(0.0..1.0);
        if choice < 0.15 {
            // Random settings of one of the better filters.
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

    /// Changes at most this number of settings by a step, which is relative to their range.
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
                // If the value is invalid, the setting is not changed.
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
        let is_count = setting.kind == SettingKind::Count;
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

/// Whether a filter is searched; an empty list means all filters.
pub(super) fn is_asked(filters: &[String], name: &str) -> bool {
    filters.is_empty() || filters.iter().any(|it| it == name)
}

/// Checks the names of the filters that are searched.
pub(super) fn check_filters(names: &[String]) -> Result<()> {
    for name in names {
        FilterConfig::published(name, Preset::Gowalla)?;
        if name == "neighbours" {
            let expected = "filters that are fitted to interactions";
            return Err(invalid("filters", expected, name));
        }
    }
    match !names.is_empty() && names.iter().all(|name| name == "mix") {
        true => Err(invalid("filters", "the filters to mix beside mix", "mix")),
        false => Ok(()),
    }
}

/// Returns the published settings of the filters.
pub(super) fn published(shape: Shape, filters: &[String]) -> Result<Vec<FilterConfig>> {
    let mut published: Vec<FilterConfig> = Vec::new();
    for &name in FilterConfig::NAMES {
        if !is_asked(filters, name) || name == "mix" {
            continue;
        }
        let mut starts = vec![FilterConfig::for_shape(name, (shape.users, shape.items))?];
        for preset in Preset::ALL {
            starts.push(FilterConfig::published(name, preset)?);
        }
        for start in starts {
            if let Some(start) = shape.adapt(start)
                && !published.contains(&start)
            {
                published.push(start);
            }
        }
    }
    Ok(published)
}

/// Returns all trials that did not fail, best first.
fn ranked(trials: &[Trial]) -> Vec<&Trial> {
    let mut ranked: Vec<&Trial> = trials
        .iter()
        .filter(|trial| !matches!(trial.outcome, TrialOutcome::Failed(_)))
        .collect();
    ranked.sort_by(|left, right| right.estimate.total_cmp(&left.estimate));
    ranked
}

/// Returns the best trial of each filter except mixes, best first.
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

/// The minimum ratio of the result of a filter to the best one for a mix of them to be tried, and that of a
/// short search; a worse filter makes the mix worse.
const NEAR: f64 = 0.9;
const NEAR_IF_SHORT: f64 = 0.85;

/// Returns the best trials of the best three filters that have at least this ratio to the best one.
fn worth_mixing(trials: &[Trial], near: f64) -> Vec<&Trial> {
    let mut best = best_of_filters(&ranked(trials));
    best.truncate(3);
    if let Some(first) = best.first().copied() {
        best.retain(|trial| trial.estimate >= near * first.estimate);
    }
    best
}

/// Returns mixes of pairs of the best three filters, and the best mix with other shares.
fn mixes<'t>(
    singles: &'t [Trial],
    trials: &'t [Trial],
    near: f64,
) -> impl Iterator<Item = FilterConfig> + 't {
    let best = worth_mixing(singles, near);
    let pairs = [(0, 1), (0, 2), (1, 2)].into_iter();
    let halves = pairs.filter_map(move |(first, second)| {
        Some(mix(
            &best.get(first)?.config,
            &best.get(second)?.config,
            0.5,
        ))
    });
    let of_two = |trial: &&'t Trial| match &trial.config {
        FilterConfig::Mix(mix) => <&[MixPart; 2]>::try_from(mix.parts.as_slice()).ok(),
        _ => None,
    };
    let best_mix = ranked(trials).into_iter().find_map(|trial| of_two(&trial));
    let uneven = best_mix.into_iter().flat_map(|[first, second]| {
        [0.7, 0.3].map(|share| mix(&first.filter, &second.filter, share))
    });
    halves.chain(uneven)
}

/// Returns a mix of two different filters.
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

/// Returns a mix in which the first filter has this share.
fn mix(first: &FilterConfig, second: &FilterConfig, share: f64) -> FilterConfig {
    let part = |share: f64, filter: &FilterConfig| (rounded(share), filter.clone());
    Mix::new([part(share, first), part(1.0 - share, second)]).into()
}

/// Returns a random index below `count`; lower ones are more likely. 0 if `count` is 0.
fn skewed(count: usize, random: &mut impl Rng) -> usize {
    let share: f64 = random.random_range(0.0..1.0);
    ((share.powi(2) * count as f64) as usize).min(count.saturating_sub(1))
}

/// Returns a random number that is nearly normal, with mean 0 and variance 1.
fn normal(random: &mut impl Rng) -> f64 {
    (0..12).map(|_| random.random_range(0.0..1.0)).sum::<f64>() - 6.0
}

/// Rounds to three significant digits.
fn rounded(number: f64) -> f64 {
    if number == 0.0 {
        return 0.0;
    }
    let unit = 10_f64.powf(number.abs().log10().floor() - 2.0);
    let text = format!("{:.*}", 12, (number / unit).round() * unit);
    text.parse().unwrap_or(number)
}
