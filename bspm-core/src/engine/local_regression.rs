//! Linear autoencoders with sparse weights: each item is predicted from its most similar items.

use bspm_linalg::Mat;
use sprs::CsMatI;

use super::fit_options::FitOptions;
use super::item_graph::{BLOCK, Limits, Row, graph_of_rows, keep_best, of_common_users};
use super::regression::Regression;
use super::tiles::tile_ranges;
use crate::backend::{Backend, Checked};
use crate::observe::Observed;
use bspm_data::parameter::invalid;
use bspm_data::{Interactions, Result, Stage};

/// The maximum number of entries of the Gram matrix: 512 MiB. If there are more, each row keeps its most
/// similar items.
const MOST_ENTRIES: usize = 64 << 20;

/// The minimum number of entries of the Gram matrix per row, for each neighbour.
const LEAST_ENTRIES: usize = 2;

/// Computes the weights `B` of the autoencoder `r B` in which item `j` is predicted from its `neighbours`
/// most similar items: a sparse matrix, `items x items`, whose row `i` has the contributions of item `i`.
///
/// The similarity of two items is the cosine in the regularised Gram matrix
/// `G = A^T diag(user_weights) A + diag(ridge)`. Column `j` is the ridge regression on its
/// neighbours `N`: `B_Nj = G_NN^-1 G_Nj`. With all items as neighbours this is EASE-R.
///
/// Cost: the Gram matrix, and `items * neighbours^3 / 3` multiplications.
pub(crate) fn local_weights<B: Backend>(
    backend: Checked<'_, B>,
    interactions: &Interactions,
    regression: &Regression,
    neighbours: usize,
    options: &FitOptions,
) -> Result<CsMatI<f32, u32>> {
    let items = interactions.items();
    let diagonal = regression.diagonal(interactions);
    let most = (MOST_ENTRIES / items.max(1)).max(LEAST_ENTRIES * neighbours);
    let limits = Limits {
        budget: regression.memory_budget,
        row: Some(most),
    };
    let roots: Vec<f32> = diagonal.iter().map(|it| it.sqrt() as f32).collect();
    let by_cosine = |_: usize, row: &mut Row| {
        keep_best(row, most, |entry| entry.1 / roots[entry.0 as usize]);
    };
    let weights = &regression.user_weights;
    let gram = of_common_users(backend, interactions, weights, limits, options, &by_cosine)?;

    let problem = Problem {
        gram: &gram,
        diagonal: &diagonal,
        roots: &roots,
        degree_powers: &regression.history_weights(interactions),
        neighbours,
    };
    let observed = Observed::new(&options.observer, Stage::ItemGraph, items);
    let blocks = tile_ranges(items, BLOCK);
    let places = || Ok(Places(vec![0; items]));
    let columns = backend.for_each_tile(blocks.len(), places, |places, block| {
        let columns = blocks[block].clone();
        let columns = columns.map(|item| problem.solve(item, places));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        observed.advance(columns.len())?;
        Ok(columns)
    })?;
    let entries = columns.iter().flatten().map(Vec::len).sum();
    let columns = columns.into_iter().flatten();
    Ok(graph_of_rows(items, entries, columns)
        .transpose_into()
        .to_csr())
}

/// The regressions of all items.
struct Problem<'a> {
    /// The Gram matrix without the ridge.
    gram: &'a CsMatI<f32, u32>,
    /// The diagonal of the Gram matrix with the ridge.
    diagonal: &'a [f64],
    /// The square roots of the diagonal.
    roots: &'a [f32],
    degree_powers: &'a [f32],
    neighbours: usize,
}

impl Problem<'_> {
    /// The items of a row of the Gram matrix in ascending order, and the entries.
    fn row(&self, item: u32) -> (&[u32], &[f32]) {
        let range = self.gram.indptr().outer_inds_sz(item as usize);
        (
            &self.gram.indices()[range.clone()],
            &self.gram.data()[range],
        )
    }

    /// Computes the contributions of the neighbours to an item, in the order of the items.
    fn solve(&self, item: usize, places: &mut Places) -> Result<Vec<(u32, f32)>> {
        let (others, values) = self.row(item as u32);
        let row = others.iter().copied().zip(values.iter().copied());
        let mut common: Vec<(u32, f32)> = row.filter(|it| it.0 as usize != item).collect();
        // A Gram matrix without its smallest entries may not be positive definite; a smaller part of it is.
        let mut count = self.neighbours;
        loop {
            keep_best(&mut common, count, |entry| {
                entry.1 / self.roots[entry.0 as usize]
            });
            if let Some(weights) = self.solve_among(item, &common, places) {
                return Ok(weights);
            }
            if common.len() <= 1 {
                let expected = "a regularisation for which the Gram matrix can be inverted in f64";
                let found = format!("a diagonal of {}", self.diagonal[item]);
                return Err(invalid("lambda", expected, found));
            }
            count = common.len() / 2;
        }
    }

    fn solve_among(
        &self,
        item: usize,
        common: &[(u32, f32)],
        places: &mut Places,
    ) -> Option<Vec<(u32, f32)>> {
        let gram = self.gram_of(common, places);
        let right: Vec<f32> = common.iter().map(|entry| entry.1).collect();
        let solution = bspm_linalg::solve(gram.as_ref(), &right)?;
        let to = self.degree_powers[item];
        let weights = common.iter().zip(solution).map(|(&(from, _), weight)| {
            let scaled = f64::from(self.degree_powers[from as usize]) / f64::from(to);
            (from, (weight * scaled) as f32)
        });
        Some(weights.filter(|entry| entry.1 != 0.0).collect())
    }

    /// The lower triangle of the Gram matrix of some items. A pair has its entry if the row of either item
    /// has kept it.
    fn gram_of(&self, common: &[(u32, f32)], places: &mut Places) -> Mat<f32> {
        places.set(common);
        let mut gram: Mat<f32> = Mat::zeros(common.len(), common.len());
        for (place, &(item, _)) in common.iter().enumerate() {
            let (others, values) = self.row(item);
            for (&other, &value) in others.iter().zip(values) {
                if let Some(other_place) = places.of(other) {
                    let (row, column) = (place.max(other_place), place.min(other_place));
                    gram[(row, column)] = value;
                }
            }
            gram[(place, place)] = self.diagonal[item as usize] as f32;
        }
        places.clear(common);
        gram
    }
}

/// The places of the items of a list, plus 1; 0 for all other items.
struct Places(Vec<u32>);

impl Places {
    fn set(&mut self, list: &[(u32, f32)]) {
        for (&(item, _), place) in list.iter().zip(1..) {
            self.0[item as usize] = place;
        }
    }

    fn of(&self, item: u32) -> Option<usize> {
        (self.0[item as usize] as usize).checked_sub(1)
    }

    fn clear(&mut self, list: &[(u32, f32)]) {
        for &(item, _) in list {
            self.0[item as usize] = 0;
        }
    }
}
