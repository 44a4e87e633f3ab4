//! The item table: titles and other columns of items.

mod column;
mod groups;
mod row_order;
mod set;

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::Arc;

use serde::Serialize;

pub use column::{ItemColumn, ItemColumnKind, ItemValue, ItemValues, Texts};
pub use groups::ItemGroups;
use row_order::RowOrder;
pub use set::ItemSet;

use crate::error::{Error, Result};
use crate::ids::Ids;
use crate::parameter::{invalid, shortened};

/// A table with one row per item, and columns of texts, numbers and booleans. One column has the titles.
///
/// [`Dataset::with_items`](crate::Dataset::with_items) adds it to a data set. With the feature `load`,
/// `ItemTable::read_files` reads it from files. Memory: that of the ids and of each [`ItemColumn`].
///
/// # Examples
///
/// ```
/// use bspm_data::{ItemColumn, ItemTable, ItemValue};
///
/// let ids = [7_u32, 9].into_iter().collect();
/// let columns = vec![
///     ItemColumn::texts("title", ["Green tea", "Milk"]),
///     ItemColumn::numbers("price", [4.5, 1.2]),
/// ];
/// let table = ItemTable::new(ids, "title", columns)?;
/// assert_eq!(table.title(&9), Some("Milk"));
/// assert_eq!(table.value(&7, "price"), Some(ItemValue::Number(4.5)));
/// # Ok::<(), bspm_data::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ItemTable<I: Eq + Hash = String> {
    ids: Arc<Ids<I>>,
    columns: Arc<[ItemColumn]>,
    /// The index of the title column.
    title: usize,
    row_order: RowOrder,
}

/// Counts of items and rows that match each other; see [`ItemTable::coverage`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ItemCoverage {
    /// The number of items that have a row.
    pub items_with_row: usize,
    /// The number of items without a row, which have no title.
    pub items_without_row: usize,
    /// The number of rows of items without interactions.
    pub rows_without_item: usize,
}

/// The maximum number of columns of an item table. It limits the memory if values are used as names.
pub(crate) const MOST_COLUMNS: usize = 1000;

