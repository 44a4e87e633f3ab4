//! The ridge regression of a linear autoencoder.

use super::fit_options::FitOptions;
use super::item_graph::sums_of_squares;
use super::tiles::{map_tiles, tile_ranges};
use super::walk::{offset_powers, upload_walk};
use super::workspace::units;
use crate::backend::{Backend, Checked, Operand, Scoring, Update};
use crate::observe::Observed;
use bspm_data::{Interactions, Result, Stage};

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

/// The maximum width of a tile of the Gram matrix, so that the temporary matrices of a tile are small next to it.
const MOST_COLUMNS: usize = 128;

/// The minimum width, if there are many more users than items.
const LEAST_COLUMNS: usize = 8;

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

    /// Computes the regularised Gram matrix, `items x items`, on the device.
    ///
    /// Cost: a product with both halves of the walk for each item. Memory at the peak: 8 bytes per pair of
    /// items, while the tiles are concatenated, and the walk.
    pub(crate) fn gram_matrix<B: Backend>(
        &self,
        backend: Checked<'_, B>,
        interactions: &Interactions,
        options: &FitOptions,
    ) -> Result<B::Matrix> {
        let (users, items) = interactions.shape();
        let ones = vec![1.0; items];
        let walk = upload_walk(backend, interactions, &self.user_weights, &ones)?;
        let ridge: Vec<f32> = self.ridge.iter().map(|&it| it as f32).collect();
        // Two tiles at a time stay below the peak of the concatenation.
        let width = (items * items / 2 / (users + 2 * items).max(1))
            .clamp(LEAST_COLUMNS, MOST_COLUMNS)
            .min(backend.tile_columns((users, items), Scoring::Dense)?);
        let observed = Observed::new(&options.observer, Stage::ItemGraph, items);
        let ranges = tile_ranges(items, width);
        map_tiles(backend, (), &ranges, |scratch, (), range| {
            let width = range.len();
            let start = units(backend, &ones, range.clone())?;
            let half_way = scratch.of_shape(backend, users, width)?;
            let mut tile = backend.zeros(items, width)?;
            let start = Some(Operand::Histories(&start));
            backend.ode_step(&walk, start, Update::REPLACE, half_way, &mut tile)?;
            let ridge = units(backend, &ridge, range)?;
            backend.add_scaled(1.0, Operand::Histories(&ridge), 1.0, &mut tile)?;
            observed.advance(width)?;
            Ok(tile)
        })
    }
}
