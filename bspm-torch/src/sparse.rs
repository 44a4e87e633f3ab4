//! Sparse matrices as sparse tensors, one for each way.

use bspm_core::Result;
use bspm_core::backend::{Direction, Shaped, SparseParts};
use sprs::{CsMatI, CsMatViewI};
use tch::{Device, Kind, TchError, Tensor};

use crate::budget::{Budget, Reservation};
use crate::error::run;
use crate::matrix::{Shape, SharedTensor};

/// A compressed sparse row tensor.
#[derive(Debug)]
pub(crate) struct SparseTensor {
    tensor: SharedTensor,
    shape: Shape,
    entries: usize,
}

impl SparseTensor {
    pub(crate) fn new(
        shape: Shape,
        row_ends: &[i32],
        columns: &[i32],
        values: &[f32],
        device: Device,
    ) -> Result<Self, TchError> {
        let tensor = Tensor::f_sparse_csr_tensor_crow_col_value_size(
            &Tensor::f_from_slice(row_ends)?.f_to_device(device)?,
            &Tensor::f_from_slice(columns)?.f_to_device(device)?,
            &Tensor::f_from_slice(values)?.f_to_device(device)?,
            [shape.0 as i64, shape.1 as i64],
            (Kind::Float, device),
        )?;
        Ok(Self {
            tensor: SharedTensor::new(tensor),
            shape,
            entries: values.len(),
        })
    }

    /// `self * dense`, a new tensor.
    pub(crate) fn multiply(&self, dense: &Tensor) -> Result<Tensor, TchError> {
        let (rows, columns) = (self.shape.0 as i64, dense.size2()?.1);
        if self.entries == 0 || rows == 0 || columns == 0 {
            return Tensor::f_zeros([rows, columns], (Kind::Float, dense.device()));
        }
        self.tensor.handle().f_mm(dense)
    }
}

/// A sparse matrix on the device, and its other way.
#[derive(Debug)]
pub struct TorchSparse {
    forward: SparseTensor,
    transposed: SparseTensor,
    _reservation: Reservation,
}

impl TorchSparse {
    pub(crate) fn new(parts: SparseParts<'_>, device: Device, budget: &Budget) -> Result<Self> {
        let (rows, columns) = parts.shape();
        let entries = match &parts {
            SparseParts::Walk { user_items, .. } => user_items.nnz(),
            SparseParts::ItemGraph(weights) => weights.nnz(),
        };
        let bytes = 16 * entries + 4 * (rows + columns + 2);
        let what = || format!("a sparse matrix of {entries} entries");
        let reservation = budget.reserve(what, bytes)?;
        let (forward, transposed) = match parts {
            SparseParts::Walk {
                user_items,
                item_users,
                user_scale,
                item_scale,
            } => (
                scaled_pattern(user_items, user_scale, device)?,
                scaled_pattern(item_users, item_scale, device)?,
            ),
            SparseParts::ItemGraph(weights) => {
                let forward = weighted(&weights.to_csr(), device)?;
                let transposed = weights.transpose_view().to_csr();
                (forward, weighted(&transposed, device)?)
            }
        };
        Ok(Self {
            forward,
            transposed,
            _reservation: reservation,
        })
    }

    pub(crate) fn one_way(&self, direction: Direction) -> &SparseTensor {
        match direction {
            Direction::Forward => &self.forward,
            Direction::Transposed => &self.transposed,
        }
    }
}

impl Shaped for TorchSparse {
    fn shape(&self) -> (usize, usize) {
        self.forward.shape
    }
}

fn scaled_pattern(
    pattern: CsMatViewI<'_, (), u32>,
    scale: &[f32],
    device: Device,
) -> Result<SparseTensor> {
    let ends = pattern.indptr();
    let ends = ends.raw_storage();
    let values: Vec<f32> = ends
        .windows(2)
        .zip(scale)
        .flat_map(|(ends, &scale)| (ends[0]..ends[1]).map(move |_| scale))
        .collect();
    upload(pattern.shape(), ends, pattern.indices(), &values, device)
}

fn weighted(weights: &CsMatI<f32, u32>, device: Device) -> Result<SparseTensor> {
    let ends = weights.indptr();
    let (ends, columns) = (ends.raw_storage(), weights.indices());
    upload(weights.shape(), ends, columns, weights.data(), device)
}

fn upload(
    shape: Shape,
    ends: &[u32],
    columns: &[u32],
    values: &[f32],
    device: Device,
) -> Result<SparseTensor> {
    let signed =
        |indices: &[u32]| -> Vec<i32> { indices.iter().map(|&index| index as i32).collect() };
    run("upload_sparse", &[shape], || {
        SparseTensor::new(shape, &signed(ends), &signed(columns), values, device)
    })
}
