//! [`Backend`] on the CPU.

use std::ops::Range;
use std::sync::Arc;

use bspm_core::backend::{
    Combination, Direction, GraphParts, SharedMatrix, SymmetricEigen, Update, check, check_terms,
    combined_top_k,
};
use bspm_core::{Backend, Result, ScoredItem, TopK};
use ndarray::{Array2, ArrayView2, s};
use rayon::ThreadPool;
use sprs::CsMatI;

use crate::eigen;
use crate::error::CpuError;
use crate::graph::CpuGraph;
use crate::histories::CpuHistories;
use crate::inverse;
use crate::item_graph::CpuItemGraph;
use crate::kernel::combined_top_k::CombinedTopK;
use crate::kernel::elementwise::{AddScaled, ScaleRows};
use crate::kernel::follow::Follow;
use crate::kernel::instruction_set::InstructionSet;
use crate::kernel::row_dots::RowDots;
use crate::kernel::spmm;
use crate::kernel::top_k::SelectTop;
use crate::matmul;
use crate::matrix::CpuMatrix;
use crate::threads::Threads;

/// The CPU as a backend: cache-sized tiles of users on a rayon thread pool.
#[derive(Clone, Debug)]
pub struct CpuBackend {
    threads: Threads,
    instruction_set: InstructionSet,
    memory_budget: Option<usize>,
}

/// Users per tile: rows of two cache lines, which measured faster than one or four.
const TILE_COLUMNS: usize = 32;

impl CpuBackend {
    /// Runs on the current rayon pool: the global one unless called from another.
    pub fn new() -> Self {
        Self::on(Threads::default())
    }

    /// Runs on a pool of its own with this many threads; 0 means one per core.
    ///
    /// # Errors
    ///
    /// [`CpuError::ThreadPool`] when the threads cannot be started.
    pub fn with_threads(threads: usize) -> Result<Self, CpuError> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|source| CpuError::ThreadPool {
                threads,
                source: source.into(),
            })?;
        Ok(Self::with_pool(Arc::new(pool)))
    }

    /// Runs on the caller's pool.
    pub fn with_pool(pool: Arc<ThreadPool>) -> Self {
        Self::on(Threads::of_pool(pool))
    }

    /// Refuses work that is known beforehand to need more than so many bytes; without a
    /// budget, nothing is refused.
    #[must_use]
    pub fn memory_budget(self, bytes: usize) -> Self {
        Self {
            memory_budget: Some(bytes),
            ..self
        }
    }

    fn on(threads: Threads) -> Self {
        Self {
            memory_budget: None,
            threads,
            instruction_set: InstructionSet::detect(),
        }
    }
}

impl Default for CpuBackend {
    fn default() -> Self {
        Self::new()
    }
}

impl Backend for CpuBackend {
    type Matrix = CpuMatrix;
    type Graph = CpuGraph;
    type ItemGraph = CpuItemGraph;
    type Histories = CpuHistories;

