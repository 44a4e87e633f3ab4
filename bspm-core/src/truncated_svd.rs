//! The leading right singular vectors of `R`, by Chebyshev-filtered subspace
//! iteration on `P = R^T R` (Zhou and Saad 2006, "A Chebyshev-Davidson algorithm
//! for large symmetric eigenproblems"; Zhou, Saad, Tiago and Chelikowsky 2006).
//!
//! The spectrum of an interaction matrix is flat where it is cut, so plain subspace
//! iteration crawls. A Chebyshev polynomial of `P` that is small on the unwanted
//! part of `[0, 1]` grows fastest above it; everything else is a Rayleigh-Ritz
//! projection per round. All products run tile by tile at the speed of the
//! backend's [`spmm`](crate::Backend::spmm), and the small dense problems are
//! solved in `f64` on the host.

mod filter;
mod rayleigh_ritz;

use ndarray::{Array2, Axis};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::backend::Backend;
use crate::error::{Error, Result};
use crate::normalization::NormalizedGraph;
use crate::observe::{Observed, Observer, Stage, UNOBSERVED};
use crate::tiles::{map_tiles, tile_ranges};
use filter::{Filter, apply_filter};
use rayleigh_ritz::{RitzPairs, rayleigh_ritz, residuals, rotate};

/// What [`truncated_svd`] is asked for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SvdOptions {
    /// How many singular vectors.
    pub factor_dim: usize,
    /// The residual `||P v - lambda v||` that each must reach; 5e-6 unless told.
    pub tolerance: f64,
    /// After how many rounds to keep the best vectors found so far, with a warning; at
    /// least 1, and 60 unless told.
    pub max_rounds: usize,
    /// Seed of the random start.
    pub seed: u64,
}

impl SvdOptions {
    /// The `factor_dim` leading vectors, at the default tolerance.
    pub fn new(factor_dim: usize) -> Self {
        Self {
            factor_dim,
            tolerance: 5e-6,
            max_rounds: 60,
            seed: 0,
        }
    }

    /// How many vectors are iterated: the ones asked for and a margin that widens
    /// the gap at the cut.
    fn block(&self, limit: usize) -> usize {
        let margin = (self.factor_dim / 6).max(32);
        (self.factor_dim + margin).min(limit)
    }
}

/// Leading singular triplets of `R`, without the left vectors.
#[derive(Debug)]
pub struct TruncatedSvd<M> {
    /// Descending; as many as asked for, or the rank of `R` where that is lower.
    pub singular_values: Vec<f32>,
    /// `V: items x singular_values`, orthonormal columns.
    pub right_vectors: M,
    /// `||P v - lambda v||` of each vector, as measured.
    pub residuals: Vec<f64>,
    /// Rounds done.
    pub rounds: usize,
}

/// A vector is locked, and the others kept orthogonal to it, once its residual is
/// this share of the tolerance: what is wrong with it limits those found later.
const LOCK_SHARE: f64 = 0.3;

/// Below this, an eigenvalue of `P` counts as zero: `P` has norm 1 and is held in `f32`.
const SMALLEST_EIGENVALUE: f64 = 1e-6;

/// Computes the leading right singular vectors of `R`.
///
/// Stops when every residual is within the tolerance and a further round no longer
/// halves the largest: the last rounds are cheap, and what is left is the rounding
/// of `f32`. The number of threads changes no bit of the result. Where that is not reached
/// within `max_rounds`, the best vectors found are returned, with a `tracing` warning and
/// their [`residuals`](TruncatedSvd::residuals): long sums in `f32`, or a spectrum that is
/// flat at the cut, can put the tolerance out of reach.
///
/// # Errors
///
/// [`Error::InvalidParameter`] when `factor_dim` or `max_rounds` is 0; those of the backend.
pub fn truncated_svd<B: Backend>(
    backend: &B,
    graph: &NormalizedGraph<B>,
    options: &SvdOptions,
) -> Result<TruncatedSvd<B::Matrix>> {
    truncated_svd_observed(backend, graph, options, UNOBSERVED)
}

