//! The matrices to score a tile of users.

use std::ops::Range;

use crate::backend::{Backend, Checked, Operand};
use bspm_data::History;
use bspm_data::Result;

/// The matrices of a tile, which are reused for other tiles: the scores, and scratch matrices.
#[derive(Debug)]
pub(crate) struct Workspace<B: Backend> {
    /// `items x columns`: the dense part of the scores.
    pub(crate) scores: B::Matrix,
    /// Scratch matrices of the requested heights.
    pub(crate) scratch: Vec<B::Matrix>,
    /// `factors x columns`: the coefficients of the singular vectors.
    pub(crate) coefficients: B::Matrix,
    /// The workspaces of the parts of a filter.
    pub(crate) parts: Vec<Self>,
}

impl<B: Backend> Workspace<B> {
    /// Creates a workspace for `columns` users, with a scratch matrix of each of these heights.
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

    /// Sets the number of coefficients for each user.
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

/// The histories of the users of a tile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TileHistories<'a> {
    histories: &'a [History<'a>],
    columns: usize,
}

impl<'a> TileHistories<'a> {
    pub(crate) fn new(histories: &'a [History<'a>], columns: usize) -> Self {
        Self { histories, columns }
    }

    /// The number of columns of the tile; there may be fewer histories.
    pub(crate) fn columns(self) -> usize {
        self.columns
    }

    /// Copies the histories with their weights to the device.
    pub(crate) fn upload<B: Backend>(
        self,
        backend: Checked<'_, B>,
        weights: &[f32],
    ) -> Result<B::Histories> {
        backend.upload_histories(self.histories, weights, self.columns)
    }
}

/// Creates a history of one item with weight 1 on the device.
pub(crate) fn unit<B: Backend>(
    backend: Checked<'_, B>,
    items: usize,
    item: u32,
) -> Result<B::Histories> {
    backend.upload_histories(&[History::from(&[item])], &vec![1.0; items], 1)
}

/// Creates a history of one item for each item of a range, with these weights, on the device.
pub(crate) fn units<B: Backend>(
    backend: Checked<'_, B>,
    weights: &[f32],
    range: Range<usize>,
) -> Result<B::Histories> {
    let items: Vec<u32> = range.map(|item| item as u32).collect();
    let singles: Vec<History<'_>> = items.chunks(1).map(History::from).collect();
    backend.upload_histories(&singles, weights, singles.len())
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
