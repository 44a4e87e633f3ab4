//! The leading right singular vectors of `R`, by Chebyshev-filtered subspace
//! iteration on `P = R^T R` (Zhou and Saad 2006, "A Chebyshev-Davidson algorithm
//! for large symmetric eigenproblems"; Zhou, Saad, Tiago and Chelikowsky 2006).
//!
//! The spectrum of an interaction matrix is flat at the cut, so plain subspace iteration converges slowly.
//! A Chebyshev polynomial of `P` that is small on the unwanted part of `[0, 1]` grows fastest above it. In
//! addition, each round has a Rayleigh-Ritz projection. All products run tile by tile at the speed of the
//! backend's [`spmm`](crate::Backend::spmm), and the small dense problems are solved in `f64` on the host.

mod chebyshev_filter;
mod random_start;
mod rayleigh_ritz;
mod stopping;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::fit_options::FitOptions;
use super::walk::NormalizedGraph;
use crate::backend::{Backend, Checked};
use crate::observe::Observed;
use bspm_data::Result;
use bspm_data::Stage;
use bspm_data::parameter::{self, check_positive};
use chebyshev_filter::{Chebyshev, SpectralFilter, Spectrum, filter_vectors};
use random_start::random_start;
use rayleigh_ritz::{RitzPairs, rayleigh_ritz, residuals, rotate};
pub use stopping::SvdStop;
use stopping::{Rounds, Verdict, effective_tolerance};

/// The leading singular values and right singular vectors of `R`, and a report of their computation.
#[derive(Debug)]
#[non_exhaustive]
pub struct TruncatedSvd<M> {
    /// The singular values in descending order: the requested number, or fewer if the rank of `R` is lower.
    pub singular_values: Vec<f32>,
    /// `V: items x singular_values`, orthonormal columns.
    pub right_vectors: M,
    /// The measured residual `||P v - lambda v||` of each vector.
    pub residuals: Vec<f64>,
    /// The report of the computation.
    pub report: SvdReport,
}

/// A report of a truncated SVD: its cost, its accuracy, and why it stopped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SvdReport {
    /// The requested number of vectors.
    pub asked: usize,
    /// The number of vectors found, which is lower if the rank of `R` is lower.
    pub found: usize,
    /// The largest residual `||P v - lambda v||` of the vectors.
    pub largest_residual: f64,
    /// The requested residual.
    pub tolerance: f64,
    /// The number of rounds.
    pub rounds: usize,
    /// The number of columns that were multiplied by `P`.
    pub products: usize,
    /// The reason why the iteration stopped.
    pub stop: SvdStop,
}

impl std::fmt::Display for SvdReport {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{} of {} vectors, largest residual {:.1e}, {} rounds, {} products, stopped by: {}",
            self.found, self.asked, self.largest_residual, self.rounds, self.products, self.stop
        )
    }
}

impl SvdReport {
    /// Returns a warning if the residual is above the tolerance and can change the scores of a filter, or if
    /// there are fewer vectors than requested.
    pub fn warning(&self) -> Option<String> {
        if self.largest_residual > self.tolerance && self.stop != SvdStop::FlatCut {
            return Some(format!(
                "the truncated SVD stopped after {} rounds ({}) with a residual of {:.1e}, above \
                 the tolerance of {:.1e}; the best vectors that were found are used",
                self.rounds, self.stop, self.largest_residual, self.tolerance
            ));
        }
        (self.found < self.asked).then(|| {
            format!(
                "the matrix has rank {}, so {} singular vectors are used instead of {}",
                self.found, self.found, self.asked
            )
        })
    }
}

/// A vector is locked, and the others are kept orthogonal to it, if its residual is below this share of the
/// tolerance, because its error limits the accuracy of vectors found later.
const LOCK_SHARE: f64 = 0.3;

/// Below this threshold, an eigenvalue of `P` counts as zero; `P` has norm 1 and is stored in `f32`.
const SMALLEST_EIGENVALUE: f64 = 1e-6;

/// Up to this number of items, the complete spectrum costs no more than a part of it.
const WHOLE_SPECTRUM: usize = 256;

