//! Weighted sums of matrices, and the best of each.

use super::{Backend, Operand, ScoredItem, Shaped};
use crate::error::Result;

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

/// What [`Backend::combined_top_k`] does unless a backend knows better: each sum is formed
/// and ranked, one after the other.
///
/// # Errors
///
/// Those of the backend.
pub fn combined_top_k<B: Backend>(
    backend: &B,
    basis: &[B::Matrix],
    combinations: &[Combination],
    item_scale: &B::Matrix,
    hidden: &[&[u32]],
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
            lists.push(backend.top_k(&mut scores, item_scale, hidden, k)?);
        }
    }
    Ok(lists)
}
