//! Whether all numbers of a fitted filter are finite, and which setting or weight is to be changed
//! if they are not.

use std::ops::RangeInclusive;

use crate::backend::{Backend, Checked, Operand, Shaped, Update};
use crate::engine::filter::Filter;
use crate::engine::tensors::Tensor;
use crate::engine::workspace::TileHistories;
use crate::filters::Search;
use crate::filters::registry::FilterConfig;
use bspm_data::History;
use bspm_data::Interactions;
use bspm_data::parameter::{invalid, plain};
use bspm_data::{Error, Result};

/// The weights for which every filter with settings that a search tries is known to be finite.
pub(super) const SENSIBLE_WEIGHTS: RangeInclusive<f64> = 1e-3..=1e3;

/// By what factor settings or weights are so far outside that scores vanish.
const FAR: f64 = 1e6;

/// Users whose scores are looked at: those whose weights are largest and smallest in sum, and
/// others, evenly spaced.
const SAMPLE: usize = 32;

/// [`Error::InvalidParameter`] unless what a model file keeps of the filter is finite, and so are
/// the scores of some users; or if none of those is above 0, and settings or weights are so far
/// from what is sensible that this is no property of the data.
///
/// Cost: a pass over the filter's matrices, and that of scoring a tile.
pub(super) fn check<B: Backend>(
    backend: Checked<'_, B>,
    interactions: &Interactions,
    config: &FilterConfig,
    filter: &dyn Filter<B>,
) -> Result<()> {
    let are_finite =
        tensors_are_finite(backend, filter)? && is_finite(backend, filter.item_scale())?;
    let scores = match are_finite {
        true => scores(backend, interactions, filter)?,
        false => Scores::NotFinite,
    };
    match scores {
        Scores::Finite => Ok(()),
        Scores::NonePositive => culprit(config, interactions, FAR).map_or(Ok(()), Err),
        Scores::NotFinite => Err(culprit(config, interactions, 1.0).unwrap_or_else(|| {
            let expected = "settings and weights for which all scores are finite";
            invalid("filter", expected, config.name())
        })),
    }
}

/// What the scores of some users are.
enum Scores {
    Finite,
    NonePositive,
    /// Some of them.
    NotFinite,
}

/// The error of a fit, or the setting or weight that is to be changed if the backend failed for
/// numbers that have no inverse.
pub(super) fn explained(error: Error, config: &FilterConfig, interactions: &Interactions) -> Error {
    match error {
        Error::Backend {
            operation: "invert_positive_definite",
            ..
        } => culprit(config, interactions, 1.0).unwrap_or(error),
        other => other,
    }
}

