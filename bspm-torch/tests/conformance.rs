//! The conformance suite on libtorch's CPU device, and on CUDA if a GPU is available.

use bspm_core::{BspmConfig, FittedFilter, Interactions};
use bspm_torch::{TorchBackend, TorchDevice};

mod large_cpu {
    use super::*;

    bspm_conformance::large_conformance!(TorchBackend::new(TorchDevice::Cpu).unwrap());
}

/// Run with `--features cuda -- --include-ignored --test-threads 1 large_cuda` on a machine with a GPU.
#[cfg(feature = "cuda")]
mod large_cuda {
    use super::*;

    bspm_conformance::large_conformance!(TorchBackend::new(TorchDevice::Cuda(0)).unwrap());
}

mod cpu {
    use super::*;

    bspm_conformance::backend_conformance!(TorchBackend::new(TorchDevice::Cpu).unwrap());
}

/// Two tiles at the same time, as on a GPU.
mod cpu_with_two_tiles_under_way {
    use super::*;

    bspm_conformance::backend_conformance!(
        TorchBackend::new(TorchDevice::Cpu)
            .unwrap()
            .tiles_under_way(2)
    );
}

/// Run with `--features cuda -- --include-ignored --skip large_` on a machine with a GPU.
#[cfg(feature = "cuda")]
mod cuda {
    use super::*;

    bspm_conformance::backend_conformance!(
        [#[ignore = "needs a GPU; --include-ignored runs it"]]
        TorchBackend::new(TorchDevice::Cuda(0)).unwrap()
    );
}

#[test]
fn a_budget_below_one_tile_is_an_error_that_states_both_numbers() {
    let interactions = Interactions::from_pairs(100, 200, [(0, 0), (99, 199)]).unwrap();
    let config = BspmConfig::builder().build().unwrap();
    let backend = TorchBackend::with_memory_budget(TorchDevice::Cpu, 100_000).unwrap();
    let error = FittedFilter::fit(backend, interactions.clone(), config.clone()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a tile of 32 users needs 115200 bytes of memory, but the memory budget has 50000 bytes left"
    );

    let backend = TorchBackend::with_memory_budget(TorchDevice::Cpu, 100).unwrap();
    let error = FittedFilter::fit(backend, interactions.clone(), config.clone()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a sparse matrix of 2 entries needs 1240 bytes of memory, but the memory budget has 100 bytes left"
    );

    let enough = 2 * 115_200;
    let backend = TorchBackend::with_memory_budget(TorchDevice::Cpu, enough).unwrap();
    let model = FittedFilter::fit(backend, interactions, config).unwrap();
    assert_eq!(model.score(&[0, 99]).unwrap().dim(), (2, 200));
}

#[test]
fn a_gpu_that_no_machine_has_is_an_error() {
    let error = TorchBackend::new(TorchDevice::Cuda(4096)).unwrap_err();
    let source = std::error::Error::source(&error).expect("a reason");
    assert!(source.to_string().starts_with("no CUDA device 4096: "));
}
