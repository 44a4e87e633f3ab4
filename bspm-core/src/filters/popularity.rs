//! Popularity: the same list for all users.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::filter_settings::Settings;
use super::preset::Preset;
use super::setting::settings;
use crate::backend::{Backend, Checked, Operand, Scores, Shaped, Update};
use crate::engine::filter::Filter;
use crate::engine::tensors::Source;
use crate::engine::walk::powers;
use crate::engine::workspace::{TileHistories, Workspace};
use bspm_data::Interactions;
use bspm_data::Result;

/// Popularity: the score of an item is its number of users, or the sum of their weights, independent of the
/// history.
///
/// ```math
/// y_j = \sum_u A_{uj}
/// ```
///
/// The other symbols are in the documentation of [`filters`](crate::filters).
/// [`Fallback::Popularity`](crate::Fallback::Popularity) counts the users, also if the interactions have weights.
///
/// # When to use it
///
/// - As a baseline, and for users without a history.
/// - Not for personal lists: all users have the same list, without the items of their history.
///
/// # Settings
///
#[doc = include_str!("settings/popularity.md")]
///
/// # Cost
///
/// Fit: one pass over the interactions. A history: one value per item. Memory: 8 bytes per item.
///
/// # Source
///
/// The usual baseline, without a paper.
///
/// # Examples
///
/// ```
/// use bspm_core::filters::Popularity;
/// use bspm_core::{Dataset, Model};
/// use bspm_cpu::CpuBackend;
///
/// let visits: Dataset<&str, &str> = Dataset::from_pairs([
///     ("ann", "tea"), ("ann", "milk"), ("bob", "milk"),
///     ("bob", "rice"), ("cid", "rice"), ("cid", "jam"),
/// ])?;
/// let filter = Popularity::for_shape(3, 4);
/// let model = Model::fit(CpuBackend::new(), visits, filter)?;
/// assert_eq!(model.recommend("ann", 1)?[0].item, "rice");
/// # Ok::<(), bspm_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Popularity {}

#[derive(Debug)]
struct FittedPopularity<B: Backend> {
    /// `items x 1`.
    degrees: B::Matrix,
    ones: B::Matrix,
}

settings!(Popularity {});

impl Settings for Popularity {
    const NAME: &'static str = "popularity";

    fn published(_data: Preset) -> Self {
        Self {}
    }

    fn memory(&self, interactions: &Interactions) -> usize {
        2 * size_of::<f32>() * interactions.items()
    }

    fn fit<B: Backend>(
        &self,
        backend: Checked<'_, B>,
        interactions: &Interactions,
        _source: Source<'_>,
    ) -> Result<Box<dyn Filter<B>>> {
        let degrees = interactions.of_users().item_sums();
        let column = |values: &[f32]| backend.upload_column(values);
        let counts: Vec<f32> = degrees.iter().map(|&degree| degree as f32).collect();
        Ok(Box::new(FittedPopularity::<B> {
            degrees: column(&counts)?,
            ones: column(&powers(&degrees, 0.0))?,
        }))
    }
}

impl<B: Backend> Filter<B> for FittedPopularity<B> {
    fn workspace(&self, backend: Checked<'_, B>, columns: usize) -> Result<Workspace<B>> {
        Workspace::new(backend, self.degrees.shape().0, &[], columns)
    }

    fn score<'s>(
        &'s self,
        backend: Checked<'_, B>,
        histories: TileHistories<'_>,
        workspace: &'s mut Workspace<B>,
    ) -> Result<Scores<'s, B>> {
        let row = backend.upload(Array2::ones((1, histories.columns())).view())?;
        let (row, scores) = (Operand::Dense(&row), &mut workspace.scores);
        backend.matmul(&self.degrees, false, row, Update::REPLACE, scores)?;
        Ok(Scores::of(scores))
    }

    fn column(&self, _backend: Checked<'_, B>, _item: u32) -> Result<Vec<f32>> {
        Ok(vec![0.0; self.degrees.shape().0])
    }

    fn base(&self, backend: Checked<'_, B>, item: u32) -> Result<f32> {
        Ok(backend.download(&self.degrees)?[[item as usize, 0]])
    }

    fn item_scale(&self) -> &B::Matrix {
        &self.ones
    }

    fn scores_any_item(&self) -> bool {
        true
    }
}
