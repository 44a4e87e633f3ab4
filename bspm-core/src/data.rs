//! Interactions: what they are, where they come from, and how they are divided.

pub(crate) mod dataset;
pub(crate) mod ids;
pub(crate) mod interactions;
pub(crate) mod load;
mod synthetic;

pub use dataset::{Dataset, DatasetBuilder, DatasetSplit, Event};
pub use ids::{Ids, UnknownIds};
pub use interactions::Interactions;
pub use load::{Pairs, TableOptions, TrainTest, parse_lightgcn, read_lightgcn};
pub use synthetic::SyntheticShape;
