//! The mean length of the rows of scores, to add filters with different scales.

use super::filter::Filter;
use super::workspace::TileHistories;
use crate::backend::{Backend, Checked};
use bspm_data::History;
use bspm_data::Interactions;
use bspm_data::Result;

/// The length of a row of scores.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Length {
    /// The Euclidean norm.
    Norm,
    /// The absolute value of the sum of the entries.
    Sum,
}

impl Length {
    fn of<'a>(self, row: impl Iterator<Item = &'a f32>) -> f64 {
        let row = row.map(|&score| f64::from(score));
        match self {
            Self::Norm => row.map(|it| it * it).sum::<f64>().sqrt(),
            Self::Sum => row.sum::<f64>().abs(),
        }
    }
}

/// The number of users whose scores are used.
const SAMPLE: usize = 256;

/// Returns the mean length of the rows of scores, over users at even distances among those with
/// interactions; 1 if all scores are zero.
///
/// It is one number for all users, so that scores divided by it are linear in the history.
pub(crate) fn mean_norm<B: Backend>(
    backend: Checked<'_, B>,
    interactions: &Interactions,
    filter: &dyn Filter<B>,
    length: Length,
) -> Result<f64> {
    let mut users = interactions.users_with_items();
    users.retain(|&user| (user as usize) < interactions.user_rows());
    let step = users.len().div_ceil(SAMPLE).max(1);
    let histories: Vec<History<'_>> = users
        .iter()
        .step_by(step)
        .map(|&user| interactions.history_of(user))
        .collect();
    let columns = backend
        .tile_columns(interactions.shape(), filter.scoring())?
        .min(histories.len());
    if columns == 0 {
        return Ok(1.0);
    }
    let tiles: Vec<&[History<'_>]> = histories.chunks(columns).collect();
    let sums = backend.for_each_tile(
        tiles.len(),
        || filter.workspace(backend, columns),
        |workspace, tile| {
            let histories = TileHistories::new(tiles[tile], columns);
            let scores = backend.form(filter.score(backend, histories, workspace)?)?;
            backend.scale_rows(filter.item_scale(), scores)?;
            let scores = backend.download(scores)?;
            let rows = scores.columns().into_iter().take(tiles[tile].len());
            let norms = rows.map(|row| length.of(row.iter()));
            Ok(norms.sum::<f64>())
        },
    )?;
    let mean = sums.iter().sum::<f64>() / histories.len() as f64;
    // It is saved and used as `f32`.
    Ok(if (mean as f32).is_normal() { mean } else { 1.0 })
}
