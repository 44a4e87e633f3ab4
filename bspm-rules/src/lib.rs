//! Rules over the columns of an item table.
//!
//! An [`ItemCondition`] is parsed once from text, and finds the items of a data set that satisfy it.
//! A list is limited to them by `RecommendOptions::allow_set`.

mod item_condition;

pub use item_condition::ItemCondition;
