//! [`Backend`] on the CPU.

mod candidate_lists;
mod products;

use std::ops::Range;
use std::sync::Arc;

use bspm_core::backend::{
    Combination, Direction, HostMatrix, Operand, ScoredItem, Scores, Scoring, Select, SparseParts,
    TopK, Update, ranks_of_sums, select,
};
use bspm_core::data::History;
use bspm_core::{Backend, Error, Result};
use ndarray::{Array2, s};
use rayon::ThreadPool;

use self::candidate_lists::CandidateLists;
use self::products::{
    clear_single_items, dense_product, keep_only, sparse_product, walk_from_reached,
    walk_from_single_items,
};

use crate::error::CpuError;
use crate::histories::CpuHistories;
use crate::inverse;
use crate::kernel::cpu::Cpu;
use crate::kernel::elementwise::{AddScaled, ScaleRows};
use crate::kernel::ranks_of_sums::RanksOfSums;
use crate::kernel::top_k::{SelectTop, SelectTopOfColumn};
use crate::matmul;
use crate::matrix::{CpuMatrix, TILE_COLUMNS, copy_side_by_side};
use crate::sparse::{CpuSparse, Kind};
use crate::threads::{Threads, pool_of};

/// The CPU backend. It processes cache-sized tiles of users on a rayon thread pool.
///
/// A forked process may use the backend of its parent: it starts a new pool with the same number of
/// threads.
#[derive(Clone, Debug)]
pub struct CpuBackend {
    threads: Threads,
    cpu: Cpu,
    memory_budget: Option<usize>,
}

impl CpuBackend {
    /// Creates a backend that runs on the current rayon pool: the global pool, unless it is called from
    /// a thread of another pool.
    pub fn new() -> Self {
        Self::on(Threads::default())
    }

    /// The maximum number of threads of [`with_threads`](Self::with_threads).
    ///
    /// More than the number of cores of common machines, and few enough not to exhaust a machine.
    pub const MOST_THREADS: usize = 1024;

    /// Creates a backend with a new pool of this many threads; 0 means one per core.
    ///
    /// # Errors
    ///
    /// [`CpuError::TooManyThreads`] above [`MOST_THREADS`](Self::MOST_THREADS);
    /// [`CpuError::ThreadPool`] if the threads cannot be started.
    pub fn with_threads(threads: usize) -> Result<Self, CpuError> {
        if threads > Self::MOST_THREADS {
            return Err(CpuError::TooManyThreads {
                threads,
                limit: Self::MOST_THREADS,
            });
        }
        Ok(Self::with_pool(Arc::new(pool_of(threads)?)))
    }

    /// Creates a backend that runs on this pool.
    pub fn with_pool(pool: Arc<ThreadPool>) -> Self {
        Self::on(Threads::of_pool(pool))
    }

    /// Sets the memory budget in bytes. An operation that is known in advance to need more memory returns
    /// an error. Default: no limit.
    #[must_use]
    pub fn with_memory_budget(self, bytes: usize) -> Self {
        Self {
            memory_budget: Some(bytes),
            ..self
        }
    }

    fn on(threads: Threads) -> Self {
        Self {
            memory_budget: None,
            threads,
            cpu: Cpu::detect(),
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
    type Sparse = CpuSparse;
    type Histories = CpuHistories;

    fn name(&self) -> &'static str {
        "cpu"
    }

    /// A single column stays in the cache while sparse rows are added to it.
    fn tile_columns(&self, _shape: (usize, usize), scoring: Scoring) -> Result<usize> {
        Ok(match scoring {
            Scoring::SparseRows => 1,
            Scoring::Dense => TILE_COLUMNS,
        })
    }

    fn memory_budget(&self) -> Option<usize> {
        self.memory_budget
    }

    fn run_workers(&self, most: usize, worker: &(dyn Fn() + Sync)) -> Result<()> {
        self.threads
            .run_workers(most, worker)
            .map_err(|error| error.in_operation("run_workers"))
    }

    fn zeros(&self, rows: usize, columns: usize) -> Result<CpuMatrix> {
        let entries = CpuMatrix::padded_entries(rows, columns);
        let limit = isize::MAX as usize / size_of::<f32>();
        if entries > limit {
            return Err(Error::TooLarge {
                what: "entries of a matrix",
                found: entries,
                limit,
            });
        }
        Ok(CpuMatrix::zeros(rows, columns))
    }

    fn upload<'a>(&self, values: impl Into<HostMatrix<'a>>) -> Result<CpuMatrix> {
        Ok(match values.into() {
            HostMatrix::View(view) => CpuMatrix::from_view(view),
            HostMatrix::Shared(shared) => CpuMatrix::from_shared(shared),
        })
    }

    fn download(&self, matrix: &CpuMatrix) -> Result<Array2<f32>> {
        Ok(matrix.to_array())
    }

