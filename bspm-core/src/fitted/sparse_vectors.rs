//! Sparse vectors of items and histories, for databases that search by inner product.

use sprs::CsMatI;

use super::FittedFilter;
use super::score::{Distinct, check_weights, not_finite};
use crate::backend::Backend;
use crate::engine::neighbour_rows::NeighbourRows;
use bspm_data::History;
use bspm_data::parameter::invalid;
use bspm_data::{Error, Result};

/// A sparse vector: indices in ascending order, and a value for each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SparseVector {
    /// The indices, in ascending order.
    pub indices: Vec<u32>,
    /// The value of each index.
    pub values: Vec<f32>,
}

impl SparseVector {
    fn push(&mut self, index: u32, value: f32) {
        if value != 0.0 {
            self.indices.push(index);
            self.values.push(value);
        }
    }
}

/// Sparse vectors of items and of histories whose inner products are the scores of a neighbour table.
///
/// The vectors have one dimension for each item and a last one for the rank-one baseline: `items + 1`
/// dimensions. With the entries `T`, the loadings `a` and the baseline `p` of the table
/// ([`NeighbourRows`]), the vector of item `i` and that of a history `r` are
///
/// ```math
/// v_i = (T_{1i}, \dots, T_{ni}, p_i) \qquad q = (r_1, \dots, r_n, \textstyle\sum_j r_j a_j)
/// ```
///
/// so that `$q \cdot v_i = \sum_j r_j (T_{ji} + a_j p_i)$`, the score of item `i`. The vectors leave out
/// zeros. Values may be negative.
///
/// Both sides round in single precision. For a history of `m` items, the inner product in single precision, in
/// any order, differs from [`score_histories`](FittedFilter::score_histories) by at most
/// `$(m + 1) \, 2^{-22} \sum_j |r_j| (|T_{ji}| + |a_j p_i|)$`, up to terms of the second order.
///
/// An inner product does not hide the items of the history, and it gives a score to items that no path
/// connects with the history. The lists of the model have neither.
#[derive(Clone, Debug)]
pub struct SparseVectors<'a> {
    /// `T` by columns: the entries of each item's vector.
    by_item: CsMatI<f32, u32>,
    rows: NeighbourRows<'a>,
}

impl<B: Backend> FittedFilter<B> {
    /// Returns the sparse vectors of a neighbour table. Cost: a copy of the table, 8 bytes for each entry.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] if the filter is not a neighbour table.
    ///
    /// # Examples
    ///
    /// ```
    /// # use bspm_core::filters::{GfCf, Neighbours};
    /// # use bspm_core::{FittedFilter, Interactions, Preset};
    /// # use bspm_cpu::CpuBackend;
    /// let interactions = Interactions::from_pairs(3, 3, [(0, 0), (0, 1), (1, 1), (2, 1), (2, 2)])?;
    /// let table = Neighbours::new(GfCf::published(Preset::Gowalla).factor_dim(2), 2);
    /// let fitted = FittedFilter::fit(CpuBackend::new(), interactions, table)?;
    /// let vectors = fitted.sparse_vectors()?;
    /// let (item, query) = (vectors.item(2)?, vectors.of_history(&[0, 1])?);
    /// let products = query.indices.iter().zip(&query.values).map(|(index, value)| {
    ///     let place = item.indices.iter().position(|it| it == index);
    ///     place.map_or(0.0, |place| value * item.values[place])
    /// });
    /// let score = fitted.score_histories(&[&[0, 1]])?[[0, 2]];
    /// assert!((products.sum::<f32>() - score).abs() < 1e-6);
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn sparse_vectors(&self) -> Result<SparseVectors<'_>> {
        let rows = self.neighbour_rows().ok_or_else(|| {
            let expected = "neighbours (hint: Model::neighbours makes a table of any model)";
            invalid("filter", expected, self.config.name())
        })?;
        Ok(SparseVectors {
            by_item: rows.by_neighbour(),
            rows,
        })
    }
}

impl SparseVectors<'_> {
    /// The number of items.
    pub fn len(&self) -> usize {
        self.by_item.rows()
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The dimension of the vectors: the number of items plus 1.
    pub fn dimension(&self) -> usize {
        self.len() + 1
    }

    /// The loading of each item: its factor in the last value of a query, the sum of weight times loading.
    pub fn loadings(&self) -> &[f32] {
        self.rows.loadings()
    }

    /// Returns the vector of an item.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownItem`].
    pub fn item(&self, item: u32) -> Result<SparseVector> {
        let items = self.len();
        let row = self.by_item.outer_view(item as usize);
        let row = row.ok_or(Error::UnknownItem { item, items })?;
        let mut vector = SparseVector::default();
        for (&index, &value) in row.indices().iter().zip(row.data()) {
            vector.push(index, value);
        }
        vector.push(items as u32, self.rows.baseline()[item as usize]);
        Ok(vector)
    }

    /// Returns the query vector of a history. An item that occurs more than once counts once, or with the sum
    /// of its weights, as in [`rank_histories`](FittedFilter::rank_histories).
    ///
    /// # Errors
    ///
    /// [`Error::UnknownItem`]; [`Error::InvalidParameter`] for weights that are not finite, or so large that
    /// the last value is not.
    pub fn of_history<'h>(&self, history: impl Into<History<'h>>) -> Result<SparseVector> {
        let history = Distinct::new(history.into());
        let history = history.as_history();
        check_weights(history)?;
        let (items, loadings) = (self.len(), self.rows.loadings());
        let (mut vector, mut share) = (SparseVector::default(), 0.0_f64);
        for (item, weight) in history.entries() {
            let loading = loadings.get(item as usize);
            let loading = *loading.ok_or(Error::UnknownItem { item, items })?;
            vector.push(item, weight);
            share += f64::from(weight) * f64::from(loading);
        }
        let share = share as f32;
        if !share.is_finite() {
            return Err(not_finite(share));
        }
        vector.push(items as u32, share);
        Ok(vector)
    }
}
