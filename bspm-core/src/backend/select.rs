//! Scores with a lazy product, and the selection of their best entries.

use super::{Backend, Operand, ScoredItem, Shaped, Update, largest};
use bspm_data::Result;

/// The scores of a tile before the item scale, `items x columns`: `dense + left * right`.
///
/// A selection can skip the sums that it does not need; [`form`](Self::form) computes all.
#[derive(Debug)]
pub struct Scores<'a, B: Backend> {
    /// `items x columns`.
    pub dense: &'a mut B::Matrix,
    /// `left: items x factors` and `right: factors x columns`, if there is a product.
    pub product: Option<(&'a B::Matrix, &'a B::Matrix)>,
}

impl<'a, B: Backend> Scores<'a, B> {
    /// Creates scores without a product.
    pub fn of(dense: &'a mut B::Matrix) -> Self {
        Self {
            dense,
            product: None,
        }
    }

    /// Adds the product to the dense part, and returns it.
    ///
    /// # Errors
    ///
    /// Those of the backend.
    pub fn form(self, backend: &B) -> Result<&'a mut B::Matrix> {
        if let Some((left, right)) = self.product {
            let (add, right) = (Update::added(1.0), Operand::Dense(right));
            backend.matmul(left, false, right, add, self.dense)?;
        }
        Ok(self.dense)
    }
}

/// The entries of each column that a selection returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Select<'a> {
    /// This number of the highest entries of each column, highest first.
    Best(&'a [usize]),
    /// This number of the entries with the largest magnitude, without zeros, largest first, with their
    /// signs.
    Largest(usize),
}

/// The default of [`Backend::select`]: forms the sums and takes the [`top_k`](Backend::top_k). For the
/// largest magnitudes, it also takes the top-k of the negated sums.
///
/// # Errors
///
/// Those of the backend.
pub fn select<B: Backend>(
    backend: &B,
    scores: Scores<'_, B>,
    item_scale: &B::Matrix,
    hidden: &[&[u32]],
    what: Select<'_>,
) -> Result<Vec<Vec<ScoredItem>>> {
    let scores = scores.form(backend)?;
    let k = match what {
        Select::Best(lengths) => return backend.top_k(scores, item_scale, hidden, lengths),
        Select::Largest(k) => k,
    };
    let (rows, width) = scores.shape();
    let mut negated = backend.zeros(rows, width)?;
    backend.add_scaled(-1.0, Operand::Dense(scores), 0.0, &mut negated)?;
    let lengths = vec![k; hidden.len()];
    let best = backend.top_k(scores, item_scale, hidden, &lengths)?;
    let worst = backend.top_k(&mut negated, item_scale, hidden, &lengths)?;
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
