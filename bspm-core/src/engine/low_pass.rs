//! The low-pass part of a spectral filter, on its singular vectors.

use super::basis::Basis;
use super::polynomial::{Polynomial, Run};
use super::tensors::{Source, Tensor, Tensors};
use super::tiles::{map_tiles, tile_ranges};
use super::walk::NormalizedGraph;
use super::workspace::{TileHistories, Workspace};
use crate::backend::{Backend, Checked, Operand, Shaped, Update};
use bspm_data::Result;

/// `factor U G V^T z'` for the singular vectors `V`, on which a history is projected, a factor for each of
/// them, and the output vectors `U`: `V` itself, `V` with other exponents of the degrees, or a polynomial of
/// the walk of `V`.
#[derive(Debug)]
pub(crate) struct LowPass<B: Backend> {
    basis: Basis<B>,
    decoder: Decoder<B>,
    /// The weights of histories, if they differ from those of the walk.
    history_weights: Option<Vec<f32>>,
    /// The factor of each singular vector, `factors x 1`; `None` if all are 1.
    response: Option<B::Matrix>,
    factor: f64,
}

/// `U: items x factors`.
#[derive(Debug)]
enum Decoder<B: Backend> {
    /// `V` itself.
    Vectors,
    /// `V` with other exponents of the degrees.
    Scaled(B::Matrix),
    /// A polynomial of the walk, which is expensive and is saved in model files.
    Filtered(B::Matrix),
}

const DECODER: &str = "ideal_low_pass.leaving";

impl<B: Backend> LowPass<B> {
    /// The projection `V V^T` in the coordinates of the walk.
    pub(crate) fn new(basis: Basis<B>) -> Self {
        Self {
            basis,
            decoder: Decoder::Vectors,
            history_weights: None,
            response: None,
            factor: 1.0,
        }
    }