    fn upload_sparse(&self, parts: SparseParts<'_>) -> Result<CpuSparse> {
        Ok(CpuSparse::new(parts))
    }

    fn upload_histories(
        &self,
        histories: &[History<'_>],
        weights: &[f32],
        columns: usize,
    ) -> Result<CpuHistories> {
        Ok(CpuHistories::new(histories, weights, columns))
    }

    fn spmm(
        &self,
        sparse: &CpuSparse,
        direction: Direction,
        right: Operand<'_, Self>,
        update: Update<'_, CpuMatrix>,
        out: &mut CpuMatrix,
    ) -> Result<()> {
        sparse_product(self.cpu, sparse, direction, right, update, out);
        Ok(())
    }

    /// A single history reaches few users, so the second half of the step starts only from those users.
    /// In a tile, the same holds for a history of a single item.
    fn ode_step(
        &self,
        walk: &CpuSparse,
        from: Option<Operand<'_, Self>>,
        update: Update<'_, CpuMatrix>,
        half_way: &mut CpuMatrix,
        out: &mut CpuMatrix,
    ) -> Result<()> {
        let replaces = update.keep == 0.0 && update.addend.is_none();
        let few = match (walk.kind(), from) {
            (Kind::Walk(walk), Some(Operand::Histories(histories))) if replaces => {
                Some((walk.as_ref(), histories, update.product))
            }
            _ => None,
        };
        if let Some((walk, histories, product)) = few
            && histories.are_single_items()
            && out.stride() > 1
        {
            out.padded_mut().fill(0.0);
            walk_from_single_items(walk, product, histories, out);
            return Ok(());
        }
        let start = from.unwrap_or(Operand::Dense(out));
        self.spmm(walk, Direction::Forward, start, Update::REPLACE, half_way)?;
        if let Some((walk, _, product)) = few
            && out.stride() == 1
            && walk_from_reached(self.cpu, walk, product, half_way, out)
        {
            return Ok(());
        }
        let half_way = Operand::Dense(half_way);
        self.spmm(walk, Direction::Transposed, half_way, update, out)?;
        if let Some((walk, histories, product)) = few
            && out.stride() > 1
        {
            clear_single_items(histories, out);
            walk_from_single_items(walk, product, histories, out);
        }
        Ok(())
    }

    fn matmul(
        &self,
        left: &CpuMatrix,
        transpose_left: bool,
        right: Operand<'_, Self>,
        update: Update<'_, CpuMatrix>,
        out: &mut CpuMatrix,
    ) -> Result<()> {
        dense_product(
            self.cpu,
            &self.threads,
            left,
            transpose_left,
            right,
            update,
            out,
        )
        .map_err(|error| error.in_operation("matmul"))
    }

    /// Uses all threads.
    fn symmetric_product(&self, left: &CpuMatrix, right: &[CpuMatrix]) -> Result<Array2<f64>> {
        matmul::symmetric_product(&self.threads, left, right)
            .map_err(|error| error.in_operation("symmetric_product"))
    }

    fn add_scaled(
        &self,
        scale: f32,
        addend: Operand<'_, Self>,
        keep: f32,
        out: &mut CpuMatrix,
    ) -> Result<()> {
        match addend {
            Operand::Dense(addend) => self.cpu.run(AddScaled {
                scale,
                addend: addend.padded(),
                keep,
                out: out.padded_mut(),
            }),
            Operand::Histories(histories) => {
                keep_only(keep, out);
                histories.add_to(scale, out);
            }
        }
        Ok(())
    }

    /// Inverts the matrix in place, on all threads.
    fn invert_positive_definite(&self, mut matrix: CpuMatrix) -> Result<CpuMatrix> {
        inverse::invert_positive_definite(&self.threads, &mut matrix)
            .map_err(|error| error.in_operation("invert_positive_definite"))?;
        Ok(matrix)
    }

    fn scale_rows(&self, scale: &CpuMatrix, out: &mut CpuMatrix) -> Result<()> {
        self.cpu.run(ScaleRows {
            scales: scale.padded(),
            stride: out.stride(),
            out: out.padded_mut(),
        });
        Ok(())
    }

    fn columns(&self, matrix: &CpuMatrix, columns: Range<usize>) -> Result<CpuMatrix> {
        Ok(CpuMatrix::from_view(matrix.view().slice(s![.., columns])))
    }

    fn concatenate_columns(&self, parts: &[CpuMatrix]) -> Result<CpuMatrix> {
        let rows = parts.first().map_or(0, CpuMatrix::rows);
        let columns = parts.iter().map(CpuMatrix::columns).sum();
        let mut result = CpuMatrix::zeros(rows, columns);
        copy_side_by_side(parts, 0, result.view_mut());
        Ok(result)
    }

    fn top_k(
        &self,
        scores: &mut CpuMatrix,
        item_scale: &CpuMatrix,
        hidden: &[&[u32]],
        lengths: &[usize],
    ) -> Result<Vec<Vec<ScoredItem>>> {
        hide(hidden, scores);
        let stride = scores.stride();
        let mut selections: Vec<TopK> = lengths.iter().map(|&length| TopK::new(length)).collect();
        match stride {
            0 => {}
            1 => selections.iter_mut().take(1).for_each(|selection| {
                self.cpu.run(SelectTopOfColumn {
                    scores: scores.padded(),
                    scales: item_scale.padded(),
                    selection,
                });
            }),
            8 => self.select_top::<8>(scores, item_scale, &mut selections),
            16 => self.select_top::<16>(scores, item_scale, &mut selections),
            _ => self.select_top::<32>(scores, item_scale, &mut selections),
        }
        Ok(selections.into_iter().map(TopK::into_sorted).collect())
    }

    /// Scores only the candidates, if quantized factors can determine them.
    fn select(
        &self,
        scores: Scores<'_, Self>,
        item_scale: &CpuMatrix,
        hidden: &[&[u32]],
        what: Select<'_>,
    ) -> Result<Vec<Vec<ScoredItem>>> {
        let Some(product) = scores.product else {
            return select(self, scores, item_scale, hidden, what);
        };
        hide(hidden, scores.dense);
        let candidates = CandidateLists {
            cpu: self.cpu,
            scores: scores.dense,
            left: product.0,
            right: product.1,
            item_scale,
            columns: hidden.len(),
        };
        let lists = candidates.select(what);
        if lists.iter().all(Option::is_some) {
            return Ok(lists.into_iter().flatten().collect());
        }
        // The other columns need no second list.
        let lengths: Vec<usize>;
        let rest = match what {
            Select::Best(all) => {
                let missing = |(&length, list): (&usize, &Option<_>)| match list {
                    Some(_) => 0,
                    None => length,
                };
                lengths = all.iter().zip(&lists).map(missing).collect();
                Select::Best(&lengths)
            }
            Select::Largest(_) => what,
        };
        let whole = select(self, scores, item_scale, hidden, rest)?;
        let both = lists.into_iter().zip(whole);
        Ok(both.map(|(list, whole)| list.unwrap_or(whole)).collect())
    }

    /// Counts the ranks, for tiles of at most 32 columns.
    fn ranks_of_sums(
        &self,
        basis: &[CpuMatrix],
        combinations: &[Combination],
        item_scale: &CpuMatrix,
        hidden: &[&[u32]],
        items: &[&[u32]],
        within: usize,
    ) -> Result<Vec<Vec<Vec<u32>>>> {
        let ranks = match basis.first().map_or(0, CpuMatrix::stride) {
            1 => self.counted::<1>(basis, combinations, item_scale, hidden, items, within),
            8 => self.counted::<8>(basis, combinations, item_scale, hidden, items, within),
            16 => self.counted::<16>(basis, combinations, item_scale, hidden, items, within),
            32 => self.counted::<32>(basis, combinations, item_scale, hidden, items, within),
            _ => {
                return ranks_of_sums(self, basis, combinations, item_scale, hidden, items, within);
            }
        };
        Ok(ranks)
    }
}

/// Excludes the hidden items of each column from every list.
fn hide(hidden: &[&[u32]], scores: &mut CpuMatrix) {
    let stride = scores.stride();
    let values = scores.padded_mut();
    for (column, items) in hidden.iter().enumerate() {
        for &item in *items {
            values[item as usize * stride + column] = f32::NEG_INFINITY;
        }
    }
}

impl CpuBackend {
    fn select_top<const WIDTH: usize>(
        &self,
        scores: &CpuMatrix,
        item_scale: &CpuMatrix,
        selections: &mut [TopK],
    ) {
        let blocks = scores.stride() / WIDTH;
        for (block, selections) in selections.chunks_mut(WIDTH).enumerate() {
            self.cpu.run(SelectTop::<WIDTH> {
                scores: scores.padded().as_chunks().0,
                blocks,
                block,
                scales: item_scale.padded(),
                selections,
            });
        }
    }

    fn counted<const WIDTH: usize>(
        &self,
        basis: &[CpuMatrix],
        combinations: &[Combination],
        item_scale: &CpuMatrix,
        hidden: &[&[u32]],
        items: &[&[u32]],
        within: usize,
    ) -> Vec<Vec<Vec<u32>>> {
        let basis: Vec<&[[f32; WIDTH]]> = basis
            .iter()
            .map(|matrix| matrix.padded().as_chunks().0)
            .collect();
        let mut ranks = Vec::new();
        self.cpu.run(RanksOfSums {
            basis: &basis,
            combinations,
            scales: item_scale.padded(),
            hidden,
            items,
            within,
            ranks: &mut ranks,
        });
        ranks
    }
}
