//! The one error type of the crate.

/// What only a CPU can fail at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CpuError {
    /// More threads are asked for than any machine has use for.
    #[error("threads: expected 0 (one per core) to {limit}, found {threads}")]
    TooManyThreads {
        /// How many were asked for.
        threads: usize,
        /// How many may be: [`CpuBackend::MOST_THREADS`](crate::CpuBackend::MOST_THREADS).
        limit: usize,
    },

    /// A thread pool could not be built.
    #[error("cannot start {threads} threads")]
    ThreadPool {
        /// How many were asked for.
        threads: usize,
        /// What rayon said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// A matrix to be inverted is not positive definite, to the precision of `f32`.
    #[error("a {size}x{size} matrix is not positive definite")]
    NotPositiveDefinite {
        /// Rows of the matrix.
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
