//! [`Backend`] on libtorch.

use std::ops::Range;
use std::panic::resume_unwind;
use std::thread;

use bspm_core::backend::{
    Direction, HostMatrix, MOST_ROWS_IN_F64, Operand, ScoredItem, Scoring, Shaped, SparseParts,
    SymmetricEigen, Update,
};
use bspm_core::data::History;
use bspm_core::{Backend, Error, Result};
use ndarray::{Array2, ArrayView2};
use tch::{Device, Kind, TchError, Tensor};

use crate::budget::Budget;
use crate::device::TorchDevice;
use crate::eigen::eigh;
use crate::error::run;
use crate::histories::TorchHistories;
use crate::matrix::{Shape, TorchMatrix};
use crate::product::{add_product, join};
use crate::sparse::{SparseTensor, TorchSparse};
use crate::top_k::top_k;
use crate::transfer::to_device;

/// The libtorch backend, on one device.
#[derive(Clone, Debug)]
pub struct TorchBackend {
    device: TorchDevice,
    budget: Budget,
    tiles_under_way: usize,
}

/// The default memory budget, if the free memory of the device is unknown.
const DEFAULT_BUDGET: usize = 4 << 30;

/// The width of a tile is a multiple of this.
const TILE_STEP: usize = 32;

/// The maximum number of columns of all tiles that are processed at the same time.
const MOST_COLUMNS: usize = 2048;

impl TorchBackend {
    /// Creates a backend with a memory budget of 80% of the free memory of a GPU, or of 4 GiB on the CPU or
    /// if the free memory is unknown. libtorch loads its libraries for products first, which takes memory of a
    /// GPU.
    ///
    /// # Errors
    ///
    /// [`Error::Backend`] with the reason if the device is not available, or if libtorch cannot load a
    /// library.
    pub fn new(device: TorchDevice) -> Result<Self> {
        let mut backend = Self::with_memory_budget(device, DEFAULT_BUDGET)?;
        if let Some(free) = device.free_memory() {
            backend.budget = Budget::new(free / 5 * 4);
        }
        Ok(backend)
    }

    /// Creates a backend with a memory budget in bytes. The documentation of the [crate] lists the memory
    /// that counts.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_memory_budget(device: TorchDevice, bytes: usize) -> Result<Self> {
        device.check().map_err(|error| error.in_operation("open"))?;
        run("open", &[], || load_libraries(device.to_tch()))?;
        Ok(Self {
            device,
            budget: Budget::new(bytes),
            tiles_under_way: match device {
                TorchDevice::Cpu => 1,
                TorchDevice::Cuda(_) => 2,
            },
        })
    }

    /// Sets the number of tiles that are processed at the same time, at least 1.
    ///
    /// Default: 2 on a GPU, where the histories of one tile are prepared while another tile is computed, and
    /// 1 on the CPU. Each tile has separate matrices, so more tiles are narrower. The results are the same.
    #[must_use]
    pub fn tiles_under_way(mut self, tiles: usize) -> Self {
        self.tiles_under_way = tiles.max(1);
        self
    }

    /// Returns the peak of the bytes that count against the budget, since the backend was created or since
    /// [`reset_peak_memory`](Self::reset_peak_memory).
    pub fn peak_memory(&self) -> usize {
        self.budget.peak()
    }

    /// Resets the peak to the bytes that are counted now, and returns them.
    pub fn reset_peak_memory(&self) -> usize {
        self.budget.reset_peak()
    }

    /// Sets the number of threads of libtorch's CPU operations, for the whole process.
    pub fn set_cpu_threads(threads: usize) {
        tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX));
    }

    /// Returns the device of the backend.
    pub fn device(&self) -> TorchDevice {
        self.device
    }

    fn tch_device(&self) -> Device {
        self.device.to_tch()
    }

    /// Converts histories to a dense matrix.
    fn dense(&self, histories: &TorchHistories) -> Result<TorchMatrix> {
        self.matrix("histories", histories.shape(), || histories.to_dense())
    }

    /// `out = update of left^T * histories`, as a sparse product.
    fn project(
        &self,
        left: &TorchMatrix,
        histories: &TorchHistories,
        update: Update<'_, TorchMatrix>,
        out: &mut TorchMatrix,
    ) -> Result<()> {
        let (rows, columns) = out.shape();
        let by_user = self.matrix("matmul", (columns, rows), || {
            histories.transposed_product(&left.tensor())
        })?;
        run("matmul", &[left.shape(), histories.shape()], || {
            let (mut result, mut keep) = (out.tensor(), update.keep);
            if update.addend.is_some() {
                join(&mut result, keep, addend(update))?;
                keep = 1.0;
            }
            let product = by_user.tensor().f_transpose(0, 1)?;
            join(&mut result, keep, Some((update.product, product)))
        })
    }

    /// Creates a matrix with libtorch calls.
    fn matrix(
        &self,
        operation: &'static str,
        shape: Shape,
        make: impl FnOnce() -> Result<Tensor, TchError>,
    ) -> Result<TorchMatrix> {
        TorchMatrix::new(&self.budget, shape, || run(operation, &[shape], make))
    }
}

