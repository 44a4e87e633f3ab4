//! Weighted sums of matrices, and the hits of each.

use super::{Backend, Operand, ScoredItem, Shaped};
use bspm_data::Result;

/// A weighted sum of some matrices, for several weights of a part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Combination {
    /// Matrices, by their place, and their weights.
    pub plain: Vec<(usize, f32)>,
    /// Likewise, for the part that is scaled.
    pub scaled: Vec<(usize, f32)>,
    /// Each gives the matrix `plain + scale * scaled`.
    pub scales: Vec<f32>,
}

/// What [`Backend::combined_hits`] does unless a backend knows better: each sum is formed
/// and ranked, one after the other.
///
/// # Errors
///
/// Those of the backend.
pub fn combined_hits<B: Backend>(
    backend: &B,
    basis: &[B::Matrix],
    combinations: &[Combination],
    item_scale: &B::Matrix,
    hidden: &[&[u32]],
    relevant: &[&[u32]],
    k: usize,
) -> Result<Vec<Vec<Vec<ScoredItem>>>> {
    let (rows, columns) = basis.first().map_or((0, 0), B::Matrix::shape);
    let add = |terms: &[(usize, f32)], factor: f32, sum: &mut B::Matrix| {
        terms.iter().try_for_each(|&(place, weight)| {
            backend.add_scaled(factor * weight, Operand::Dense(&basis[place]), 1.0, sum)
        })
    };
    let mut lists = Vec::new();
    for combination in combinations {
        for &scale in &combination.scales {
            let mut scores = backend.zeros(rows, columns)?;
            add(&combination.plain, 1.0, &mut scores)?;
            add(&combination.scaled, scale, &mut scores)?;
            let of_columns = backend.top_k(&mut scores, item_scale, hidden, k)?;
            let of_columns = relevant.iter().zip(of_columns);
            lists.push(
                of_columns
                    .map(|(relevant, list)| up_to_the_last(relevant, list))
                    .collect(),
            );
        }
    }
    Ok(lists)
}

/// A list up to the last of these items, ascending, that is in it.
///
/// ```
/// use bspm_core::backend::{ScoredItem, up_to_the_last};
///
/// let list = [(7, 0.9), (2, 0.5), (4, 0.1)].map(|(item, score)| ScoredItem { item, score });
/// assert_eq!(up_to_the_last(&[2, 5], list.to_vec()), list[..2]);
/// assert!(up_to_the_last(&[5], list.to_vec()).is_empty());
/// ```
pub fn up_to_the_last(relevant: &[u32], mut list: Vec<ScoredItem>) -> Vec<ScoredItem> {
    let is_hit = |entry: &ScoredItem| relevant.binary_search(&entry.item).is_ok();
    list.truncate(list.iter().rposition(is_hit).map_or(0, |last| last + 1));
    list
}
