//! Training-free collaborative filtering with Blurring-Sharpening Process Models
//! (Choi et al., SIGIR 2023, arXiv 2211.09324), generic over a compute [`Backend`].
//!
//! Data flows one way:
//! load ([`Dataset`]) -> [`Interactions`] -> fit ([`FittedFilter::fit`]) -> score
//! ([`FittedFilter::score`]) -> rank ([`FittedFilter::rank`]) -> evaluate ([`Evaluator`]).
//! The modules form layers, and each imports only those below it: [`saved`],
//! [`sweep`] and [`tune`] on [`model`], [`fitted`], [`filters`], [`engine`], [`backend`], [`data`].
//!
//! Applications depend on the facade crate `bspm`, which adds a backend.

#![cfg_attr(docsrs, feature(doc_cfg))]
// The names of the parts of a filter are only used for model files.
#![cfg_attr(not(feature = "saved"), allow(dead_code))]

pub mod backend;
pub mod engine;
pub mod filters;
pub mod fitted;
pub mod model;
mod observe;
#[cfg(feature = "saved")]
pub mod saved;
pub mod sweep;
pub mod tune;

pub use backend::Backend;
pub use bspm_data as data;
pub use bspm_data::{Dataset, Error, Interactions, Result, Stage, UnknownIds, with_sources};
pub use engine::FitOptions;
pub use filters::{BspmConfig, FilterConfig, Merge, Preset, Solver};
pub use fitted::{EvaluateOptions, Evaluator, Fallback, FittedFilter, Metrics};
pub use model::{Explanation, Model, RecommendOptions, Recommendation};
pub use observe::{Observer, Progress};
