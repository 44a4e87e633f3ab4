//! What a fitted filter is to the driver.

use std::fmt::Debug;

use super::basis::Basis;
use super::neighbour_rows::NeighbourRows;
use super::tensors::Tensors;
use super::workspace::{TileHistories, Workspace};
use crate::backend::{Backend, Checked, Scores, Scoring};
use bspm_data::Result;

/// A fitted filter on a device.
///
/// Every filter is an affine function of the history, so the driver, fold-in, explanations,
/// model files and metrics work for each.
pub(crate) trait Filter<B: Backend>: Debug + Send + Sync {
    /// The matrices that [`score`](Self::score) works in.
    fn workspace(&self, backend: Checked<'_, B>, columns: usize) -> Result<Workspace<B>>;

    /// Scores the histories, `items x columns`, but for [`item_scale`](Self::item_scale). Everything
    /// that it writes to is in the workspace.
    fn score<'s>(
        &'s self,
        backend: Checked<'_, B>,
        histories: TileHistories<'_>,
        workspace: &'s mut Workspace<B>,
    ) -> Result<Scores<'s, B>>;

    /// The column of `item` in the matrix `G: items x items` that takes a history `r` to its scores
    /// `r G`, item scale included: what a weight of 1 for each item adds to the score of `item`.
    ///
    /// Cost: one product with the transposed operator, about that of scoring one history.
    fn column(&self, backend: Checked<'_, B>, item: u32) -> Result<Vec<f32>>;

    /// The score of `item` for an empty history.
    fn base(&self, _backend: Checked<'_, B>, _item: u32) -> Result<f32> {
        Ok(0.0)
    }

    /// What the rows of a scored tile are multiplied by (`items x 1`, positive).
    fn item_scale(&self) -> &B::Matrix;

    /// How it computes scores.
    fn scoring(&self) -> Scoring {
        Scoring::Dense
    }

    /// Whether items have scores to which nothing leads from the history.
    fn scores_any_item(&self) -> bool {
        false
    }

    /// The rows of a neighbour table, where that is what it is.
    fn neighbour_rows(&self) -> Option<NeighbourRows<'_>> {
        None
    }

    /// What a model file keeps of it.
    fn tensors(&self) -> Tensors<'_, B> {
        Vec::new()
    }

    /// The singular vectors that it uses.
    fn basis(&self) -> Option<&Basis<B>> {
        None
    }
}
