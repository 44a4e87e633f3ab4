//! External ids of users and items.

use std::borrow::Borrow;
use std::fmt::Debug;
use std::hash::Hash;

use foldhash::fast::RandomState;
use indexmap::IndexSet;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::interactions::Interactions;

/// How to handle an id that the model does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnknownIds {
    /// Return [`Error::UnknownId`](crate::Error::UnknownId).
    #[default]
    Error,
    /// Treat an unknown user as a user with an empty history, and ignore an unknown item.
    Skip,
}

crate::names! {
    UnknownIds("unknown_ids"):
    Error = "error",
    Skip = "skip",
}

/// An id that was looked up among known ids.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundId<T> {
    /// The index of a known id.
    Known(u32),
    /// An id that may be new.
    Other(T),
}

/// The external ids of the users or of the items, each with its row or column.
///
/// Two values are equal if they have the same ids in the same order.
///
/// # Examples
///
/// ```
/// use bspm_data::Dataset;
///
/// let dataset: Dataset = Dataset::from_pairs([("ann".into(), "tea".into())])?;
/// assert_eq!(dataset.users().index("ann"), Some(0));
/// assert_eq!(dataset.items().id(0).unwrap(), "tea");
/// # Ok::<(), bspm_data::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Ids<T: Eq + Hash> {
    ids: IndexSet<T, RandomState>,
}

/// Compares the order too, unlike `IndexSet`.
impl<T: Eq + Hash> PartialEq for Ids<T> {
    fn eq(&self, other: &Self) -> bool {
        self.ids.as_slice() == other.ids.as_slice()
    }
}

impl<T: Eq + Hash> Eq for Ids<T> {}

/// No ids.
impl<T: Eq + Hash> Default for Ids<T> {
    fn default() -> Self {
        Self {
            ids: IndexSet::default(),
        }
    }
}

impl<T: Eq + Hash> Ids<T> {
    /// The number of ids.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are no ids.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The row or column of an id. Cost: one hash.
    pub fn index<Q>(&self, id: &Q) -> Option<u32>
    where
        T: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.ids.get_index_of(id).map(|index| index as u32)
    }

    /// The row or column of an id of this kind (`user` or `item`), or an error if it is unknown.
    pub fn known_index<Q>(&self, kind: &'static str, id: &Q) -> Result<u32>
    where
        T: Borrow<Q>,
        Q: Hash + Eq + Debug + ?Sized,
    {
        self.index(id).ok_or_else(|| Error::unknown_id(kind, id))
    }

    /// The id of a row or column.
    pub fn id(&self, index: u32) -> Option<&T> {
        self.ids.get_index(index as usize)
    }

    /// All ids, in the order of their rows or columns.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &T> {
        self.ids.iter()
    }

    /// The index of `id`, which is added if it is new.
    pub fn index_or_insert(&mut self, id: T, what: &'static str) -> Result<u32> {
        let index = self.ids.insert_full(id).0;
        if index < Interactions::MAX_SIDE {
            Ok(index as u32)
        } else {
            Err(Error::TooLarge {
                what,
                found: index + 1,
                limit: Interactions::MAX_SIDE,
            })
        }
    }

    /// The index of an id that was looked up in these ids, which is added if it is new.
    pub(crate) fn index_of_found(&mut self, id: FoundId<T>, what: &'static str) -> Result<u32> {
        match id {
            FoundId::Known(index) => Ok(index),
            FoundId::Other(id) => self.index_or_insert(id, what),
        }
    }

    /// The ids at these indices, in that order; all of them must exist.
    pub(crate) fn select(&self, indices: &[u32]) -> Self
    where
        T: Clone,
    {
        indices
            .iter()
            .filter_map(|&index| self.id(index).cloned())
            .collect()
    }
}

/// In the order of the rows or columns.
impl<'a, T: Eq + Hash> IntoIterator for &'a Ids<T> {
    type Item = &'a T;
    type IntoIter = indexmap::set::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.ids.iter()
    }
}

/// A repeated id keeps its first index.
impl<T: Eq + Hash> FromIterator<T> for Ids<T> {
    fn from_iter<I: IntoIterator<Item = T>>(ids: I) -> Self {
        Self {
            ids: ids.into_iter().collect(),
        }
    }
}
