//! Sparse matrices as sparse tensors, one per direction.

use bspm_core::backend::{Direction, Shaped, SparseParts};
use bspm_core::{Error, Result};
use sprs::{CsMatI, CsMatViewI};
use tch::{Device, Kind, TchError, Tensor};

use crate::budget::{Budget, Reservation};
use crate::error::run;
use crate::matrix::{Shape, SharedTensor};
use crate::transfer::to_device;

/// A compressed sparse row matrix.
#[derive(Debug)]
pub(crate) struct SparseTensor {
    row_ends: SharedTensor,
    columns: SharedTensor,
    values: SharedTensor,
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
        Ok(Self {
            row_ends: SharedTensor::new(to_device(row_ends, device)?),
            columns: SharedTensor::new(to_device(columns, device)?),
            values: SharedTensor::new(to_device(values, device)?),
            shape,
            entries: values.len(),
        })
    }

    pub(crate) fn values(&self) -> Tensor {
        self.values.handle()
    }

    /// `out += factor * self * dense`.
    ///
    /// The values are multiplied by the factor, because there are fewer of them than elements of `out`.
    pub(crate) fn add_product(
        &self,
        factor: f32,
        dense: &Tensor,
        out: &Tensor,
    ) -> Result<(), TchError> {
        if self.entries == 0 || out.numel() == 0 {
            return Ok(());
        }
        let mut values = self.values.handle();
        if factor != 1.0 {
            values = values.f_mul_scalar(f64::from(factor))?;
        }
        let sparse = Tensor::f_sparse_csr_tensor_crow_col_value_size(
            &self.row_ends.handle(),
            &self.columns.handle(),
            &values,
            [self.shape.0 as i64, self.shape.1 as i64],
            (Kind::Float, values.device()),
        )?;
        out.f_addmm_out(out, &sparse, dense).map(drop)
    }
}

/// The maximum number of entries: row ends are signed 32-bit numbers.
const MOST_ENTRIES: usize = i32::MAX as usize;

/// A sparse matrix on the device, in both directions.
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
        if entries > MOST_ENTRIES {
            return Err(Error::TooLarge {
                what: "entries of a sparse matrix on libtorch",
                found: entries,
                limit: MOST_ENTRIES,
            });
        }
        let bytes = 16 * entries + 4 * (rows + columns + 2);
        let what = || format!("a sparse matrix of {entries} entries");
        let reservation = budget.reserve(what, bytes)?;
        let (forward, transposed) = match parts {
            SparseParts::Walk {
                user_items,
                item_users,
                user_scale,
                item_scale,
                weights,
            } => (
                scaled_pattern(user_items, user_scale, weights.map(|it| it.0), device)?,
                scaled_pattern(item_users, item_scale, weights.map(|it| it.1), device)?,
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
    weights: Option<&[f32]>,
    device: Device,
) -> Result<SparseTensor> {
    let ends = pattern.indptr();
    let ends = ends.raw_storage();
    let mut values: Vec<f32> = ends
        .windows(2)
        .zip(scale)
        .flat_map(|(ends, &scale)| (ends[0]..ends[1]).map(move |_| scale))
        .collect();
    for (value, weight) in values.iter_mut().zip(weights.unwrap_or_default()) {
        *value *= weight;
    }
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
