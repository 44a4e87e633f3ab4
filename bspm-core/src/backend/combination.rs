//! Linear combinations of matrices, and the ranks of items in them.

use super::{Backend, Operand, ScoredItem, Shaped};
use bspm_data::Result;

/// A linear combination of matrices, for several weights of one part.
#[derive(Clone, Debug, PartialEq)]
pub struct Combination {
    /// The indices and the weights of the matrices of the fixed part.
    pub plain: Vec<(usize, f32)>,
    /// The indices and the weights of the matrices of the scaled part.
    pub scaled: Vec<(usize, f32)>,
    /// The scales; each defines a matrix `plain + scale * scaled`.
    pub scales: Vec<f32>,
}

/// The default of [`Backend::ranks_of_sums`]: forms each sum and ranks its best items.
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
    let lengths = vec![within; hidden.len()];
    let mut of_sums = Vec::new();
    for combination in combinations {
        for &scale in &combination.scales {
            let mut scores = backend.zeros(rows, columns)?;
            add(&combination.plain, 1.0, &mut scores)?;
            add(&combination.scaled, scale, &mut scores)?;
            let lists = backend.top_k(&mut scores, item_scale, hidden, &lengths)?;
            of_sums.push(items.iter().zip(lists).map(ranks).collect());
        }
    }
    Ok(of_sums)
}