impl<I: Eq + Hash + Clone> ItemTable<I> {
    /// Creates a table in which row `r` is the item `ids[r]`, with the titles in the column `title`.
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`] unless each column has one value per id;
    /// [`Error::InvalidParameter`] if `title` is not a column of texts, or if two columns have the same
    /// name; [`Error::TooLarge`] above 1000 columns.
    pub fn new(ids: Ids<I>, title: &str, columns: Vec<ItemColumn>) -> Result<Self> {
        if columns.len() > MOST_COLUMNS {
            return Err(Error::TooLarge {
                what: "columns of an item table",
                found: columns.len(),
                limit: MOST_COLUMNS,
            });
        }
        for (place, column) in columns.iter().enumerate() {
            if column.len() != ids.len() {
                return Err(Error::ShapeMismatch {
                    operation: "columns of an item table",
                    left: (column.len(), 1),
                    right: (ids.len(), 1),
                });
            }
            if columns[..place].iter().any(|it| it.name() == column.name()) {
                let found = format!("two columns {:?}", shortened(column.name().into()));
                return Err(invalid("items", "columns with different names", found));
            }
        }
        let is_title = |it: &ItemColumn| it.name() == title && it.kind() == ItemColumnKind::Text;
        let Some(place) = columns.iter().position(is_title) else {
            let texts = columns
                .iter()
                .filter(|it| it.kind() == ItemColumnKind::Text);
            let names: Vec<&str> = texts.map(ItemColumn::name).collect();
            let expected = format!("a column of texts ({})", shortened(names.join(", ")));
            return Err(invalid("title", expected, format!("{title:?}")));
        };
        Ok(Self {
            ids: Arc::new(ids),
            columns: columns.into(),
            title: place,
            row_order: RowOrder::default(),
        })
    }

    /// Creates a table from `(item, title)` pairs.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for an item that occurs twice.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::ItemTable;
    ///
    /// let table = ItemTable::from_titles([("t1", "Green tea"), ("m1", "Milk")])?;
    /// assert_eq!(table.title("m1"), Some("Milk"));
    /// # Ok::<(), bspm_data::Error>(())
    /// ```
    pub fn from_titles<'t>(titles: impl IntoIterator<Item = (I, &'t str)>) -> Result<Self> {
        let (ids, titles): (Vec<I>, Vec<&str>) = titles.into_iter().unzip();
        let count = ids.len();
        let ids: Ids<I> = ids.into_iter().collect();
        if ids.len() != count {
            let found = format!("{} among {count}", ids.len());
            return Err(invalid("items", "distinct items", found));
        }
        Self::new(ids, "title", vec![ItemColumn::texts("title", titles)])
    }

    /// The items, in the order of the rows.
    pub fn ids(&self) -> &Ids<I> {
        &self.ids
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The columns, without the id column.
    pub fn columns(&self) -> &[ItemColumn] {
        &self.columns
    }

    /// The column with this name.
    pub fn column(&self, name: &str) -> Option<&ItemColumn> {
        self.columns.iter().find(|column| column.name() == name)
    }

    /// The title column.
    pub fn titles(&self) -> &ItemColumn {
        &self.columns[self.title]
    }

    /// The columns other than the titles, in their order.
    pub fn other_columns(&self) -> impl Iterator<Item = &ItemColumn> {
        let columns = self.columns.iter().enumerate();
        columns.filter_map(|(place, column)| (place != self.title).then_some(column))
    }

    /// The title of an item; `None` without a row or a title. Cost: one hash.
    pub fn title<Q>(&self, item: &Q) -> Option<&str>
    where
        I: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.titles().text(self.ids.index(item)? as usize)
    }

    /// The value of an item in a column; `None` without a row, a column or a value. Cost: one hash.
    pub fn value<Q>(&self, item: &Q, column: &str) -> Option<ItemValue<'_>>
    where
        I: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.column(column)?.value(self.ids.index(item)? as usize)
    }

    /// Returns the set of the rows for which `is_in` is `true`.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::ItemTable;
    ///
    /// let table = ItemTable::from_titles([("t1", "Green tea"), ("m1", "Milk")])?;
    /// let teas = table.rows_where(|row| table.titles().text(row).is_some_and(|it| it.contains("tea")));
    /// assert!(teas.rows().eq([0]));
    /// # Ok::<(), bspm_data::Error>(())
    /// ```
    pub fn rows_where(&self, is_in: impl Fn(usize) -> bool) -> ItemSet {
        ItemSet::of_table((0..self.len()).map(is_in).collect(), self.row_order())
    }

    /// A hash of the ids in the order of the rows.
    fn row_order(&self) -> u64 {
        self.row_order.of(&self.ids)
    }

    /// Counts how many of these items have a row, and how many rows are not of these items.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::{Dataset, ItemTable};
    ///
    /// let views: Dataset<&str, &str> = Dataset::from_pairs([("ann", "tea"), ("ann", "milk")])?;
    /// let table = ItemTable::from_titles([("tea", "Green tea"), ("jam", "Jam"), ("rye", "Rye")])?;
    /// let coverage = table.coverage(views.items());
    /// assert_eq!((coverage.items_with_row, coverage.items_without_row), (1, 1));
    /// assert_eq!(coverage.rows_without_item, 2);
    /// # Ok::<(), bspm_data::Error>(())
    /// ```
    pub fn coverage(&self, items: &Ids<I>) -> ItemCoverage {
        let with_row = items.iter().filter(|it| self.ids.index(*it).is_some());
        let items_with_row = with_row.count();
        ItemCoverage {
            items_with_row,
            items_without_row: items.len() - items_with_row,
            rows_without_item: self.len() - items_with_row,
        }
    }

    /// Returns the table with the rows of `first` in front, in that order, followed by all other rows.
    /// The values of an item without a row are missing.
    pub(crate) fn with_first(&self, first: &Arc<Ids<I>>) -> Result<Self> {
        let is_first = |(place, id): (usize, &I)| self.ids.id(place as u32) == Some(id);
        if first.len() <= self.len() && first.iter().enumerate().all(is_first) {
            let mut same = self.clone();
            if first.len() == self.len() {
                // Share the ids instead of storing them twice.
                same.ids = first.clone();
            }
            return Ok(same);
        }
        let mut rows: Vec<Option<u32>> = first.iter().map(|id| self.ids.index(id)).collect();
        let others = self.ids.iter().filter(|id| first.index(*id).is_none());
        let mut ids = None;
        for id in others {
            let ids = ids.get_or_insert_with(|| Ids::clone(first));
            ids.index_or_insert(id.clone(), "items")?;
            rows.push(self.ids.index(id));
        }
        Ok(self.selected(ids.map_or_else(|| first.clone(), Arc::new), &rows))
    }

    /// Removes the rows for which `items` is `false`; rows from `items.len()` on are kept.
    pub(crate) fn keeping(&self, items: &[bool]) -> Self {
        let is_kept = |&row: &u32| items.get(row as usize).copied().unwrap_or(true);
        let rows: Vec<u32> = (0..self.len() as u32).filter(is_kept).collect();
        let ids = Arc::new(self.ids.select(&rows));
        let rows: Vec<Option<u32>> = rows.into_iter().map(Some).collect();
        self.selected(ids, &rows)
    }

    fn selected(&self, ids: Arc<Ids<I>>, rows: &[Option<u32>]) -> Self {
        Self {
            ids,
            columns: self.columns.iter().map(|it| it.select(rows)).collect(),
            title: self.title,
            row_order: RowOrder::default(),
        }
    }

    /// Returns the same rows with converted ids.
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`] if two ids are converted to the same id.
    pub fn map_ids<J: Eq + Hash + Clone>(&self, id: impl Fn(&I) -> J) -> Result<ItemTable<J>> {
        let ids: Ids<J> = self.ids.iter().map(id).collect();
        ItemTable::new(ids, self.titles().name(), self.columns.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> ItemTable<u32> {
        let columns = vec![
            ItemColumn::texts("title", ["A", "B", "C"]),
            ItemColumn::numbers("price", [1.0, 2.0, f64::NAN]),
            ItemColumn::booleans("sold", [true, false, true]),
        ];
        ItemTable::new([1, 2, 3].into_iter().collect(), "title", columns).unwrap()
    }

    #[test]
    fn columns_that_do_not_fit_are_refused() {
        let new = |title: &str, columns: &[ItemColumn]| {
            let table = ItemTable::new([1, 2].into_iter().collect(), title, columns.to_vec());
            table.unwrap_err().to_string()
        };
        let title = ItemColumn::texts("title", ["A", "B"]);
        let price = ItemColumn::numbers("price", [1.0, 2.0]);
        assert_eq!(
            new("price", &[title.clone(), price.clone()]),
            "title: expected a column of texts (title), found \"price\""
        );
        assert_eq!(
            new(
                "title",
                &[title.clone(), ItemColumn::numbers("price", [1.0])]
            ),
            "columns of an item table: shapes 1x1 and 2x1 do not match"
        );
        assert_eq!(
            new("title", &[title.clone(), price.clone(), price.clone()]),
            "items: expected columns with different names, found two columns \"price\""
        );
        let many = (0..1001).map(|it| ItemColumn::numbers(it.to_string(), [0.0; 2]));
        let many: Vec<_> = many.collect();
        assert!(new("title", &many).contains("at most 1000"));
        assert!(ItemTable::from_titles([(1, "A"), (1, "B")]).is_err());
    }

    #[test]
    fn the_rows_of_the_items_come_first_and_no_other_is_lost() {
        let items: Arc<Ids<u32>> = Arc::new([3, 9, 1].into_iter().collect());
        let moved = table().with_first(&items).unwrap();
        assert!(moved.ids().iter().eq(&[3, 9, 1, 2]));
        let titles = [3, 9, 1, 2].map(|item| moved.title(&item).map(str::to_owned));
        let expected = [Some("C"), None, Some("A"), Some("B")];
        assert_eq!(titles, expected.map(|it| it.map(str::to_owned)));
        assert_eq!(moved.value(&2, "price"), Some(ItemValue::Number(2.0)));
        assert_eq!(moved.value(&9, "sold"), None);
        // If the rows are already in order, they are not copied and share the ids of the items.
        let items: Arc<Ids<u32>> = Arc::new([1, 2, 3].into_iter().collect());
        let same = table().with_first(&items).unwrap();
        assert!(Arc::ptr_eq(&same.ids, &items));
        assert_eq!(same, table());
        let longer: Arc<Ids<u32>> = Arc::new([1, 2, 3, 4].into_iter().collect());
        let longer = same.with_first(&longer).unwrap();
        assert_eq!(
            (longer.len(), longer.title(&4), longer.title(&3)),
            (4, None, Some("C"))
        );
    }

    #[test]
    fn rows_that_are_not_kept_are_gone() {
        let kept = table().keeping(&[false, true]);
        assert!(kept.ids().iter().eq(&[2, 3]));
        assert_eq!((kept.title(&1), kept.title(&3)), (None, Some("C")));
        let named = kept.map_ids(ToString::to_string).unwrap();
        assert_eq!(named.title("2"), Some("B"));
        assert!(kept.map_ids(|_| 0).is_err());
    }
}
