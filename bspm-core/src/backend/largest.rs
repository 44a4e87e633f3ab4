//! The selection of the entries of largest magnitude.

use super::{Backend, Operand, ScoredItem, Shaped, Update};
use bspm_data::Result;

/// The `k` entries of largest magnitude, but for zeros, largest first; of equal ones the lower
/// item id first.
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

/// What [`Backend::product_largest`] does unless a backend knows better: the sums are formed, and
/// their best and their worst ranked.
///
/// # Errors
///
/// Those of the backend.
pub fn product_largest<B: Backend>(
    backend: &B,
    scores: &mut B::Matrix,
    (left, right): (&B::Matrix, &B::Matrix),
    item_scale: &B::Matrix,
    columns: usize,
    k: usize,
) -> Result<Vec<Vec<ScoredItem>>> {
    let add = Update::added(1.0);
    backend.matmul(left, false, Operand::Dense(right), add, scores)?;
    let (rows, width) = scores.shape();
    let mut negated = backend.zeros(rows, width)?;
    backend.add_scaled(-1.0, Operand::Dense(scores), 0.0, &mut negated)?;
    let hidden: Vec<&[u32]> = vec![&[]; columns];
    let best = backend.top_k(scores, item_scale, &hidden, k)?;
    let worst = backend.top_k(&mut negated, item_scale, &hidden, k)?;
    let both = best.into_iter().zip(worst).map(|(best, worst)| {
        let worst = worst.into_iter().filter(|entry| entry.score > 0.0);
        let worst = worst.map(|entry| ScoredItem {
            score: -entry.score,
            ..entry
        });
        let best = best.into_iter().filter(|entry| entry.score > 0.0);
        largest(best.chain(worst).collect(), k)
    });
    Ok(both.collect())
}
