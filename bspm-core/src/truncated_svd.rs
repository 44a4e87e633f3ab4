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

mod chebyshev;
mod rayleigh_ritz;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::backend::Backend;
use crate::error::{Error, Result};
use crate::normalization::NormalizedGraph;
use crate::tiles::{concatenate_tiles, tile_ranges};
use chebyshev::ChebyshevFilter;
use rayleigh_ritz::{RitzPairs, rayleigh_ritz, residuals};

/// What [`truncated_svd`] is asked for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SvdOptions {
    /// How many singular vectors.
    pub factor_dim: usize,
    /// The residual `||P v - lambda v||` that each must reach; 5e-5 unless told.
    pub tolerance: f64,
    /// After how many rounds to give up; 60 unless told.
    pub max_rounds: usize,
    /// Seed of the random start.
    pub seed: u64,
}

impl SvdOptions {
    /// The `factor_dim` leading vectors, at the default tolerance.
    pub fn new(factor_dim: usize) -> Self {
        Self {
            factor_dim,
            tolerance: 5e-5,
            max_rounds: 60,
            seed: 0,
        }
    }

    /// How many vectors are iterated: the ones asked for and a margin that widens
    /// the gap at the cut.
    fn block(&self, limit: usize) -> usize {
        let margin = (self.factor_dim / 7).max(32);
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

/// Below this, an eigenvalue of `P` counts as zero: `P` has norm 1 and is held in `f32`.
const SMALLEST_EIGENVALUE: f64 = 1e-6;

/// Computes the leading right singular vectors of `R`.
///
/// Stops when every residual reaches the tolerance. Deterministic: neither the
/// number of threads nor the machine's load changes the result.
///
/// # Errors
///
/// [`Error::InvalidParameter`] when `factor_dim` is 0;
/// [`Error::SvdNotConverged`] after `max_rounds`; those of the backend.
pub fn truncated_svd<B: Backend>(
    backend: &B,
    graph: &NormalizedGraph<B>,
    options: &SvdOptions,
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

    let mut vectors = random_start(backend, graph.items(), block, options.seed)?;
    let mut worst = f64::INFINITY;
    for round in 0..options.max_rounds {
        let RitzPairs {
            values,
            vectors: ritz_vectors,
        } = rayleigh_ritz(backend, graph, &vectors)?;
        let rank = values[..wanted]
            .iter()
            .take_while(|&&value| value > SMALLEST_EIGENVALUE)
            .count();
        let residuals = residuals(backend, graph, &ritz_vectors, &values[..rank])?;
        worst = residuals.iter().copied().fold(0.0, f64::max);
        if worst <= options.tolerance {
            return Ok(TruncatedSvd {
                singular_values: values[..rank]
                    .iter()
                    .map(|value| value.sqrt() as f32)
                    .collect(),
                right_vectors: backend.columns(&ritz_vectors, 0..rank)?,
                residuals,
                rounds: round + 1,
            });
        }
        let filter = ChebyshevFilter::choose(values[block - 1], round);
        vectors = filter.apply(backend, graph, &ritz_vectors)?;
    }
    Err(Error::SvdNotConverged {
        rounds: options.max_rounds,
        residual: worst,
        tolerance: options.tolerance,
    })
}

/// Uniform numbers, each column from a random stream of its own, so that the start
/// does not depend on how columns are cut into tiles.
fn random_start<B: Backend>(
    backend: &B,
    rows: usize,
    columns: usize,
    seed: u64,
) -> Result<B::Matrix> {
    let ranges = tile_ranges(columns, backend.tile_columns(rows, rows));
    concatenate_tiles(
        backend,
        &ranges,
        || Ok(()),
        |(), range| {
            let mut tile = ndarray::Array2::zeros((rows, range.len()));
            for (column, mut values) in range.zip(tile.columns_mut()) {
                let mut random = ChaCha8Rng::seed_from_u64(seed);
                random.set_stream(column as u64);
                values.mapv_inplace(|_: f32| random.random::<f32>() - 0.5);
            }
            backend.upload(tile.view())
        },
    )
}
