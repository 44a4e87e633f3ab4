//! What the rows of a filter have in common, and the rows told apart from it.

use super::filter::Filter;
use super::workspace::{TileHistories, Workspace};
use crate::backend::{Backend, Checked, Operand, Shaped, Update};
use bspm_data::History;
use bspm_data::{Error, Result};

/// The rows of a tile: for each item, its share and the entries that are kept.
type Rows = Vec<(f32, Vec<(u32, f32)>)>;

/// What all rows have in common, `p`, and what tiles of rows are told apart from it with.
pub(crate) struct CommonScores<'a, B: Backend> {
    pub(crate) values: Vec<f32>,
    /// How often an item contends for a place in a list grows with the root of what all give it,
    /// and so does what an entry that is left out costs.
    roots: Vec<f32>,
    /// By which entries of a row are compared: the roots, times the item scale.
    weights: B::Matrix,
    /// `p` as it is before the item scale.
    unscaled: B::Matrix,
    /// Whose product with a row, as it is before the item scale, is the share of `p` in it.
    sharing: B::Matrix,
    /// The vectors of the filter's last product, and their product with `sharing`.
    last: Option<(&'a B::Matrix, B::Matrix)>,
    /// In its place where there is none: a product of no factors.
    nothing: [B::Matrix; 2],
}

/// What the least root is, relative to the largest: entries of items that nothing is given to on
/// the whole are kept where there is room.
const LEAST_ROOT: f32 = 1e-6;

impl<'a, B: Backend> CommonScores<'a, B> {
    /// Of the rows of a filter for `all` items, and for tiles of `width` of them.
    pub(crate) fn of(
        backend: Checked<'_, B>,
        filter: &'a dyn Filter<B>,
        all: &[u32],
        width: usize,
    ) -> Result<Self> {
        let (values, vectors) = mean_of_rows(backend, filter, all)?;
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
        let sharing = column(&|item| value(item) * scale(item) * inverse_norm)?;
        let last = vectors.map(|vectors| {
            let mut of_vectors = backend.zeros(vectors.shape().1, 1)?;
            let right = Operand::Dense(&sharing);
            backend.matmul(vectors, true, right, Update::REPLACE, &mut of_vectors)?;
            Ok::<_, Error>((vectors, of_vectors))
        });
        Ok(Self {
            weights: column(&|item| scale(item) * f64::from(roots[item]))?,
            unscaled: column(&|item| value(item) / scale(item))?,
            last: last.transpose()?,
            nothing: [backend.zeros(values.len(), 0)?, backend.zeros(0, width)?],
            sharing,
            roots,
            values,
        })
    }

    /// For each of so many rows of a tile that was scored apart from the last product, the share
    /// of `p` in it, and of what is left the entries that are largest, each times its root.
    /// `shares: 1 x columns` is scratch.
    pub(crate) fn split(
        &self,
        backend: Checked<'_, B>,
        workspace: &mut Workspace<B>,
        shares: &mut B::Matrix,
        rows: usize,
        keep: usize,
    ) -> Result<Rows> {
        let scores = &mut workspace.scores;
        let right = Operand::Dense(&*scores);
        backend.matmul(&self.sharing, true, right, Update::REPLACE, shares)?;
        let product = match &self.last {
            Some((vectors, sharing)) => {
                let right = Operand::Dense(&workspace.coefficients);
                backend.matmul(sharing, true, right, Update::added(1.0), shares)?;
                (*vectors, &workspace.coefficients)
            }
            None => (&self.nothing[0], &self.nothing[1]),
        };
        let without = Update::added(-1.0);
        backend.matmul(
            &self.unscaled,
            false,
            Operand::Dense(shares),
            without,
            scores,
        )?;
        let entries = backend.product_largest(scores, product, &self.weights, rows, keep)?;
        let shares = backend.download(shares)?;
        let split = entries.into_iter().zip(&shares).map(|(entries, &share)| {
            let values = entries
                .iter()
                .map(|entry| (entry.item, entry.score / self.roots[entry.item as usize]));
            let mut values: Vec<(u32, f32)> = values.collect();
            values.sort_unstable_by_key(|entry| entry.0);
            (share, values)
        });
        Ok(split.collect())
    }
}

/// The mean of the rows of all items: the scores for all of them together, divided. With it the
/// vectors of the filter's last product, where there is one.
fn mean_of_rows<'a, B: Backend>(
    backend: Checked<'_, B>,
    filter: &'a dyn Filter<B>,
    all: &[u32],
) -> Result<(Vec<f32>, Option<&'a B::Matrix>)> {
    let mut workspace = filter.workspace(backend, 1)?;
    let histories = [History::from(all)];
    let histories = TileHistories::new(&histories, 1);
    let vectors = filter.score_tile_apart(backend, histories, &mut workspace)?;
    workspace.add_product(backend, vectors)?;
    let scores = &mut workspace.scores;
    backend.scale_rows(filter.item_scale(), scores)?;
    let count = all.len().max(1) as f32;
    let mean = backend.download(scores)?.mapv(|score| score / count);
    Ok((mean.into_iter().collect(), vectors))
}
