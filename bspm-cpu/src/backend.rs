//! [`Backend`] on the CPU.

mod products;
mod pruned;

use std::ops::Range;
use std::sync::Arc;

use bspm_core::backend::{
    Combination, Direction, Operand, ScoredItem, SharedMatrix, SparseParts, TopK, Update,
    combined_hits, product_largest, up_to_the_last,
};
use bspm_core::data::History;
use bspm_core::{Backend, Result};
use ndarray::{Array2, ArrayView2, s};
use rayon::ThreadPool;

use self::products::{
    clear_single_items, dense_product, keep_only, sparse_product, walk_from_reached,
    walk_from_single_items,
};
use self::pruned::Sums;
use crate::error::CpuError;
use crate::histories::CpuHistories;
use crate::inverse;
use crate::kernel::combined_hits::CombinedHits;
use crate::kernel::elementwise::{AddScaled, ScaleRows};
use crate::kernel::instruction_set::InstructionSet;
use crate::kernel::top_k::{SelectTop, SelectTopOfColumn};
use crate::matmul;
use crate::matrix::{CpuMatrix, TILE_COLUMNS, copy_side_by_side};
use crate::sparse::{CpuSparse, Kind};
use crate::threads::{Threads, pool_of};

/// The CPU as a backend: cache-sized tiles of users on a rayon thread pool.
///
/// A process that is forked from one with such a backend may use it: it starts a pool of its own,
/// of as many threads.
#[derive(Clone, Debug)]
pub struct CpuBackend {
    threads: Threads,
    instruction_set: InstructionSet,
    memory_budget: Option<usize>,
}

impl CpuBackend {
    /// Runs on the current rayon pool: the global one unless called from another.
    pub fn new() -> Self {
        Self::on(Threads::default())
    }

    /// The most threads that [`with_threads`](Self::with_threads) starts.
    ///
    /// Above what machines have cores, and below what takes a machine down.
    pub const MOST_THREADS: usize = 1024;

