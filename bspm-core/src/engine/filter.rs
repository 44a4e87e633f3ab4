//! The interface between a fitted filter and the driver.

use std::fmt::Debug;

use super::basis::Basis;
use super::neighbour_rows::NeighbourRows;
use super::tensors::Tensors;
use super::workspace::{TileHistories, Workspace};
use crate::backend::{Backend, Checked, Scores, Scoring};
use bspm_data::Result;

/// An ideal low-pass filter `H V U^T`, without its weight in the scores.
#[derive(Debug)]
pub(crate) struct IdealLowPass<'f, B: Backend> {
    /// The weights `H` of histories, one per item.
    pub(crate) history_weights: &'f [f32],
    /// `V: items x factors`.
    pub(crate) vectors: &'f B::Matrix,
    /// `U: items x factors`, without [`item_scale`](Filter::item_scale).
    pub(crate) decoder: &'f B::Matrix,
}

/// A fitted filter on a device.
///
/// Every filter is an affine function of the history, so the driver, fold-in, explanations,
/// model files and metrics work for each.
pub(crate) trait Filter<B: Backend>: Debug + Send + Sync {
    /// The matrices that [`score`](Self::score) works in.
    fn workspace(&self, backend: Checked<'_, B>, columns: usize) -> Result<Workspace<B>>;

    /// Scores the histories, `items x columns`, without [`item_scale`](Self::item_scale). Writes only to
    /// the workspace.
    fn score<'s>(
        &'s self,
        backend: Checked<'_, B>,
        histories: TileHistories<'_>,
        workspace: &'s mut Workspace<B>,
    ) -> Result<Scores<'s, B>>;

    /// Returns the column of `item` in the matrix `G: items x items` that maps a history `r` to its scores
    /// `r G`, including the item scale: the contribution of each item with weight 1 to the score of `item`.
    ///
    /// Cost: one product with the transposed operator, about the cost of scoring one history.
    fn column(&self, backend: Checked<'_, B>, item: u32) -> Result<Vec<f32>>;

    /// The score of `item` for an empty history.
    fn base(&self, _backend: Checked<'_, B>, _item: u32) -> Result<f32> {
        Ok(0.0)
    }

    /// The factors of the rows of a scored tile (`items x 1`, positive).
    fn item_scale(&self) -> &B::Matrix;

    /// How the filter computes scores.
    fn scoring(&self) -> Scoring {
        Scoring::Dense
    }

    /// Whether items without a path from the history have scores.
    fn scores_any_item(&self) -> bool {
        false
    }

    /// The rows of the neighbour table, if the filter is one.
    fn neighbour_rows(&self) -> Option<NeighbourRows<'_>> {
        None
    }

    /// The tensors for a model file.
    fn tensors(&self) -> Tensors<'_, B> {
        Vec::new()
    }

    /// The ideal low-pass filter, if the scores contain its scores.
    fn ideal_low_pass(&self) -> Option<IdealLowPass<'_, B>> {
        None
    }

    /// The singular vectors of the filter; of a mix, those of each part.
    fn bases(&self) -> Vec<&Basis<B>> {
        Vec::new()
    }
}
