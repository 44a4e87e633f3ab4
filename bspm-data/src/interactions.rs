//! The interaction matrix `A: users x items`.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use sprs::{CsMatI, CsMatViewI};

use super::grouped::Grouped;
use super::history::History;
use crate::error::{Error, Result};
use crate::parameter::invalid;

/// A validated interaction matrix `A: users x items`, binary or weighted.
///
/// Stored as compressed sparse rows with 32-bit indices. Without weights, there is no values array,
/// and each stored entry is 1. Weights are positive and finite. The items of a row are distinct and
/// in ascending order. Users and items without interactions are kept.
///
/// # Examples
///
/// ```
/// use bspm_data::Interactions;
///
/// # fn main() -> bspm_data::Result<()> {
/// let interactions = Interactions::from_pairs(3, 4, [(0, 1), (0, 3), (2, 0), (0, 1)])?;
/// assert_eq!(interactions.len(), 3); // the duplicate pair counts once
/// assert_eq!(interactions.items_of(0), [1, 3]);
/// assert!(interactions.items_of(1).is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Interactions {
    matrix: CsMatI<(), u32>,
    /// One weight per entry; `None` if all are 1.
    weights: Option<Vec<f32>>,
    /// How many of the last rows are tags of items.
    tag_rows: usize,
}

/// How the weights of duplicates (pairs that occur more than once) are combined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Duplicates {
    /// The sum of the weights.
    #[default]
    Sum,
    /// The largest weight.
    Max,
    /// The weight of the latest one; of those of the same time, and without times, of the last one in the order of the
    /// data.
    Last,
    /// The number of occurrences of the pair, for interactions without weights.
    Count,
}

crate::names! {
    Duplicates("duplicates"):
    Sum = "sum",
    Max = "max",
    Last = "last",
    Count = "count",
}

impl Interactions {
    /// The maximum number of users, and of items, of a matrix.
    ///
    /// The limit is far above any public data set. It is low enough that an invalid 32-bit number in a
    /// file is an error instead of an allocation of many gigabytes.
    pub const MAX_SIDE: usize = 1 << 27;

    /// Creates a matrix of the given shape from `(user, item)` pairs in any order.
    ///
    /// A pair that occurs more than once counts once. Cost: a sort of the pairs.
    ///
    /// # Errors
    ///
    /// [`Error::InteractionOutOfRange`] for the first pair outside `users x items`;
    /// [`Error::TooLarge`] above [`MAX_SIDE`](Self::MAX_SIDE) users or items, or
    /// above `u32::MAX` pairs.
    pub fn from_pairs(
        users: usize,
        items: usize,
        pairs: impl IntoIterator<Item = (u32, u32)>,
    ) -> Result<Self> {
        let (rows, columns): (Vec<u32>, Vec<u32>) = pairs.into_iter().unzip();
        Self::from_columns(users, items, &rows, &columns)
    }

    /// Creates a matrix as [`from_pairs`](Self::from_pairs) from the users and the items of the pairs.
    pub(crate) fn from_columns(
        users: usize,
        items: usize,
        rows: &[u32],
        columns: &[u32],
    ) -> Result<Self> {
        check_sides(users, items)?;
        check_count(rows.len())?;
        let pairs = || rows.iter().copied().zip(columns.iter().copied());
        for (user, item) in pairs() {
            check_inside(user, item, users, items)?;
        }
        let mut grouped = Grouped::new(users, pairs());
        grouped.sort_rows(<[u32]>::sort_unstable);
        grouped.retain(|last, item| last.as_deref() != Some(&item));
        let (row_ends, columns) = grouped.into_parts();
        Ok(Self::from_rows(users, items, row_ends, columns))
    }

