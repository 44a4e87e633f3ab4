//! Aligns two data sets: the same users and items in the same order.

use std::hash::Hash;
use std::sync::Arc;

use super::Dataset;
use crate::error::Result;
use crate::ids::Ids;
use crate::interactions::{Duplicates, Interactions};

impl<U: Eq + Hash + Clone, I: Eq + Hash + Clone> Dataset<U, I> {
    /// Returns both data sets, `self` first, with the union of their users and items in the same order:
    /// first those of `self`, then those that only `other` has. Interactions keep their weights and
    /// times, and each data set keeps its item table.
    ///
    /// Afterwards, a row or a column has the same meaning in both data sets, so that their matrices can
    /// be compared by index. Cost: a sort of the interactions of `other`; none if the ids are already
    /// equal.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`](crate::Error::TooLarge).
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::Dataset;
    ///
    /// let train: Dataset<&str, &str> = Dataset::from_pairs([("ann", "tea"), ("bob", "milk")])?;
    /// let test = Dataset::from_pairs([("bob", "tea"), ("cid", "rice")])?;
    /// let (train, test) = train.aligned(&test)?;
    /// assert_eq!(train.users(), test.users());
    /// assert!(test.users().iter().eq(&["ann", "bob", "cid"]));
    /// assert_eq!(test.history("bob")?, [&"tea"]);
    /// # Ok::<(), bspm_data::Error>(())
    /// ```
    pub fn aligned(&self, other: &Self) -> Result<(Self, Self)> {
        if self.users == other.users && self.items == other.items {
            return Ok((self.clone(), other.clone()));
        }
        let (users, rows) = union(&self.users, &other.users, "users")?;
        let (items, columns) = union(&self.items, &other.items, "items")?;
        let (users, items) = (Arc::new(users), Arc::new(items));
        // The rows and columns of `self` come first and do not move.
        let own_rows: Vec<u32> = (0..self.users.len() as u32).collect();
        let own_columns: Vec<u32> = (0..self.items.len() as u32).collect();
        Ok((
            self.moved(&users, &items, &own_rows, &own_columns)?,
            other.moved(&users, &items, &rows, &columns)?,
        ))
    }

    /// Returns the same interactions with other ids; `rows` and `columns` map the current indices to
    /// the new ones.
    fn moved(
        &self,
        users: &Arc<Ids<U>>,
        items: &Arc<Ids<I>>,
        rows: &[u32],
        columns: &[u32],
    ) -> Result<Self> {
        let place = |user: u32, item: u32| (rows[user as usize], columns[item as usize]);
        let entries = self.interactions.entries().map(|(user, item, weight)| {
            let (user, item) = place(user, item);
            (user, item, weight)
        });
        // The pairs are distinct, so nothing is summed.
        let sum = Duplicates::Sum;
        let interactions = Interactions::from_weighted(users.len(), items.len(), entries, sum)?;
        let times = self.times().map(|times| {
            let pairs = self.interactions.pairs().zip(times);
            let mut timed: Vec<_> = pairs
                .map(|((user, item), &time)| (place(user, item), time))
                .collect();
            timed.sort_unstable_by_key(|&(pair, _)| pair);
            timed.into_iter().map(|(_, time)| time).collect()
        });
        Ok(Self {
            users: users.clone(),
            items: items.clone(),
            interactions: interactions.into(),
            times,
            weight_scale: self.weight_scale,
            decay: self.decay,
            item_table: self.table_for(items)?,
            tags: self.tags.clone(),
        })
    }
}

/// Returns the ids of `first` followed by those that only `second` has, and the index of each id of
/// `second`.
fn union<T: Eq + Hash + Clone>(
    first: &Ids<T>,
    second: &Ids<T>,
    what: &'static str,
) -> Result<(Ids<T>, Vec<u32>)> {
    let mut ids = first.clone();
    let places = second
        .iter()
        .map(|id| ids.index_or_insert(id.clone(), what));
    let places = places.collect::<Result<_>>()?;
    Ok((ids, places))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Event;

    type Row = (&'static str, u32, f64, f64);

    fn dataset(events: &[Row]) -> Dataset<&'static str, u32> {
        let mut builder = Dataset::builder();
        for &(user, item, weight, time) in events {
            let event = Event::new(user, item).weight(weight).time(time);
            builder.push(event).unwrap();
        }
        builder.finish().unwrap()
    }

    /// The contents of a data set by id, sorted.
    fn rows(dataset: &Dataset<&'static str, u32>) -> Vec<Row> {
        let times = dataset.times().unwrap();
        let entries = dataset.interactions().entries().zip(times);
        let mut rows: Vec<Row> = entries
            .map(|((user, item, weight), &time)| {
                let user = *dataset.users().id(user).unwrap();
                let item = *dataset.items().id(item).unwrap();
                (user, item, f64::from(weight), time)
            })
            .collect();
        rows.sort_by_key(|row| (row.0, row.1));
        rows
    }

    #[test]
    fn ids_in_another_order_are_other_ids() {
        let first: Ids<u32> = [1, 2].into_iter().collect();
        let second: Ids<u32> = [2, 1].into_iter().collect();
        assert_ne!(first, second);
        assert_eq!(first, [1, 2].into_iter().collect());
    }

    #[test]
    fn the_same_ids_in_another_order_get_one_order_and_keep_weights_and_times() {
        let train = dataset(&[
            ("a", 1, 2.0, 10.0),
            ("a", 2, 3.0, 11.0),
            ("b", 2, 0.5, 12.0),
        ]);
        let test = dataset(&[
            ("b", 2, 4.0, 20.0),
            ("b", 1, 7.0, 21.0),
            ("a", 1, 5.0, 22.0),
        ]);
        let (left, right) = train.aligned(&test).unwrap();
        assert_eq!(left, train);
        assert_eq!((left.users(), left.items()), (right.users(), right.items()));
        assert_eq!(rows(&right), rows(&test));
        let entries: Vec<_> = right.interactions().entries().collect();
        assert_eq!(entries, [(0, 0, 5.0), (1, 0, 7.0), (1, 1, 4.0)]);
        assert_eq!(right.times(), Some(&[22.0, 21.0, 20.0][..]));
    }

    #[test]
    fn each_gets_the_ids_of_the_other() {
        let train = dataset(&[("a", 1, 2.0, 10.0), ("b", 2, 1.0, 11.0)]);
        let test = dataset(&[("c", 3, 4.0, 20.0), ("b", 1, 3.0, 21.0)]);
        let (left, right) = train.aligned(&test).unwrap();
        assert_eq!((left.users(), left.items()), (right.users(), right.items()));
        assert!(left.users().iter().eq(&["a", "b", "c"]));
        assert!(left.items().iter().eq(&[1, 2, 3]));
        assert_eq!((rows(&left), rows(&right)), (rows(&train), rows(&test)));
        let without_times = Dataset::from_pairs([("z", 9)]).unwrap();
        let (left, right) = without_times.aligned(&test).unwrap();
        assert_eq!((left.times(), rows(&right)), (None, rows(&test)));
    }
}