/// Runs small products, so that libtorch loads the libraries for products and top-k when a backend is created, and
/// not when a model is fitted.
fn load_libraries(device: Device) -> Result<(), TchError> {
    let one = Tensor::f_zeros([1, 1], (Kind::Float, device))?;
    let sum = Tensor::f_zeros([1, 1], (Kind::Float, device))?;
    add_product(1.0, &one, &one, &sum)?;
    let sparse = SparseTensor::new((1, 1), &[0, 1], &[0], &[1.0], device)?;
    sparse.add_product(1.0, &one, &sum)?;
    top_k(&sum, &[1]).map(drop)
}

fn addend(update: Update<'_, TorchMatrix>) -> Option<(f32, Tensor)> {
    let (factor, matrix) = update.addend?;
    Some((factor, matrix.tensor()))
}

fn size(shape: Shape) -> [i64; 2] {
    [shape.0 as i64, shape.1 as i64]
}

/// The maximum number of elements of a matrix of a tile: some kernels of libtorch use 32-bit indices.
const MOST_ELEMENTS: usize = i32::MAX as usize;

impl Backend for TorchBackend {
    type Matrix = TorchMatrix;
    type Sparse = TorchSparse;
    type Histories = TorchHistories;

    fn name(&self) -> &'static str {
        match self.device {
            TorchDevice::Cpu => "torch-cpu",
            TorchDevice::Cuda(_) => "cuda",
        }
    }

    fn tile_columns(&self, (users, items): (usize, usize), _scoring: Scoring) -> Result<usize> {
        let per_column = 4 * (4 * items + users);
        let available = self.budget.total() / 2 / self.tiles_under_way;
        let columns = available / per_column.max(1) / TILE_STEP * TILE_STEP;
        if columns == 0 {
            return Err(Error::MemoryBudget {
                what: format!("a tile of {TILE_STEP} users"),
                needed: TILE_STEP * per_column,
                available,
            });
        }
        let most = (MOST_ELEMENTS / items.max(users).max(1)).max(1);
        let share = MOST_COLUMNS / self.tiles_under_way / TILE_STEP * TILE_STEP;
        Ok(columns.min(share.max(TILE_STEP)).min(most))
    }

    /// libtorch runs each operation on several threads, and a GPU runs one operation after the other. A second
    /// worker prepares its tile while the tile of the first is computed. If the system cannot start a thread for
    /// it, the first worker processes all tiles.
    fn run_workers(&self, most: usize, worker: &(dyn Fn() + Sync)) -> Result<()> {
        thread::scope(|scope| {
            let others: Vec<_> = (1..self.tiles_under_way.min(most))
                .flat_map(|_| thread::Builder::new().spawn_scoped(scope, worker))
                .collect();
            worker();
            for other in others {
                if let Err(panic) = other.join() {
                    resume_unwind(panic);
                }
            }
        });
        Ok(())
    }

    fn zeros(&self, rows: usize, columns: usize) -> Result<TorchMatrix> {
        let shape = (rows, columns);
        self.matrix("zeros", shape, || {
            Tensor::f_zeros(size(shape), (Kind::Float, self.tch_device()))
        })
    }

    fn upload<'a>(&self, values: impl Into<HostMatrix<'a>>) -> Result<TorchMatrix> {
        let values = values.into();
        let values = values.view();
        let shape = values.dim();
        self.matrix("upload", shape, || {
            let values = values.as_standard_layout();
            let values = values.as_slice().unwrap_or_default();
            to_device(values, self.tch_device())?.f_view(size(shape))
        })
    }

    fn download(&self, matrix: &TorchMatrix) -> Result<Array2<f32>> {
        let shape = matrix.shape();
        let mut values = Array2::zeros(shape);
        run("download", &[shape], || {
            let tensor = matrix.tensor().f_contiguous()?.f_to_device(Device::Cpu)?;
            match values.as_slice_mut() {
                Some(values) => tensor.f_copy_data(values, shape.0 * shape.1),
                None => Ok(()),
            }
        })?;
        Ok(values)
    }

    fn upload_sparse(&self, parts: SparseParts<'_>) -> Result<TorchSparse> {
        TorchSparse::new(parts, self.tch_device(), &self.budget)
    }

    fn upload_histories(
        &self,
        histories: &[History<'_>],
        weights: &[f32],
        columns: usize,
    ) -> Result<TorchHistories> {
        TorchHistories::new(histories, weights, columns, self.tch_device(), &self.budget)
    }

    fn spmm(
        &self,
        sparse: &TorchSparse,
        direction: Direction,
        right: Operand<'_, Self>,
        update: Update<'_, TorchMatrix>,
        out: &mut TorchMatrix,
    ) -> Result<()> {
        let one_way = sparse.one_way(direction);
        let dense;
        let right = match right {
            Operand::Dense(matrix) => matrix,
            Operand::Histories(histories) => {
                dense = self.dense(histories)?;
                &dense
            }
        };
        run("spmm", &[sparse.shape(), right.shape()], || {
            let mut result = out.tensor();
            join(&mut result, update.keep, addend(update))?;
            one_way.add_product(update.product, &right.tensor(), &result)
        })
    }

    fn matmul(
        &self,
        left: &TorchMatrix,
        transpose_left: bool,
        right: Operand<'_, Self>,
        update: Update<'_, TorchMatrix>,
        out: &mut TorchMatrix,
    ) -> Result<()> {
        let dense;
        let right = match right {
            Operand::Dense(matrix) => matrix,
            Operand::Histories(histories) if transpose_left => {
                return self.project(left, histories, update, out);
            }
            Operand::Histories(histories) => {
                dense = self.dense(histories)?;
                &dense
            }
        };
        run("matmul", &[left.shape(), right.shape()], || {
            let left = match transpose_left {
                true => left.tensor().f_transpose(0, 1)?,
                false => left.tensor(),
            };
            let (right, mut result) = (right.tensor(), out.tensor());
            if update.keep == 0.0 && update.addend.is_none() && update.product == 1.0 {
                return left.f_mm_out(&result, &right).map(drop);
            }
            join(&mut result, update.keep, addend(update))?;
            add_product(update.product, &left, &right, &result)
        })
    }

    fn add_scaled(
        &self,
        scale: f32,
        addend: Operand<'_, Self>,
        keep: f32,
        out: &mut TorchMatrix,
    ) -> Result<()> {
        run("add_scaled", &[out.shape()], || {
            let mut result = out.tensor();
            match addend {
                Operand::Dense(addend) => join(&mut result, keep, Some((scale, addend.tensor()))),
                Operand::Histories(histories) => {
                    join(&mut result, keep, None)?;
                    histories.add_to(f64::from(scale), &result)
                }
            }
        })
    }

    /// Inverts in place with a Cholesky decomposition. On a GPU, libtorch solves for the identity matrix,
    /// which takes the memory of a second matrix.
    fn invert_positive_definite(&self, matrix: TorchMatrix) -> Result<TorchMatrix> {
        let shape = matrix.shape();
        let is_small = shape.0 <= MOST_ROWS_IN_F64;
        let bytes_per_entry = match (self.device, is_small) {
            (TorchDevice::Cpu, _) => 0,
            (TorchDevice::Cuda(_), false) => 4,
            (TorchDevice::Cuda(_), true) => 16,
        };
        let what = || format!("a second matrix of {}x{}", shape.0, shape.1);
        let _second = self
            .budget
            .reserve(what, bytes_per_entry * shape.0 * shape.1)?;
        run("invert_positive_definite", &[shape], || {
            // The matrix is symmetric, so it equals its transpose, and libtorch's solvers are column-major.
            let columns = matrix.tensor().f_transpose(0, 1)?;
            let inverse = match is_small {
                true => columns.f_to_kind(Kind::Double)?,
                false => columns.shallow_clone(),
            };
            let _ = inverse.f_linalg_cholesky_out(&inverse, false)?;
            let _ = inverse.f_cholesky_inverse_out(&inverse, false)?;
            match is_small {
                true => columns.shallow_clone().f_copy_(&inverse),
                false => Ok(()),
            }
        })?;
        Ok(matrix)
    }

    /// Runs LAPACK on the host, on the threads of libtorch, for every device.
    fn symmetric_eigen(&self, matrix: ArrayView2<'_, f64>) -> Result<SymmetricEigen> {
        let shape = matrix.dim();
        run("symmetric_eigen", &[shape], || eigh(matrix))
    }

    fn scale_rows(&self, scale: &TorchMatrix, out: &mut TorchMatrix) -> Result<()> {
        run("scale_rows", &[scale.shape(), out.shape()], || {
            out.tensor().f_mul_(&scale.tensor()).map(drop)
        })
    }

    fn columns(&self, matrix: &TorchMatrix, columns: Range<usize>) -> Result<TorchMatrix> {
        let rows = matrix.shape().0;
        let (start, count) = (columns.start as i64, columns.len() as i64);
        self.matrix("columns", (rows, columns.len()), || {
            matrix.tensor().f_narrow_copy(1, start, count)
        })
    }

    fn concatenate_columns(&self, parts: &[TorchMatrix]) -> Result<TorchMatrix> {
        let rows = parts.first().map_or(0, |part| part.shape().0);
        let columns = parts.iter().map(|part| part.shape().1).sum();
        if parts.is_empty() {
            return self.zeros(0, 0);
        }
        self.matrix("concatenate_columns", (rows, columns), || {
            let tensors: Vec<Tensor> = parts.iter().map(TorchMatrix::tensor).collect();
            Tensor::f_cat(&tensors, 1)
        })
    }

    fn top_k(
        &self,
        scores: &mut TorchMatrix,
        item_scale: &TorchMatrix,
        hidden: &[&[u32]],
        lengths: &[usize],
    ) -> Result<Vec<Vec<ScoredItem>>> {
        let (items, columns) = scores.shape();
        let masked: Vec<i64> = hidden
            .iter()
            .enumerate()
            .flat_map(|(row, hidden)| {
                hidden
                    .iter()
                    .map(move |&item| (row * items + item as usize) as i64)
            })
            .collect();
        run("top_k", &[(items, columns)], || {
            let mut scores = scores.tensor();
            scores.f_mul_(&item_scale.tensor()).map(drop)
        })?;
        let by_user = self.matrix("top_k", (columns, items), || {
            scores.tensor().f_transpose(0, 1)?.f_contiguous()
        })?;
        run("top_k", &[(items, columns)], || {
            let by_user = by_user.tensor();
            if !masked.is_empty() {
                let masked = to_device(&masked, self.tch_device())?;
                let _ = by_user
                    .f_view([-1])?
                    .f_index_fill_(0, &masked, f64::NEG_INFINITY)?;
            }
            top_k(&by_user, lengths)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_has_fewer_elements_than_32_bits_number() {
        let backend = TorchBackend::with_memory_budget(TorchDevice::Cpu, usize::MAX / 64).unwrap();
        for (users, items) in [(10, 1 << 27), (1 << 27, 10), (40_000, 3_000_000), (1, 1)] {
            let columns = backend
                .tile_columns((users, items), Scoring::Dense)
                .unwrap();
            assert!(columns >= 1 && columns * users.max(items) <= MOST_ELEMENTS);
        }
    }

    #[test]
    fn tiles_under_way_share_the_columns() {
        for (tiles, expected) in [(1, 2048), (2, 1024), (3, 672), (5000, 32)] {
            let backend = TorchBackend::with_memory_budget(TorchDevice::Cpu, 64 << 30)
                .unwrap()
                .tiles_under_way(tiles);
            let columns = backend.tile_columns((10, 10), Scoring::Dense).unwrap();
            assert_eq!(columns, expected);
        }
    }

    /// If a tensor is not contiguous, the update of a reshaped copy would be lost.
    #[test]
    fn an_update_of_a_matrix_that_is_not_contiguous_is_not_lost() {
        let backend = TorchBackend::new(TorchDevice::Cpu).unwrap();
        let histories = backend
            .upload_histories(&[History::from(&[1])], &[1.0, 2.0], 1)
            .unwrap();
        let by_column = Tensor::f_zeros([3, 2], (Kind::Float, Device::Cpu))
            .and_then(|zeros| zeros.f_transpose(0, 1))
            .unwrap();
        let narrow = by_column.f_narrow(1, 0, 1).unwrap();
        match histories.add_to(1.0, &narrow) {
            Ok(()) => {
                let sum = narrow.f_sum(Kind::Float).and_then(f64::try_from);
                assert_eq!(sum.unwrap(), 2.0);
            }
            Err(error) => assert!(error.to_string().contains("view"), "{error}"),
        }
    }
}
