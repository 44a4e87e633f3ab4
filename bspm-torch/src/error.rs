//! The one error type of the crate.

use crate::matrix::Shape;

/// What only libtorch can fail at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TorchError {
    /// A libtorch operation failed.
    #[error("{operation} on shapes {shapes:?}")]
    Operation {
        /// The operation.
        operation: &'static str,
        /// Shapes of its operands.
        shapes: Vec<Shape>,
        /// What libtorch said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// A CUDA device was asked for that cannot be had.
    #[error("no CUDA device {index}: {reason}")]
    NoCuda {
        /// The device's number.
        index: usize,
        /// Why, in words.
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

/// Runs libtorch calls without recording gradients, and names what fails.
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
