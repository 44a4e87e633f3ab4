//! Training-free collaborative filtering with Blurring-Sharpening Process Models
//! (Choi et al., SIGIR 2023, arXiv 2211.09324), generic over a compute [`Backend`].
//!
//! Data flows one way:
//! load ([`Dataset`]) -> [`Interactions`] -> fit ([`FittedFilter::fit`]) -> score
//! ([`FittedFilter::score`]) -> rank ([`FittedFilter::rank`]) -> evaluate ([`Evaluator`]).
//! The modules stand in storeys, and each imports only those below it: [`saved`],
//! [`sweep`], [`tune`] and `arrow` on [`model`], [`fitted`], [`filters`], [`engine`], [`backend`], [`data`].
//!
//! Applications depend on the facade crate `bspm`, which adds a backend to this.

#![cfg_attr(docsrs, feature(doc_cfg))]
// The parts of a filter are named for model files alone.
#![cfg_attr(not(feature = "saved"), allow(dead_code))]

#[cfg(feature = "arrow")]
pub mod arrow;
pub mod backend;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod data;
pub mod engine;
mod error;
pub mod filters;
pub mod fitted;
pub mod model;
mod observe;
mod parameter;
mod progress;
#[cfg(feature = "saved")]
pub mod saved;
pub mod sweep;
pub mod tune;

pub use backend::Backend;
pub use data::{Dataset, Interactions, UnknownIds};
pub use engine::FitOptions;
pub use error::{Error, Result};
pub use filters::{BspmConfig, FilterConfig, Merge, Preset, Solver};
pub use fitted::{EvaluateOptions, Evaluator, Fallback, FittedFilter, Metrics};
pub use model::{Explanation, Model, RecommendOptions, Recommendation};
pub use observe::Observer;
pub use progress::{Progress, Stage};
