//! Arrow record batches: interactions from them and lists for them, with the feature `arrow`.
//!
//! An engine that speaks Arrow brings users or histories in batches and takes lists back:
//! [`Model::recommend_batch`](crate::Model::recommend_batch). What it passes through is not
//! copied. [`Dataset::from_batches`](crate::Dataset::from_batches) reads interactions.

mod columns;
mod ids;
mod interactions;
mod lists;
mod recommend;
mod requests;

pub use ids::{ArrowId, id_texts};
pub use lists::long_form;
