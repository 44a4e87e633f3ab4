//! Training-free collaborative filtering with Blurring-Sharpening Process Models
//! (Choi et al., SIGIR 2023, arXiv 2211.09324), generic over a compute [`Backend`].
//!
//! Data flows one way:
//! load ([`TrainTest`]) -> [`Interactions`] -> fit ([`FittedFilter::fit`]) -> score
//! ([`FittedFilter::score`]) -> rank ([`FittedFilter::rank`]) -> evaluate ([`Evaluator`]).
//!
//! Applications depend on the facade crate `bspm`, which adds a backend to this.

pub mod backend;
mod config;
#[cfg(feature = "conformance")]
pub mod conformance;
mod dataset;
mod error;
mod evaluate;
mod filter;
mod filters;
mod fit;
mod fit_options;
mod ids;
mod interactions;
mod load;
mod model;
mod normalization;
mod observe;
mod process;
mod progress;
mod rank;
pub mod saved;
mod score;
mod solver;
mod sweep;
mod synthetic;
mod tiles;
mod truncated_svd;

pub use backend::Backend;
pub use config::{BspmConfig, BspmConfigBuilder, IdealLowPass, Integration, Merge, Preset};
pub use dataset::{Dataset, DatasetBuilder, DatasetSplit, Event};
pub use error::{Error, Result};
pub use evaluate::{Evaluator, Metrics};
pub use filter::FilterConfig;
pub use filters::{
    ChebyCf, EaseR, GfCf, ItemKnn, LgcnIde, LinkProp, Popularity, TurboCf, TurboFilter,
};
pub use fit::FittedFilter;
pub use fit_options::FitOptions;
pub use ids::Ids;
pub use interactions::Interactions;
pub use load::{Pairs, TableOptions, TrainTest, parse_lightgcn, read_lightgcn};
pub use model::{
    Contribution, EvaluateOptions, Explanation, Model, RecommendOptions, Recommendation, UnknownIds,
};
pub use normalization::{Normalization, NormalizedGraph};
pub use observe::Observer;
pub use progress::{Progress, Stage};
pub use rank::{RankOptions, ScoredItem, TopK};
pub use saved::{SavedId, SavedModelInfo};
pub use score::Ranking;
pub use solver::Solver;
pub use sweep::{Sweep, SweepGrid, SweepRow, SweepState};
pub use synthetic::SyntheticShape;
pub use truncated_svd::{SvdReport, SvdStop, TruncatedSvd, truncated_svd};
