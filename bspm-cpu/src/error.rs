//! The error type of the crate.

/// An error of the CPU backend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CpuError {
    /// The number of threads is too large.
    #[error("threads: expected a number from 0 (one per core) to {limit}, found {threads}")]
    TooManyThreads {
        /// The requested number of threads.
        threads: usize,
        /// The maximum, [`CpuBackend::MOST_THREADS`](crate::CpuBackend::MOST_THREADS).
        limit: usize,
    },

    /// A thread pool could not be built.
    #[error("cannot start {threads} threads")]
    ThreadPool {
        /// The requested number of threads.
        threads: usize,
        /// The error of rayon.
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// A matrix cannot be inverted because it is not positive definite to the precision of `f32`.
    #[error("a {size}x{size} matrix is not positive definite")]
    NotPositiveDefinite {
        /// The number of rows of the matrix.
        size: usize,
    },
}

impl CpuError {
    pub(crate) fn in_operation(self, operation: &'static str) -> bspm_core::Error {
        bspm_core::Error::Backend {
            backend: "cpu",
            operation,
            source: Box::new(self),
        }
    }
}

impl From<CpuError> for bspm_core::Error {
    /// An error of starting the backend.
    fn from(error: CpuError) -> Self {
        error.in_operation("start")
    }
}
