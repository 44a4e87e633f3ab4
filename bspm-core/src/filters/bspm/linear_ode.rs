//! `dr/dt = walk * rP + decay * r`, the form of blurring and sharpening. Each eigenvector of `P` is
//! multiplied by its own factor.

use super::config::Integration;

/// A process.
#[derive(Clone, Copy, Debug)]
pub(super) struct LinearOde {
    pub(super) walk: f64,
    pub(super) decay: f64,
    pub(super) integration: Integration,
}

impl LinearOde {
    /// The factor of an eigenvector of this eigenvalue at the end of each step.
    pub(super) fn points(self, eigenvalue: f64) -> impl Iterator<Item = f64> {
        let Integration { solver, steps, .. } = self.integration;
        let rate = self.walk * eigenvalue + self.decay;
        let factor = solver.factor(self.integration.step_size(), rate);
        (1..=steps).map(move |step| factor.powi(step as i32))
    }

    /// The factor at the end of the process.
    pub(super) fn end(self, eigenvalue: f64) -> f64 {
        self.points(eigenvalue).last().unwrap_or(1.0)
    }

    pub(super) fn steps(self) -> usize {
        self.integration.steps
    }

    /// The degree of the process as a polynomial of `P`.
    pub(super) fn degree(self) -> usize {
        let Integration { solver, steps, .. } = self.integration;
        steps * solver.products(self.integration.step_size(), self.walk, self.decay)
    }
}
