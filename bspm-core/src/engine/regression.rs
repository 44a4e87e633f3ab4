//! The ridge regression that a linear autoencoder solves.

use super::item_graph::sums_of_squares;
use super::walk::offset_powers;
use bspm_data::Interactions;

/// What the regression is: `Q = (A^T diag(user_weights) A + diag(ridge))^-1`, and an item `i`
/// of the history gives `-(d_i / d_j)^item_power Q_ij / Q_jj` to each other item `j`.
#[derive(Clone, Debug)]
pub(crate) struct Regression {
    pub(crate) user_weights: Vec<f32>,
    pub(crate) ridge: Vec<f64>,
    pub(crate) item_power: f64,
    /// What the item degrees are larger by before they are raised to that power.
    pub(crate) offset: f64,
    /// The most bytes that fitting may take.
    pub(crate) memory_budget: usize,
}

impl Regression {
    /// What the items of a history are multiplied by: powers of their degrees.
    pub(crate) fn history_weights(&self, interactions: &Interactions) -> Vec<f32> {
        offset_powers(&interactions.item_sums(), self.item_power, self.offset)
    }

    /// That of the regularised Gram matrix.
    pub(crate) fn diagonal(&self, interactions: &Interactions) -> Vec<f64> {
        let sums = sums_of_squares(interactions, &self.user_weights);
        sums.iter()
            .zip(&self.ridge)
            .map(|(sum, ridge)| sum + ridge)
            .collect()
    }
}
