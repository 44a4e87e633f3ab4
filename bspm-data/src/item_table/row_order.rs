//! The order of the rows of an item table, as a hash.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

use crate::ids::Ids;

/// A hash of the ids of a table in the order of its rows, which is computed once. Row numbers of one table
/// refer to the same items in another table only if the hashes are equal.
#[derive(Clone, Debug, Default)]
pub(super) struct RowOrder(Arc<OnceLock<u64>>);

impl RowOrder {
    /// Returns the hash of these ids, which must be those of the table.
    pub(super) fn of<I: Eq + Hash>(&self, ids: &Ids<I>) -> u64 {
        *self.0.get_or_init(|| {
            let mut hasher = DefaultHasher::new();
            ids.iter().for_each(|id| id.hash(&mut hasher));
            hasher.finish()
        })
    }
}

/// Tables are equal if their ids and columns are, whether or not the hash is known.
impl PartialEq for RowOrder {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