    fn name(&self) -> &'static str {
        "cpu"
    }

    fn tile_columns(&self, _users: usize, _items: usize) -> Result<usize> {
        Ok(TILE_COLUMNS)
    }

    fn memory_budget(&self) -> Option<usize> {
        self.memory_budget
    }

    fn for_each_tile<W, T: Send>(
        &self,
        tiles: usize,
        workspace: impl Fn() -> Result<W> + Sync,
        work: impl Fn(&mut W, usize) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        self.threads.for_each_tile(tiles, workspace, work)
    }

    fn zeros(&self, rows: usize, columns: usize) -> Result<CpuMatrix> {
        Ok(CpuMatrix::zeros(rows, columns))
    }

    fn upload(&self, values: ArrayView2<'_, f32>) -> Result<CpuMatrix> {
        Ok(CpuMatrix::from_view(values))
    }

    fn upload_shared(&self, values: SharedMatrix) -> Result<CpuMatrix> {
        Ok(CpuMatrix::from_shared(values))
    }

    fn download(&self, matrix: &CpuMatrix) -> Result<Array2<f32>> {
        Ok(matrix.to_array())
    }

    fn shape(&self, matrix: &CpuMatrix) -> (usize, usize) {
        matrix.shape()
    }

    fn upload_graph(&self, parts: GraphParts<'_>) -> Result<CpuGraph> {
        Ok(CpuGraph::new(parts))
    }

    fn upload_histories(
        &self,
        histories: &[&[u32]],
        weights: &[f32],
        columns: usize,
    ) -> Result<CpuHistories> {
        CpuHistories::new(histories, weights, columns)
    }

    fn spmm(
        &self,
        graph: &CpuGraph,
        direction: Direction,
        dense: &CpuMatrix,
        update: Update<'_, CpuMatrix>,
        out: &mut CpuMatrix,
    ) -> Result<()> {
        let pattern = graph.half(direction);
        let addend = update.addend.map(|(_, addend)| addend.shape());
        check::product("spmm", pattern.shape(), dense.shape(), addend, out.shape())?;
        spmm::spmm(self.instruction_set, pattern, dense, update, out);
        Ok(())
    }

    fn spmm_histories(
        &self,
        graph: &CpuGraph,
        histories: &CpuHistories,
        out: &mut CpuMatrix,
    ) -> Result<()> {
        let users = graph.half(Direction::ToUsers);
        let items = graph.half(Direction::ToItems);
        check::product(
            "spmm_histories",
            users.shape(),
            histories.shape(),
            None,
            out.shape(),
        )?;

        let stride = out.stride();
        let values = out.padded_mut();
        values.fill(0.0);
        for (column, history) in histories.columns() {
            for &(item, weight) in history {
                for &user in items.row(item) {
                    values[user as usize * stride + column] += weight;
                }
            }
        }
        self.instruction_set.run(ScaleRows {
            scales: &users.scale,
            stride,
            out: values,
        });
        Ok(())
    }

    fn upload_item_graph(&self, weights: CsMatI<f32, u32>) -> Result<CpuItemGraph> {
        Ok(CpuItemGraph::new(weights))
    }

    fn download_item_graph(&self, graph: &CpuItemGraph) -> Result<CsMatI<f32, u32>> {
        Ok(graph.weights().clone())
    }

    fn follow_histories(
        &self,
        graph: &CpuItemGraph,
        factor: f32,
        histories: &CpuHistories,
        out: &mut CpuMatrix,
    ) -> Result<()> {
        let shapes = (graph.shape(), histories.shape());
        check::product("follow_histories", shapes.0, shapes.1, None, out.shape())?;
        let mut sums = vec![0.0; out.rows()];
        for (column, history) in histories.columns() {
            sums.fill(0.0);
            for &(item, weight) in history {
                let (columns, weights) = graph.row(item as usize);
                for (&to, &link) in columns.iter().zip(weights) {
                    sums[to as usize] += weight * link;
                }
            }
            for (value, sum) in out.view_mut().column_mut(column).iter_mut().zip(&sums) {
                *value = factor * sum;
            }
        }
        Ok(())
    }

    fn follow(&self, graph: &CpuItemGraph, dense: &CpuMatrix, out: &mut CpuMatrix) -> Result<()> {
        check::product("follow", graph.shape(), dense.shape(), None, out.shape())?;
        let stride = out.stride();
        let values = out.padded_mut();
        values.fill(0.0);
        self.instruction_set.run(Follow {
            graph,
            dense: dense.padded(),
            stride,
            out: values,
        });
        Ok(())
    }

    fn invert_positive_definite(&self, mut matrix: CpuMatrix) -> Result<CpuMatrix> {
        let shape = matrix.shape();
        let is_square = shape.0 == shape.1;
        check::fits("invert_positive_definite", shape, shape, is_square)?;
        inverse::invert_positive_definite(&self.threads, &mut matrix)
            .map_err(|error| error.in_operation("invert_positive_definite"))?;
        Ok(matrix)
    }

    fn project_histories(
        &self,
        basis: &CpuMatrix,
        histories: &CpuHistories,
        out: &mut CpuMatrix,
    ) -> Result<()> {
        check::product(
            "project_histories",
            (basis.columns(), basis.rows()),
            histories.shape(),
            None,
            out.shape(),
        )?;

        let stride = basis.stride();
        let mut sums = vec![0.0; stride];
        for (column, history) in histories.columns() {
            sums.fill(0.0);
            for &(item, weight) in history {
                self.instruction_set.run(AddScaled {
                    scale: weight,
                    addend: &basis.padded()[item as usize * stride..][..stride],
                    keep: 1.0,
                    out: &mut sums,
                });
            }
            for (value, sum) in out.view_mut().column_mut(column).iter_mut().zip(&sums) {
                *value = *sum;
            }
        }
        Ok(())
    }

    fn add_histories(
        &self,
        scale: f32,
        histories: &CpuHistories,
        keep: f32,
        out: &mut CpuMatrix,
    ) -> Result<()> {
        check::same("add_histories", histories.shape(), out.shape())?;
        let stride = out.stride();
        let values = out.padded_mut();
        if keep == 0.0 {
            values.fill(0.0);
        } else if keep != 1.0 {
            values.iter_mut().for_each(|value| *value *= keep);
        }
        for (column, history) in histories.columns() {
            for &(item, weight) in history {
                values[item as usize * stride + column] += scale * weight;
            }
        }
        Ok(())
    }

    fn matmul(
        &self,
        left: &CpuMatrix,
        transpose_left: bool,
        right: &CpuMatrix,
        update: Update<'_, CpuMatrix>,
        out: &mut CpuMatrix,
    ) -> Result<()> {
        let (rows, inner) = match left.shape() {
            (rows, columns) if transpose_left => (columns, rows),
            shape => shape,
        };
        let addend = update.addend.map(|(_, addend)| addend.shape());
        check::product("matmul", (rows, inner), right.shape(), addend, out.shape())?;
        let mut keep = update.keep;
        if let Some((factor, addend)) = update.addend {
            self.add_scaled(factor, addend, keep, out)?;
            keep = 1.0;
        } else if keep != 0.0 && keep != 1.0 {
            out.padded_mut().iter_mut().for_each(|value| *value *= keep);
            keep = 1.0;
        }
        let accumulate = Update {
            product: update.product,
            keep,
            addend: None,
        };
        if right.columns() == 1 && !transpose_left && inner > 0 {
            self.instruction_set.run(RowDots {
                matrix: left.padded(),
                stride: left.stride(),
                column: right.padded(),
                product: accumulate.product,
                keep: accumulate.keep,
                out: out.padded_mut(),
            });
        } else {
            matmul::multiply(left, transpose_left, right, accumulate, out);
        }
        Ok(())
    }

    fn add_scaled(
        &self,
        scale: f32,
        addend: &CpuMatrix,
        keep: f32,
        out: &mut CpuMatrix,
    ) -> Result<()> {
        check::same("add_scaled", addend.shape(), out.shape())?;
        self.instruction_set.run(AddScaled {
            scale,
            addend: addend.padded(),
            keep,
            out: out.padded_mut(),
        });
        Ok(())
    }

    fn scale_rows(&self, scale: &CpuMatrix, out: &mut CpuMatrix) -> Result<()> {
        check::row_scale("scale_rows", scale.shape(), out.shape())?;
        self.instruction_set.run(ScaleRows {
            scales: scale.padded(),
            stride: out.stride(),
            out: out.padded_mut(),
        });
        Ok(())
    }

    fn columns(&self, matrix: &CpuMatrix, columns: Range<usize>) -> Result<CpuMatrix> {
        check::fits(
            "columns",
            matrix.shape(),
            (columns.start, columns.end),
            columns.start <= columns.end && columns.end <= matrix.columns(),
        )?;
        Ok(CpuMatrix::from_view(matrix.view().slice(s![.., columns])))
    }

    fn concatenate_columns(&self, parts: &[CpuMatrix]) -> Result<CpuMatrix> {
        let rows = parts.first().map_or(0, CpuMatrix::rows);
        let columns = parts.iter().map(CpuMatrix::columns).sum();
        let mut result = CpuMatrix::zeros(rows, columns);
        let mut start = 0;
        for part in parts {
            check::fits(
                "concatenate_columns",
                (rows, columns),
                part.shape(),
                part.rows() == rows,
            )?;
            let end = start + part.columns();
            let mut view = result.view_mut();
            view.slice_mut(s![.., start..end]).assign(&part.view());
            start = end;
        }
        Ok(result)
    }

    fn symmetric_eigen(&self, matrix: ArrayView2<'_, f64>) -> Result<SymmetricEigen> {
        check::fits(
            "symmetric_eigen",
            matrix.dim(),
            matrix.dim(),
            matrix.is_square(),
        )?;
        eigen::symmetric_eigen(matrix).map_err(|error| error.in_operation("symmetric_eigen"))
    }

    fn top_k(
        &self,
        scores: &mut CpuMatrix,
        item_scale: &CpuMatrix,
        hidden: &[&[u32]],
        k: usize,
    ) -> Result<Vec<Vec<ScoredItem>>> {
        let shape = scores.shape();
        check::row_scale("top_k", item_scale.shape(), shape)?;
        check::histories("top_k", hidden, shape.0, shape.1)?;

        let stride = scores.stride();
        let values = scores.padded_mut();
        for (column, items) in hidden.iter().enumerate() {
            for &item in *items {
                values[item as usize * stride + column] = f32::NEG_INFINITY;
            }
        }
        let mut selections = vec![TopK::new(k); hidden.len()];
        match stride {
            0 => {}
            1 => self.select::<1>(scores, item_scale, &mut selections),
            8 => self.select::<8>(scores, item_scale, &mut selections),
            16 => self.select::<16>(scores, item_scale, &mut selections),
            _ => self.select::<32>(scores, item_scale, &mut selections),
        }
        Ok(selections.into_iter().map(TopK::into_sorted).collect())
    }

    /// Without writing any sum down, for tiles of at most 32 columns.
    fn combined_top_k(
        &self,
        basis: &[CpuMatrix],
        combinations: &[Combination],
        item_scale: &CpuMatrix,
        hidden: &[&[u32]],
        k: usize,
    ) -> Result<Vec<Vec<Vec<ScoredItem>>>> {
        let shape = basis.first().map_or((0, 0), CpuMatrix::shape);
        for matrix in basis {
            check::same("combined_top_k", matrix.shape(), shape)?;
        }
        check::row_scale("combined_top_k", item_scale.shape(), shape)?;
        check::histories("combined_top_k", hidden, shape.0, shape.1)?;
        check_terms(basis.len(), combinations)?;
        let lists = match basis.first().map_or(0, CpuMatrix::stride) {
            1 => self.combined::<1>(basis, combinations, item_scale, hidden, k),
            8 => self.combined::<8>(basis, combinations, item_scale, hidden, k),
            16 => self.combined::<16>(basis, combinations, item_scale, hidden, k),
            32 => self.combined::<32>(basis, combinations, item_scale, hidden, k),
            _ => return combined_top_k(self, basis, combinations, item_scale, hidden, k),
        };
        Ok(lists)
    }
}

