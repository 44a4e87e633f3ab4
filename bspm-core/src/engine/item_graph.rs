//! Item graphs: sparse `items x items` matrices computed from the users that items share, and filters that
//! are polynomials of an item graph.

use std::sync::Arc;

use sprs::CsMatI;

use super::filter::Filter;
use super::fit_options::FitOptions;
use super::tensors::{SavedTensors, Source, Tensor, Tensors};
use super::tiles::tile_ranges;
use super::workspace::{TileHistories, Workspace, add_histories, unit};
use crate::backend::{Backend, Checked, Direction, Operand, Scores, Scoring, SparseParts, Update};
use crate::observe::Observed;
use bspm_data::History;
use bspm_data::Interactions;
use bspm_data::Stage;
use bspm_data::{Error, Result};

/// The number of rows that a worker computes at a time.
pub(super) const BLOCK: usize = 64;

/// The bytes of an entry: its column and its value.
const ENTRY: usize = 8;

/// A row of an item graph: items in ascending order and their values.
pub(super) type Row = Vec<(u32, f32)>;

/// The limits of an item graph.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// The memory limit in bytes, in addition to the budget of the backend.
    pub(crate) budget: usize,
    /// The maximum number of entries that `finish` keeps per row; `None` if it keeps all.
    pub(crate) row: Option<usize>,
}

/// Returns the memory of computing a graph in bytes, without its entries: the transposed matrix and one row.
pub(crate) fn bytes_before_entries(interactions: &Interactions) -> usize {
    let numbers = interactions.len()
        * if interactions.weights().is_some() {
            2
        } else {
            1
        };
    size_of::<f32>() * (numbers + 2 * interactions.items())
}

/// Computes the graph whose entry for two items is the sum over their common users of `user_weights`, times
/// the weights of both interactions. `finish` can change or remove the entries of a row, which are in
/// ascending order.
///
/// Cost: twice the sum over the users of the square of their degree. The memory is checked before it is
/// allocated: [`Error::MemoryBudget`] if it is above the budget.
pub(crate) fn of_common_users<B: Backend>(
    backend: Checked<'_, B>,
    interactions: &Interactions,
    user_weights: &[f32],
    limits: Limits,
    options: &FitOptions,
    finish: &(dyn Fn(usize, &mut Row) + Sync),
) -> Result<CsMatI<f32, u32>> {
    let items = interactions.items();
    let transposed = interactions.transposed_csr();
    let transposed_weights = interactions.transposed_weights();
    let users_of = |item: usize| {
        let ends = transposed.indptr();
        let ends = ends.raw_storage();
        let place = ends[item] as usize..ends[item + 1] as usize;
        let weights = transposed_weights
            .as_ref()
            .map(|weights| &weights[place.clone()]);
        History::new(&transposed.indices()[place], weights)
    };
    let blocks = tile_ranges(items, BLOCK);
    let workspace = || {
        Ok(RowSums {
            sums: vec![0.0; items],
            touched: Vec::new(),
        })
    };

    let counts = backend.for_each_tile(blocks.len(), workspace, |row, block| {
        let lengths = blocks[block].clone().map(|item| {
            row.add(interactions, users_of(item), |_| 1.0);
            let length = row.touched.len();
            row.clear();
            limits.row.map_or(length, |most| length.min(most))
        });
        Ok(lengths.sum::<usize>())
    })?;
    let entries: usize = counts.iter().sum();
    let needed = entries.saturating_mul(ENTRY);
    let budget = backend.memory_budget().unwrap_or(usize::MAX);
    let budget = budget.min(limits.budget);
    if needed > budget || entries > u32::MAX as usize {
        return Err(Error::MemoryBudget {
            what: format!("an item graph of {entries} entries"),
            needed,
            available: budget,
        });
    }

    let observed = Observed::new(&options.observer, Stage::ItemGraph, items);
    let rows = backend.for_each_tile(blocks.len(), workspace, |row, block| {
        let mut rows = Vec::with_capacity(BLOCK);
        for item in blocks[block].clone() {
            row.add(interactions, users_of(item), |user| {
                user_weights[user as usize]
            });
            row.touched.sort_unstable();
            row.touched.dedup();
            let mut entries: Row = row
                .touched
                .iter()
                .map(|&other| (other, row.sums[other as usize]))
                .collect();
            row.clear();
            finish(item, &mut entries);
            // Release the memory of removed entries before all rows are complete.
            entries.shrink_to_fit();
            rows.push(entries);
        }
        observed.advance(rows.len())?;
        Ok(rows)
    })?;
    Ok(graph_of_rows(items, entries, rows.into_iter().flatten()))
}

