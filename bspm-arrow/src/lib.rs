//! Arrow record batches and Parquet files: interactions from them, and lists for them.
//!
//! An engine that speaks Arrow brings users or histories in batches and takes lists back:
//! [`RecommendBatch::recommend_batch`]. What it passes through is not copied. [`FromArrow`] reads
//! interactions from batches and from Parquet files, and [`read_files`] from files of any format;
//! [`ItemsFromArrow`] and [`read_items`] read item tables.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod columns;
mod ids;
mod interactions;
mod item_table;
mod lists;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "parquet")]
mod parquet_damage;
mod recommend;
mod request_columns;
mod requests;

pub use ids::{ArrowId, id_texts};
pub use interactions::FromArrow;
pub use item_table::ItemsFromArrow;
pub use lists::long_form;
#[cfg(feature = "parquet")]
pub use parquet::{FromParquet, read_files, read_items};
#[cfg(feature = "parquet")]
#[doc(hidden)]
pub use parquet_damage::caught;
pub use recommend::RecommendBatch;
