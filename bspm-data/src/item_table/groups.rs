//! Items in groups: those with the same value in a column of the item table.

use std::collections::HashMap;
use std::hash::Hash;

use super::{ItemTable, ItemValue};
use crate::error::Result;
use crate::parameter::{invalid, shortened};

/// The group of each row of an item table, such as its brand: rows with the same value of a column.
///
/// A model takes only groups of the rows of its own table ([`Dataset::item_table`](crate::Dataset::item_table)).
#[derive(Clone, Debug)]
pub struct ItemGroups {
    /// `u32::MAX` for a row without a value.
    of_row: Vec<u32>,
    row_order: u64,
}

impl ItemGroups {
    /// Returns the number of rows of the table.
    pub fn of_rows(&self) -> usize {
        self.of_row.len()
    }

    /// Whether the rows are those of this table, in the same order.
    pub fn is_of<I: Eq + Hash + Clone>(&self, table: Option<&ItemTable<I>>) -> bool {
        table.is_some_and(|table| table.row_order() == self.row_order)
    }

    /// Returns the group of a row; `None` if the row has no value, or does not exist.
    pub fn of(&self, row: u32) -> Option<u32> {
        let group = *self.of_row.get(row as usize)?;
        (group != u32::MAX).then_some(group)
    }
}

impl<I: Eq + Hash + Clone> ItemTable<I> {
    /// Returns the groups of the rows by their values in a column. Rows without a value are in no
    /// group.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) with the columns of the table for an
    /// unknown column.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::{ItemColumn, ItemTable};
    ///
    /// let columns = vec![
    ///     ItemColumn::texts("title", ["Green tea", "Black tea", "Mug"]),
    ///     ItemColumn::texts("brand", [Some("A"), Some("A"), None]),
    /// ];
    /// let table = ItemTable::new([1, 2, 3].into_iter().collect(), "title", columns)?;
    /// let groups = table.groups("brand")?;
    /// assert_eq!([groups.of(0), groups.of(1), groups.of(2)], [Some(0), Some(0), None]);
    /// # Ok::<(), bspm_data::Error>(())
    /// ```
    pub fn groups(&self, column: &str) -> Result<ItemGroups> {
        let Some(column) = self.column(column) else {
            let names = self.columns().iter().map(|it| shortened(it.name().into()));
            let names = names.collect::<Vec<_>>().join(", ");
            let found = shortened(format!("{column:?}"));
            return Err(invalid("column", format!("one of {names}"), found));
        };
        #[derive(PartialEq, Eq, Hash)]
        enum Key<'t> {
            Text(&'t str),
            Bits(u64),
        }
        let mut groups: HashMap<Key<'_>, u32> = HashMap::new();
        let mut group = |row| {
            let key = match column.value(row)? {
                ItemValue::Text(text) => Key::Text(text),
                // 0 and -0 are equal numbers.
                ItemValue::Number(number) => Key::Bits((number + 0.0).to_bits()),
                ItemValue::Boolean(boolean) => Key::Bits(u64::from(boolean)),
            };
            let next = groups.len() as u32;
            Some(*groups.entry(key).or_insert(next))
        };
        let of_row = (0..self.len()).map(|row| group(row).unwrap_or(u32::MAX));
        Ok(ItemGroups {
            of_row: of_row.collect(),
            row_order: self.row_order(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::ItemColumn;
    use super::*;

    #[test]
    fn rows_are_in_a_group_by_their_value() {
        let columns = vec![
            ItemColumn::texts("title", ["a", "b", "c", "d"]),
            ItemColumn::numbers("price", [1.0, 0.0, -0.0, f64::NAN]),
            ItemColumn::booleans("sold", [Some(true), None, Some(false), Some(true)]),
        ];
        let table = ItemTable::new([1, 2, 3, 4].into_iter().collect(), "title", columns).unwrap();
        let groups = |column| {
            let groups = table.groups(column).unwrap();
            (0..5).map(|row| groups.of(row)).collect::<Vec<_>>()
        };
        assert_eq!(groups("price"), [Some(0), Some(1), Some(1), None, None]);
        assert_eq!(groups("sold"), [Some(0), None, Some(1), Some(0), None]);
        let error = table.groups("colour").unwrap_err().to_string();
        assert_eq!(
            error,
            "column: expected one of title, price, sold, found \"colour\""
        );
    }
}
