//! The ideal low-pass filter: `dr/dt = r F - r` with
//! `F = D_i^-1/2 V V^T D_i^1/2` (paper, section 3.2, and GF-CF).
//!
//! In walk coordinates `F` is the projection `V V^T`. A projection commutes with
//! its own powers, so a step multiplies the part inside the span by one and the
//! part outside by the solver's factor at minus the step size; `K` steps
//! give `F r + g (r - F r)` with `g` that factor to the power `K`. One Euler step
//! over unit time has `g = 0`: the projection itself.

use super::config::{IdealLowPass, Integration};

impl IdealLowPass {
    /// Returns `g`: the factor of the part outside the span of the vectors, at the end of the process.
    pub(crate) fn outside_factor(&self) -> f64 {
        let Integration { solver, steps, .. } = self.integration;
        solver
            .factor(self.integration.step_size(), -1.0)
            .powi(steps as i32)
    }
}
