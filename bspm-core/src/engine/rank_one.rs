//! The rank-one baseline of the rows of a filter, and the entries of a row with the largest difference to it.

use super::filter::Filter;
use super::workspace::TileHistories;
use crate::backend::{Backend, Checked, Operand, Scores, Select, Shaped, Update};
use bspm_data::History;
use bspm_data::Result;

/// The rows of a tile: the loading and the kept entries of each item.
type Rows = Vec<(f32, Vec<(u32, f32)>)>;

/// The mean row of a filter, `p`, and weights to compare rows with it.
pub(crate) struct RankOneBaseline<B: Backend> {
    pub(crate) values: Vec<f32>,
    /// The square roots of the baseline. The frequency of an item in lists grows with this root, and so does
    /// the loss of a dropped entry.
    roots: Vec<f32>,
    /// The weights of the entries of a row: the roots times the item scale.
    weights: B::Matrix,
    /// `p` before the item scale.
    unscaled: B::Matrix,
    /// The product of this with a row, before the item scale, is the loading of the row.
    projection: B::Matrix,
    /// The product of `projection` with the decoder of factored scores, if the filter has them.
    of_decoder: Option<B::Matrix>,
}

/// The smallest root, relative to the largest one, so that entries of items with a baseline of 0 are kept if
/// there is room.
const LEAST_ROOT: f32 = 1e-6;

impl<B: Backend> RankOneBaseline<B> {
    /// Computes the baseline of a filter: the scores for a history of `all` items, divided by their number.
    pub(crate) fn of(backend: Checked<'_, B>, filter: &dyn Filter<B>, all: &[u32]) -> Result<Self> {
        let mut workspace = filter.workspace(backend, 1)?;
        let histories = [History::from(all)];
        let histories = TileHistories::new(&histories, 1);
        let scores = filter.score(backend, histories, &mut workspace)?;
        let decoder = scores.product.map(|(decoder, _)| decoder);
        let scores = backend.form(scores)?;
        backend.scale_rows(filter.item_scale(), scores)?;
        let count = all.len().max(1) as f32;
        let mean = backend.download(scores)?.mapv(|score| score / count);
        let values: Vec<f32> = mean.into_iter().collect();
        let squares = values.iter().map(|&it| f64::from(it).powi(2));
        let norm: f64 = squares.sum();
        let inverse_norm = if norm > 0.0 { 1.0 / norm } else { 0.0 };
        let mut roots: Vec<f32> = values.iter().map(|it| it.abs().sqrt()).collect();
        let most = roots.iter().fold(0.0, |most: f32, &it| most.max(it));
        let least = if most > 0.0 { LEAST_ROOT * most } else { 1.0 };
        roots.iter_mut().for_each(|it| *it = it.max(least));
        let scales = backend.download(filter.item_scale())?;
        let column = |of: &dyn Fn(usize) -> f64| -> Result<B::Matrix> {
            let values: Vec<f32> = (0..values.len()).map(|item| of(item) as f32).collect();
            backend.upload_column(&values)
        };
        let (scale, value) = (
            |item: usize| f64::from(scales[[item, 0]]),
            |item: usize| f64::from(values[item]),
        );
        let projection = column(&|item| value(item) * scale(item) * inverse_norm)?;
        let of_decoder = decoder.map(|decoder| {
            let mut product = backend.zeros(decoder.shape().1, 1)?;
            let right = Operand::Dense(&projection);
            backend.matmul(decoder, true, right, Update::REPLACE, &mut product)?;
            Ok(product)
        });
        Ok(Self {
            weights: column(&|item| scale(item) * f64::from(roots[item]))?,
            unscaled: column(&|item| value(item) / scale(item))?,
            of_decoder: of_decoder.transpose()?,
            projection,
            roots,
            values,
        })
    }

    /// Returns the loading of each row of a tile, and its entries with the largest difference to the baseline,
    /// weighted by the roots. `loadings: 1 x columns` is scratch.
    pub(crate) fn split(
        &self,
        backend: Checked<'_, B>,
        scores: Scores<'_, B>,
        loadings: &mut B::Matrix,
        rows: usize,
        keep: usize,
    ) -> Result<Rows> {
        let right = Operand::Dense(&*scores.dense);
        backend.matmul(&self.projection, true, right, Update::REPLACE, loadings)?;
        if let (Some((_, coefficients)), Some(of_decoder)) = (scores.product, &self.of_decoder) {
            let right = Operand::Dense(coefficients);
            backend.matmul(of_decoder, true, right, Update::added(1.0), loadings)?;
        }
        let without = Update::added(-1.0);
        let right = Operand::Dense(&*loadings);
        backend.matmul(&self.unscaled, false, right, without, &mut *scores.dense)?;
        let none: Vec<&[u32]> = vec![&[]; rows];
        let entries = backend.select(scores, &self.weights, &none, Select::Largest(keep))?;
        let loadings = backend.download(loadings)?;
        let split = entries
            .into_iter()
            .zip(&loadings)
            .map(|(entries, &loading)| {
                let values = entries
                    .iter()
                    .map(|entry| (entry.item, entry.score / self.roots[entry.item as usize]));
                let mut values: Vec<(u32, f32)> = values.collect();
                values.sort_unstable_by_key(|entry| entry.0);
                (loading, values)
            });
        Ok(split.collect())
    }
}
