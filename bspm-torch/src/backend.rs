//! [`Backend`] on libtorch.

use std::ops::Range;

use bspm_core::backend::check::{self, Shape};
use bspm_core::backend::{Direction, GraphParts, SymmetricEigen, Update};
use bspm_core::{Backend, Error, Result, ScoredItem};
use ndarray::{Array2, ArrayView2};
use sprs::CsMatI;
use tch::{Device, Kind, TchError, Tensor};

use crate::budget::Budget;
use crate::device::TorchDevice;
use crate::error::run;
use crate::graph::TorchGraph;
use crate::histories::TorchHistories;
use crate::item_graph::TorchItemGraph;
use crate::matrix::TorchMatrix;
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
    type Graph = TorchGraph;
    type ItemGraph = TorchItemGraph;
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

    fn shape(&self, matrix: &TorchMatrix) -> Shape {
        matrix.shape()
    }

    fn upload_graph(&self, parts: GraphParts<'_>) -> Result<TorchGraph> {
        TorchGraph::new(parts, self.tch_device(), &self.budget)
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
        graph: &TorchGraph,
        direction: Direction,
        dense: &TorchMatrix,
        update: Update<'_, TorchMatrix>,
        out: &mut TorchMatrix,
    ) -> Result<()> {
        let half = graph.half(direction);
        let addend = update.addend.map(|(_, addend)| addend.shape());
        check::product("spmm", half.shape(), dense.shape(), addend, out.shape())?;
        let result = run("spmm", &[half.shape(), dense.shape()], || {
            finish_product(half.multiply(&dense.tensor())?, update, &out.tensor())
        })?;
        out.replace(result);
        Ok(())
    }

    fn spmm_histories(
        &self,
        graph: &TorchGraph,
        histories: &TorchHistories,
        out: &mut TorchMatrix,
    ) -> Result<()> {
        let half = graph.half(Direction::ToUsers);
        let shapes = [half.shape(), histories.shape()];
        check::product("spmm_histories", shapes[0], shapes[1], None, out.shape())?;
        let result = run("spmm_histories", &shapes, || {
            half.multiply(&histories.to_dense()?)
        })?;
        out.replace(result);
        Ok(())
    }

    fn upload_item_graph(&self, weights: CsMatI<f32, u32>) -> Result<TorchItemGraph> {
        TorchItemGraph::new(weights, self.tch_device(), &self.budget)
    }

    fn download_item_graph(&self, graph: &TorchItemGraph) -> Result<CsMatI<f32, u32>> {
        Ok(graph.weights().clone())
    }

    fn follow_histories(
        &self,
        graph: &TorchItemGraph,
        factor: f32,
        histories: &TorchHistories,
        out: &mut TorchMatrix,
    ) -> Result<()> {
        let shapes = [graph.shape(), histories.shape()];
        check::product("follow_histories", shapes[0], shapes[1], None, out.shape())?;
        let result = run("follow_histories", &shapes, || {
            graph
                .follow(&histories.to_dense()?)?
                .f_mul_scalar(f64::from(factor))
        })?;
        out.replace(result);
        Ok(())
    }

    fn follow(
        &self,
        graph: &TorchItemGraph,
        dense: &TorchMatrix,
        out: &mut TorchMatrix,
    ) -> Result<()> {
        let shapes = [graph.shape(), dense.shape()];
        check::product("follow", shapes[0], shapes[1], None, out.shape())?;
        let result = run("follow", &shapes, || graph.follow(&dense.tensor()))?;
        out.replace(result);
        Ok(())
    }

    fn invert_positive_definite(&self, matrix: TorchMatrix) -> Result<TorchMatrix> {
        let shape = matrix.shape();
        let is_square = shape.0 == shape.1;
        check::fits("invert_positive_definite", shape, shape, is_square)?;
        self.matrix("invert_positive_definite", shape, || {
            matrix
                .tensor()
                .f_linalg_cholesky(false)?
                .f_cholesky_inverse(false)
        })
    }

    fn project_histories(
        &self,
        basis: &TorchMatrix,
        histories: &TorchHistories,
        out: &mut TorchMatrix,
    ) -> Result<()> {
        let (items, factors) = basis.shape();
        let shapes = [(factors, items), histories.shape()];
        check::product("project_histories", shapes[0], shapes[1], None, out.shape())?;
        let result = run("project_histories", &shapes, || {
            histories
                .transposed_product(&basis.tensor())?
                .f_transpose(0, 1)?
                .f_contiguous()
        })?;
        out.replace(result);
        Ok(())
    }

    fn add_histories(
        &self,
        scale: f32,
        histories: &TorchHistories,
        keep: f32,
        out: &mut TorchMatrix,
    ) -> Result<()> {
        check::same("add_histories", histories.shape(), out.shape())?;
        let result = run("add_histories", &[out.shape()], || {
            let mut result = out.tensor();
            if keep == 0.0 {
                result = Tensor::f_zeros(size(out.shape()), (Kind::Float, self.tch_device()))?;
            } else if keep != 1.0 {
                let _ = result.f_mul_scalar_(f64::from(keep))?;
            }
            histories.add_to(f64::from(scale), &result)?;
            Ok(result)
        })?;
        out.replace(result);
        Ok(())
    }

    fn matmul(
        &self,
        left: &TorchMatrix,
        transpose_left: bool,
        right: &TorchMatrix,
        update: Update<'_, TorchMatrix>,
        out: &mut TorchMatrix,
    ) -> Result<()> {
        let left_shape = match left.shape() {
            (rows, columns) if transpose_left => (columns, rows),
            shape => shape,
        };
        let addend = update.addend.map(|(_, addend)| addend.shape());
        check::product("matmul", left_shape, right.shape(), addend, out.shape())?;
        let result = run("matmul", &[left_shape, right.shape()], || {
            let mut left = left.tensor();
            if transpose_left {
                left = left.f_transpose(0, 1)?;
            }
            finish_product(left.f_mm(&right.tensor())?, update, &out.tensor())
        })?;
        out.replace(result);
        Ok(())
    }

    fn add_scaled(
        &self,
        scale: f32,
        addend: &TorchMatrix,
        keep: f32,
        out: &mut TorchMatrix,
    ) -> Result<()> {
        check::same("add_scaled", addend.shape(), out.shape())?;
        let result = run("add_scaled", &[out.shape()], || {
            let mut sum = addend.tensor().f_mul_scalar(f64::from(scale))?;
            if keep != 0.0 {
                let _ = sum.f_add_(&out.tensor().f_mul_scalar(f64::from(keep))?)?;
            }
            Ok(sum)
        })?;
        out.replace(result);
        Ok(())
    }

    fn scale_rows(&self, scale: &TorchMatrix, out: &mut TorchMatrix) -> Result<()> {
        check::row_scale("scale_rows", scale.shape(), out.shape())?;
        run("scale_rows", &[scale.shape(), out.shape()], || {
            out.tensor().f_mul_(&scale.tensor()).map(drop)
        })
    }

    fn columns(&self, matrix: &TorchMatrix, columns: Range<usize>) -> Result<TorchMatrix> {
        let (rows, all) = matrix.shape();
        check::fits(
            "columns",
            (rows, all),
            (columns.start, columns.end),
            columns.start <= columns.end && columns.end <= all,
        )?;
        let (start, count) = (columns.start as i64, columns.len() as i64);
        self.matrix("columns", (rows, columns.len()), || {
            matrix.tensor().f_narrow_copy(1, start, count)
        })
    }

    fn concatenate_columns(&self, parts: &[TorchMatrix]) -> Result<TorchMatrix> {
        let rows = parts.first().map_or(0, |part| part.shape().0);
        let columns = parts.iter().map(|part| part.shape().1).sum();
        for part in parts {
            let fits = part.shape().0 == rows;
            check::fits("concatenate_columns", (rows, columns), part.shape(), fits)?;
        }
        if parts.is_empty() {
            return self.zeros(0, 0);
        }
        self.matrix("concatenate_columns", (rows, columns), || {
            let tensors: Vec<Tensor> = parts.iter().map(TorchMatrix::tensor).collect();
            Tensor::f_cat(&tensors, 1)
        })
    }

    fn symmetric_eigen(&self, matrix: ArrayView2<'_, f64>) -> Result<SymmetricEigen> {
        let shape = matrix.dim();
        check::fits("symmetric_eigen", shape, shape, matrix.is_square())?;
        let mut values = vec![0.0; shape.0];
        let mut vectors = Array2::zeros(shape);
        run("symmetric_eigen", &[shape], || {
            let entries: Vec<f64> = matrix.iter().copied().collect();
            let (found_values, found_vectors) = Tensor::f_from_slice(&entries)?
                .f_reshape(size(shape))?
                .f_to_device(self.tch_device())?
                .f_linalg_eigh("L")?;
            found_values
                .f_to_device(Device::Cpu)?
                .f_copy_data(&mut values, shape.0)?;
            let found_vectors = found_vectors.f_contiguous()?.f_to_device(Device::Cpu)?;
            match vectors.as_slice_mut() {
                Some(vectors) => found_vectors.f_copy_data(vectors, shape.0 * shape.1),
                None => Ok(()),
            }
        })?;
        Ok(SymmetricEigen { values, vectors })
    }

    fn top_k(
        &self,
        scores: &mut TorchMatrix,
        item_scale: &TorchMatrix,
        hidden: &[&[u32]],
        k: usize,
    ) -> Result<Vec<Vec<ScoredItem>>> {
        let (items, columns) = scores.shape();
        check::row_scale("top_k", item_scale.shape(), (items, columns))?;
        check::histories("top_k", hidden, items, columns)?;
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