/// [`truncated_svd`] under an [`Observer`], which is told of the vectors found.
///
/// # Errors
///
/// [`Error::Cancelled`], and those of [`truncated_svd`].
pub fn truncated_svd_observed<B: Backend>(
    backend: &B,
    graph: &NormalizedGraph<B>,
    options: &SvdOptions,
    observer: Observer<'_>,
) -> Result<TruncatedSvd<B::Matrix>> {
    if options.factor_dim == 0 {
        return Err(Error::InvalidParameter {
            parameter: "factor_dim",
            expected: "at least 1".into(),
            found: "0".into(),
        });
    }
    let block = options.block(graph.users().min(graph.items()));
    let wanted = options.factor_dim.min(block);
    if block == 0 {
        return Found::default().into_svd(backend, graph.tile_columns(), 0);
    }
    let _span = tracing::info_span!("truncated_svd", factor_dim = wanted, block).entered();
    let observed = Observed::new(observer, Stage::TruncatedSvd, wanted);
    let lock_tolerance = options.tolerance * LOCK_SHARE;

    let start = random_start(backend, graph, block, options.seed)?;
    let mut active = apply_filter(backend, graph, &Filter::Smooth, start, None, &observed)?;
    let mut found = Found::default();
    let mut worst = f64::INFINITY;
    for round in 0..options.max_rounds {
        let ritz = rayleigh_ritz(backend, graph, active)?;
        let left = wanted - found.values.len();
        let rank_left = ritz.values[..left]
            .iter()
            .take_while(|&&value| value > SMALLEST_EIGENVALUE)
            .count();
        let residuals = residuals(backend, graph, &ritz.vectors, &ritz.values[..rank_left])?;
        let previous = worst;
        worst = residuals.iter().copied().fold(0.0, f64::max);
        let converged = residuals
            .iter()
            .take_while(|&&residual| residual <= lock_tolerance)
            .count();
        tracing::debug!(
            round,
            residual = worst,
            converged,
            "Rayleigh-Ritz projection"
        );
        let is_last = round + 1 == options.max_rounds;
        let is_done = (worst <= options.tolerance && worst >= previous / 2.0) || is_last;
        if (is_done || converged > 0) && rank_left > 0 && !ritz.is_orthonormal && !is_last {
            active = ritz.vectors;
            worst = previous;
            continue;
        }
        if is_done {
            if worst > options.tolerance {
                tracing::warn!(
                    rounds = round + 1,
                    residual = worst,
                    tolerance = options.tolerance,
                    "the truncated SVD keeps the best vectors found, above the tolerance"
                );
            }
            found.lock(backend, &ritz, &residuals)?;
            observed.advance(residuals.len())?;
            return found.into_svd(backend, graph.tile_columns(), round + 1);
        }
        // The last ones are not locked before they are done.
        let converged = if converged == rank_left { 0 } else { converged };
        found.lock(backend, &ritz, &residuals[..converged])?;
        observed.advance(converged)?;
        let RitzPairs {
            values, vectors, ..
        } = ritz;
        let rest = if converged == 0 {
            vectors
        } else {
            let rest = backend.columns(&vectors, converged..values.len())?;
            drop(vectors);
            rest
        };
        let filter = Filter::choose(values[values.len() - 1], round);
        active = apply_filter(
            backend,
            graph,
            &filter,
            rest,
            found.vectors.as_ref(),
            &observed,
        )?;
    }
    Err(Error::InvalidParameter {
        parameter: "max_rounds",
        expected: "at least 1".into(),
        found: "0".into(),
    })
}

/// The eigenpairs that need no further work.
struct Found<M> {
    values: Vec<f64>,
    residuals: Vec<f64>,
    vectors: Option<M>,
}

impl<M> Default for Found<M> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            residuals: Vec::new(),
            vectors: None,
        }
    }
}

impl<M: Send + Sync> Found<M> {
    /// Adds the first Ritz pairs, as many as there are residuals.
    fn lock<B: Backend<Matrix = M>>(
        &mut self,
        backend: &B,
        ritz: &RitzPairs<M>,
        residuals: &[f64],
    ) -> Result<()> {
        if residuals.is_empty() && self.vectors.is_some() {
            return Ok(());
        }
        let vectors = backend.columns(&ritz.vectors, 0..residuals.len())?;
        self.vectors = Some(match self.vectors.take() {
            Some(found) => backend.concatenate_columns(&[found, vectors])?,
            None => vectors,
        });
        self.values.extend(&ritz.values[..residuals.len()]);
        self.residuals.extend(residuals);
        Ok(())
    }

    /// Sorts: pairs of nearly equal value may have been found in either order.
    fn into_svd<B: Backend<Matrix = M>>(
        self,
        backend: &B,
        width: usize,
        rounds: usize,
    ) -> Result<TruncatedSvd<M>> {
        let count = self.values.len();
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by(|&left, &right| self.values[right].total_cmp(&self.values[left]));
        let vectors = match self.vectors {
            Some(vectors) if order.is_sorted() => vectors,
            Some(vectors) => {
                let mut permutation = Array2::zeros((count, count));
                for (place, &from) in order.iter().enumerate() {
                    permutation[[from, place]] = 1.0;
                }
                rotate(backend, width, vectors, permutation.view())?
            }
            None => backend.zeros(0, 0)?,
        };
        Ok(TruncatedSvd {
            singular_values: order
                .iter()
                .map(|&from| self.values[from].sqrt() as f32)
                .collect(),
            right_vectors: vectors,
            residuals: order.iter().map(|&from| self.residuals[from]).collect(),
            rounds,
        })
    }
}

/// Uniform numbers, each column from a random stream of its own, so that the start
/// does not depend on how columns are cut into tiles.
fn random_start<B: Backend>(
    backend: &B,
    graph: &NormalizedGraph<B>,
    columns: usize,
    seed: u64,
) -> Result<B::Matrix> {
    let rows = graph.items();
    let ranges = tile_ranges(columns, graph.tile_columns());
    map_tiles(backend, (), &ranges, |(), range| {
        let mut random: Vec<ChaCha8Rng> = range
            .clone()
            .map(|column| {
                let mut random = ChaCha8Rng::seed_from_u64(seed);
                random.set_stream(column as u64);
                random
            })
            .collect();
        let mut tile = Array2::zeros((rows, range.len()));
        for mut rows in tile.axis_chunks_iter_mut(Axis(0), 2) {
            for (mut column, random) in rows.columns_mut().into_iter().zip(&mut random) {
                let mut bits = random.next_u32();
                for value in &mut column {
                    *value = f32::from(bits as i16) + 0.5;
                    bits >>= 16;
                }
            }
        }
        backend.upload(tile.view())
    })
}
