//! Checks that all numbers of a fitted filter are finite, and finds the setting or weight to change if they
//! are not.

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

/// The weights for which all filters with settings that a search tries are known to be finite.
pub(super) const SENSIBLE_WEIGHTS: RangeInclusive<f64> = 1e-3..=1e3;

/// The range of the largest weight in which the products of a filter have no underflow or overflow in `f32`.
const REPRESENTABLE_WEIGHTS: RangeInclusive<f64> = 1e-15..=1e15;

/// The factor outside the suitable range at which scores may vanish.
const FAR: f64 = 1e6;

/// The number of users whose scores are checked: those with the largest and the smallest sum of weights, and
/// others at even distances.
const SAMPLE: usize = 32;

/// Returns [`Error::InvalidParameter`] if the tensors of the filter or the scores of some users are not
/// finite, or if no score is above 0 because settings or weights are far outside the suitable range.
///
/// Cost: a pass over the matrices of the filter, and scoring a tile.
pub(super) fn check<B: Backend>(
    backend: Checked<'_, B>,
    interactions: &Interactions,
    config: &FilterConfig,
    filter: &dyn Filter<B>,
) -> Result<()> {
    let largest = weights_of(interactions).1;
    if !REPRESENTABLE_WEIGHTS.contains(&largest) {
        culprit(config, interactions, 1.0).map_or(Ok(()), Err)?;
    }
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
            let expected = "settings and weights with which all scores are finite";
            invalid("filter", expected, config.name())
        })),
    }
}

/// The result of a check of scores.
enum Scores {
    Finite,
    NonePositive,
    /// Some scores are not finite.
    NotFinite,
}

/// Returns the error of a fit. If the backend failed to invert or to diagonalise a matrix, the error names the
/// setting or weight to change.
pub(super) fn explained(error: Error, config: &FilterConfig, interactions: &Interactions) -> Error {
    match error {
        Error::Backend {
            operation: "invert_positive_definite" | "symmetric_eigen",
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

/// Whether the sums of all rows are finite, so that all entries are finite.
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

/// Returns the error for the setting or the weights farthest outside their suitable range; `None` if all are
/// within this factor.
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
                "a value with which the scores of {name} are finite and not all 0, such as {low} to {high}"
            );
            Some(invalid(setting.name, expected, plain(setting.value)))
        }
        _ if of_weights > least => {
            let expected = format!(
                "weights with which the scores of {name} are finite and not all 0, such as 0.001 to 1000 (divide \
                 the weights, or use their logarithms)"
            );
            let found = format!("{:e} to {:e}", weights.0 as f32, weights.1 as f32);
            Some(invalid("weight", expected, found))
        }
        _ => None,
    }
}

/// Returns the smallest and the largest weight.
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

/// Returns the factor by which a number is outside a range; at most 1 if it is inside, if only its sign
/// differs, or if it is 0.
fn excess(value: f64, sensible: &RangeInclusive<f64>) -> f64 {
    let (low, high) = (*sensible.start(), *sensible.end());
    let above = value.abs() / high.abs().max(low.abs());
    // The lower end is a magnitude only for ranges of positive numbers.
    let below = if low > 0.0 && value != 0.0 {
        low / value.abs()
    } else {
        0.0
    };
    above.max(below)
}

/// Adds the numeric settings of a filter and of its parts.
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
