//! Tags of items, which count as users do in a fit.

use std::hash::Hash;
use std::sync::Arc;

use super::Dataset;
use crate::error::Result;
use crate::ids::Ids;
use crate::interactions::Interactions;
use crate::parameter::{check_range, invalid};

/// Tags of items, such as categories and brands.
///
/// In a fit each tag is a row of the matrix below those of the users, as if somebody had interacted
/// with all items that have the tag (the stacked matrix of side information of Jeunen, Van Balen and
/// Goethals, "Closed-form models for collaborative filtering with side-information", RecSys 2020).
/// So every filter uses tags, and items without interactions have scores.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemTags<I: Eq + Hash> {
    names: Arc<Ids<String>>,
    items: Arc<Ids<I>>,
    /// `tags x items`, without weights.
    matrix: Arc<Interactions>,
    weight: f32,
}

impl<I: Eq + Hash + Clone> ItemTags<I> {
    /// The names of the tags, in row order.
    pub fn names(&self) -> &Ids<String> {
        &self.names
    }

    /// How many pairs of a tag and an item there are.
    pub fn len(&self) -> usize {
        self.matrix.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.matrix.is_empty()
    }

    /// How much an item's tag counts in a fit; an interaction counts 1.
    pub fn weight(&self) -> f32 {
        self.weight
    }

    /// The same tags with another weight, above 0.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) for another number.
    pub fn with_weight(&self, weight: f64) -> Result<Self> {
        check_range("tag_weight", weight, f64::MIN_POSITIVE..=MOST_WEIGHT)?;
        Ok(Self {
            weight: (weight as f32).max(f32::MIN_POSITIVE),
            ..self.clone()
        })
    }

    /// The tags in the columns of some items; those of other items are left out.
    fn in_columns(&self, items: &Ids<I>) -> Result<Interactions> {
        let columns: Vec<Option<u32>> = self.items.iter().map(|item| items.index(item)).collect();
        let pairs = self.matrix.pairs();
        let pairs = pairs.filter_map(|(tag, item)| Some((tag, columns[item as usize]?)));
        Interactions::from_pairs(self.matrix.users(), items.len(), pairs)
    }

    pub(super) fn map_items<J: Eq + Hash + Clone>(&self, item: impl Fn(&I) -> J) -> ItemTags<J> {
        ItemTags {
            names: self.names.clone(),
            items: Arc::new(self.items.iter().map(item).collect()),
            matrix: self.matrix.clone(),
            weight: self.weight,
        }
    }

    /// The tags of these items alone, without tags that no item has.
    pub(super) fn of_items(&self, items: &Arc<Ids<I>>) -> Result<Option<Arc<Self>>> {
        let matrix = self.in_columns(items)?;
        let mut used = matrix.users_with_items();
        used.retain(|&tag| tells_apart(matrix.items_of(tag).len(), items.len()));
        if used.is_empty() {
            return Ok(None);
        }
        let rows = used.iter().zip(0..);
        let pairs = rows.flat_map(|(&tag, row)| {
            let items = matrix.items_of(tag).iter();
            items.map(move |&item| (row, item))
        });
        let matrix = Interactions::from_pairs(used.len(), items.len(), pairs)?;
        Ok(Some(Arc::new(Self {
            names: Arc::new(self.names.select(&used)),
            items: items.clone(),
            matrix: matrix.into(),
            weight: self.weight,
        })))
    }
}

/// Returns whether a tag of this number of items distinguishes them. A tag of most items does not, and
/// its row would connect all of them, which makes a fit much slower.
fn tells_apart(tagged: usize, items: usize) -> bool {
    tagged <= MANY_ITEMS || tagged <= items / 2
}

/// From this number of items on, a tag may be one of too many items.
const MANY_ITEMS: usize = 100;

/// The largest weight of tags.
const MOST_WEIGHT: f64 = 1e6;

