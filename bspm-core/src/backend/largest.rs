//! Selection of the entries with the largest magnitude.

use super::ScoredItem;

/// Returns the `k` entries with the largest magnitude, without zeros, largest first. Entries with equal
/// magnitudes are sorted by item id.
///
/// # Examples
///
/// ```
/// use bspm_core::backend::{ScoredItem, largest};
///
/// let entries = [(0, 0.5), (1, -0.9), (2, 0.0), (3, 0.7)];
/// let entries = entries.map(|(item, score)| ScoredItem { item, score });
/// let items: Vec<u32> = largest(entries.to_vec(), 2).iter().map(|entry| entry.item).collect();
/// assert_eq!(items, [1, 3]);
/// ```
pub fn largest(mut entries: Vec<ScoredItem>, k: usize) -> Vec<ScoredItem> {
    let order = |one: &ScoredItem, other: &ScoredItem| {
        let sizes = other.score.abs().total_cmp(&one.score.abs());
        sizes.then(one.item.cmp(&other.item))
    };
    entries.retain(|entry| entry.score != 0.0);
    if entries.len() > k {
        entries.select_nth_unstable_by(k, order);
        entries.truncate(k);
    }
    entries.sort_unstable_by(order);
    entries
}
