//! The user-item graph as two sparse tensors.

use bspm_core::Result;
use bspm_core::backend::check::Shape;
use bspm_core::backend::{Direction, GraphParts};
use tch::{Device, Kind, TchError, Tensor};

use crate::budget::{Budget, Reservation};
use crate::error::run;
use crate::matrix::SharedTensor;

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

    pub(crate) fn shape(&self) -> Shape {
        self.shape
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

/// The user-item graph on the device: the scaled pattern of `A` and of its transpose.
#[derive(Debug)]
pub struct TorchGraph {
    to_users: SparseTensor,
    to_items: SparseTensor,
    _reservation: Reservation,
}

impl TorchGraph {
    pub(crate) fn new(parts: GraphParts<'_>, device: Device, budget: &Budget) -> Result<Self> {
        let shape = parts.user_items.shape();
        let interactions = parts.user_items.nnz();
        let bytes = 16 * interactions + 4 * (shape.0 + shape.1 + 2);
        let reservation = budget.reserve(|| format!("a graph of {interactions} edges"), bytes)?;
        let half = |pattern: sprs::CsMatViewI<'_, (), u32>, scale: &[f32]| {
            let ends = pattern.indptr();
            let ends = ends.raw_storage();
            let values: Vec<f32> = ends
                .windows(2)
                .zip(scale)
                .flat_map(|(ends, &scale)| (ends[0]..ends[1]).map(move |_| scale))
                .collect();
            let to_signed = |indices: &[u32]| -> Vec<i32> {
                indices.iter().map(|&index| index as i32).collect()
            };
            run("upload_graph", &[pattern.shape()], || {
                let columns = to_signed(pattern.indices());
                SparseTensor::new(pattern.shape(), &to_signed(ends), &columns, &values, device)
            })
        };
        Ok(Self {
            to_users: half(parts.user_items, parts.user_scale)?,
            to_items: half(parts.item_users, parts.item_scale)?,
            _reservation: reservation,
        })
    }

    pub(crate) fn half(&self, direction: Direction) -> &SparseTensor {
        match direction {
            Direction::ToUsers => &self.to_users,
            Direction::ToItems => &self.to_items,
        }
    }
}
