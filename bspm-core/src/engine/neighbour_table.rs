//! A filter as a sparse table: what each item of a history gives to some others.

use std::cmp::Ordering;
use std::sync::Arc;

use ndarray::ArrayView1;
use sprs::CsMatI;

use super::filter::Filter;
use super::fit_options::FitOptions;
use super::item_graph::{graph_tensors, saved_graph};
use super::neighbour_rows::NeighbourRows;
use super::tensors::{SavedTensors, Tensor, Tensors};
use super::tiles::tile_ranges;
use super::workspace::{TileHistories, Workspace};
use crate::backend::{Backend, Checked, Direction, Operand, SparseParts, Update};
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
        let common = Common::new(mean_of_rows(backend, filter, &all)?);
        let width = backend
            .tile_columns(interactions.users(), items)?
            .min(items.max(1));
        let singles: Vec<History<'_>> = all.chunks(1).map(History::from).collect();
        let ranges = tile_ranges(items, width);
        let observed = Observed::new(&options.observer, Stage::ItemGraph, items);
        let tiles = backend.for_each_tile(
            ranges.len(),
            || filter.workspace(backend, width),
            |workspace, tile| {
                let histories = &singles[ranges[tile].clone()];
                filter.score_tile(backend, TileHistories::new(histories, width), workspace)?;
                backend.scale_rows(filter.item_scale(), &mut workspace.scores)?;
                let scores = backend.download(&workspace.scores)?;
                let rows = scores.columns().into_iter().take(histories.len());
                let rows: Rows = rows.map(|row| common.split(row, keep)).collect();
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

/// The mean of the rows of all items: the scores for all of them together, divided.
fn mean_of_rows<B: Backend>(
    backend: Checked<'_, B>,
    filter: &dyn Filter<B>,
    all: &[u32],
) -> Result<Vec<f32>> {
    let mut workspace = filter.workspace(backend, 1)?;
    let histories = [History::from(all)];
    filter.score_tile(backend, TileHistories::new(&histories, 1), &mut workspace)?;
    backend.scale_rows(filter.item_scale(), &mut workspace.scores)?;
    let scores = backend.download(&workspace.scores)?;
    let count = all.len().max(1) as f32;
    Ok(scores.iter().map(|score| score / count).collect())
}

/// What all rows have in common.
struct Common {
    values: Vec<f32>,
    norm: f64,
    /// The roots of the values: how often an item contends for a place in a list grows with what
    /// all give it, and so does what an entry that is left out costs.
    roots: Vec<f32>,
}

impl Common {
    fn new(values: Vec<f32>) -> Self {
        Self {
            norm: values.iter().map(|&it| f64::from(it).powi(2)).sum(),
            roots: values.iter().map(|it| it.abs().sqrt()).collect(),
            values,
        }
    }

    /// The share of it in a row, and of what is left the entries that are largest, each times the
    /// root of what is common.
    fn split(&self, row: ArrayView1<'_, f32>, keep: usize) -> (f32, Vec<(u32, f32)>) {
        let product: f64 = row
            .iter()
            .zip(&self.values)
            .map(|(&value, &common)| f64::from(value) * f64::from(common))
            .sum();
        let share = if self.norm > 0.0 {
            (product / self.norm) as f32
        } else {
            0.0
        };
        let left = row
            .iter()
            .zip(&self.values)
            .map(|(value, common)| value - share * common);
        let mut entries: Vec<(u32, f32)> = (0..).zip(left).filter(|entry| entry.1 != 0.0).collect();
        let weight = |entry: &(u32, f32)| entry.1.abs() * self.roots[entry.0 as usize];
        let larger = |one: &(u32, f32), other: &(u32, f32)| -> Ordering {
            let sizes = weight(other).total_cmp(&weight(one));
            sizes.then(one.0.cmp(&other.0))
        };
        if entries.len() > keep {
            entries.select_nth_unstable_by(keep - 1, larger);
            entries.truncate(keep);
        }
        entries.sort_unstable_by_key(|entry| entry.0);
        (share, entries)
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
