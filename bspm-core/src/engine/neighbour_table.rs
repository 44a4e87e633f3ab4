//! A filter as a sparse table of contributions of items to other items.

use std::sync::Arc;

use sprs::CsMatI;

use super::filter::Filter;
use super::fit_options::FitOptions;
use super::item_graph::{graph_tensors, saved_graph};
use super::neighbour_rows::NeighbourRows;
use super::rank_one::RankOneBaseline;
use super::tensors::{SavedTensors, Tensor, Tensors};
use super::tiles::tile_ranges;
use super::workspace::{TileHistories, Workspace, unit};
use crate::backend::{Backend, Checked, Direction, Operand, Scores, Scoring, SparseParts, Update};
use crate::observe::Observed;
use bspm_data::History;
use bspm_data::Interactions;
use bspm_data::Stage;
use bspm_data::parameter::check_memory;
use bspm_data::{Error, Result};

/// `S^T r + p (a^T r)` for a history `r`: the kept entries `S` of each row, and a rank-one baseline `p` for
/// the other entries, with a loading `a` for each row.
#[derive(Debug)]
pub(crate) struct NeighbourTable<B: Backend> {
    graph: Arc<CsMatI<f32, u32>>,
    sparse: B::Sparse,
    /// `p`.
    baseline: Vec<f32>,
    /// `p: items x 1`.
    baseline_column: B::Matrix,
    /// `a`.
    loadings: Vec<f32>,
    /// Ones, `items x 1`, to sum histories with the weights `a`.
    ones: B::Matrix,
    history_weights: Vec<f32>,
}

/// The bytes of an entry while rows are concatenated: an item and a value, twice.
const BYTES_OF_ENTRY: usize = 16;

const BASELINE: &str = "neighbours.common";
const LOADINGS: &str = "neighbours.shares";

impl<B: Backend> NeighbourTable<B> {
    /// Computes the table of a fitted filter, with `keep` entries per row.
    pub(crate) fn of(
        backend: Checked<'_, B>,
        interactions: &Interactions,
        filter: &dyn Filter<B>,
        keep: usize,
        options: &FitOptions,
    ) -> Result<Self> {
        let items = interactions.items();
        let entries = items.saturating_mul(keep.min(items));
        if entries > u32::MAX as usize {
            return Err(Error::TooLarge {
                what: "entries of a neighbour table",
                found: entries,
                limit: u32::MAX as usize,
            });
        }
        if let Some(budget) = backend.memory_budget() {
            let what = || format!("a neighbour table of {items} items with {keep} entries each");
            check_memory(what, entries.saturating_mul(BYTES_OF_ENTRY), budget)?;
        }
        let all: Vec<u32> = (0..items as u32).collect();
        let width = backend
            .tile_columns(interactions.shape(), Scoring::Dense)?
            .min(items.max(1));
        let baseline = RankOneBaseline::of(backend, filter, &all)?;
        let singles: Vec<History<'_>> = all.chunks(1).map(History::from).collect();
        let ranges = tile_ranges(items, width);
        let observed = Observed::new(&options.observer, Stage::ItemGraph, items);
        let tiles = backend.for_each_tile(
            ranges.len(),
            || Ok((filter.workspace(backend, width)?, backend.zeros(1, width)?)),
            |(workspace, loadings), tile| {
                let histories = &singles[ranges[tile].clone()];
                let tile = TileHistories::new(histories, width);
                let scores = filter.score(backend, tile, workspace)?;
                let rows = baseline.split(backend, scores, loadings, histories.len(), keep)?;
                observed.advance(rows.len())?;
                Ok(rows)
            },
        )?;
        let (mut ends, mut columns, mut values) = (vec![0_u32], Vec::new(), Vec::new());
        let mut loadings = Vec::with_capacity(items);
        for (loading, entries) in tiles.into_iter().flatten() {
            loadings.push(loading);
            columns.extend(entries.iter().map(|entry| entry.0));
            values.extend(entries.iter().map(|entry| entry.1));
            ends.push(columns.len() as u32);
        }
        let graph = CsMatI::new((items, items), ends, columns, values);
        Self::new(backend, graph, baseline.values, loadings)
    }