    /// Runs on a pool of its own with this many threads; 0 means one per core.
    ///
    /// # Errors
    ///
    /// [`CpuError::TooManyThreads`] above [`MOST_THREADS`](Self::MOST_THREADS);
    /// [`CpuError::ThreadPool`] when the threads cannot be started.
    pub fn with_threads(threads: usize) -> Result<Self, CpuError> {
        if threads > Self::MOST_THREADS {
            return Err(CpuError::TooManyThreads {
                threads,
                limit: Self::MOST_THREADS,
            });
        }
        Ok(Self::with_pool(Arc::new(pool_of(threads)?)))
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
    type Sparse = CpuSparse;
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

    /// One user's scores stay in the cache, and rows are added to them in place.
    fn tile_columns_of_sums(&self) -> Option<usize> {
        Some(1)
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
        sparse_product(self.instruction_set, sparse, direction, right, update, out);
        Ok(())
    }

    /// A single history reaches few users, and only those are walked on from; so does, in a tile
    /// of histories, one of a single item.
    fn ode_step(
        &self,
        walk: &CpuSparse,
        from: Option<Operand<'_, Self>>,
        update: Update<'_, CpuMatrix>,
        half_way: &mut CpuMatrix,
        out: &mut CpuMatrix,
    ) -> Result<()> {
        let set = self.instruction_set;
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
            && walk_from_reached(set, walk, product, half_way, out)
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
        let set = self.instruction_set;
        dense_product(set, &self.threads, left, transpose_left, right, update, out)
            .map_err(|error| error.in_operation("matmul"))
    }

    /// On all threads.
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
            Operand::Dense(addend) => self.instruction_set.run(AddScaled {
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

    /// In its place, on all threads.
    fn invert_positive_definite(&self, mut matrix: CpuMatrix) -> Result<CpuMatrix> {
        inverse::invert_positive_definite(&self.threads, &mut matrix)
            .map_err(|error| error.in_operation("invert_positive_definite"))?;
        Ok(matrix)
    }

    fn scale_rows(&self, scale: &CpuMatrix, out: &mut CpuMatrix) -> Result<()> {
        self.instruction_set.run(ScaleRows {
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
        k: usize,
    ) -> Result<Vec<Vec<ScoredItem>>> {
        hide(hidden, scores);
        let stride = scores.stride();
        let mut selections = vec![TopK::new(k); hidden.len()];
        match stride {
            0 => {}
            1 => selections.iter_mut().take(1).for_each(|selection| {
                self.instruction_set.run(SelectTopOfColumn {
                    scores: scores.padded(),
                    scales: item_scale.padded(),
                    selection,
                });
            }),
            8 => self.select::<8>(scores, item_scale, &mut selections),
            16 => self.select::<16>(scores, item_scale, &mut selections),
            _ => self.select::<32>(scores, item_scale, &mut selections),
        }
        Ok(selections.into_iter().map(TopK::into_sorted).collect())
    }

    /// Only of the items that contend for a place, where bytes can tell them.
    fn product_top_k(
        &self,
        scores: &mut CpuMatrix,
        (left, right): (&CpuMatrix, &CpuMatrix),
        item_scale: &CpuMatrix,
        hidden: &[&[u32]],
        k: usize,
    ) -> Result<Vec<Vec<ScoredItem>>> {
        hide(hidden, scores);
        let sums = self.sums(scores, (left, right), item_scale, hidden.len());
        pruned_or(sums.top_k(k), || {
            let add = Update::added(1.0);
            self.matmul(left, false, Operand::Dense(right), add, scores)?;
            self.top_k(scores, item_scale, hidden, k)
        })
    }

    /// Only of the entries that may be among the largest, where bytes can tell them.
    fn product_largest(
        &self,
        scores: &mut CpuMatrix,
        product: (&CpuMatrix, &CpuMatrix),
        item_scale: &CpuMatrix,
        columns: usize,
        k: usize,
    ) -> Result<Vec<Vec<ScoredItem>>> {
        let sums = self.sums(scores, product, item_scale, columns);
        pruned_or(sums.largest(k), || {
            product_largest(self, scores, product, item_scale, columns, k)
        })
    }

    /// Without writing any sum down, for tiles of at most 32 columns.
    fn combined_hits(
        &self,
        basis: &[CpuMatrix],
        combinations: &[Combination],
        item_scale: &CpuMatrix,
        hidden: &[&[u32]],
        relevant: &[&[u32]],
        k: usize,
    ) -> Result<Vec<Vec<Vec<ScoredItem>>>> {
        let lists = match basis.first().map_or(0, CpuMatrix::stride) {
            1 => self.combined::<1>(basis, combinations, item_scale, hidden, relevant, k),
            8 => self.combined::<8>(basis, combinations, item_scale, hidden, relevant, k),
            16 => self.combined::<16>(basis, combinations, item_scale, hidden, relevant, k),
            32 => self.combined::<32>(basis, combinations, item_scale, hidden, relevant, k),
            _ => return combined_hits(self, basis, combinations, item_scale, hidden, relevant, k),
        };
        Ok(lists)
    }
}

/// The lists that are there, and of `whole`, which makes all of them, those that are not.
fn pruned_or(
    lists: Vec<Option<Vec<ScoredItem>>>,
    whole: impl FnOnce() -> Result<Vec<Vec<ScoredItem>>>,
) -> Result<Vec<Vec<ScoredItem>>> {
    if lists.iter().all(Option::is_some) {
        return Ok(lists.into_iter().flatten().collect());
    }
    let both = lists.into_iter().zip(whole()?);
    Ok(both.map(|(list, whole)| list.unwrap_or(whole)).collect())
}

/// Takes the scores of the hidden items of each column out of every list.
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
    fn sums<'a>(
        &self,
        scores: &'a CpuMatrix,
        (left, right): (&'a CpuMatrix, &'a CpuMatrix),
        item_scale: &'a CpuMatrix,
        columns: usize,
    ) -> Sums<'a> {
        Sums {
            set: self.instruction_set,
            scores,
            left,
            right,
            item_scale,
            columns,
        }
    }

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
        relevant: &[&[u32]],
        k: usize,
    ) -> Vec<Vec<Vec<ScoredItem>>> {
        let columns = relevant.len();
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
        self.instruction_set.run(CombinedHits {
            basis: &basis,
            combinations,
            scales: item_scale.padded(),
            hidden: &mut hidden_from,
            relevant,
            k,
            selections: &mut selections,
        });
        let mut selections = selections.into_iter();
        let up_to_the_last = |(&relevant, selection): (&&[u32], TopK)| {
            up_to_the_last(relevant, selection.into_sorted())
        };
        (0..sums)
            .map(|_| {
                relevant
                    .iter()
                    .zip(selections.by_ref())
                    .map(up_to_the_last)
                    .collect()
            })
            .collect()
    }
}
