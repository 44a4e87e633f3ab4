//! A filter as a sparse table: what each item of a history gives to some others.

use std::sync::Arc;

use sprs::CsMatI;

use super::filter::Filter;
use super::fit_options::FitOptions;
use super::item_graph::{graph_tensors, saved_graph};
use super::neighbour_rows::NeighbourRows;
use super::tensors::{SavedTensors, Tensor, Tensors};
use super::tiles::tile_ranges;
use super::workspace::{TileHistories, Workspace};
use crate::backend::{Backend, Checked, Direction, Operand, Shaped, SparseParts, Update};
use crate::data::history::History;
use crate::data::interactions::Interactions;
use crate::error::{Error, Result};
use crate::observe::Observed;
use crate::progress::Stage;

/// `S^T r + p (a^T r)` for a history `r`: the entries that are kept of each row, and the rest as
/// a share `a` of what all rows have in common, `p`.
#[derive(Debug)]
pub(crate) struct NeighbourTable<B: Backend> {
    graph: Arc<CsMatI<f32, u32>>,
    sparse: B::Sparse,
    /// `p`.
    common: Vec<f32>,
    /// `p: items x 1`.
    common_column: B::Matrix,
    /// `a`.
    shares: Vec<f32>,
    /// Ones, `items x 1`, by which histories with the weights `a` are added up.
    ones: B::Matrix,
    history_weights: Vec<f32>,
}

const COMMON: &str = "neighbours.common";
const SHARES: &str = "neighbours.shares";

/// The rows of a tile: for each item, its share and the entries that are kept.
type Rows = Vec<(f32, Vec<(u32, f32)>)>;

impl<B: Backend> NeighbourTable<B> {
    /// The table of a fitted filter, with `keep` entries in a row.
    pub(crate) fn of(
        backend: Checked<'_, B>,
        interactions: &Interactions,
        filter: &dyn Filter<B>,
        keep: usize,
        options: &FitOptions,
    ) -> Result<Self> {
        let items = interactions.items();
        if items.saturating_mul(keep.min(items)) > u32::MAX as usize {
            return Err(Error::TooLarge {
                what: "entries of a neighbour table",
                found: items.saturating_mul(keep.min(items)),
                limit: u32::MAX as usize,
            });
        }
        let all: Vec<u32> = (0..items as u32).collect();
        let width = backend
            .tile_columns(interactions.users(), items)?
            .min(items.max(1));
        let mean = mean_of_rows(backend, filter, &all)?;
        let common = Common::new(backend, filter.item_scale(), width, mean)?;
        let singles: Vec<History<'_>> = all.chunks(1).map(History::from).collect();
        let ranges = tile_ranges(items, width);
        let observed = Observed::new(&options.observer, Stage::ItemGraph, items);
        let tiles = backend.for_each_tile(
            ranges.len(),
            || Ok((filter.workspace(backend, width)?, backend.zeros(1, width)?)),
            |(workspace, shares), tile| {
                let histories = &singles[ranges[tile].clone()];
                filter.score_tile_apart(
                    backend,
                    TileHistories::new(histories, width),
                    workspace,
                )?;
                let rows = common.split(backend, workspace, shares, histories.len(), keep)?;
                observed.advance(rows.len())?;
                Ok(rows)
            },
        )?;
        let (mut ends, mut columns, mut values) = (vec![0_u32], Vec::new(), Vec::new());
        let mut shares = Vec::with_capacity(items);
        for (share, entries) in tiles.into_iter().flatten() {
            shares.push(share);
            columns.extend(entries.iter().map(|entry| entry.0));
            values.extend(entries.iter().map(|entry| entry.1));
            ends.push(columns.len() as u32);
        }
        let graph = CsMatI::new((items, items), ends, columns, values);
        Self::new(backend, graph, common.values, shares)
    }