    /// Loads a saved table.
    pub(crate) fn open(
        backend: Checked<'_, B>,
        interactions: &Interactions,
        tensors: &dyn SavedTensors,
    ) -> Result<Self> {
        let items = interactions.items();
        let graph = saved_graph(items, tensors)?;
        let (baseline, loadings) = (tensors.floats(BASELINE)?, tensors.floats(LOADINGS)?);
        if baseline.len() != items || loadings.len() != items {
            let expected = format!("{BASELINE} and {LOADINGS}: {items} numbers");
            let found = format!("{} and {}", baseline.len(), loadings.len());
            return Err(tensors.invalid(&expected, found));
        }
        Self::new(backend, graph, baseline, loadings)
    }

    fn new(
        backend: Checked<'_, B>,
        graph: CsMatI<f32, u32>,
        baseline: Vec<f32>,
        loadings: Vec<f32>,
    ) -> Result<Self> {
        let graph = Arc::new(graph);
        let ones = vec![1.0; baseline.len()];
        Ok(Self {
            sparse: backend.upload_sparse(SparseParts::ItemGraph(graph.clone()))?,
            graph,
            baseline_column: backend.upload_column(&baseline)?,
            baseline,
            loadings,
            ones: backend.upload_column(&ones)?,
            history_weights: ones,
        })
    }
}

impl<B: Backend> Filter<B> for NeighbourTable<B> {
    fn workspace(&self, backend: Checked<'_, B>, columns: usize) -> Result<Workspace<B>> {
        Workspace::new(backend, self.baseline.len(), &[1], columns)
    }

    fn score<'s>(
        &'s self,
        backend: Checked<'_, B>,
        histories: TileHistories<'_>,
        workspace: &'s mut Workspace<B>,
    ) -> Result<Scores<'s, B>> {
        let (scores, loading) = (&mut workspace.scores, &mut workspace.scratch[0]);
        let plain = histories.upload(backend, &self.history_weights)?;
        let right = Operand::Histories(&plain);
        let loaded = histories.upload(backend, &self.loadings)?;
        let (loaded, replace) = (Operand::Histories(&loaded), Update::REPLACE);
        backend.matmul(&self.ones, true, loaded, replace, loading)?;
        let loading = Operand::Dense(&*loading);
        backend.matmul(&self.baseline_column, false, loading, replace, scores)?;
        let add = Update::added(1.0);
        backend.spmm(&self.sparse, Direction::Transposed, right, add, scores)?;
        Ok(Scores::of(scores))
    }

    fn column(&self, backend: Checked<'_, B>, item: u32) -> Result<Vec<f32>> {
        let items = self.baseline.len();
        let unit = unit(backend, items, item)?;
        let (right, mut kept) = (Operand::Histories(&unit), backend.zeros(items, 1)?);
        let (graph, replace) = (&self.sparse, Update::REPLACE);
        backend.spmm(graph, Direction::Forward, right, replace, &mut kept)?;
        let baseline = self.baseline[item as usize];
        let kept = backend.download(&kept)?;
        let rows = kept.iter().zip(&self.loadings);
        Ok(rows
            .map(|(kept, loading)| kept + loading * baseline)
            .collect())
    }

    fn item_scale(&self) -> &B::Matrix {
        &self.ones
    }

    fn scoring(&self) -> Scoring {
        Scoring::SparseRows
    }

    fn neighbour_rows(&self) -> Option<NeighbourRows<'_>> {
        Some(NeighbourRows::new(
            &self.graph,
            &self.loadings,
            &self.baseline,
        ))
    }

    fn tensors(&self) -> Tensors<'_, B> {
        let mut tensors = graph_tensors(&self.graph);
        tensors.push((BASELINE.into(), Tensor::Floats(&self.baseline)));
        tensors.push((LOADINGS.into(), Tensor::Floats(&self.loadings)));
        tensors
    }
}
