//! The histories of a tile of users.

use bspm_core::Result;
use bspm_core::backend::Shaped;
use bspm_core::data::History;
use tch::{Device, Kind, TchError, Tensor};

use crate::budget::{Budget, Reservation};
use crate::error::run;
use crate::matrix::{Shape, SharedTensor};
use crate::sparse::SparseTensor;
use crate::transfer::to_device;

/// Weighted histories on the device: sparse, one row per user.
#[derive(Debug)]
pub struct TorchHistories {
    /// `columns x items`.
    by_user: SparseTensor,
    /// The indices of the entries in a row-major `items x columns` matrix.
    places: SharedTensor,
    shape: Shape,
    _reservation: Reservation,
}

impl TorchHistories {
    pub(crate) fn new(
        histories: &[History<'_>],
        weights: &[f32],
        columns: usize,
        device: Device,
        budget: &Budget,
    ) -> Result<Self> {
        let entries: usize = histories.iter().map(|history| history.items().len()).sum();
        let what = || format!("histories of {entries} entries");
        let reservation = budget.reserve(what, 16 * entries + 4 * (columns + 1))?;
        let shape = (weights.len(), columns);
        let mut row_ends = vec![0_i32];
        let (mut items, mut places, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for (column, history) in histories.iter().enumerate() {
            for (item, count) in history.entries() {
                items.push(item as i32);
                places.push((item as usize * columns + column) as i64);
                values.push(count * weights[item as usize]);
            }
            row_ends.push(items.len() as i32);
        }
        row_ends.resize(columns + 1, items.len() as i32);
        run("upload_histories", &[shape], || {
            Ok(Self {
                by_user: SparseTensor::new((shape.1, shape.0), &row_ends, &items, &values, device)?,
                places: SharedTensor::new(to_device(&places, device)?),
                shape,
                _reservation: reservation,
            })
        })
    }

    /// `histories^T * dense`: `columns x factors` for `dense: items x factors`.
    pub(crate) fn transposed_product(&self, dense: &Tensor) -> Result<Tensor, TchError> {
        let size = [self.shape.1 as i64, dense.size2()?.1];
        let product = Tensor::f_zeros(size, (Kind::Float, dense.device()))?;
        self.by_user.add_product(1.0, dense, &product)?;
        Ok(product)
    }

    /// Adds the entries, scaled, to a row-major `items x columns` tensor.
    pub(crate) fn add_to(&self, scale: f64, dense: &Tensor) -> Result<(), TchError> {
        let mut values = self.by_user.values();
        if scale != 1.0 {
            values = values.f_mul_scalar(scale)?;
        }
        let _ = dense
            .f_view([-1])?
            .f_index_add_(0, &self.places.handle(), &values)?;
        Ok(())
    }

    /// Converts to a dense `items x columns` tensor.
    pub(crate) fn to_dense(&self) -> Result<Tensor, TchError> {
        let values = self.by_user.values();
        let size = [self.shape.0 as i64, self.shape.1 as i64];
        let dense = Tensor::f_zeros(size, (Kind::Float, values.device()))?;
        self.add_to(1.0, &dense)?;
        Ok(dense)
    }
}

impl Shaped for TorchHistories {
    fn shape(&self) -> (usize, usize) {
        self.shape
    }
}
