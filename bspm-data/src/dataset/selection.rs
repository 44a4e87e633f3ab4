//! Removes users and items from a data set.

use std::borrow::Borrow;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use super::Dataset;
use crate::error::Result;
use crate::ids::Ids;
use crate::interactions::{Duplicates, Interactions};

impl<U: Eq + Hash + Clone, I: Eq + Hash + Clone> Dataset<U, I> {
    /// Removes users and items with all their interactions. The others keep their order; their rows and
    /// columns move up. A remaining user or item that has no interactions left is kept. Cost: a pass
    /// over the interactions.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownId`](crate::Error::UnknownId) for an unknown user or item.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::Dataset;
    ///
    /// let pairs = [("ann", "tea"), ("ann", "milk"), ("bob", "milk")];
    /// let dataset: Dataset<&str, &str> = Dataset::from_pairs(pairs)?;
    /// let left = dataset.without(["ann"], ["tea"])?;
    /// assert!(left.users().iter().eq(&["bob"]));
    /// assert_eq!(left.history("bob")?, [&"milk"]);
    /// # Ok::<(), bspm_data::Error>(())
    /// ```
    pub fn without<'q, Q, J>(
        &self,
        users: impl IntoIterator<Item = &'q Q>,
        items: impl IntoIterator<Item = &'q J>,
    ) -> Result<Self>
    where
        U: Borrow<Q>,
        Q: Hash + Eq + Debug + ?Sized + 'q,
        I: Borrow<J>,
        J: Hash + Eq + Debug + ?Sized + 'q,
    {
        let users = all_but(self.users(), "user", users)?;
        let items = all_but(self.items(), "item", items)?;
        self.keeping(&users, &items)
    }

    /// Returns the kept users and items, in their order, with their interactions.
    pub(super) fn keeping(&self, users: &[bool], items: &[bool]) -> Result<Self> {
        let is_kept = |user: u32, item: u32| users[user as usize] && items[item as usize];
        let kept = self.subset(|_, user, item| is_kept(user, item))?;
        let item_table = self.item_table.as_ref();
        let item_table = item_table.map(|table| Arc::new(table.keeping(items)));
        let (user_places, item_places) = (new_places(users), new_places(items));
        let entries = kept.interactions().entries().map(|(user, item, weight)| {
            let user = user_places[user as usize];
            (user, item_places[item as usize], weight)
        });
        let (users, items) = (places(users), places(items));
        let sum = Duplicates::Sum;
        let matrix = Interactions::from_weighted(users.len(), items.len(), entries, sum)?;
        let items = Arc::new(self.items().select(&items));
        let tags = match &self.tags {
            Some(tags) => tags.of_items(&items)?,
            None => None,
        };
        Ok(Self {
            interactions: matrix.into(),
            users: Arc::new(self.users().select(&users)),
            items,
            times: kept.times,
            weight_scale: self.weight_scale,
            decay: self.decay,
            item_table,
            tags,
        })
    }
}

/// Returns for each id whether it is kept: whether it is not one of `ids`.
fn all_but<'q, T, Q>(
    known: &Ids<T>,
    kind: &'static str,
    ids: impl IntoIterator<Item = &'q Q>,
) -> Result<Vec<bool>>
where
    T: Eq + Hash + Borrow<Q>,
    Q: Hash + Eq + Debug + ?Sized + 'q,
{
    let mut is_kept = vec![true; known.len()];
    for id in ids {
        is_kept[known.known_index(kind, id)? as usize] = false;
    }
    Ok(is_kept)
}

fn places(is_kept: &[bool]) -> Vec<u32> {
    (0..is_kept.len() as u32)
        .filter(|&index| is_kept[index as usize])
        .collect()
}

/// Returns the new index of each kept entry: the number of kept entries before it.
fn new_places(is_kept: &[bool]) -> Vec<u32> {
    is_kept
        .iter()
        .scan(0, |place, &is_kept| {
            let here = *place;
            *place += u32::from(is_kept);
            Some(here)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Event;

    #[test]
    fn what_is_left_is_as_if_the_others_had_never_been_there() {
        let mut builder = Dataset::builder();
        let events = [
            ("a", 1, 2.0, 10.0),
            ("b", 1, 1.0, 11.0),
            ("b", 2, 3.0, 12.0),
            ("c", 3, 1.0, 13.0),
        ];
        for (user, item, weight, time) in events {
            builder
                .push(Event::new(user, item).weight(weight).time(time))
                .unwrap();
        }
        let left = builder.finish().unwrap().without(["a"], [&3]).unwrap();
        assert!(left.users().iter().eq(&["b", "c"]) && left.items().iter().eq(&[1, 2]));
        let entries: Vec<_> = left.interactions().entries().collect();
        assert_eq!(entries, [(0, 0, 1.0), (0, 1, 3.0)]);
        assert_eq!(left.times(), Some(&[11.0, 12.0][..]));
        let nobody: [&str; 0] = [];
        let error = left.without(["a"], [&1; 0]).unwrap_err().to_string();
        assert_eq!(error, "user \"a\" is unknown");
        assert_eq!(left.without(nobody, [&1; 0]).unwrap(), left);
    }
}