    /// Creates a weighted matrix of the given shape from `(user, item, weight)` in any order.
    ///
    /// Entries with weight 0 are excluded. If all other weights are 1, the matrix has no weights. Cost:
    /// a sort.
    ///
    /// # Errors
    ///
    /// As [`from_pairs`](Self::from_pairs); [`Error::InvalidParameter`] if a weight is negative or not
    /// finite.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::Interactions;
    /// use bspm_data::Duplicates;
    ///
    /// let entries = [(0, 1, 2.0), (1, 0, 0.5), (0, 1, 1.0)];
    /// let interactions = Interactions::from_weighted(2, 2, entries, Duplicates::Sum)?;
    /// assert_eq!(interactions.weights().unwrap(), [3.0, 0.5]);
    /// # Ok::<(), bspm_data::Error>(())
    /// ```
    pub fn from_weighted(
        users: usize,
        items: usize,
        entries: impl IntoIterator<Item = (u32, u32, f32)>,
        duplicates: Duplicates,
    ) -> Result<Self> {
        check_sides(users, items)?;
        let entries: Vec<(u32, u32, f32)> = entries.into_iter().collect();
        check_count(entries.len())?;
        for &(user, item, weight) in &entries {
            check_inside(user, item, users, items)?;
            if !(weight.is_finite() && weight >= 0.0) {
                return Err(invalid("weight", "a finite number, 0 or above", weight));
            }
        }
        let weighted = entries
            .iter()
            .map(|&(user, item, weight)| match duplicates {
                Duplicates::Count => (user, (item, 1.0)),
                _ => (user, (item, weight)),
            });
        let mut rows = Grouped::new(users, weighted);
        drop(entries);
        // The sort is stable, so that the order of duplicates is kept.
        rows.sort_rows(|row| row.sort_by_key(|&(item, _)| item));
        rows.retain(|last, (item, weight)| {
            let Some(kept) = last.filter(|last| last.0 == item) else {
                return true;
            };
            kept.1 = match duplicates {
                Duplicates::Sum | Duplicates::Count => kept.1 + weight,
                Duplicates::Max => kept.1.max(weight),
                Duplicates::Last => weight,
            };
            false
        });
        rows.retain(|_, (_, weight)| weight > 0.0);
        let (row_ends, entries) = rows.into_parts();
        let (columns, weights): (_, Vec<f32>) = entries.into_iter().unzip();
        check_weights(&weights)?;
        Ok(Self::from_rows(users, items, row_ends, columns).with_weights(weights))
    }

    /// Creates a weighted matrix from distinct entries in ascending order, with weights above 0.
    pub(crate) fn from_sorted_entries(
        users: usize,
        items: usize,
        entries: &[(u32, u32, f32)],
    ) -> Result<Self> {
        let pairs = entries.iter().map(|&(user, item, _)| (user, item));
        let matrix = Self::from_sorted(users, items, entries.len(), pairs)?;
        let weights: Vec<f32> = entries.iter().map(|entry| entry.2).collect();
        check_weights(&weights)?;
        Ok(matrix.with_weights(weights))
    }

    /// Creates a matrix from distinct pairs in ascending order.
    fn from_sorted(
        users: usize,
        items: usize,
        count: usize,
        pairs: impl Iterator<Item = (u32, u32)>,
    ) -> Result<Self> {
        check_count(count)?;
        let mut row_ends = vec![0_u32; users + 1];
        let mut columns = Vec::with_capacity(count);
        for (user, item) in pairs {
            row_ends[user as usize + 1] += 1;
            columns.push(item);
        }
        for user in 0..users {
            row_ends[user + 1] += row_ends[user];
        }
        Ok(Self::from_rows(users, items, row_ends, columns))
    }

    /// Creates a matrix from rows whose columns are distinct and in ascending order.
    fn from_rows(users: usize, items: usize, row_ends: Vec<u32>, columns: Vec<u32>) -> Self {
        let ones = vec![(); columns.len()];
        Self {
            matrix: CsMatI::new((users, items), row_ends, columns, ones),
            weights: None,
            tag_rows: 0,
        }
    }

    /// Returns the same entries with these weights; no weights are stored if all are 1.
    fn with_weights(self, weights: Vec<f32>) -> Self {
        debug_assert_eq!(weights.len(), self.len());
        let are_ones = weights.iter().all(|&weight| weight == 1.0);
        Self {
            weights: (!are_ones).then_some(weights),
            ..self
        }
    }