/// Computes the leading right singular vectors of `R`.
///
/// If the rank of `R` is below `factor_dim`, returns all vectors. If the tolerance cannot be reached,
/// returns the best vectors found, with a `tracing` warning. The iteration stops at the larger of two
/// limits:
///
/// - the accuracy that changes the scores of a filter, unless [`FitOptions::tolerance`] is set. If the gap
///   at the cut is more than 1% of the eigenvalue, a vector may have 5e-5 of its length on the wrong side.
///   Without such a gap, the span is not well defined: rotations among eigenvalues within 5% of the one at
///   the cut are ignored, and a vector may have 5e-4 of its length below them.
/// - the accuracy of `f32`: within the tolerance, rounds continue while they halve the largest residual;
///   above it, the iteration stops after two consecutive rounds that do not.
///
/// With the CPU backend, the result does not depend on the number of threads, to the last bit.
///
/// Memory at the peak: two matrices of `items x 1.17 factor_dim` floats, and the products of
/// a tile on each thread. It is checked against [`Backend::memory_budget`] before memory is allocated.
/// Cost: per round a Rayleigh-Ritz projection, three dense products of
/// `items x factor_dim x factor_dim`, and the products with `P` that
/// [`SvdReport::products`] counts. The observer of the options is called with the number of vectors found.
///
/// # Errors
///
/// [`Error::InvalidParameter`](crate::Error::InvalidParameter) if `factor_dim` or `max_rounds` is 0;
/// [`Error::MemoryBudget`](crate::Error::MemoryBudget); [`Error::Cancelled`](crate::Error::Cancelled);
/// those of the backend.
pub fn truncated_svd<B: Backend>(
    backend: &B,
    graph: &NormalizedGraph<B>,
    factor_dim: usize,
    options: &FitOptions,
) -> Result<TruncatedSvd<B::Matrix>> {
    check_positive("factor_dim", factor_dim)?;
    check_positive("max_rounds", options.max_rounds)?;
    let svd = iterate(Checked::new(backend), graph, factor_dim, options)?;
    if let Some(warning) = svd.report.warning() {
        tracing::warn!("{warning}");
    }
    Ok(svd)
}

/// Returns the number of iterated vectors (the requested ones plus a margin that widens the gap at the cut, at
/// most `rank`), and whether to use all unit vectors instead, whose projection is the complete spectrum.
fn block_size(factor_dim: usize, rank: usize, items: usize) -> (usize, bool) {
    if rank == 0 {
        return (0, false);
    }
    let margin = (factor_dim / 6).max(32);
    let block = factor_dim.saturating_add(margin).min(rank);
    if items <= (2 * block).max(WHOLE_SPECTRUM) {
        (items, true)
    } else {
        (block, false)
    }
}

