//! Weighted sums of matrices, and the ranks of some items in each.

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

/// The default of [`Backend::ranks_of_sums`]: each sum is formed and its best items are ranked.
///
/// # Errors
///
/// Those of the backend.
pub fn ranks_of_sums<B: Backend>(
    backend: &B,
    basis: &[B::Matrix],
    combinations: &[Combination],
    item_scale: &B::Matrix,
    hidden: &[&[u32]],
    items: &[&[u32]],
    within: usize,
) -> Result<Vec<Vec<Vec<u32>>>> {
    let (rows, columns) = basis.first().map_or((0, 0), B::Matrix::shape);
    let add = |terms: &[(usize, f32)], factor: f32, sum: &mut B::Matrix| {
        terms.iter().try_for_each(|&(place, weight)| {
            backend.add_scaled(factor * weight, Operand::Dense(&basis[place]), 1.0, sum)
        })
    };
    let ranks = |(items, list): (&&[u32], Vec<ScoredItem>)| {
        let scored = list.iter().take_while(|entry| entry.score != 0.0);
        let ranked = (0..).zip(scored);
        let wanted = ranked.filter(|(_, entry)| items.binary_search(&entry.item).is_ok());
        wanted.map(|(rank, _)| rank).collect()
    };
    let mut of_sums = Vec::new();
    for combination in combinations {
        for &scale in &combination.scales {
            let mut scores = backend.zeros(rows, columns)?;
            add(&combination.plain, 1.0, &mut scores)?;
            add(&combination.scaled, scale, &mut scores)?;
            let lists = backend.top_k(&mut scores, item_scale, hidden, within)?;
            of_sums.push(items.iter().zip(lists).map(ranks).collect());
        }
    }
    Ok(of_sums)
}
