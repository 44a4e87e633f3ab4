//! Interactions: what they are, where they come from, and how they are divided.

pub(crate) mod components;
pub(crate) mod dataset;
#[cfg(feature = "load")]
mod date;
mod half_life;
pub(crate) mod history;
pub(crate) mod ids;
pub(crate) mod interactions;
#[cfg(feature = "load")]
pub(crate) mod load;
mod synthetic;
mod train_test;

pub use crate::error::InvalidRow;
pub use dataset::{
    Dataset, DatasetBuilder, DatasetSplit, DatasetSummary, Event, Quantiles, WeightScale, Weighting,
};
#[cfg(feature = "load")]
pub use date::date_of;
pub use half_life::HalfLife;
pub use history::History;
pub use ids::{Ids, UnknownIds};
pub use interactions::{Duplicates, Interactions};
#[cfg(feature = "parquet")]
#[doc(hidden)]
pub use load::caught;
#[cfg(feature = "load")]
pub use load::{
    ColumnUse, Format, OptionUse, Pairs, Quoting, ReadReport, TableOptions, TextLines, TextTable,
    TimeUnit, expand_paths, parse_lightgcn, parse_time, read_lightgcn,
};
pub use synthetic::SyntheticShape;
pub use train_test::TrainTest;
