//! The ideal low-pass filter: `dr/dt = r F - r` with
//! `F = D_i^-1/2 V V^T D_i^1/2` (paper, section 3.2, and GF-CF).
//!
//! In walk coordinates `F` is the projection `V V^T`. A projection commutes with
//! its own powers, so a step multiplies the part inside the span by one and the
//! part outside by the solver's stability factor at minus the step size; `K` steps
//! give `F r + g (r - F r)` with `g` that factor to the power `K`. One Euler step
//! over unit time has `g = 0`: the projection itself.

use crate::backend::{Backend, Update};
use crate::config::IdealLowPass;
use crate::error::Result;

/// The filter, fitted.
pub(crate) struct FittedIdealLowPass<B: Backend> {
    /// `V: items x factors`.
    pub(crate) basis: B::Matrix,
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
        let outside = self.outside_factor();
        backend.project_histories(&self.basis, histories, coefficients)?;
        let inside = Update {
            product: (beta * (1.0 - outside)) as f32,
            keep: 1.0,
            addend: None,
        };
        backend.matmul(&self.basis, false, coefficients, inside, scores)?;
        if outside != 0.0 {
            backend.add_histories((beta * outside) as f32, histories, 1.0, scores)?;
        }
        Ok(())
    }

    /// `g`: what is left of the part outside the span at the end of the process.
    fn outside_factor(&self) -> f64 {
        let integration = self.settings.integration;
        integration
            .solver
            .stability(-integration.step_size())
            .powi(integration.steps as i32)
    }
}
