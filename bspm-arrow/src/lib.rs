//! Arrow record batches and Parquet files: reads interactions, and computes lists of items.
//!
//! [`RecommendBatch::recommend_batch`] computes the lists for a record batch of users or histories, and
//! does not copy the other columns of the batch. [`FromArrow`] reads interactions from record batches,
//! and [`read_files`] reads them from files of any format. [`ItemsFromArrow`] and [`read_items`] read
//! item tables.

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
