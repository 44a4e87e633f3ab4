//! Linear autoencoders in closed form: a ridge regression predicts each item from all others.

use super::filter::Filter;
use super::fit_options::FitOptions;
use super::item_graph::{ItemGraphPolynomial, bytes_before_entries};
use super::local_regression::local_weights;
use super::regression::Regression;
use super::tensors::{SavedTensors, Source, Tensor, Tensors};
use super::tiles::tile_ranges;
use super::walk::bytes_of_walk;
use super::workspace::{TileHistories, Workspace, units};
use crate::backend::{Backend, Checked, MOST_ROWS_IN_F64, Operand, Scores, Shaped, Update};
use bspm_data::parameter::{check_memory, invalid};
use bspm_data::{Interactions, Result};

/// Fits or loads an autoencoder in which each item is predicted from its `neighbours`, or from all items if
/// `neighbours` is 0.
pub(crate) fn obtain<B: Backend>(
    backend: Checked<'_, B>,
    interactions: &Interactions,
    regression: &Regression,
    neighbours: usize,
    source: Source<'_>,
) -> Result<Box<dyn Filter<B>>> {
    if neighbours == 0 {
        return Autoencoder::obtain(backend, interactions, regression, source);
    }
    let items = interactions.items();
    ItemGraphPolynomial::obtain(backend, items, vec![1.0], source, |options| {
        local_weights(backend, interactions, regression, neighbours, options)
    })
}

/// Returns the memory of fitting in bytes, without the entries of a Gram matrix.
pub(crate) fn bytes_of_fit(interactions: &Interactions, neighbours: usize) -> usize {
    match neighbours {
        0 => bytes_of_inverse(interactions),
        _ => bytes_before_entries(interactions),
    }
}

/// Bytes per pair of items while the tiles of the Gram matrix are concatenated, or while a GPU inverts it.
const PEAK: usize = 8;

/// Bytes per pair of items while a matrix is inverted in `f64`.
const PEAK_IN_F64: usize = 12;

/// Returns the memory of computing the inverse in bytes, with the matrix in both directions.
fn bytes_of_inverse(interactions: &Interactions) -> usize {
    let items = interactions.items();
    let peak = match items <= MOST_ROWS_IN_F64 {
        true => PEAK_IN_F64,
        false => PEAK,
    };
    items.saturating_mul(items).saturating_mul(peak) + bytes_of_walk(interactions)
}

const INVERSE: &str = "ease_r.inverse";
const DIAGONAL: &str = "ease_r.diagonal";

/// A fitted linear autoencoder.
#[derive(Debug)]
pub(crate) struct Autoencoder<B: Backend> {
    /// `Q: items x items`.
    inverse: B::Matrix,
    diagonal: Vec<f32>,
    history_weights: Vec<f32>,
    /// `diagonal`, times the weights of the history.
    own_weights: Vec<f32>,
    /// `items x 1`.
    item_scale: B::Matrix,
}

impl<B: Backend> Autoencoder<B> {
    /// Fits the regression on all items, or loads the saved inverse.
    fn obtain(
        backend: Checked<'_, B>,
        interactions: &Interactions,
        regression: &Regression,
        source: Source<'_>,
    ) -> Result<Box<dyn Filter<B>>> {
        let (inverse, diagonal) = match source {
            Source::Fit(options, _) => regression.invert(backend, interactions, options)?,
            Source::Saved(tensors) => saved(backend, interactions.items(), tensors)?,
        };
        let history_weights = regression.history_weights(interactions);
        let scale: Vec<f32> = history_weights
            .iter()
            .zip(&diagonal)
            .map(|(weight, own)| (weight * own).recip())
            .collect();
        let own = diagonal.iter().zip(&history_weights);
        Ok(Box::new(Self {
            inverse,
            item_scale: backend.upload_column(&scale)?,
            own_weights: own.map(|(own, weight)| own * weight).collect(),
            history_weights,
            diagonal,
        }))
    }
}