fn iterate<B: Backend>(
    backend: Checked<'_, B>,
    graph: &NormalizedGraph<B>,
    factor_dim: usize,
    options: &FitOptions,
) -> Result<TruncatedSvd<B::Matrix>> {
    let items = graph.items();
    let most = graph.users().min(items);
    let (block, is_whole) = block_size(factor_dim, most, items);
    let wanted = factor_dim.min(block);
    let tolerance = options.tolerance.unwrap_or(FitOptions::DEFAULT_TOLERANCE);
    let mut found = Found::new(factor_dim, tolerance);
    if block == 0 {
        return found.into_svd(backend, graph, SvdStop::Converged);
    }
    check_memory(backend, graph, block)?;
    let _span = tracing::info_span!("truncated_svd", factor_dim = wanted, block).entered();
    let observed = Observed::new(&options.observer, Stage::TruncatedSvd, wanted);
    // If the block has the maximum rank, all other eigenvalues are zero.
    let cut_share = if block == most { 0.5 } else { 1.0 };

    let mut active = match is_whole {
        true => backend.upload(Array2::eye(items).view())?,
        false => {
            found.products += 2 * block;
            let random = random_start(backend, graph, block, options.seed)?;
            let smooth = SpectralFilter::Smooth;
            filter_vectors(backend, graph, &smooth, random, None, &observed)?
        }
    };
    let mut progress = Rounds::new(tolerance);
    loop {
        found.rounds += 1;
        let ritz = rayleigh_ritz(backend, graph, active)?;
        let Measured {
            residuals,
            worst,
            converged,
            effective,
        } = found.measure(backend, graph, &ritz, wanted, options.tolerance)?;
        let verdict = match progress.judge(worst, effective, found.vectors.is_some()) {
            Verdict::Continue if is_whole => Verdict::Stop(SvdStop::Rounding),
            Verdict::Stop(stop) if found.rounds == options.max_rounds => Verdict::Stop(stop),
            _ if found.rounds == options.max_rounds => Verdict::Stop(SvdStop::MaxRounds),
            _ if !ritz.is_orthonormal && !is_whole => Verdict::Continue,
            verdict => verdict,
        };
        if let Verdict::Stop(stop) = verdict {
            found.lock(backend, &ritz, &residuals)?;
            observed.advance(residuals.len())?;
            return found.into_svd(backend, graph, stop);
        }
        // The last vectors are not locked before they have converged.
        let converged = match verdict {
            Verdict::Unlock => 0,
            _ if converged == residuals.len() || !ritz.is_orthonormal => 0,
            _ => converged,
        };
        found.lock(backend, &ritz, &residuals[..converged])?;
        observed.advance(converged)?;
        let mut rest = Rest::after(converged, backend, ritz, residuals)?;
        if verdict == Verdict::Unlock
            && let Some(locked) = found.unlock()
        {
            rest = rest.with(locked, backend)?;
        }
        let filter = Chebyshev::choose(Spectrum {
            values: &rest.values[..rest.residuals.len()],
            residuals: &rest.residuals,
            cut: rest.values.last().copied().unwrap_or(0.0) * cut_share,
            target: effective.min(tolerance) / 2.0,
        });
        found.products += filter.degree * rest.values.len();
        let filter = SpectralFilter::Chebyshev(filter);
        let locked = found.vectors.as_ref();
        active = filter_vectors(backend, graph, &filter, rest.vectors, locked, &observed)?;
    }
}

/// Returns [`Error::MemoryBudget`](crate::Error::MemoryBudget) if the peak memory of a block of vectors is
/// above the budget of the backend: twice the block, and the products of a tile.
fn check_memory<B: Backend>(
    backend: Checked<'_, B>,
    graph: &NormalizedGraph<B>,
    block: usize,
) -> Result<()> {
    let Some(budget) = backend.memory_budget() else {
        return Ok(());
    };
    let (users, items) = (graph.users(), graph.items());
    let tile = graph.tile_columns().min(block) * (users + 2 * items);
    let needed = size_of::<f32>() * (2 * items * block + tile);
    let what = || format!("a truncated SVD of {items} items with {block} vectors");
    parameter::check_memory(what, needed, budget)
}

/// The converged eigenpairs, and the cost so far.
struct Found<M> {
    asked: usize,
    tolerance: f64,
    values: Vec<f64>,
    residuals: Vec<f64>,
    vectors: Option<M>,
    rounds: usize,
    products: usize,
}

/// The residuals of Ritz pairs.
struct Measured {
    /// The residuals of the remaining requested pairs with nonzero values.
    residuals: Vec<f64>,
    worst: f64,
    /// The number of leading pairs that have converged.
    converged: usize,
    /// The required residual: the given tolerance, or the one that does not change the scores of a filter.
    effective: f64,
}

/// Eigenpairs that have not converged; the last ones may have no residual.
struct Rest<M> {
    values: Vec<f64>,
    residuals: Vec<f64>,
    vectors: M,
}

impl<M: Send + Sync> Rest<M> {
    /// Returns the Ritz pairs after the first `locked` ones.
    fn after<B: Backend<Matrix = M>>(
        locked: usize,
        backend: Checked<'_, B>,
        ritz: RitzPairs<M>,
        mut residuals: Vec<f64>,
    ) -> Result<Self> {
        let (mut values, mut vectors) = (ritz.values, ritz.vectors);
        if locked > 0 {
            vectors = backend.columns(&vectors, locked..values.len())?;
        }
        residuals.drain(..locked);
        values.drain(..locked);
        Ok(Self {
            values,
            residuals,
            vectors,
        })
    }

