//! Some rows of an item table.

/// Some rows of an item table, those that satisfy a condition: a byte for each row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemSet {
    is_in: Vec<bool>,
}

impl ItemSet {
    /// The rows of which it says `true`.
    pub fn new(is_in: Vec<bool>) -> Self {
        Self { is_in }
    }

    /// How many rows the table has.
    pub fn of_rows(&self) -> usize {
        self.is_in.len()
    }

    /// Whether a row, from 0, is one of them.
    pub fn contains(&self, row: u32) -> bool {
        self.is_in.get(row as usize).copied().unwrap_or(false)
    }

    /// The rows, ascending.
    pub fn rows(&self) -> impl Iterator<Item = u32> {
        (0..self.is_in.len() as u32).filter(|&row| self.is_in[row as usize])
    }
}
