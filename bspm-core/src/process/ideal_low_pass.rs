//! The ideal low-pass filter: `dr/dt = r F - r` with
//! `F = D_i^-1/2 V V^T D_i^1/2` (paper, section 3.2, and GF-CF).
//!
//! In walk coordinates `F` is the projection `V V^T`. A projection commutes with
//! its own powers, so a step multiplies the part inside the span by one and the
//! part outside by the solver's factor at minus the step size; `K` steps
//! give `F r + g (r - F r)` with `g` that factor to the power `K`. One Euler step
//! over unit time has `g = 0`: the projection itself.

use crate::backend::{Backend, Update};
use crate::config::IdealLowPass;
use crate::error::Result;
use crate::filter::{SavedTensors, Tensor};
use crate::fit_options::FitOptions;
use crate::normalization::NormalizedGraph;
use crate::truncated_svd::{SvdReport, truncated_svd};

/// The leading right singular vectors of `R`.
pub(crate) struct Basis<B: Backend> {
    /// `V: items x factors`.
    pub(crate) vectors: B::Matrix,
    /// Descending.
    pub(crate) singular_values: Vec<f32>,
    /// What computing them took; none where they were read from a file.
    pub(crate) report: Option<SvdReport>,
}

const VECTORS: &str = "ideal_low_pass.basis";
pub(crate) const SINGULAR_VALUES: &str = "ideal_low_pass.singular_values";

impl<B: Backend> Basis<B> {
    /// Computes `factor_dim` vectors, or as many as the rank of `R` where that is lower.
    pub(crate) fn fit(
        backend: &B,
        graph: &NormalizedGraph<B>,
        factor_dim: usize,
        options: &FitOptions,
    ) -> Result<Self> {
        let svd = truncated_svd(backend, graph, factor_dim, options)?;
        Ok(Self {
            vectors: svd.right_vectors,
            singular_values: svd.singular_values,
            report: Some(svd.report),
        })
    }

    pub(crate) fn open(backend: &B, items: usize, tensors: &dyn SavedTensors) -> Result<Self> {
        let singular_values = tensors.floats(SINGULAR_VALUES)?;
        let vectors = tensors.matrix(VECTORS)?;
        let shape = (items, singular_values.len());
        if shape.1 == 0 {
            return Ok(Self {
                vectors: backend.zeros(items, 0)?,
                singular_values,
                report: None,
            });
        }
        if vectors.shape() != shape {
            let expected = format!("{VECTORS}: shape {shape:?}");
            return Err(tensors.invalid(&expected, format!("{:?}", vectors.shape())));
        }
        Ok(Self {
            vectors: backend.upload_shared(vectors)?,
            singular_values,
            report: None,
        })
    }

    pub(crate) fn tensors(&self) -> Vec<(&'static str, Tensor<'_, B>)> {
        vec![
            (VECTORS, Tensor::Matrix(&self.vectors)),
            (
                SINGULAR_VALUES,
                Tensor::Floats(self.singular_values.as_slice().into()),
            ),
        ]
    }

    pub(crate) fn factors(&self) -> usize {
        self.singular_values.len()
    }
}

/// The filter, fitted.
pub(crate) struct FittedIdealLowPass<B: Backend> {
    pub(crate) basis: Basis<B>,
    pub(crate) settings: IdealLowPass,
}

impl<B: Backend> FittedIdealLowPass<B> {
    /// `scores += beta * (the filtered histories)`, by way of
    /// `coefficients: factors x columns`.
    pub(crate) fn add_to(
        &self,
        backend: &B,
        histories: &B::Histories,
        coefficients: &mut B::Matrix,
        scores: &mut B::Matrix,
    ) -> Result<()> {
        let beta = f64::from(self.settings.beta);
        let outside = self.settings.outside_factor();
        backend.project_histories(&self.basis.vectors, histories, coefficients)?;
        let inside = Update {
            product: (beta * (1.0 - outside)) as f32,
            keep: 1.0,
            addend: None,
        };
        backend.matmul(&self.basis.vectors, false, coefficients, inside, scores)?;
        if outside != 0.0 {
            backend.add_histories((beta * outside) as f32, histories, 1.0, scores)?;
        }
        Ok(())
    }
}
