//! The users and tags of each item, and how similar two items are by them.

use bspm_data::Interactions;
use sprs::CsMatI;

/// The users and tags of each item, in ascending order.
#[derive(Debug)]
pub(super) struct ItemUsers {
    /// `items x rows`; the first rows are users, the others tags.
    rows: CsMatI<(), u32>,
    users: u32,
}

impl ItemUsers {
    pub(super) fn new(interactions: &Interactions) -> Self {
        Self {
            rows: interactions.transposed_csr(),
            users: interactions.user_rows() as u32,
        }
    }

    fn of(&self, item: u32) -> &[u32] {
        let ends = self.rows.indptr();
        let ends = ends.raw_storage();
        let (start, end) = (
            ends[item as usize] as usize,
            ends[item as usize + 1] as usize,
        );
        &self.rows.indices()[start..end]
    }

    /// Returns the number of users of an item.
    pub(super) fn count(&self, item: u32) -> usize {
        self.of(item).partition_point(|&row| row < self.users)
    }

    /// Returns the cosines of the columns of an item and of others in the binary matrix of interactions
    /// and tags; 0 if one of both has neither. Cost: a pass over the users and tags of all of these items.
    pub(super) fn cosines(&self, item: u32, others: impl Iterator<Item = u32>) -> Vec<f64> {
        let mut is_own = vec![false; self.rows.cols()];
        let own = self.of(item);
        for &user in own {
            is_own[user as usize] = true;
        }
        let cosine = |other| {
            let users = self.of(other);
            let common = users.iter().filter(|&&user| is_own[user as usize]).count();
            cosine_of(common, own, users)
        };
        others.map(cosine).collect()
    }

    /// Returns the cosine of the columns of two items in the binary matrix of interactions and tags; 0
    /// if one of them has neither.
    pub(super) fn cosine(&self, left: u32, right: u32) -> f64 {
        let (left, right) = (self.of(left), self.of(right));
        let (few, many) = match left.len() <= right.len() {
            true => (left, right),
            false => (right, left),
        };
        let is_common = |user: &&u32| many.binary_search(user).is_ok();
        cosine_of(few.iter().filter(is_common).count(), few, many)
    }
}

fn cosine_of(common: usize, left: &[u32], right: &[u32]) -> f64 {
    match left.is_empty() || right.is_empty() {
        true => 0.0,
        false => common as f64 / (left.len() as f64 * right.len() as f64).sqrt(),
    }
}
