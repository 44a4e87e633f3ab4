//! Recommendations without training: Blurring-Sharpening Process Models (BSPM, Choi et al., SIGIR 2023,
//! [arXiv 2211.09324](https://arxiv.org/abs/2211.09324)) and related graph filters.
//!
//! A [`Dataset`] has the interactions of users and items. A [`Model`] is a filter that is fitted to them.
//! It recommends items, also for histories that it has not seen, and explains its scores:
//!
//! ```
//! use bspm::{BspmConfig, CpuBackend, Dataset, Model};
//!
//! # fn main() -> bspm::Result<()> {
//! let purchases: Dataset<&str, &str> = Dataset::from_pairs([
//!     ("ann", "tea"), ("ann", "milk"), ("bob", "milk"), ("bob", "rice"), ("cid", "rice"), ("cid", "jam"),
//! ])?;
//! let model = Model::fit(CpuBackend::new(), purchases, BspmConfig::default())?;
//! let best = &model.recommend("ann", 1)?[0];
//! assert_eq!((best.item, best.score > 0.0), ("rice", true));
//! assert_eq!(model.explain("ann", "rice")?.contributions[0].item, "milk");
//! # Ok(())
//! # }
//! ```
//!
//! | task | start with |
//! | --- | --- |
//! | read a file | [`Dataset::read`], the chapter [`data`](guide::data) |
//! | choose a filter for some data | [`tune::choose`], [`tune::Tuner`] |
//! | use one filter | [`BspmConfig`], [`filters`] |
//! | lists for many users | [`Model::recommend_many`], [`RecommendOptions`] |
//! | measure accuracy | [`Model::evaluate`], [`Dataset::hold_out`] |
//! | save a model | [`Model::save`](Model), [`Model::open`](Model) |
//! | write a filter or a backend | the chapter [`extending`](guide::extending) |
//!
//! The [`guide`] has all chapters. Features: `load` (file readers) and `saved` (model files) are enabled by
//! default; `torch` and `cuda` add the libtorch backend.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod guide;
#[cfg(debug_assertions)]
#[doc(hidden)]
pub mod shared_code;

/// The code of the README, as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;

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
