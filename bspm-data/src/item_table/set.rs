//! A set of rows of an item table.

/// A set of rows of an item table, such as those that satisfy a condition. Memory: one byte per row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemSet {
    is_in: Vec<bool>,
}

impl ItemSet {
    /// Creates the set of the rows for which `is_in` is `true`.
    pub fn new(is_in: Vec<bool>) -> Self {
        Self { is_in }
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