impl Regression {
    /// Computes `Q` and its diagonal.
    fn invert<B: Backend>(
        &self,
        backend: Checked<'_, B>,
        interactions: &Interactions,
        options: &FitOptions,
    ) -> Result<(B::Matrix, Vec<f32>)> {
        let items = interactions.items();
        let needed = bytes_of_inverse(interactions);
        let what = || format!("the inverse of a matrix of {items} x {items} items");
        check_memory(what, needed, self.memory_budget)?;
        let matrix = self.gram_matrix(backend, interactions, options)?;
        let inverse = backend.invert_positive_definite(matrix)?;
        let diagonal = diagonal_of(backend, &inverse)?;
        if let Some(entry) = diagonal.iter().find(|it| !(it.is_finite() && **it > 0.0)) {
            let expected = "a regularisation between the smallest and the largest sum of the squared \
                            weights of an item, so that f32 can represent the inverse";
            return Err(invalid(
                "lambda",
                expected,
                format!("an inverse with {entry}"),
            ));
        }
        Ok((inverse, diagonal))
    }
}

fn saved<B: Backend>(
    backend: Checked<'_, B>,
    items: usize,
    tensors: &dyn SavedTensors,
) -> Result<(B::Matrix, Vec<f32>)> {
    let inverse = tensors.matrix_of(INVERSE, (items, items))?;
    let diagonal = tensors.positive_floats(DIAGONAL, items)?;
    Ok((backend.upload(inverse)?, diagonal))
}

/// Returns the diagonal. A backend has no operation for some rows, so each block on the diagonal is the product of
/// its columns with unit vectors.
fn diagonal_of<B: Backend>(backend: Checked<'_, B>, matrix: &B::Matrix) -> Result<Vec<f32>> {
    const BLOCK: usize = 256;
    let size = matrix.shape().0;
    let ones = vec![1.0; size];
    let mut diagonal = Vec::with_capacity(size);
    for range in tile_ranges(size, BLOCK) {
        let rows = units(backend, &ones, range.clone())?;
        let rows = Operand::Histories(&rows);
        let mut block = backend.zeros(range.len(), range.len())?;
        let columns = backend.columns(matrix, range)?;
        backend.matmul(&columns, true, rows, Update::REPLACE, &mut block)?;
        diagonal.extend(backend.download(&block)?.diag());
    }
    Ok(diagonal)
}

impl<B: Backend> Filter<B> for Autoencoder<B> {
    fn workspace(&self, backend: Checked<'_, B>, columns: usize) -> Result<Workspace<B>> {
        Workspace::new(backend, self.diagonal.len(), &[], columns)
    }

    /// `diag(Q) z - Q z`, which the item scale divides by `diag(Q)`.
    fn score<'s>(
        &'s self,
        backend: Checked<'_, B>,
        histories: TileHistories<'_>,
        workspace: &'s mut Workspace<B>,
    ) -> Result<Scores<'s, B>> {
        let scores = &mut workspace.scores;
        let uploaded = histories.upload(backend, &self.history_weights)?;
        let uploaded = Operand::Histories(&uploaded);
        backend.matmul(&self.inverse, true, uploaded, Update::REPLACE, scores)?;
        let own = histories.upload(backend, &self.own_weights)?;
        backend.add_scaled(1.0, Operand::Histories(&own), -1.0, scores)?;
        Ok(Scores::of(scores))
    }

    fn column(&self, backend: Checked<'_, B>, item: u32) -> Result<Vec<f32>> {
        let place = item as usize;
        let inverse = backend.columns(&self.inverse, place..place + 1)?;
        let inverse = backend.download(&inverse)?;
        let scale = backend.download(&self.item_scale)?[[place, 0]];
        let rows = inverse.iter().zip(&self.history_weights);
        let mut column: Vec<f32> = rows.map(|(it, weight)| -it * weight * scale).collect();
        column[place] = 0.0;
        Ok(column)
    }

    fn item_scale(&self) -> &B::Matrix {
        &self.item_scale
    }

    fn tensors(&self) -> Tensors<'_, B> {
        vec![
            (INVERSE.into(), Tensor::Matrix(&self.inverse)),
            (DIAGONAL.into(), Tensor::Floats(&self.diagonal)),
        ]
    }
}