impl<U: Eq + Hash + Clone, I: Eq + Hash + Clone> Dataset<U, I> {
    /// The data set with tags of items, in place of those that it may have: a row of `tags` is a tag,
    /// and its items have it. Items without interactions become items of the data set. `weight` is
    /// how much a tag of an item counts in a fit, where an interaction counts 1; [`ItemTags`] says how.
    ///
    /// Tags are no users: lists, evaluations and popularity do not have them. Weights and times of
    /// `tags` are not used. Tags of more than 100 items and more than half of all items are left out:
    /// [`ItemTags::names`] has those that are used.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) for a weight that is not above 0,
    /// and if no tag can be used; [`Error::TooLarge`](crate::Error::TooLarge).
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::Dataset;
    ///
    /// let views: Dataset<&str, u32> = Dataset::from_pairs([("ann", 7), ("bob", 8)])?;
    /// let tags = Dataset::from_pairs([("tea".to_owned(), 7), ("tea".to_owned(), 9)])?;
    /// let views = views.with_tags(&tags, 1.0)?;
    /// assert_eq!(views.items().len(), 3); // 9 has no interactions
    /// assert_eq!(views.matrix_to_fit()?.shape(), (3, 3)); // two users and a tag
    /// # Ok::<(), bspm_data::Error>(())
    /// ```
    pub fn with_tags(self, tags: &Dataset<String, I>, weight: f64) -> Result<Self> {
        if tags.is_empty() {
            return Err(invalid("tags", "a tag of at least one item", "none"));
        }
        let tags = ItemTags {
            names: tags.users.clone(),
            items: tags.items.clone(),
            matrix: tags.interactions.pattern(),
            weight: 1.0,
        };
        let tagged = self.with_item_tags(Arc::new(tags.with_weight(weight)?))?;
        match &tagged.tags {
            Some(_) => Ok(tagged),
            None => Err(invalid(
                "tags",
                "a tag of at most half of the items",
                "none",
            )),
        }
    }

    /// The data set with tags, whose items become its items.
    pub(super) fn with_item_tags(self, tags: Arc<ItemTags<I>>) -> Result<Self> {
        let mut items = Ids::clone(&self.items);
        for item in tags.items.iter() {
            items.index_or_insert(item.clone(), "items")?;
        }
        if items.len() == self.items.len() {
            let tags = tags.of_items(&self.items)?;
            return Ok(Self { tags, ..self });
        }
        let items = Arc::new(items);
        let tags = tags.of_items(&items)?;
        let interactions = self.interactions.with_items(items.len())?;
        Ok(Self {
            item_table: self.table_for(&items)?,
            interactions: interactions.into(),
            items,
            tags,
            ..self
        })
    }

    /// The tags of the items, if there are any.
    pub fn tags(&self) -> Option<&ItemTags<I>> {
        self.tags.as_deref()
    }

    /// The data set with another weight of its tags, above 0; unchanged without tags.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) for another number.
    pub fn with_tag_weight(&self, weight: f64) -> Result<Self> {
        let tags = self.tags.as_ref();
        let tags = tags.map(|tags| tags.with_weight(weight).map(Arc::new));
        Ok(Self {
            tags: tags.transpose()?,
            ..self.clone()
        })
    }

    /// The matrix that filters are fitted to: that of the interactions, `users x items`, with a row
    /// for each tag below if there are tags. Cost: a copy if there are tags.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`](crate::Error::TooLarge).
    pub fn matrix_to_fit(&self) -> Result<Arc<Interactions>> {
        match &self.tags {
            None => Ok(self.interactions.clone()),
            Some(tags) => {
                let rows = tags.in_columns(&self.items)?;
                let stacked = self.interactions.with_tag_rows(&rows, tags.weight)?;
                Ok(Arc::new(stacked))
            }
        }
    }

