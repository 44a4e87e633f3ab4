//! The limit of the number of threads.

use bspm_cpu::{CpuBackend, CpuError};

#[test]
fn more_threads_than_any_machine_has_are_refused() {
    for threads in [CpuBackend::MOST_THREADS + 1, 1_000_000, usize::MAX] {
        let error = CpuBackend::with_threads(threads).unwrap_err();
        assert!(matches!(
            error,
            CpuError::TooManyThreads {
                limit: CpuBackend::MOST_THREADS,
                ..
            }
        ));
        let expected =
            format!("threads: expected a number from 0 (one per core) to 1024, found {threads}");
        assert_eq!(error.to_string(), expected);
    }
    assert!(CpuBackend::with_threads(0).is_ok());
}