/// Returns the diagonal of that graph: for each item, the sum of its squared weights, each times the weight of
/// the user.
pub(crate) fn sums_of_squares(interactions: &Interactions, user_weights: &[f32]) -> Vec<f64> {
    let mut sums = vec![0.0; interactions.items()];
    for (user, item, weight) in interactions.entries() {
        let square = f64::from(weight).powi(2);
        sums[item as usize] += square * f64::from(user_weights[user as usize]);
    }
    sums
}

/// Creates the graph of these rows, with about `entries` entries in total.
pub(super) fn graph_of_rows(
    items: usize,
    entries: usize,
    rows: impl Iterator<Item = Row>,
) -> CsMatI<f32, u32> {
    let mut row_ends = vec![0];
    let (mut columns, mut values) = (Vec::with_capacity(entries), Vec::with_capacity(entries));
    for row in rows {
        columns.extend(row.iter().map(|entry| entry.0));
        values.extend(row.iter().map(|entry| entry.1));
        row_ends.push(columns.len() as u32);
    }
    CsMatI::new((items, items), row_ends, columns, values)
}

/// Computes the graph of nearest neighbours: each item keeps its `count` largest entries.
///
/// `weight` returns the entry for two items from the sum of `user_weights` over their common users. Of equal
/// entries, those of lower items are kept.
pub(crate) fn of_neighbours<B: Backend>(
    backend: Checked<'_, B>,
    interactions: &Interactions,
    user_weights: &[f32],
    count: usize,
    options: &FitOptions,
    weight: impl Fn(usize, usize, f32) -> f32 + Sync,
) -> Result<CsMatI<f32, u32>> {
    let limits = Limits {
        budget: usize::MAX,
        row: Some(count),
    };
    let finish = |item: usize, row: &mut Row| {
        row.retain(|entry| entry.0 as usize != item);
        for (other, value) in &mut *row {
            *value = weight(item, *other as usize, *value);
        }
        keep_best(row, count, |entry| entry.1);
    };
    of_common_users(
        backend,
        interactions,
        user_weights,
        limits,
        options,
        &finish,
    )
}

/// Keeps the largest entries of a row, in ascending order of their items. Of equal entries, those of lower
/// items are kept.
pub(super) fn keep_best(row: &mut Row, count: usize, value: impl Fn(&(u32, f32)) -> f32) {
    if row.len() > count {
        row.sort_by(|left, right| value(right).total_cmp(&value(left)));
        row.truncate(count);
        row.sort_unstable_by_key(|entry| entry.0);
    }
}

/// A row that is being computed.
struct RowSums {
    sums: Vec<f32>,
    touched: Vec<u32>,
}

