//! Weighted item graphs as sparse tensors.

use bspm_core::Result;
use bspm_core::backend::check::Shape;
use sprs::CsMatI;
use tch::{Device, TchError, Tensor};

use crate::budget::{Budget, Reservation};
use crate::error::run;
use crate::graph::SparseTensor;

/// An item graph on the device, transposed, and on the host as it came.
#[derive(Debug)]
pub struct TorchItemGraph {
    transposed: SparseTensor,
    weights: CsMatI<f32, u32>,
    _reservation: Reservation,
}

impl TorchItemGraph {
    pub(crate) fn new(weights: CsMatI<f32, u32>, device: Device, budget: &Budget) -> Result<Self> {
        let weights = weights.into_csr();
        let bytes = 8 * weights.nnz() + 4 * (weights.rows() + 1);
        let what = || format!("an item graph of {} entries", weights.nnz());
        let reservation = budget.reserve(what, bytes)?;
        let transposed = weights.to_other_storage().transpose_into();
        let to_signed =
            |indices: &[u32]| -> Vec<i32> { indices.iter().map(|&index| index as i32).collect() };
        let ends = to_signed(transposed.indptr().into_raw_storage());
        let columns = to_signed(transposed.indices());
        let shape = transposed.shape();
        let transposed = run("upload_item_graph", &[shape], || {
            SparseTensor::new(shape, &ends, &columns, transposed.data(), device)
        })?;
        Ok(Self {
            transposed,
            weights,
            _reservation: reservation,
        })
    }

    pub(crate) fn weights(&self) -> &CsMatI<f32, u32> {
        &self.weights
    }

    pub(crate) fn shape(&self) -> Shape {
        self.transposed.shape()
    }

    /// `weights^T * dense`, a new tensor.
    pub(crate) fn follow(&self, dense: &Tensor) -> Result<Tensor, TchError> {
        self.transposed.multiply(dense)
    }
}
