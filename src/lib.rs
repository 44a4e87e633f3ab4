#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod guide;
#[cfg(debug_assertions)]
#[doc(hidden)]
pub mod shared_code;

pub use ndarray;
pub use sprs;

#[cfg(feature = "saved")]
pub use bspm_core::saved;
pub use bspm_core::{
    Backend, BspmConfig, Dataset, Error, EvaluateOptions, Evaluator, Explanation, Fallback,
    FilterConfig, FitOptions, FittedFilter, Interactions, Merge, Metrics, Model, Observer, Preset,
    Progress, RecommendOptions, Recommendation, Result, Solver, Stage, UnknownIds, data, engine,
    filters, fitted, model, sweep, tune, with_sources,
};
pub use bspm_cpu::CpuBackend;
#[cfg(feature = "torch")]
pub use bspm_torch::{TorchBackend, TorchDevice};

/// A model on the CPU, with user ids of type `U` and item ids of type `I`.
pub type CpuModel<U = String, I = String> = Model<CpuBackend, U, I>;

/// The interface that a backend implements, and the errors of the backends of this crate.
pub mod backend {
    pub use bspm_core::backend::*;
    pub use bspm_cpu::CpuError;
    #[cfg(feature = "torch")]
    pub use bspm_torch::TorchError;
}