    /// Creates a matrix from compressed sparse rows: the end of each row after a first 0, the columns of each row in
    /// ascending order, and a weight for each entry or none.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] if they are no matrix with `items` columns, and for weights that are not finite and
    /// above 0; [`Error::TooLarge`] above [`MAX_SIDE`](Self::MAX_SIDE) users or items.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::Interactions;
    ///
    /// let matrix = Interactions::from_csr(3, vec![0, 2, 3], vec![0, 2, 1], None)?;
    /// assert_eq!(matrix.items_of(0), [0, 2]);
    /// assert!(Interactions::from_csr(3, vec![0, 2, 3], vec![2, 0, 1], None).is_err());
    /// # Ok::<(), bspm_data::Error>(())
    /// ```
    pub fn from_csr(
        items: usize,
        row_ends: Vec<u32>,
        columns: Vec<u32>,
        weights: Option<Vec<f32>>,
    ) -> Result<Self> {
        let refused = |found: &dyn std::fmt::Display| {
            let expected = format!("compressed sparse rows with {items} columns");
            invalid("csr", expected, found)
        };
        let users = row_ends.len().checked_sub(1);
        let users = users.ok_or_else(|| refused(&"no row ends"))?;
        check_sides(users, items)?;
        let ones = vec![(); columns.len()];
        let matrix = CsMatI::try_new((users, items), row_ends, columns, ones)
            .map_err(|(_, _, _, error)| refused(&error))?;
        if let Some(weights) = &weights {
            let expected = "a finite number above 0 for each entry";
            if weights.len() != matrix.nnz() {
                let found = format!("{} weights of {} entries", weights.len(), matrix.nnz());
                return Err(invalid("weights", expected, found));
            }
            if let Some(weight) = weights.iter().find(|it| !(it.is_finite() && **it > 0.0)) {
                return Err(invalid("weights", expected, weight));
            }
        }
        Ok(Self {
            matrix,
            weights,
            tag_rows: 0,
        })
    }

