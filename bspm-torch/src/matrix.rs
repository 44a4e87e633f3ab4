//! Dense matrices on the device.

use std::sync::{Mutex, PoisonError};

use bspm_core::Result;
use bspm_core::backend::Shaped;
use tch::Tensor;

use crate::budget::{Budget, Reservation};

/// The number of rows and columns.
pub(crate) type Shape = (usize, usize);

/// A libtorch tensor that threads can share: a lock protects the creation of handles.
#[derive(Debug)]
pub(crate) struct SharedTensor(Mutex<Tensor>);

impl SharedTensor {
    pub(crate) fn new(tensor: Tensor) -> Self {
        Self(Mutex::new(tensor))
    }

    /// Creates another handle to the same memory.
    pub(crate) fn handle(&self) -> Tensor {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .shallow_clone()
    }
}

/// A dense row-major `f32` matrix on the device. Its memory counts against the budget.
#[derive(Debug)]
pub struct TorchMatrix {
    tensor: SharedTensor,
    shape: Shape,
    _reservation: Reservation,
}

impl TorchMatrix {
    /// Reserves the memory, and then creates the tensor.
    pub(crate) fn new(
        budget: &Budget,
        shape: Shape,
        make: impl FnOnce() -> Result<Tensor>,
    ) -> Result<Self> {
        let what = || format!("a {}x{} matrix", shape.0, shape.1);
        let reservation = budget.reserve(what, 4 * shape.0 * shape.1)?;
        Ok(Self {
            tensor: SharedTensor::new(make()?),
            shape,
            _reservation: reservation,
        })
    }

    pub(crate) fn tensor(&self) -> Tensor {
        self.tensor.handle()
    }
}

impl Shaped for TorchMatrix {
    fn shape(&self) -> (usize, usize) {
        self.shape
    }
}
