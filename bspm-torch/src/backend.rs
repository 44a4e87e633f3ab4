//! [`Backend`] on libtorch.

use std::ops::Range;

use bspm_core::backend::{Direction, Operand, ScoredItem, Shaped, SparseParts, Update};
use bspm_core::{Backend, Error, Result};
use ndarray::{Array2, ArrayView2};
use tch::{Device, Kind, TchError, Tensor};

use crate::budget::Budget;
use crate::device::TorchDevice;
use crate::error::run;
use crate::histories::TorchHistories;
use crate::matrix::{Shape, TorchMatrix};
use crate::sparse::TorchSparse;
use crate::top_k::top_k;

/// libtorch as a backend, on one device.
#[derive(Clone, Debug)]
pub struct TorchBackend {
    device: TorchDevice,
    budget: Budget,
}

/// The memory budget where none is given and the device does not tell what is free.
const DEFAULT_BUDGET: usize = 4 << 30;

/// Tiles are at least this wide, and a multiple of it.
const TILE_STEP: usize = 32;

const LARGEST_TILE: usize = 2048;

impl TorchBackend {
    /// A backend with a memory budget of 80% of what is free on a GPU, and of 4 GiB on
    /// the CPU.
    ///
    /// # Errors
    ///
    /// [`Error::Backend`] with the reason when the device cannot be had.
    pub fn new(device: TorchDevice) -> Result<Self> {
        let budget = match device.free_memory() {
            Some(free) => free / 5 * 4,
            None => DEFAULT_BUDGET,
        };
        Self::with_memory_budget(device, budget)
    }

    /// A backend with a budget in bytes; see the [crate] for what it pays for.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_memory_budget(device: TorchDevice, bytes: usize) -> Result<Self> {
        device.check().map_err(|error| error.in_operation("open"))?;
        Ok(Self {
            device,
            budget: Budget::new(bytes),
        })
    }

    /// Sets how many threads libtorch's CPU operations use, in the whole process.
    ///
    /// Tiles run one after the other, so these are all the threads there are.
    pub fn set_cpu_threads(threads: usize) {
        tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX));
    }

    /// The device that it runs on.
    pub fn device(&self) -> TorchDevice {
        self.device
    }

    fn tch_device(&self) -> Device {
        self.device.to_tch()
    }

    /// A matrix that libtorch calls make.
    fn matrix(
        &self,
        operation: &'static str,
        shape: Shape,
        make: impl FnOnce() -> Result<Tensor, TchError>,
    ) -> Result<TorchMatrix> {
        TorchMatrix::new(&self.budget, shape, || run(operation, &[shape], make))
    }
}

fn size(shape: Shape) -> [i64; 2] {
    [shape.0 as i64, shape.1 as i64]
}