    /// Multiplies the complete part by a factor.
    pub(crate) fn times(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// Multiplies each singular vector by a factor (`factors x 1`).
    pub(crate) fn with_response(mut self, response: B::Matrix) -> Self {
        self.response = Some(response);
        self
    }

    /// Sets the weights of histories, and scales the rows of the output by `item_scale` (`items x 1`).
    pub(crate) fn weighted(
        mut self,
        backend: Checked<'_, B>,
        history_weights: Vec<f32>,
        item_scale: &B::Matrix,
    ) -> Result<Self> {
        let vectors = &self.basis.vectors;
        let (items, factors) = vectors.shape();
        let mut decoder = backend.zeros(items, factors)?;
        backend.add_scaled(1.0, Operand::Dense(vectors), 0.0, &mut decoder)?;
        backend.scale_rows(item_scale, &mut decoder)?;
        self.decoder = Decoder::Scaled(decoder);
        self.history_weights = Some(history_weights);
        Ok(self)
    }

    /// Applies a polynomial of the walk to the output.
    ///
    /// Cost: a number of products with the walk equal to the degree, for `factors` columns.
    pub(crate) fn filtered(
        self,
        backend: Checked<'_, B>,
        graph: &NormalizedGraph<B>,
        polynomial: &Polynomial,
        source: Source<'_>,
    ) -> Result<Self> {
        if let Some(factor) = polynomial.constant() {
            return Ok(self.times(factor));
        }
        if self.factors() == 0 {
            return Ok(self);
        }
        let decoder = match source {
            Source::Saved(tensors) if tensors.has(DECODER) => {
                backend.upload(tensors.matrix_of(DECODER, self.decoder().shape())?)?
            }
            _ => filtered(backend, graph, polynomial, self.decoder())?,
        };
        Ok(Self {
            decoder: Decoder::Filtered(decoder),
            ..self
        })
    }

    pub(crate) fn basis(&self) -> &Basis<B> {
        &self.basis
    }

    pub(crate) fn factors(&self) -> usize {
        self.basis.factors()
    }

    /// `U: items x factors`, by which the coefficients of [`encode`](Self::encode) are multiplied.
    pub(crate) fn decoder(&self) -> &B::Matrix {
        match &self.decoder {
            Decoder::Vectors => &self.basis.vectors,
            Decoder::Scaled(vectors) | Decoder::Filtered(vectors) => vectors,
        }
    }

    /// `U` without a polynomial of the walk.
    pub(crate) fn unfiltered_decoder(&self) -> &B::Matrix {
        match &self.decoder {
            Decoder::Vectors | Decoder::Filtered(_) => &self.basis.vectors,
            Decoder::Scaled(vectors) => vectors,
        }
    }

    /// The weights of histories, if they differ from those of the walk.
    pub(crate) fn history_weights(&self) -> Option<&[f32]> {
        self.history_weights.as_deref()
    }

    /// `coefficients = factor G V^T z'` (`factors x columns`) for histories that are `uploaded`
    /// with the weights of the walk.
    pub(crate) fn encode(
        &self,
        backend: Checked<'_, B>,
        histories: TileHistories<'_>,
        uploaded: &B::Histories,
        coefficients: &mut B::Matrix,
    ) -> Result<()> {
        let weighted = match &self.history_weights {
            Some(weights) => Some(histories.upload(backend, weights)?),
            None => None,
        };
        let histories = Operand::Histories(weighted.as_ref().unwrap_or(uploaded));
        let update = Update::times(self.factor as f32);
        backend.matmul(&self.basis.vectors, true, histories, update, coefficients)?;
        match &self.response {
            Some(response) => backend.scale_rows(response, coefficients),
            None => Ok(()),
        }
    }

    /// Adds `factor H V G U^T` of a unit history to `column`, for the weights `H` of histories
    /// (default: `walk_weights`). `workspace` is scratch for one column.
    pub(crate) fn add_column(
        &self,
        backend: Checked<'_, B>,
        unit: &B::Histories,
        walk_weights: &[f32],
        workspace: &mut Workspace<B>,
        column: &mut [f64],
    ) -> Result<()> {
        let Workspace {
            scores,
            coefficients,
            ..
        } = workspace;
        let unit = Operand::Histories(unit);
        let update = Update::times(self.factor as f32);
        backend.matmul(self.decoder(), true, unit, update, coefficients)?;
        if let Some(response) = &self.response {
            backend.scale_rows(response, coefficients)?;
        }
        let seen = Operand::Dense(&*coefficients);
        backend.matmul(&self.basis.vectors, false, seen, Update::REPLACE, scores)?;
        let scores = backend.download(scores)?;
        let weights = self.history_weights.as_deref().unwrap_or(walk_weights);
        for (sum, (score, weight)) in column.iter_mut().zip(scores.iter().zip(weights)) {
            *sum += f64::from(*score) * f64::from(*weight);
        }
        Ok(())
    }

    pub(crate) fn tensors(&self) -> Tensors<'_, B> {
        let mut tensors = self.basis.tensors();
        if let Decoder::Filtered(decoder) = &self.decoder {
            tensors.push((DECODER.into(), Tensor::Matrix(decoder)));
        }
        tensors
    }
}

/// `p(W) vectors`, tile by tile.
fn filtered<B: Backend>(
    backend: Checked<'_, B>,
    graph: &NormalizedGraph<B>,
    polynomial: &Polynomial,
    vectors: &B::Matrix,
) -> Result<B::Matrix> {
    let (items, factors) = vectors.shape();
    let stage_rows = if polynomial.needs_stage() { items } else { 0 };
    let ranges = tile_ranges(factors, graph.tile_columns());
    map_tiles(backend, vectors, &ranges, |scratch, vectors, range| {
        let columns = range.len();
        let from = backend.columns(vectors, range)?;
        let half_way = scratch.of_shape(backend, graph.users(), columns)?;
        let mut stage = backend.zeros(stage_rows, columns)?;
        let mut out = backend.zeros(items, columns)?;
        let run = Run {
            backend,
            graph,
            from: Operand::Dense(&from),
        };
        polynomial.evaluate(run, half_way, &mut stage, &mut out)?;
        Ok(out)
    })
}
