//! The conformance suite on the CPU, on the global pool and on pools of one and three.

mod global_pool {
    bspm_conformance::backend_conformance!(bspm::CpuBackend::new());
}

mod large_problems {
    bspm_conformance::large_conformance!(bspm::CpuBackend::new());
}

mod one_thread {
    bspm_conformance::backend_conformance!(bspm::CpuBackend::with_threads(1).unwrap());
}

mod three_threads {
    bspm_conformance::backend_conformance!(bspm::CpuBackend::with_threads(3).unwrap());
}
