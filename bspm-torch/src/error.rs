//! The error type of the crate.

use crate::matrix::Shape;

/// An error of the libtorch backend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TorchError {
    /// A libtorch operation failed.
    #[error("{operation} on shapes {shapes:?}")]
    Operation {
        /// The name of the operation.
        operation: &'static str,
        /// The shapes of its operands.
        shapes: Vec<Shape>,
        /// The error of libtorch.
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// The requested CUDA device is not available.
    #[error("no CUDA device {index}: {reason}")]
    NoCuda {
        /// The number of the device.
        index: usize,
        /// The reason, as text.
        reason: String,
    },
}

impl TorchError {
    pub(crate) fn in_operation(self, operation: &'static str) -> bspm_core::Error {
        bspm_core::Error::Backend {
            backend: "torch",
            operation,
            source: Box::new(self),
        }
    }
}

impl From<TorchError> for bspm_core::Error {
    /// An error of starting the backend.
    fn from(error: TorchError) -> Self {
        error.in_operation("start")
    }
}

/// Runs libtorch calls without recording gradients, and adds the operation to errors.
pub(crate) fn run<T>(
    operation: &'static str,
    shapes: &[Shape],
    work: impl FnOnce() -> Result<T, tch::TchError>,
) -> bspm_core::Result<T> {
    tch::no_grad(work).map_err(|source| {
        TorchError::Operation {
            operation,
            shapes: shapes.to_vec(),
            source: Box::new(source),
        }
        .in_operation(operation)
    })
}