/// `update` applied to a new product; the result takes the place of `out`.
fn finish_product(
    mut product: Tensor,
    update: Update<'_, TorchMatrix>,
    out: &Tensor,
) -> Result<Tensor, TchError> {
    if update.product != 1.0 {
        let _ = product.f_mul_scalar_(f64::from(update.product))?;
    }
    if let Some((factor, addend)) = update.addend {
        let _ = product.f_add_(&addend.tensor().f_mul_scalar(f64::from(factor))?)?;
    }
    if update.keep != 0.0 {
        let _ = product.f_add_(&out.f_mul_scalar(f64::from(update.keep))?)?;
    }
    Ok(product)
}

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

    fn tile_columns(&self, users: usize, items: usize) -> Result<usize> {
        let per_column = 4 * (8 * items + 3 * users);
        let available = self.budget.total() / 2;
        let columns = available / per_column.max(1) / TILE_STEP * TILE_STEP;
        if columns == 0 {
            return Err(Error::MemoryBudget {
                what: format!("a tile of {TILE_STEP} users"),
                needed: TILE_STEP * per_column,
                available,
            });
        }
        Ok(columns.min(LARGEST_TILE))
    }

    /// One tile after the other: libtorch divides each among its own threads.
    fn for_each_tile<W, T: Send>(
        &self,
        tiles: usize,
        workspace: impl Fn() -> Result<W> + Sync,
        work: impl Fn(&mut W, usize) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        if tiles == 0 {
            return Ok(Vec::new());
        }
        let mut scratch = workspace()?;
        (0..tiles).map(|tile| work(&mut scratch, tile)).collect()
    }

    fn zeros(&self, rows: usize, columns: usize) -> Result<TorchMatrix> {
        let shape = (rows, columns);
        self.matrix("zeros", shape, || {
            Tensor::f_zeros(size(shape), (Kind::Float, self.tch_device()))
        })
    }

    fn upload(&self, values: ArrayView2<'_, f32>) -> Result<TorchMatrix> {
        let shape = values.dim();
        self.matrix("upload", shape, || {
            let values: Vec<f32> = values.iter().copied().collect();
            Tensor::f_from_slice(&values)?
                .f_reshape(size(shape))?
                .f_to_device(self.tch_device())
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
        histories: &[&[u32]],
        weights: &[f32],
        columns: usize,
    ) -> Result<TorchHistories> {
        TorchHistories::new(histories, weights, columns, self.tch_device())
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
        let result = run("spmm", &[sparse.shape(), right.shape()], || {
            let right = match right {
                Operand::Dense(matrix) => matrix.tensor(),
                Operand::Histories(histories) => histories.to_dense()?,
            };
            finish_product(one_way.multiply(&right)?, update, &out.tensor())
        })?;
        out.replace(result);
        Ok(())
    }

    fn matmul(
        &self,
        left: &TorchMatrix,
        transpose_left: bool,
        right: Operand<'_, Self>,
        update: Update<'_, TorchMatrix>,
        out: &mut TorchMatrix,
    ) -> Result<()> {
        let result = run("matmul", &[left.shape(), right.shape()], || {
            let product = match right {
                Operand::Histories(histories) if transpose_left => histories
                    .transposed_product(&left.tensor())?
                    .f_transpose(0, 1)?
                    .f_contiguous()?,
                right => {
                    let right = match right {
                        Operand::Dense(matrix) => matrix.tensor(),
                        Operand::Histories(histories) => histories.to_dense()?,
                    };
                    let left = match transpose_left {
                        true => left.tensor().f_transpose(0, 1)?,
                        false => left.tensor(),
                    };
                    left.f_mm(&right)?
                }
            };
            finish_product(product, update, &out.tensor())
        })?;
        out.replace(result);
        Ok(())
    }

    fn add_scaled(
        &self,
        scale: f32,
        addend: Operand<'_, Self>,
        keep: f32,
        out: &mut TorchMatrix,
    ) -> Result<()> {
        let result = run("add_scaled", &[out.shape()], || match addend {
            Operand::Dense(addend) => {
                let mut sum = addend.tensor().f_mul_scalar(f64::from(scale))?;
                if keep != 0.0 {
                    let _ = sum.f_add_(&out.tensor().f_mul_scalar(f64::from(keep))?)?;
                }
                Ok(sum)
            }
            Operand::Histories(histories) => {
                let mut result = out.tensor();
                if keep == 0.0 {
                    result = Tensor::f_zeros(size(out.shape()), (Kind::Float, self.tch_device()))?;
                } else if keep != 1.0 {
                    let _ = result.f_mul_scalar_(f64::from(keep))?;
                }
                histories.add_to(f64::from(scale), &result)?;
                Ok(result)
            }
        })?;
        out.replace(result);
        Ok(())
    }

    fn invert_positive_definite(&self, matrix: TorchMatrix) -> Result<TorchMatrix> {
        self.matrix("invert_positive_definite", matrix.shape(), || {
            matrix
                .tensor()
                .f_linalg_cholesky(false)?
                .f_cholesky_inverse(false)
        })
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
        k: usize,
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
            let by_user = scores
                .tensor()
                .f_mul(&item_scale.tensor())?
                .f_transpose(0, 1)?
                .f_contiguous()?;
            if !masked.is_empty() {
                let masked = Tensor::f_from_slice(&masked)?.f_to_device(self.tch_device())?;
                let _ = by_user
                    .f_reshape([-1])?
                    .f_index_fill_(0, &masked, f64::NEG_INFINITY)?;
            }
            top_k(&by_user, hidden.len(), k)
        })
    }
}
