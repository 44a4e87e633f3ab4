//! The item table of a data set.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::Arc;

use super::Dataset;
use crate::error::Result;
use crate::ids::Ids;
use crate::item_table::ItemTable;

impl<U: Eq + Hash + Clone, I: Eq + Hash + Clone> Dataset<U, I> {
    /// Sets the item table, and replaces an existing one.
    ///
    /// Items without a row have no title. Rows of items without interactions are kept, so that such an
    /// item has a title if it gets interactions later. [`ItemTable::coverage`] counts both. Cost: one
    /// hash per row, and a copy of the table unless its rows are in the order of the items.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`](crate::Error::TooLarge) above [`Interactions::MAX_SIDE`](crate::Interactions::MAX_SIDE)
    /// items, including those without interactions.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::{Dataset, ItemTable};
    ///
    /// let views: Dataset<&str, u32> = Dataset::from_pairs([("ann", 7), ("bob", 8)])?;
    /// let views = views.with_items(ItemTable::from_titles([(7, "Green tea"), (9, "Jam")])?)?;
    /// assert_eq!(views.title(&7), Some("Green tea"));
    /// assert_eq!(views.title(&8), None);
    /// assert_eq!(views.with_pairs([("ann", 9)])?.title(&9), Some("Jam"));
    /// # Ok::<(), bspm_data::Error>(())
    /// ```
    pub fn with_items(self, table: ItemTable<I>) -> Result<Self> {
        Ok(Self {
            item_table: Some(Arc::new(table.with_first(&self.items)?)),
            ..self
        })
    }

    /// The item table, if there is one. Its first rows are the items of the data set in column order,
    /// even if the given table has no row for an item. Rows of items without interactions follow.
    pub fn item_table(&self) -> Option<&Arc<ItemTable<I>>> {
        self.item_table.as_ref()
    }

    /// The title of an item; `None` without a title. Cost: one hash.
    pub fn title<Q>(&self, item: &Q) -> Option<&str>
    where
        I: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.item_table.as_ref()?.title(item)
    }

    /// The title of the item of a column; `None` without a title.
    pub fn title_of_column(&self, column: u32) -> Option<&str> {
        let table = self.item_table.as_ref()?;
        table.titles().text(column as usize)
    }

    /// The item table for these items.
    pub(super) fn table_for(&self, items: &Arc<Ids<I>>) -> Result<Option<Arc<ItemTable<I>>>> {
        let table = self.item_table.as_ref();
        let moved = table.map(|table| Ok(Arc::new(table.with_first(items)?)));
        moved.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titled() -> Dataset<&'static str, u32> {
        let views = Dataset::from_pairs([("ann", 7), ("bob", 8), ("bob", 7)]).unwrap();
        let titles = [(9, "Jam"), (8, "Milk"), (7, "Tea")];
        views
            .with_items(ItemTable::from_titles(titles).unwrap())
            .unwrap()
    }

    fn titles<'d>(dataset: &'d Dataset<&'static str, u32>) -> Vec<Option<&'d str>> {
        let columns = 0..dataset.items().len() as u32;
        columns
            .map(|column| dataset.title_of_column(column))
            .collect()
    }

    #[test]
    fn titles_stay_with_their_items_whatever_becomes_of_the_data_set() {
        let views = titled();
        assert_eq!(titles(&views), [Some("Tea"), Some("Milk")]);
        let more = views.with_pairs([("cid", 5), ("cid", 9)]).unwrap();
        assert_eq!(
            titles(&more),
            [Some("Tea"), Some("Milk"), None, Some("Jam")]
        );
        let fewer = more.without(["ann"], [&7]).unwrap();
        assert_eq!(titles(&fewer), [Some("Milk"), None, Some("Jam")]);
        assert_eq!(fewer.item_table().unwrap().title(&7), None);
        let core = views.k_core(2, 0).unwrap();
        assert_eq!(titles(&core), titles(&views));
        let other = Dataset::from_pairs([("dan", 9)]).unwrap();
        let (left, right) = other.aligned(&views).unwrap();
        assert_eq!(titles(&right), [Some("Jam"), Some("Tea"), Some("Milk")]);
        assert_eq!(left.item_table(), None);
        let named = views
            .map_ids(ToString::to_string, ToString::to_string)
            .unwrap();
        assert_eq!(named.title("8"), Some("Milk"));
        let split = views.hold_out(0.5, 0).unwrap();
        assert_eq!(titles(&split.train), titles(&views));
    }

    #[test]
    fn of_two_tables_that_of_the_first_data_set_counts() {
        let other = Dataset::from_pairs([("dan", 5), ("dan", 7)]).unwrap();
        let both = other.with_dataset(&titled()).unwrap();
        assert_eq!(titles(&both), [None, Some("Tea"), Some("Milk")]);
        let table = ItemTable::from_titles([(5, "Rye"), (7, "Green tea")]).unwrap();
        let both = other
            .with_items(table)
            .unwrap()
            .with_dataset(&titled())
            .unwrap();
        assert_eq!(titles(&both), [Some("Rye"), Some("Green tea"), None]);
    }
}