    /// The matrix with a row for each tag below those of the users, `(users + tags) x items`: an item
    /// has the interaction with a tag, of this weight, if `tags: tags x items` has the entry.
    ///
    /// Cost: a copy of the matrix.
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`] unless both have the same items; [`Error::InvalidParameter`] if the
    /// matrix has tags already; [`Error::TooLarge`].
    #[doc(hidden)]
    pub fn with_tag_rows(&self, tags: &Self, weight: f32) -> Result<Self> {
        if self.items() != tags.items() {
            return Err(Error::ShapeMismatch {
                operation: "tags of items",
                left: self.shape(),
                right: tags.shape(),
            });
        }
        if self.tag_rows > 0 {
            return Err(invalid("tags", "interactions without tags", self.tag_rows));
        }
        let users = self.users() + tags.users();
        check_sides(users, self.items())?;
        let count = self.len() + tags.len();
        let below = |(tag, item)| (self.users() as u32 + tag, item);
        let pairs = self.pairs().chain(tags.pairs().map(below));
        let stacked = Self::from_sorted(users, self.items(), count, pairs)?;
        let own = self.entries().map(|entry| entry.2);
        let weights = own.chain(std::iter::repeat_n(weight, tags.len()));
        Ok(Self {
            tag_rows: tags.users(),
            ..stacked.with_weights(weights.collect())
        })
    }

    /// How many of the last rows are tags of items, not users.
    #[doc(hidden)]
    pub fn tag_rows(&self) -> usize {
        self.tag_rows
    }

    /// How many rows are users, which are the first rows.
    #[doc(hidden)]
    pub fn user_rows(&self) -> usize {
        self.users() - self.tag_rows
    }

    /// The rows of the users, without those of tags. Cost: a copy if there are tags.
    #[doc(hidden)]
    pub fn of_users(&self) -> Cow<'_, Self> {
        match self.tag_rows {
            0 => Cow::Borrowed(self),
            _ => Cow::Owned(self.rows(0..self.user_rows())),
        }
    }

    /// The rows of the tags, `tags x items`, without their weights; with `tag_rows` of them.
    #[doc(hidden)]
    pub fn of_tags(&self) -> Self {
        let tags = self.rows(self.user_rows()..self.users());
        Self {
            weights: None,
            ..tags
        }
    }

    /// The same matrix, whose last rows are tags; none if there are fewer rows.
    #[doc(hidden)]
    pub fn whose_last_rows_are_tags(self, tag_rows: usize) -> Option<Self> {
        (tag_rows <= self.users()).then_some(Self { tag_rows, ..self })
    }

    /// The matrix without its weights.
    pub(crate) fn pattern(self: &Arc<Self>) -> Arc<Self> {
        match self.weights {
            None => self.clone(),
            Some(_) => Arc::new(Self {
                weights: None,
                ..Self::clone(self)
            }),
        }
    }

    /// The matrix with more columns, which have no entries.
    pub(crate) fn with_items(&self, items: usize) -> Result<Self> {
        check_sides(self.users(), items)?;
        let (row_ends, columns, ones) = self.matrix.clone().into_raw_storage();
        Ok(Self {
            matrix: CsMatI::new((self.users(), items), row_ends, columns, ones),
            weights: self.weights.clone(),
            tag_rows: self.tag_rows,
        })
    }

    fn rows(&self, rows: Range<usize>) -> Self {
        let ends = self.matrix.indptr();
        let ends = &ends.raw_storage()[rows.start..=rows.end];
        let entries = ends[0] as usize..ends[rows.len()] as usize;
        let columns = self.matrix.indices()[entries.clone()].to_vec();
        let (shape, ones) = ((rows.len(), self.items()), vec![(); columns.len()]);
        let ends = ends.iter().map(|end| end - ends[0]).collect();
        let kept = Self {
            matrix: CsMatI::new(shape, ends, columns, ones),
            weights: None,
            tag_rows: 0,
        };
        match &self.weights {
            Some(weights) => kept.with_weights(weights[entries].to_vec()),
            None => kept,
        }
    }

    /// The number of users (rows).
    pub fn users(&self) -> usize {
        self.matrix.rows()
    }

    /// The number of items (columns).
    pub fn items(&self) -> usize {
        self.matrix.cols()
    }

    /// The number of interactions (stored entries).
    pub fn len(&self) -> usize {
        self.matrix.nnz()
    }

    /// Whether there are no interactions.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The shape: the numbers of users and items.
    pub fn shape(&self) -> (usize, usize) {
        (self.users(), self.items())
    }

    /// The users with at least one interaction, in ascending order.
    pub fn users_with_items(&self) -> Vec<u32> {
        (0..self.users() as u32)
            .filter(|&user| !self.items_of(user).is_empty())
            .collect()
    }

    /// The items of a user, in ascending order; empty for a user outside the matrix.
    pub fn items_of(&self, user: u32) -> &[u32] {
        let ends = self.matrix.indptr();
        let ends = ends.raw_storage();
        match (ends.get(user as usize), ends.get(user as usize + 1)) {
            (Some(&start), Some(&end)) => &self.matrix.indices()[start as usize..end as usize],
            _ => &[],
        }
    }

    /// The weights of the items of a user, in the same order; `None` if all weights of the matrix are 1,
    /// or if the user is outside the matrix.
    pub fn weights_of(&self, user: u32) -> Option<&[f32]> {
        let ends = self.matrix.indptr();
        let ends = ends.raw_storage();
        let (start, end) = (ends.get(user as usize)?, ends.get(user as usize + 1)?);
        Some(&self.weights.as_ref()?[*start as usize..*end as usize])
    }

    /// The weight of each entry, in the order of [`pairs`](Self::pairs); `None` if all are 1.
    pub fn weights(&self) -> Option<&[f32]> {
        self.weights.as_deref()
    }

    /// The items of a user and their weights; empty for a user outside the matrix.
    pub fn history_of(&self, user: u32) -> History<'_> {
        History::new(self.items_of(user), self.weights_of(user))
    }

    /// The items of a user, in ascending order, and their weights.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownUser`] for a user outside the matrix.
    pub fn history(&self, user: u32) -> Result<History<'_>> {
        if (user as usize) < self.users() {
            Ok(self.history_of(user))
        } else {
            Err(Error::UnknownUser {
                user,
                users: self.users(),
            })
        }
    }

    /// All `(user, item)` pairs, in row order.
    pub fn pairs(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        (0..self.users() as u32)
            .flat_map(|user| self.items_of(user).iter().map(move |&item| (user, item)))
    }

    /// All `(user, item, weight)`, in row order.
    pub fn entries(&self) -> impl Iterator<Item = (u32, u32, f32)> + '_ {
        let weight = |place: usize| self.weights.as_ref().map_or(1.0, |weights| weights[place]);
        self.pairs()
            .enumerate()
            .map(move |(place, (user, item))| (user, item, weight(place)))
    }

    /// The weighted degree of each user: the sum of the weights (`users` numbers).
    pub fn user_sums(&self) -> Vec<f64> {
        (0..self.users() as u32)
            .map(|user| match self.weights_of(user) {
                Some(weights) => weights.iter().map(|&it| f64::from(it)).sum(),
                None => self.items_of(user).len() as f64,
            })
            .collect()
    }

    /// The weighted degree of each item: the sum of the weights (`items` numbers).
    pub fn item_sums(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.items()];
        for (_, item, weight) in self.entries() {
            sums[item as usize] += f64::from(weight);
        }
        sums
    }

    /// The degree of each user: the number of its items (`users` numbers).
    pub fn user_degrees(&self) -> Vec<u32> {
        (0..self.users() as u32)
            .map(|user| self.items_of(user).len() as u32)
            .collect()
    }

    /// The degree of each item: the number of its users (`items` numbers).
    pub fn item_degrees(&self) -> Vec<u32> {
        let mut degrees = vec![0; self.items()];
        for &item in self.matrix.indices() {
            degrees[item as usize] += 1;
        }
        degrees
    }

    /// The matrix, `users x items`, as compressed sparse rows.
    pub fn as_csr(&self) -> CsMatViewI<'_, (), u32> {
        self.matrix.view()
    }

    /// The pattern of the transpose, `items x users`, as compressed sparse rows.
    pub fn transposed_csr(&self) -> CsMatI<(), u32> {
        self.matrix.to_other_storage().transpose_into()
    }

    /// The weight of each entry in the order of [`transposed_csr`](Self::transposed_csr); `None` if all
    /// are 1.
    pub fn transposed_weights(&self) -> Option<Vec<f32>> {
        let weights = self.weights.as_deref()?;
        let (ends, columns) = (self.matrix.indptr(), self.matrix.indices());
        let weighted = CsMatViewI::new(self.shape(), ends.raw_storage(), columns, weights);
        Some(weighted.to_other_storage().into_raw_storage().2)
    }

    /// Returns the same users and items with a subset of the entries.
    pub(crate) fn kept(&self, keep: impl Fn(usize, u32, u32) -> bool) -> Result<Self> {
        let kept = || {
            let pairs = self.pairs().enumerate();
            pairs.filter(|&(place, (user, item))| keep(place, user, item))
        };
        let count = kept().count();
        let pairs = kept().map(|(_, pair)| pair);
        let matrix = Self::from_sorted(self.users(), self.items(), count, pairs)?;
        Ok(match &self.weights {
            Some(weights) => matrix.with_weights(kept().map(|(place, _)| weights[place]).collect()),
            None => matrix,
        })
    }
}

