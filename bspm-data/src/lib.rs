//! Interaction data: types, readers for files, and splits for evaluation.
//!
//! A [`Dataset`] is a matrix of [`Interactions`], `users x items`, with the [`Ids`] of its rows and
//! columns. With the default feature `load`, [`Dataset::read`] reads files.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod components;
mod dataset;
#[cfg(feature = "load")]
mod date;
mod error;
mod grouped;
mod half_life;
mod history;
mod ids;
mod interactions;
mod item_table;
#[cfg(feature = "load")]
mod load;
mod names;
mod numbered;
#[doc(hidden)]
pub mod parameter;
mod shortened;
mod stage;
mod synthetic;
mod train_test;

pub use components::Components;
#[doc(hidden)]
pub use dataset::EventColumns;
pub use dataset::{
    Dataset, DatasetBuilder, DatasetSplit, DatasetSummary, Decay, Event, ItemTags, Quantiles,
    WeightScale, Weighting,
};
#[cfg(feature = "load")]
pub use date::{date_of, date_of_seconds};
pub use error::{Error, InvalidRow, Result, with_sources};
pub use half_life::HalfLife;
pub use history::History;
#[doc(hidden)]
pub use ids::FoundId;
pub use ids::{Ids, UnknownIds};
pub use interactions::{Duplicates, Interactions};
pub use item_table::{
    ItemColumn, ItemColumnKind, ItemCoverage, ItemGroups, ItemSet, ItemTable, ItemValue,
    ItemValues, Texts,
};
#[cfg(feature = "load")]
pub use load::hint;
#[cfg(feature = "load")]
#[doc(hidden)]
pub use load::reader;
#[cfg(feature = "load")]
pub use load::{
    ColumnReason, ColumnUse, Format, ItemTableOptions, NumericTimes, OptionUse, Pairs, Quoting,
    ReadReport, TableOptions, TextLines, TextTable, TimeUnit, expand_paths, likely_time_formats,
    other_times, parse_lightgcn, parse_time, read_lightgcn, similar_ids, usual_item_column,
    usual_user_column,
};
#[doc(hidden)]
pub use numbered::Numbered;
pub use stage::Stage;
pub use synthetic::SyntheticShape;
pub use train_test::TrainTest;