    /// The data set with tags as they were fitted: `tags x items`, in the columns of its items.
    #[doc(hidden)]
    pub fn with_fitted_tags(
        self,
        names: Ids<String>,
        matrix: Interactions,
        weight: f64,
    ) -> Result<Self> {
        let tags = Dataset::from_interactions(names, Ids::clone(&self.items), matrix)?;
        self.with_tags(&tags, weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tagged() -> Dataset<&'static str, u32> {
        let views = Dataset::from_pairs([("ann", 7), ("bob", 8), ("bob", 7)]).unwrap();
        let tags = [("tea", 9), ("tea", 7), ("hot", 8), ("hot", 9)];
        let tags = Dataset::from_pairs(tags.map(|(tag, item)| (tag.to_owned(), item))).unwrap();
        views.with_tags(&tags, 0.5).unwrap()
    }

    fn rows(dataset: &Dataset<&'static str, u32>) -> Vec<(u32, u32, f32)> {
        let matrix = dataset.matrix_to_fit().unwrap();
        let item = |column| *dataset.items().id(column).unwrap();
        let mut rows: Vec<_> = matrix
            .entries()
            .map(|(row, column, weight)| (row, item(column), weight))
            .collect();
        rows.sort_by_key(|row| (row.0, row.1));
        rows
    }

    const TAG_ROWS: [(u32, u32, f32); 4] = [(2, 7, 0.5), (2, 9, 0.5), (3, 8, 0.5), (3, 9, 0.5)];

    #[test]
    fn tags_are_rows_below_those_of_the_users() {
        let views = tagged();
        let users = [(0, 7, 1.0), (1, 7, 1.0), (1, 8, 1.0)];
        assert_eq!(rows(&views), [&users[..], &TAG_ROWS].concat());
        let matrix = views.matrix_to_fit().unwrap();
        assert_eq!(matrix.tag_rows(), 2);
        assert_eq!(&*matrix.of_users(), &**views.interactions());
        assert_eq!(matrix.of_tags().len(), 4);
        assert_eq!(matrix.of_tags().weights(), None);
        let twice = views.with_tag_weight(1.0).unwrap();
        assert_eq!(twice.matrix_to_fit().unwrap().weights(), None);
        assert_eq!(twice.tags().unwrap().weight(), 1.0);
    }

    #[test]
    fn tags_stay_with_their_items_in_every_operation() {
        let views = tagged();
        let split = views.hold_out(0.5, 0).unwrap();
        assert_eq!(rows(&split.train)[2..], TAG_ROWS);
        let more = views.with_pairs([("cid", 5), ("cid", 9)]).unwrap();
        assert_eq!(more.matrix_to_fit().unwrap().shape(), (5, 4));
        let fewer = views.without(["ann"], [&7]).unwrap();
        assert_eq!(
            rows(&fewer),
            [(0, 8, 1.0), (1, 9, 0.5), (2, 8, 0.5), (2, 9, 0.5)]
        );
        let without_tea = views.without(["ann"], [&7, &9]).unwrap();
        assert!(without_tea.tags().unwrap().names().iter().eq(["hot"]));
        let named = views.map_ids(|user| *user, |item| item + 1).unwrap();
        let matrix = named.matrix_to_fit().unwrap();
        assert_eq!(matrix, views.matrix_to_fit().unwrap());
        let other = Dataset::from_pairs([("dan", 6)]).unwrap();
        let (left, right) = other.aligned(&views).unwrap();
        assert_eq!(left.tags(), None);
        assert_eq!(right.matrix_to_fit().unwrap().shape(), (5, 4));
        let joined = other.with_dataset(&views).unwrap();
        assert_eq!(joined.matrix_to_fit().unwrap().shape(), (5, 4));
    }

    #[test]
    fn tags_of_most_items_are_left_out() {
        let views = Dataset::from_pairs([("ann", 7)]).unwrap();
        let tag = |name: &'static str, items| (0..items).map(move |item| (name.to_owned(), item));
        let tags = Dataset::from_pairs(tag("all", 300).chain(tag("some", 150))).unwrap();
        let tagged = views.clone().with_tags(&tags, 1.0).unwrap();
        assert!(tagged.tags().unwrap().names().iter().eq(["some"]));
        assert_eq!(tagged.items().len(), 300);
        let all = Dataset::from_pairs(tag("all", 300)).unwrap();
        let error = views.with_tags(&all, 1.0).unwrap_err().to_string();
        assert!(error.contains("at most half of the items"), "{error}");
    }

    #[test]
    fn tags_that_cannot_count_are_refused() {
        let views = Dataset::from_pairs([("ann", 7)]).unwrap();
        let none: Dataset<String, u32> = Dataset::from_pairs([]).unwrap();
        let error = views.clone().with_tags(&none, 1.0).unwrap_err();
        assert!(
            error.to_string().starts_with("tags: expected a tag"),
            "{error}"
        );
        let tags = Dataset::from_pairs([("tea".to_owned(), 7)]).unwrap();
        for weight in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error = views.clone().with_tags(&tags, weight).unwrap_err();
            assert!(error.to_string().starts_with("tag_weight: "), "{error}");
        }
    }
}