impl CpuBackend {
    fn select<const WIDTH: usize>(
        &self,
        scores: &CpuMatrix,
        item_scale: &CpuMatrix,
        selections: &mut [TopK],
    ) {
        let blocks = scores.stride() / WIDTH;
        for (block, selections) in selections.chunks_mut(WIDTH).enumerate() {
            self.instruction_set.run(SelectTop::<WIDTH> {
                scores: scores.padded().as_chunks().0,
                blocks,
                block,
                scales: item_scale.padded(),
                selections,
            });
        }
    }

    fn combined<const WIDTH: usize>(
        &self,
        basis: &[CpuMatrix],
        combinations: &[Combination],
        item_scale: &CpuMatrix,
        hidden: &[&[u32]],
        k: usize,
    ) -> Vec<Vec<Vec<ScoredItem>>> {
        let columns = hidden.len();
        let sums = combinations.iter().map(|it| it.scales.len()).sum();
        if columns == 0 {
            return vec![Vec::new(); sums];
        }
        let mut hidden_from = vec![0_u32; item_scale.rows()];
        for (column, items) in hidden.iter().enumerate() {
            for &item in *items {
                hidden_from[item as usize] |= 1 << column;
            }
        }
        let basis: Vec<&[[f32; WIDTH]]> = basis
            .iter()
            .map(|matrix| matrix.padded().as_chunks().0)
            .collect();
        let mut selections = vec![TopK::new(k); sums * columns];
        self.instruction_set.run(CombinedTopK {
            basis: &basis,
            combinations,
            scales: item_scale.padded(),
            hidden: &hidden_from,
            selections: &mut selections,
            columns,
        });
        let mut lists = selections.into_iter().map(TopK::into_sorted);
        (0..sums)
            .map(|_| lists.by_ref().take(columns).collect())
            .collect()
    }
}