fn tensors_are_finite<B: Backend>(backend: Checked<'_, B>, filter: &dyn Filter<B>) -> Result<bool> {
    for (_, tensor) in filter.tensors() {
        let is_finite = match tensor {
            Tensor::Matrix(matrix) => is_finite(backend, matrix)?,
            Tensor::Floats(values) => values.iter().all(|it| it.is_finite()),
            Tensor::Indices(_) => true,
        };
        if !is_finite {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the sums of all rows are finite, which no entry that is not can be part of.
fn is_finite<B: Backend>(backend: Checked<'_, B>, matrix: &B::Matrix) -> Result<bool> {
    let (rows, columns) = matrix.shape();
    if rows == 0 || columns == 0 {
        return Ok(true);
    }
    let ones = backend.upload_column(&vec![1.0; columns])?;
    let mut sums = backend.zeros(rows, 1)?;
    let right = Operand::Dense(&ones);
    backend.matmul(matrix, false, right, Update::REPLACE, &mut sums)?;
    Ok(backend.download(&sums)?.iter().all(|it| it.is_finite()))
}

fn scores<B: Backend>(
    backend: Checked<'_, B>,
    interactions: &Interactions,
    filter: &dyn Filter<B>,
) -> Result<Scores> {
    let sums = interactions.user_sums();
    let users = interactions.users_with_items();
    let by_sum =
        |left: &&u32, right: &&u32| sums[**left as usize].total_cmp(&sums[**right as usize]);
    let (Some(&least), Some(&most)) = (users.iter().min_by(by_sum), users.iter().max_by(by_sum))
    else {
        return Ok(Scores::Finite);
    };
    let step = users.len().div_ceil(SAMPLE - 2).max(1);
    let sample = users.iter().copied().step_by(step).chain([least, most]);
    let histories: Vec<History<'_>> = sample.map(|user| interactions.history_of(user)).collect();
    let width = backend
        .tile_columns(interactions.shape(), filter.scoring())?
        .min(histories.len());
    let mut workspace = filter.workspace(backend, width)?;
    let mut found = Scores::NonePositive;
    for histories in histories.chunks(width) {
        let tile = TileHistories::new(histories, width);
        let scores = backend.form(filter.score(backend, tile, &mut workspace)?)?;
        backend.scale_rows(filter.item_scale(), scores)?;
        let scores = backend.download(scores)?;
        for score in scores.columns().into_iter().take(histories.len()).flatten() {
            if !score.is_finite() {
                return Ok(Scores::NotFinite);
            }
            if *score > 0.0 {
                found = Scores::Finite;
            }
        }
    }
    Ok(found)
}

/// The weights or the setting that is farthest outside of what is sensible; none if none is by
/// more than this factor.
fn culprit(config: &FilterConfig, interactions: &Interactions, least: f64) -> Option<Error> {
    let name = config.name();
    let mut settings = Vec::new();
    add_settings(config, &mut settings);
    let excesses = settings.iter().map(|setting| (setting.excess(), setting));
    let setting = excesses.max_by(|left, right| left.0.total_cmp(&right.0));
    let weights = weights_of(interactions);
    let of_weights = excess(weights.0, &SENSIBLE_WEIGHTS).max(excess(weights.1, &SENSIBLE_WEIGHTS));
    match setting {
        Some((of_setting, setting)) if of_setting > of_weights.max(least) => {
            let (low, high) = (
                plain(*setting.sensible.start()),
                plain(*setting.sensible.end()),
            );
            let expected = format!(
                "a value for which the scores of {name} are finite, and not all 0, such as {low} to {high}"
            );
            Some(invalid(setting.name, expected, plain(setting.value)))
        }
        _ if of_weights > least => {
            let expected = format!(
                "weights for which the scores of {name} are finite, and not all 0, such as 0.001 to 1000: divide \
                 them, or take their logarithms"
            );
            let found = format!("{:e} to {:e}", weights.0 as f32, weights.1 as f32);
            Some(invalid("weight", expected, found))
        }
        _ => None,
    }
}

/// The least and the largest.
fn weights_of(interactions: &Interactions) -> (f64, f64) {
    let weights = interactions.weights().unwrap_or(&[1.0]).iter();
    let weights = weights.map(|&it| f64::from(it));
    weights.fold((f64::INFINITY, 0.0), |(least, most), it| {
        (it.min(least), it.max(most))
    })
}

/// A number among the settings.
struct NamedValue {
    name: &'static str,
    value: f64,
    sensible: RangeInclusive<f64>,
}

impl NamedValue {
    fn excess(&self) -> f64 {
        excess(self.value, &self.sensible)
    }
}

/// By what factor a number is outside of a range; at most 1 if it is within, if only its sign is
/// another, or if it is 0.
fn excess(value: f64, sensible: &RangeInclusive<f64>) -> f64 {
    let (low, high) = (*sensible.start(), *sensible.end());
    let above = value.abs() / high.abs().max(low.abs());
    // Only of ranges of positive numbers the lower end is a magnitude.
    let below = if low > 0.0 && value != 0.0 {
        low / value.abs()
    } else {
        0.0
    };
    above.max(below)
}

/// The numbers of a filter, and of those that it is made of.
fn add_settings(config: &FilterConfig, settings: &mut Vec<NamedValue>) {
    for setting in config.settings() {
        let value = setting.value.and_then(|text| text.parse().ok());
        let sensible = match setting.search {
            Search::Linear(low, high) | Search::Log(low, high) => low..=high,
            _ => continue,
        };
        settings.extend(value.map(|value| NamedValue {
            name: setting.name,
            value,
            sensible,
        }));
    }
    match config {
        FilterConfig::Mix(mix) => {
            for part in &mix.parts {
                settings.push(NamedValue {
                    name: "share",
                    value: part.share,
                    sensible: 0.01..=100.0,
                });
                add_settings(&part.filter, settings);
            }
        }
        FilterConfig::Neighbours(table) => add_settings(&table.filter, settings),
        _ => {}
    }
}