impl RowSums {
    /// Adds the items of the users of an item, with the weight of each user.
    fn add(
        &mut self,
        interactions: &Interactions,
        users: History<'_>,
        weight: impl Fn(u32) -> f32,
    ) {
        for (user, own) in users.entries() {
            let weight = own * weight(user);
            let history = interactions.history_of(user);
            match history.weights() {
                None => {
                    for &other in history.items() {
                        self.add_to(other, weight);
                    }
                }
                Some(_) => {
                    for (other, count) in history.entries() {
                        self.add_to(other, weight * count);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn add_to(&mut self, other: u32, weight: f32) {
        let sum = &mut self.sums[other as usize];
        if *sum == 0.0 {
            self.touched.push(other);
        }
        *sum += weight;
    }

    fn clear(&mut self) {
        for &other in &self.touched {
            self.sums[other as usize] = 0.0;
        }
        self.touched.clear();
    }
}

/// `c_1 S + c_2 S^2 + ...` of the histories, for an item graph `S`.
#[derive(Debug)]
pub(crate) struct ItemGraphPolynomial<B: Backend> {
    sparse: B::Sparse,
    graph: Arc<CsMatI<f32, u32>>,
    /// The coefficients, starting with `c_1`; at least one.
    coefficients: Vec<f64>,
    ones: Vec<f32>,
    item_scale: B::Matrix,
}

const ROW_ENDS: &str = "item_graph.row_ends";
const COLUMNS: &str = "item_graph.columns";
const VALUES: &str = "item_graph.values";

impl<B: Backend> ItemGraphPolynomial<B> {
    /// Creates the polynomial of the graph that `form` computes, or of the saved one.
    pub(crate) fn obtain(
        backend: Checked<'_, B>,
        items: usize,
        coefficients: Vec<f64>,
        source: Source<'_>,
        form: impl FnOnce(&FitOptions) -> Result<CsMatI<f32, u32>>,
    ) -> Result<Box<dyn Filter<B>>> {
        let graph = Arc::new(match source {
            Source::Fit(options, _) => form(options)?,
            Source::Saved(tensors) => saved_graph(items, tensors)?,
        });
        Ok(Box::new(Self::of(backend, graph, coefficients)?))
    }

    /// Creates the polynomial of a graph in compressed sparse rows.
    pub(crate) fn of(
        backend: Checked<'_, B>,
        graph: Arc<CsMatI<f32, u32>>,
        coefficients: Vec<f64>,
    ) -> Result<Self> {
        let ones = vec![1.0; graph.rows()];
        Ok(Self {
            item_scale: backend.upload_column(&ones)?,
            sparse: backend.upload_sparse(SparseParts::ItemGraph(graph.clone()))?,
            graph,
            coefficients,
            ones,
        })
    }
}

impl<B: Backend> ItemGraphPolynomial<B> {
    /// Applies the polynomial of the graph, in one direction, to the histories, by Horner's scheme.
    fn evaluate(
        &self,
        backend: Checked<'_, B>,
        direction: Direction,
        histories: &B::Histories,
        workspace: &mut Workspace<B>,
    ) -> Result<()> {
        let Workspace {
            scores, scratch, ..
        } = workspace;
        let follow = |from: Operand<'_, B>, factor: f64, out: &mut B::Matrix| {
            let update = Update::times(factor as f32);
            backend.spmm(&self.sparse, direction, from, update, out)
        };
        let mut coefficients = self.coefficients.iter().rev();
        let first = coefficients.next().copied().unwrap_or(0.0);
        follow(Operand::Histories(histories), first, scores)?;
        for &coefficient in coefficients {
            add_histories(backend, coefficient, histories, scores)?;
            follow(Operand::Dense(scores), 1.0, &mut scratch[0])?;
            std::mem::swap(scores, &mut scratch[0]);
        }
        Ok(())
    }
}

pub(crate) fn saved_graph(items: usize, tensors: &dyn SavedTensors) -> Result<CsMatI<f32, u32>> {
    let row_ends = tensors.indices(ROW_ENDS)?;
    let (columns, values) = (tensors.indices(COLUMNS)?, tensors.floats(VALUES)?);
    CsMatI::try_new((items, items), row_ends, columns, values)
        .map_err(|(_, _, _, error)| tensors.invalid("item_graph", error.to_string()))
}

impl<B: Backend> Filter<B> for ItemGraphPolynomial<B> {
    fn workspace(&self, backend: Checked<'_, B>, columns: usize) -> Result<Workspace<B>> {
        let items = self.graph.rows();
        let stage = if self.coefficients.len() > 1 {
            items
        } else {
            0
        };
        Workspace::new(backend, items, &[stage], columns)
    }

    fn score<'s>(
        &'s self,
        backend: Checked<'_, B>,
        histories: TileHistories<'_>,
        workspace: &'s mut Workspace<B>,
    ) -> Result<Scores<'s, B>> {
        let histories = histories.upload(backend, &self.ones)?;
        self.evaluate(backend, Direction::Transposed, &histories, workspace)?;
        Ok(Scores::of(&mut workspace.scores))
    }

    fn column(&self, backend: Checked<'_, B>, item: u32) -> Result<Vec<f32>> {
        let mut workspace = self.workspace(backend, 1)?;
        let unit = unit(backend, self.ones.len(), item)?;
        self.evaluate(backend, Direction::Forward, &unit, &mut workspace)?;
        Ok(backend
            .download(&workspace.scores)?
            .into_raw_vec_and_offset()
            .0)
    }

    fn item_scale(&self) -> &B::Matrix {
        &self.item_scale
    }

    fn scoring(&self) -> Scoring {
        match self.coefficients.len() {
            1 => Scoring::SparseRows,
            _ => Scoring::Dense,
        }
    }

    fn tensors(&self) -> Tensors<'_, B> {
        graph_tensors(&self.graph)
    }
}

/// Returns the tensors of an item graph for a model file.
pub(crate) fn graph_tensors<B: Backend>(graph: &CsMatI<f32, u32>) -> Tensors<'_, B> {
    let ends = graph.indptr().into_raw_storage();
    vec![
        (ROW_ENDS.into(), Tensor::Indices(ends)),
        (COLUMNS.into(), Tensor::Indices(graph.indices())),
        (VALUES.into(), Tensor::Floats(graph.data())),
    ]
}