    /// The table that was saved.
    pub(crate) fn open(
        backend: Checked<'_, B>,
        interactions: &Interactions,
        tensors: &dyn SavedTensors,
    ) -> Result<Self> {
        let items = interactions.items();
        let graph = saved_graph(items, tensors)?;
        let (common, shares) = (tensors.floats(COMMON)?, tensors.floats(SHARES)?);
        if common.len() != items || shares.len() != items {
            let expected = format!("{COMMON} and {SHARES}: {items} numbers");
            let found = format!("{} and {}", common.len(), shares.len());
            return Err(tensors.invalid(&expected, found));
        }
        Self::new(backend, graph, common, shares)
    }

    fn new(
        backend: Checked<'_, B>,
        graph: CsMatI<f32, u32>,
        common: Vec<f32>,
        shares: Vec<f32>,
    ) -> Result<Self> {
        let graph = Arc::new(graph);
        let ones = vec![1.0; common.len()];
        Ok(Self {
            sparse: backend.upload_sparse(SparseParts::ItemGraph(graph.clone()))?,
            graph,
            common_column: backend.upload_column(&common)?,
            common,
            shares,
            ones: backend.upload_column(&ones)?,
            history_weights: ones,
        })
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
    let scores = &mut workspace.scores;
    if let Some(vectors) = vectors {
        let coefficients = Operand::Dense(&workspace.coefficients);
        backend.matmul(vectors, false, coefficients, Update::added(1.0), scores)?;
    }
    backend.scale_rows(filter.item_scale(), scores)?;
    let count = all.len().max(1) as f32;
    let mean = backend.download(scores)?.mapv(|score| score / count);
    Ok((mean.into_iter().collect(), vectors))
}

/// What all rows have in common, `p`, and what tiles of rows are told apart from it with.
struct Common<'a, B: Backend> {
    values: Vec<f32>,
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

impl<'a, B: Backend> Common<'a, B> {
    fn new(
        backend: Checked<'_, B>,
        item_scale: &B::Matrix,
        width: usize,
        (values, vectors): (Vec<f32>, Option<&'a B::Matrix>),
    ) -> Result<Self> {
        let squares = values.iter().map(|&it| f64::from(it).powi(2));
        let norm: f64 = squares.sum();
        let inverse_norm = if norm > 0.0 { 1.0 / norm } else { 0.0 };
        let mut roots: Vec<f32> = values.iter().map(|it| it.abs().sqrt()).collect();
        let most = roots.iter().fold(0.0, |most: f32, &it| most.max(it));
        let least = if most > 0.0 { LEAST_ROOT * most } else { 1.0 };
        roots.iter_mut().for_each(|it| *it = it.max(least));
        let scales = backend.download(item_scale)?;
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
    fn split(
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

impl<B: Backend> Filter<B> for NeighbourTable<B> {
    fn workspace(&self, backend: Checked<'_, B>, columns: usize) -> Result<Workspace<B>> {
        Workspace::new(backend, self.common.len(), &[1], columns)
    }

    fn score_tile(
        &self,
        backend: Checked<'_, B>,
        histories: TileHistories<'_>,
        workspace: &mut Workspace<B>,
    ) -> Result<()> {
        let (scores, share) = (&mut workspace.scores, &mut workspace.scratch[0]);
        let plain = histories.upload(backend, &self.history_weights)?;
        let right = Operand::Histories(&plain);
        let shared = histories.upload(backend, &self.shares)?;
        let (shared, replace) = (Operand::Histories(&shared), Update::REPLACE);
        backend.matmul(&self.ones, true, shared, replace, share)?;
        let share = Operand::Dense(&*share);
        backend.matmul(&self.common_column, false, share, replace, scores)?;
        let add = Update::added(1.0);
        backend.spmm(&self.sparse, Direction::Transposed, right, add, scores)
    }

    fn item_scale(&self) -> &B::Matrix {
        &self.ones
    }

    fn adds_up_rows(&self) -> bool {
        true
    }

    fn neighbour_rows(&self) -> Option<NeighbourRows<'_>> {
        Some(NeighbourRows::new(&self.graph, &self.shares, &self.common))
    }

    fn tensors(&self) -> Tensors<'_, B> {
        let mut tensors = graph_tensors(&self.graph);
        tensors.push((COMMON.into(), Tensor::Floats(&self.common)));
        tensors.push((SHARES.into(), Tensor::Floats(&self.shares)));
        tensors
    }
}
