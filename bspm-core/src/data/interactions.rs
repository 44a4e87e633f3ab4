//! The interaction matrix `A: users x items`, the only thing that is processed.

use sprs::{CsMatI, CsMatViewI};

use crate::error::{Error, Result};

/// A validated 0/1 matrix `A: users x items` of who interacted with what.
///
/// Stored as compressed sparse rows with 32-bit indices and no values array: a
/// stored entry is a one. Within a row the items ascend and are distinct. Users
/// and items without interactions are kept.
///
/// # Examples
///
/// ```
/// use bspm_core::Interactions;
///
/// # fn main() -> bspm_core::Result<()> {
/// let interactions = Interactions::from_pairs(3, 4, [(0, 1), (0, 3), (2, 0), (0, 1)])?;
/// assert_eq!(interactions.len(), 3); // the repeated pair counts once
/// assert_eq!(interactions.items_of(0), [1, 3]);
/// assert!(interactions.items_of(1).is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Interactions {
    matrix: CsMatI<(), u32>,
}

impl Interactions {
    /// The most users, and the most items, that a matrix may have.
    ///
    /// Far above any public data set, and low enough that a stray 32-bit number
    /// in a file is an error rather than an allocation of many gigabytes.
    pub const MAX_SIDE: usize = 1 << 27;

    /// Builds the matrix of the given shape from `(user, item)` pairs in any order.
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
        for (what, found) in [("users", users), ("items", items)] {
            if found > Self::MAX_SIDE {
                return Err(Error::TooLarge {
                    what,
                    found,
                    limit: Self::MAX_SIDE,
                });
            }
        }
        let mut pairs: Vec<(u32, u32)> = pairs.into_iter().collect();
        if let Some(&(user, item)) = pairs
            .iter()
            .find(|&&(user, item)| user as usize >= users || item as usize >= items)
        {
            return Err(Error::InteractionOutOfRange {
                user,
                item,
                users,
                items,
            });
        }
        pairs.sort_unstable();
        pairs.dedup();
        if pairs.len() > u32::MAX as usize {
            return Err(Error::TooLarge {
                what: "interactions",
                found: pairs.len(),
                limit: u32::MAX as usize,
            });
        }

        let mut row_ends = vec![0_u32; users + 1];
        for &(user, _) in &pairs {
            row_ends[user as usize + 1] += 1;
        }
        for user in 0..users {
            row_ends[user + 1] += row_ends[user];
        }
        let columns: Vec<u32> = pairs.iter().map(|&(_, item)| item).collect();
        let ones = vec![(); columns.len()];
        Ok(Self {
            matrix: CsMatI::new((users, items), row_ends, columns, ones),
        })
    }

    /// The matrix of these compressed sparse rows, or what is wrong with them.
    pub(crate) fn from_csr(
        items: usize,
        row_ends: Vec<u32>,
        columns: Vec<u32>,
    ) -> Result<Self, String> {
        let users = row_ends.len().checked_sub(1).ok_or("no row ends")?;
        if users > Self::MAX_SIDE || items > Self::MAX_SIDE {
            return Err(format!("{users} users x {items} items"));
        }
        let ones = vec![(); columns.len()];
        CsMatI::try_new((users, items), row_ends, columns, ones)
            .map(|matrix| Self { matrix })
            .map_err(|(_, _, _, error)| error.to_string())
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

    /// Whether there is no interaction at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Users and items.
    pub(crate) fn shape(&self) -> (usize, usize) {
        (self.users(), self.items())
    }

    /// The users that have at least one interaction, ascending.
    pub fn users_with_items(&self) -> Vec<u32> {
        (0..self.users() as u32)
            .filter(|&user| !self.items_of(user).is_empty())
            .collect()
    }

    /// The items of one user, ascending; none for a user outside the matrix.
    pub fn items_of(&self, user: u32) -> &[u32] {
        let ends = self.matrix.indptr();
        let ends = ends.raw_storage();
        match (ends.get(user as usize), ends.get(user as usize + 1)) {
            (Some(&start), Some(&end)) => &self.matrix.indices()[start as usize..end as usize],
            _ => &[],
        }
    }

    /// The items of one user, ascending.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownUser`] for a user outside the matrix.
    pub fn history(&self, user: u32) -> Result<&[u32]> {
        if (user as usize) < self.users() {
            Ok(self.items_of(user))
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

    /// How many items each user has (`users` numbers).
    pub fn user_degrees(&self) -> Vec<u32> {
        (0..self.users() as u32)
            .map(|user| self.items_of(user).len() as u32)
            .collect()
    }

    /// How many users each item has (`items` numbers).
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

    /// The transpose, `items x users`, as compressed sparse rows.
    pub fn transposed_csr(&self) -> CsMatI<(), u32> {
        self.matrix.to_other_storage().transpose_into()
    }
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
            "interaction (user 1, item 2) lies outside the 2 users x 2 items matrix"
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