/// Returns an error for a combined weight that `f32` cannot represent.
fn check_weights(weights: &[f32]) -> Result<()> {
    match weights.iter().find(|weight| weight.is_infinite()) {
        Some(_) => Err(invalid(
            "weight",
            "weights of each pair with a sum below 3.4e38, or a logarithmic scale",
            "a larger sum",
        )),
        None => Ok(()),
    }
}

fn check_count(found: usize) -> Result<()> {
    let limit = u32::MAX as usize;
    let what = "interactions";
    match found > limit {
        true => Err(Error::TooLarge { what, found, limit }),
        false => Ok(()),
    }
}

fn check_inside(user: u32, item: u32, users: usize, items: usize) -> Result<()> {
    if (user as usize) < users && (item as usize) < items {
        return Ok(());
    }
    Err(Error::InteractionOutOfRange {
        user,
        item,
        users,
        items,
    })
}

pub(crate) fn check_sides(users: usize, items: usize) -> Result<()> {
    for (what, found) in [("users", users), ("items", items)] {
        if found > Interactions::MAX_SIDE {
            return Err(Error::TooLarge {
                what,
                found,
                limit: Interactions::MAX_SIDE,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transpose_lists_the_users_of_each_item() {
        let interactions =
            Interactions::from_pairs(3, 4, [(2, 0), (0, 1), (2, 3), (0, 3)]).unwrap();
        let transposed = interactions.transposed_csr();
        assert!(transposed.is_csr());
        assert_eq!((transposed.rows(), transposed.cols()), (4, 3));
        let ends = transposed.indptr();
        assert_eq!(ends.raw_storage(), [0, 1, 2, 2, 4]);
        assert_eq!(transposed.indices(), [2, 0, 0, 2]);
        assert_eq!(interactions.item_degrees(), [1, 1, 0, 2]);
        assert_eq!(interactions.user_degrees(), [2, 0, 2]);
    }

    #[test]
    fn pairs_come_back_sorted_and_distinct() {
        let interactions = Interactions::from_pairs(2, 2, [(1, 1), (0, 1), (1, 1)]).unwrap();
        assert_eq!(interactions.pairs().collect::<Vec<_>>(), [(0, 1), (1, 1)]);
    }

    #[test]
    fn a_pair_outside_the_matrix_is_named() {
        let error = Interactions::from_pairs(2, 2, [(0, 0), (1, 2)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "interaction (user 1, item 2) is outside the matrix of 2 users x 2 items"
        );
    }

    #[test]
    fn an_oversized_side_is_refused_before_anything_is_allocated() {
        let error = Interactions::from_pairs(1, usize::MAX, []).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("items: expected at most 134217728")
        );
    }

    #[test]
    fn a_user_outside_the_matrix_has_no_history() {
        let interactions = Interactions::from_pairs(2, 2, [(0, 0)]).unwrap();
        assert!(interactions.items_of(2).is_empty());
        assert_eq!(
            interactions.history(2).unwrap_err().to_string(),
            "user 2 is not one of the 2 users (0 to 1)"
        );
    }
}
