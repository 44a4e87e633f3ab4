//! The matrices that a tile of users is scored in.

use crate::backend::{Backend, Checked, Operand};
use bspm_data::History;
use bspm_data::Result;

/// The matrices of one tile, reused from tile to tile: the scores, and what is scratch.
#[derive(Debug)]
pub(crate) struct Workspace<B: Backend> {
    /// `items x columns`: in the end, the dense part of the scores.
    pub(crate) scores: B::Matrix,
    /// Matrices of the heights that were asked for.
    pub(crate) scratch: Vec<B::Matrix>,
    /// `factors x columns`: what singular vectors are multiplied by.
    pub(crate) coefficients: B::Matrix,
    /// Those of the parts that a filter is made of.
    pub(crate) parts: Vec<Self>,
}

impl<B: Backend> Workspace<B> {
    /// For `columns` users, with a scratch matrix of each of these heights.
    pub(crate) fn new(
        backend: Checked<'_, B>,
        items: usize,
        scratch: &[usize],
        columns: usize,
    ) -> Result<Self> {
        let scratch = scratch.iter().map(|&rows| backend.zeros(rows, columns));
        Ok(Self {
            scores: backend.zeros(items, columns)?,
            scratch: scratch.collect::<Result<_>>()?,
            coefficients: backend.zeros(0, columns)?,
            parts: Vec::new(),
        })
    }

    /// With so many coefficients for each user.
    pub(crate) fn with_coefficients(
        mut self,
        backend: Checked<'_, B>,
        factors: usize,
        columns: usize,
    ) -> Result<Self> {
        self.coefficients = backend.zeros(factors, columns)?;
        Ok(self)
    }
}

/// The histories of a tile's users, as the driver hands them on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TileHistories<'a> {
    histories: &'a [History<'a>],
    columns: usize,
}

impl<'a> TileHistories<'a> {
    pub(crate) fn new(histories: &'a [History<'a>], columns: usize) -> Self {
        Self { histories, columns }
    }

    /// How many columns the tile has; there may be fewer histories.
    pub(crate) fn columns(self) -> usize {
        self.columns
    }

    /// The histories on the device, each item with its weight.
    pub(crate) fn upload<B: Backend>(
        self,
        backend: Checked<'_, B>,
        weights: &[f32],
    ) -> Result<B::Histories> {
        backend.upload_histories(self.histories, weights, self.columns)
    }
}

/// A history of one item with the weight 1, on the device.
pub(crate) fn unit<B: Backend>(
    backend: Checked<'_, B>,
    items: usize,
    item: u32,
) -> Result<B::Histories> {
    backend.upload_histories(&[History::from(&[item])], &vec![1.0; items], 1)
}

/// `out += scale * histories`.
pub(crate) fn add_histories<B: Backend>(
    backend: Checked<'_, B>,
    scale: f64,
    histories: &B::Histories,
    out: &mut B::Matrix,
) -> Result<()> {
    backend.add_scaled(scale as f32, Operand::Histories(histories), 1.0, out)
}
