//! The ridge regression of a linear autoencoder.

use super::item_graph::sums_of_squares;
use super::walk::offset_powers;
use bspm_data::Interactions;

/// A ridge regression: `Q = (A^T diag(user_weights) A + diag(ridge))^-1`. The contribution of item `i` of the
/// history to another item `j` is `-(d_i / d_j)^item_power Q_ij / Q_jj`.
#[derive(Clone, Debug)]
pub(crate) struct Regression {
    pub(crate) user_weights: Vec<f32>,
    pub(crate) ridge: Vec<f64>,
    pub(crate) item_power: f64,
    /// The offset of the item degrees.
    pub(crate) offset: f64,
    /// The memory limit of fitting in bytes.
    pub(crate) memory_budget: usize,
}

impl Regression {
    /// Returns the weights of the items of a history: powers of their degrees.
    pub(crate) fn history_weights(&self, interactions: &Interactions) -> Vec<f32> {
        offset_powers(&interactions.item_sums(), self.item_power, self.offset)
    }

    /// Returns the diagonal of the regularised Gram matrix.
    pub(crate) fn diagonal(&self, interactions: &Interactions) -> Vec<f64> {
        let sums = sums_of_squares(interactions, &self.user_weights);
        sums.iter()
            .zip(&self.ridge)
            .map(|(sum, ridge)| sum + ridge)
            .collect()
    }
}
