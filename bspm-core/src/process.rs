//! The processes of the paper, on one tile of users in walk coordinates.
//!
//! Each process has a file of its own: [`blur`], [`ideal_low_pass`], [`sharpen`],
//! and [`merge`], which puts them together. [`linear_ode`] integrates all of them.

mod blur;
pub(crate) mod ideal_low_pass;
mod linear_ode;
pub(crate) mod merge;
mod sharpen;

use crate::backend::Backend;
use crate::config::BspmConfig;
use crate::error::Result;
use crate::normalization::NormalizedGraph;

/// The scratch matrices of one tile, reused from tile to tile.
pub(crate) struct Tile<B: Backend> {
    /// `items x columns`: the current point, and in the end the scores.
    pub(crate) scores: B::Matrix,
    /// `items x columns`: a stage between two points.
    stage: B::Matrix,
    /// `users x columns`: half-way through a product with `P`.
    users: B::Matrix,
    /// `items x columns`: the mean of the recorded points, where it is asked for.
    mean: Option<Mean<B>>,
    /// `factors x columns`: the histories in the basis of the ideal low-pass filter.
    coefficients: Option<B::Matrix>,
}

/// The mean of the points that the processes record.
struct Mean<B: Backend> {
    sum: B::Matrix,
    weight: f32,
    is_empty: bool,
}

impl<B: Backend> Tile<B> {
    /// A tile for `columns` users, with `factors` where the ideal low-pass filter
    /// is on.
    pub(crate) fn new(
        backend: &B,
        graph: &NormalizedGraph<B>,
        config: &BspmConfig,
        factors: Option<usize>,
        columns: usize,
    ) -> Result<Self> {
        let item_matrix = || backend.zeros(graph.items(), columns);
        let sharpening_steps = config.sharpening().map_or(0, |sharpening| sharpening.steps);
        let points = config.blur().steps + sharpening_steps;
        let mean = if config.t_point_combination() {
            Some(Mean {
                sum: item_matrix()?,
                weight: 1.0 / points as f32,
                is_empty: true,
            })
        } else {
            None
        };
        Ok(Self {
            scores: item_matrix()?,
            stage: item_matrix()?,
            users: backend.zeros(graph.users(), columns)?,
            mean,
            coefficients: factors
                .map(|factors| backend.zeros(factors, columns))
                .transpose()?,
        })
    }

    /// Counts the current scores as a recorded point.
    fn record_point(&mut self, backend: &B) -> Result<()> {
        if let Some(mean) = &mut self.mean {
            let keep = if mean.is_empty { 0.0 } else { 1.0 };
            backend.add_scaled(mean.weight, &self.scores, keep, &mut mean.sum)?;
            mean.is_empty = false;
        }
        Ok(())
    }

    /// Replaces the scores by the mean of the recorded points, where there is one.
    fn combine_points(&mut self) {
        if let Some(mean) = &mut self.mean {
            std::mem::swap(&mut self.scores, &mut mean.sum);
            mean.is_empty = true;
        }
    }
}