    /// Returns these pairs after the unlocked ones.
    fn with<B: Backend<Matrix = M>>(
        mut self,
        unlocked: Self,
        backend: Checked<'_, B>,
    ) -> Result<Self> {
        self.vectors = backend.concatenate_columns(&[unlocked.vectors, self.vectors])?;
        self.values.splice(..0, unlocked.values);
        self.residuals.splice(..0, unlocked.residuals);
        Ok(self)
    }
}

impl<M: Send + Sync> Found<M> {
    fn new(asked: usize, tolerance: f64) -> Self {
        Self {
            asked,
            tolerance,
            values: Vec::new(),
            residuals: Vec::new(),
            vectors: None,
            rounds: 0,
            products: 0,
        }
    }

    /// Adds the first Ritz pairs, one per residual.
    fn lock<B: Backend<Matrix = M>>(
        &mut self,
        backend: Checked<'_, B>,
        ritz: &RitzPairs<M>,
        residuals: &[f64],
    ) -> Result<()> {
        if residuals.is_empty() {
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

    fn measure<B: Backend<Matrix = M>>(
        &mut self,
        backend: Checked<'_, B>,
        graph: &NormalizedGraph<B>,
        ritz: &RitzPairs<M>,
        wanted: usize,
        asked: Option<f64>,
    ) -> Result<Measured> {
        let left = ritz.values[..wanted - self.values.len()].iter();
        let is_positive = |value: &&f64| **value > SMALLEST_EIGENVALUE;
        let rank_left = left.take_while(is_positive).count();
        let residuals = residuals(backend, graph, &ritz.vectors, &ritz.values[..rank_left])?;
        self.products += ritz.values.len() + rank_left;
        let is_done = |residual: &&f64| **residual <= self.tolerance * LOCK_SHARE;
        let measured = Measured {
            worst: residuals.iter().copied().fold(0.0, f64::max),
            converged: residuals.iter().take_while(is_done).count(),
            effective: asked.unwrap_or_else(|| self.effective_tolerance(ritz, rank_left)),
            residuals,
        };
        tracing::debug!(
            round = self.rounds,
            residual = measured.worst,
            effective = measured.effective,
            converged = measured.converged,
            is_orthonormal = ritz.is_orthonormal,
            "Rayleigh-Ritz projection"
        );
        Ok(measured)
    }

    /// Returns the residual below which the scores of a filter with this number of Ritz values do not change.
    fn effective_tolerance(&self, ritz: &RitzPairs<M>, rank_left: usize) -> f64 {
        let at_cut = match rank_left {
            0 => self.values.last().copied().unwrap_or(0.0),
            some => ritz.values[some - 1],
        };
        let beyond = ritz.values.get(rank_left).copied().unwrap_or(0.0).max(0.0);
        effective_tolerance(at_cut, beyond)
    }

    fn unlock(&mut self) -> Option<Rest<M>> {
        Some(Rest {
            vectors: self.vectors.take()?,
            values: std::mem::take(&mut self.values),
            residuals: std::mem::take(&mut self.residuals),
        })
    }

    /// Sorts the pairs, because pairs with nearly equal values may be found in any order.
    fn into_svd<B: Backend<Matrix = M>>(
        self,
        backend: Checked<'_, B>,
        graph: &NormalizedGraph<B>,
        stop: SvdStop,
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
                rotate(backend, vectors, permutation.view())?
            }
            None => backend.zeros(graph.items(), 0)?,
        };
        let residuals: Vec<f64> = order.iter().map(|&from| self.residuals[from]).collect();
        Ok(TruncatedSvd {
            singular_values: order
                .iter()
                .map(|&from| self.values[from].sqrt() as f32)
                .collect(),
            right_vectors: vectors,
            report: SvdReport {
                asked: self.asked,
                found: count,
                largest_residual: residuals.iter().copied().fold(0.0, f64::max),
                tolerance: self.tolerance,
                rounds: self.rounds,
                products: self.products,
                stop,
            },
            residuals,
        })
    }
}
