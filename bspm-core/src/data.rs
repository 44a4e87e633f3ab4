//! Interactions: what they are, where they come from, and how they are divided.

pub(crate) mod components;
pub(crate) mod dataset;
pub(crate) mod history;
pub(crate) mod ids;
pub(crate) mod interactions;
#[cfg(feature = "load")]
pub(crate) mod load;
mod synthetic;
mod train_test;

pub use dataset::{Dataset, DatasetBuilder, DatasetSplit, Event, WeightScale, Weighting};
pub use history::History;
pub use ids::{Ids, UnknownIds};
pub use interactions::{Duplicates, Interactions};
#[cfg(feature = "load")]
pub use load::{Format, Pairs, TableOptions, parse_lightgcn, parse_time, read_lightgcn};
pub use synthetic::SyntheticShape;
pub use train_test::TrainTest;
