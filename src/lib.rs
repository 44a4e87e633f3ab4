#![doc = include_str!("../README.md")]

pub mod guide;

pub use bspm_core::{
    Backend, BspmConfig, BspmConfigBuilder, ChebyCf, Contribution, Dataset, DatasetBuilder,
    DatasetSplit, EaseR, Error, EvaluateOptions, Evaluator, Event, Explanation, FilterConfig,
    FitOptions, FittedFilter, GfCf, IdealLowPass, Ids, Integration, Interactions, ItemKnn, LgcnIde,
    LinkProp, Merge, Metrics, Model, Observer, Pairs, Popularity, Preset, Progress, RankOptions,
    Ranking, RecommendOptions, Recommendation, Result, SavedId, SavedModelInfo, ScoredItem, Solver,
    Stage, SvdReport, SvdStop, Sweep, SweepGrid, SweepRow, SweepState, SyntheticShape,
    TableOptions, TopK, TrainTest, TurboCf, TurboFilter, UnknownIds, parse_lightgcn, read_lightgcn,
};
pub use bspm_cpu::{CpuBackend, CpuError};
#[cfg(feature = "torch")]
pub use bspm_torch::{TorchBackend, TorchDevice, TorchError};

/// The parts that backends and further filters are built from.
///
/// Re-exported from `bspm-core`; see [`backend`](bspm_core::backend) for what a
/// backend provides.
pub mod core {
    pub use bspm_core::*;
}
