//! placeholder
pub use bspm_core::*;
pub use bspm_cpu::{CpuBackend, CpuError};
