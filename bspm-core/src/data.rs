//! Interactions: what they are, where they come from, and how they are divided.

#[cfg(feature = "arrow")]
pub(crate) mod columns;
pub(crate) mod components;
pub(crate) mod dataset;
pub(crate) mod history;
pub(crate) mod ids;
pub(crate) mod interactions;
mod invalid_row;
#[cfg(feature = "load")]
pub(crate) mod load;
mod synthetic;
mod train_test;

pub use dataset::{
    Dataset, DatasetBuilder, DatasetSplit, DatasetSummary, Event, Quantiles, WeightScale, Weighting,
};
pub use history::History;
pub use ids::{Ids, UnknownIds};
pub use interactions::{Duplicates, Interactions};
pub use invalid_row::InvalidRow;
#[cfg(feature = "parquet")]
#[doc(hidden)]
pub use load::caught;
#[cfg(feature = "load")]
pub use load::{
    ColumnUse, Format, OptionUse, Pairs, Quoting, ReadReport, TableOptions, TextLines, TextTable,
    TimeUnit, date_of, expand_paths, parse_lightgcn, parse_time, read_lightgcn,
};
pub use synthetic::SyntheticShape;
pub use train_test::TrainTest;
