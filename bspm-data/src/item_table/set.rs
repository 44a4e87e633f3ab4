//! A set of rows of an item table.

use std::hash::Hash;

use super::ItemTable;

/// A set of rows of an item table, such as those that satisfy a condition. Memory: one byte per row.
///
/// A model takes only sets of the rows of its own table ([`Dataset::item_table`](crate::Dataset::item_table)), whose
/// first rows are its items in column order.
#[derive(Clone, Debug)]
pub struct ItemSet {
    is_in: Vec<bool>,
    /// The order of the rows of the table, if the set was made from a table.
    row_order: Option<u64>,
}

impl ItemSet {
    /// Creates the set of the rows for which `is_in` is `true`, in the order of the items of a model. It is not
    /// checked that the order is that of the model; [`ItemTable::rows_where`] returns a set that is checked.
    pub fn new(is_in: Vec<bool>) -> Self {
        Self {
            is_in,
            row_order: None,
        }
    }

    pub(super) fn of_table(is_in: Vec<bool>, row_order: u64) -> Self {
        Self {
            is_in,
            row_order: Some(row_order),
        }
    }

    /// Whether the rows are those of this table, in the same order. `true` for a set of [`new`](Self::new).
    pub fn is_of<I: Eq + Hash + Clone>(&self, table: Option<&ItemTable<I>>) -> bool {
        self.row_order
            .is_none_or(|order| table.is_some_and(|table| table.row_order() == order))
    }

    /// The number of rows of the table.
    pub fn of_rows(&self) -> usize {
        self.is_in.len()
    }

    /// Whether a row, from 0, is in the set.
    pub fn contains(&self, row: u32) -> bool {
        self.is_in.get(row as usize).copied().unwrap_or(false)
    }

    /// The rows of the set, in ascending order.
    pub fn rows(&self) -> impl Iterator<Item = u32> {
        (0..self.is_in.len() as u32).filter(|&row| self.is_in[row as usize])
    }
}
