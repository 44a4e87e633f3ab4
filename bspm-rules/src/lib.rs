//! Rules over the columns of an item table.
//!
//! An [`ItemCondition`] is parsed once from text, and finds the items of a data set that satisfy it.
//! `RecommendOptions::allow_set` limits a list to them. [`ListRules`] has boosts, limits for groups of
//! items and diversity, for `RecommendOptions::rerank`.

mod item_condition;
mod list_rules;

pub use item_condition::ItemCondition;
pub use list_rules::{Boost, Limit, ListRules};
