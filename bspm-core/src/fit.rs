//! Fitting: the interaction matrix on the device, and the filter's basis.

use std::sync::Arc;

use crate::backend::Backend;
use crate::config::BspmConfig;
use crate::error::{Error, Result};
use crate::interactions::Interactions;
use crate::normalization::NormalizedGraph;
use crate::observe::{Observer, UNOBSERVED};
use crate::process::ideal_low_pass::FittedIdealLowPass;
use crate::truncated_svd::{SvdOptions, truncated_svd_observed};

/// A blurring-sharpening process model, fitted to one interaction matrix.
///
/// Nothing is trained: fitting normalises the matrix and, where the ideal low-pass
/// filter is on, computes its leading singular vectors. Fit once, then
/// [`rank`](Self::rank) or [`score`](Self::score) any of its users from any thread.
pub struct Bspm<B: Backend> {
    pub(crate) backend: B,
    pub(crate) config: BspmConfig,
    pub(crate) interactions: Arc<Interactions>,
    pub(crate) graph: NormalizedGraph<B>,
    pub(crate) ideal_low_pass: Option<FittedIdealLowPass<B>>,
    singular_values: Vec<f32>,
}

impl<B: Backend> Bspm<B> {
    /// Fits the model to `interactions: users x items`.
    ///
    /// Cost: without the ideal low-pass filter, one pass over the interactions;
    /// with it, a truncated SVD of `factor_dim` vectors, whose memory is about
    /// `3 * items * (1.15 * factor_dim)` floats at its peak and
    /// `items * factor_dim` afterwards. Where the matrix has a lower rank than
    /// `factor_dim`, the filter keeps that many vectors.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] when `factor_dim` exceeds the number of users or
    /// of items; [`Error::SvdNotConverged`]; those of the backend.
    pub fn fit(
        backend: B,
        interactions: impl Into<Arc<Interactions>>,
        config: BspmConfig,
    ) -> Result<Self> {
        Self::fit_observed(backend, interactions, config, UNOBSERVED)
    }

    /// [`fit`](Self::fit) under an [`Observer`], which is told of the singular vectors
    /// found.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`], and those of [`fit`](Self::fit).
    pub fn fit_observed(
        backend: B,
        interactions: impl Into<Arc<Interactions>>,
        config: BspmConfig,
        observer: Observer<'_>,
    ) -> Result<Self> {
        let interactions = interactions.into();
        let _span = tracing::info_span!(
            "fit",
            backend = backend.name(),
            users = interactions.users(),
            items = interactions.items(),
            interactions = interactions.len()
        )
        .entered();
        let graph = NormalizedGraph::new(&backend, &interactions)?;
        let mut singular_values = Vec::new();
        let mut ideal_low_pass = None;
        if let Some(settings) = config.ideal_low_pass() {
            let limit = interactions.users().min(interactions.items());
            if settings.factor_dim > limit {
                return Err(Error::InvalidParameter {
                    parameter: "factor_dim",
                    expected: format!(
                        "at most {limit} for {} users x {} items",
                        interactions.users(),
                        interactions.items()
                    ),
                    found: settings.factor_dim.to_string(),
                });
            }
            let options = SvdOptions::new(settings.factor_dim);
            let svd = truncated_svd_observed(&backend, &graph, &options, observer)?;
            singular_values = svd.singular_values;
            ideal_low_pass = Some(FittedIdealLowPass {
                basis: svd.right_vectors,
                settings,
            });
        }
        Ok(Self {
            backend,
            config,
            interactions,
            graph,
            ideal_low_pass,
            singular_values,
        })
    }

    /// Puts a fitted model together from what [`fit`](Self::fit) computes.
    pub(crate) fn from_parts(
        backend: B,
        interactions: Arc<Interactions>,
        config: BspmConfig,
        singular_values: Vec<f32>,
        basis: Option<B::Matrix>,
    ) -> Result<Self> {
        let graph = NormalizedGraph::new(&backend, &interactions)?;
        let ideal_low_pass = config
            .ideal_low_pass()
            .zip(basis)
            .map(|(settings, basis)| FittedIdealLowPass { basis, settings });
        Ok(Self {
            backend,
            config,
            interactions,
            graph,
            ideal_low_pass,
            singular_values,
        })
    }

    /// The configuration that was fitted.
    pub fn config(&self) -> &BspmConfig {
        &self.config
    }

    /// The interactions that were fitted, `users x items`.
    pub fn interactions(&self) -> &Arc<Interactions> {
        &self.interactions
    }

    /// The backend that it runs on.
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// The singular vectors of the ideal low-pass filter, `items x factors`.
    pub(crate) fn basis(&self) -> Option<&B::Matrix> {
        self.ideal_low_pass.as_ref().map(|filter| &filter.basis)
    }

    /// The singular values of `R` that the ideal low-pass filter keeps, descending;
    /// empty when it is off.
    pub fn singular_values(&self) -> &[f32] {
        &self.singular_values
    }
}

impl<B: Backend> std::fmt::Debug for Bspm<B> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Bspm")
            .field("backend", &self.backend.name())
            .field("config", &self.config)
            .field("users", &self.interactions.users())
            .field("items", &self.interactions.items())
            .field("factors", &self.singular_values.len())
            .finish()
    }
}
