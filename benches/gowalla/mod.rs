//! The data of the benchmarks.

use std::path::PathBuf;

use bspm::Interactions;
use bspm::data::{SyntheticShape, TrainTest};

/// The real Gowalla split if `BSPM_DATA` is set to its folder, and generated interactions of the same shape
/// otherwise.
pub(crate) fn interactions() -> Interactions {
    let split = match std::env::var_os("BSPM_DATA") {
        Some(folder) => TrainTest::from_lightgcn_directory(PathBuf::from(folder).join("gowalla")),
        None => {
            eprintln!("BSPM_DATA is not set: generated interactions of Gowalla's shape");
            SyntheticShape::GOWALLA.generate(2023)
        }
    };
    split.expect("interactions of Gowalla's shape").train
}
