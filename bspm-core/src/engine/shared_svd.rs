//! Singular vectors that several fits to the same matrix share.

use std::sync::{Mutex, PoisonError};

use ndarray::Array2;

use super::fit_options::FitOptions;
use super::truncated_svd::{SvdReport, truncated_svd};
use super::walk::{Normalization, NormalizedGraph};
use crate::backend::{Backend, Checked};
use bspm_data::Result;

/// The singular vectors of a matrix on the host, for each requested normalisation.
#[derive(Debug)]
pub(crate) struct SharedSvd {
    /// The number of vectors that are computed together.
    ahead: usize,
    known: Mutex<Vec<KnownSvd>>,
}

/// The leading singular vectors of one normalisation.
#[derive(Debug)]
pub(crate) struct KnownSvd {
    normalization: Normalization,
    asked: usize,
    /// `items x singular_values`.
    pub(crate) vectors: Array2<f32>,
    /// The singular values in descending order.
    pub(crate) singular_values: Vec<f32>,
    /// The report; `None` if the vectors were not computed for this matrix.
    pub(crate) report: Option<SvdReport>,
}

impl KnownSvd {
    /// Creates the vectors (`items x singular_values`) of a graph, which are used for any requested number.
    pub(crate) fn of<B: Backend>(
        graph: &NormalizedGraph<B>,
        vectors: Array2<f32>,
        singular_values: Vec<f32>,
    ) -> Self {
        Self {
            normalization: graph.normalization().of_the_walk(),
            asked: usize::MAX,
            vectors,
            singular_values,
            report: None,
        }
    }
}

impl SharedSvd {
    /// Computes this number of vectors at once, so that fits with fewer vectors share them.
    pub(crate) fn ahead(ahead: usize) -> Self {
        Self {
            ahead,
            known: Mutex::default(),
        }
    }

    /// Uses these vectors for any requested number. Of several with one normalisation, the largest number is
    /// used.
    pub(crate) fn of(mut known: Vec<KnownSvd>) -> Self {
        known.sort_by_key(|it| std::cmp::Reverse(it.singular_values.len()));
        Self {
            ahead: 0,
            known: Mutex::new(known),
        }
    }

    /// Calls a function with at least `factor_dim` vectors, or fewer if the rank is lower. Computes them if
    /// necessary.
    pub(crate) fn with<B: Backend, T>(
        &self,
        backend: Checked<'_, B>,
        graph: &NormalizedGraph<B>,
        factor_dim: usize,
        options: &FitOptions,
        take: impl FnOnce(&KnownSvd) -> Result<T>,
    ) -> Result<T> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = graph.normalization().of_the_walk();
        known.retain(|it| it.normalization != wanted || it.asked >= factor_dim);
        if let Some(svd) = known.iter().find(|it| it.normalization == wanted) {
            return take(svd);
        }
        let asked = factor_dim.max(self.ahead);
        let svd = truncated_svd(backend.unchecked(), graph, asked, options)?;
        known.push(KnownSvd {
            normalization: wanted,
            asked,
            vectors: backend.download(&svd.right_vectors)?,
            singular_values: svd.singular_values,
            report: Some(svd.report),
        });
        take(&known[known.len() - 1])
    }
}
