//! The processes of the paper, on one tile of users in walk coordinates.
//!
//! Each process has a file of its own: [`blur`], [`ideal_low_pass`], [`sharpen`],
//! and [`merge`], which puts them together. [`linear_ode`] integrates all of them, and
//! [`chebyshev`] evaluates polynomials where they are known as such.

mod blur;
pub(crate) mod chebyshev;
pub(crate) mod ideal_low_pass;
mod linear_ode;
pub(crate) mod merge;
mod sharpen;

use crate::backend::Backend;
use crate::error::Result;

/// What the scratch matrices of a tile are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scratch {
    pub(crate) items: usize,
    /// Rows of [`Tile::users`]; 0 where it is not used.
    pub(crate) users: usize,
    /// How many matrices `items x columns` there are besides the scores: 0 to 2.
    pub(crate) stages: usize,
    /// Rows of [`Tile::coefficients`]; 0 where it is not used.
    pub(crate) factors: usize,
    /// How many points are averaged; 0 where none are recorded.
    pub(crate) mean_of: usize,
}

/// The scratch matrices of one tile, reused from tile to tile.
pub(crate) struct Tile<B: Backend> {
    /// `items x columns`: the current point, and in the end the scores.
    pub(crate) scores: B::Matrix,
    /// `items x columns`: a stage between two points.
    pub(crate) stage: B::Matrix,
    /// `items x columns`: another stage.
    pub(crate) second_stage: B::Matrix,
    /// `users x columns`: half-way through a product with `P`.
    pub(crate) users: B::Matrix,
    /// `factors x columns`: the histories in the basis of the ideal low-pass filter.
    pub(crate) coefficients: B::Matrix,
    /// `items x columns`: the mean of the recorded points, where it is asked for.
    mean: Option<Mean<B>>,
}

/// The mean of the points that the processes record.
struct Mean<B: Backend> {
    sum: B::Matrix,
    weight: f32,
    is_empty: bool,
}

impl<B: Backend> Tile<B> {
    /// A tile for `columns` users.
    pub(crate) fn new(backend: &B, scratch: Scratch, columns: usize) -> Result<Self> {
        let items = scratch.items;
        let stage = |number: usize| {
            let is_used = number <= scratch.stages;
            backend.zeros(if is_used { items } else { 0 }, columns)
        };
        let mean = if scratch.mean_of > 0 {
            Some(Mean {
                sum: backend.zeros(items, columns)?,
                weight: 1.0 / scratch.mean_of as f32,
                is_empty: true,
            })
        } else {
            None
        };
        Ok(Self {
            scores: backend.zeros(items, columns)?,
            stage: stage(1)?,
            second_stage: stage(2)?,
            users: backend.zeros(scratch.users, columns)?,
            coefficients: backend.zeros(scratch.factors, columns)?,
            mean,
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
