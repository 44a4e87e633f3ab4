//! Integrates `dr/dt = walk * rP + decay * r`, the form of blurring and sharpening.

use super::Tile;
use super::chebyshev::evaluate_series;
use crate::backend::{Backend, Update};
use crate::config::Integration;
use crate::error::Result;
use crate::normalization::NormalizedGraph;
use crate::solver::{Solver, exponential_series};

/// The right-hand side `walk * rP + decay * r`.
pub(super) struct LinearOde {
    pub(super) walk: f64,
    pub(super) decay: f64,
}

impl LinearOde {
    /// Integrates from `start`, or from the tile's scores where there is none, and
    /// leaves the last point in the tile's scores.
    ///
    /// The point at the end of every step is recorded. One product with `P` per
    /// stage of the solver, by Horner's scheme (see [`crate::solver`]), the first
    /// one from histories a sparse one; or one per coefficient of the exact solver's
    /// Chebyshev series.
    pub(super) fn integrate<B: Backend>(
        &self,
        backend: &B,
        graph: &NormalizedGraph<B>,
        integration: Integration,
        start: Option<&B::Histories>,
        tile: &mut Tile<B>,
    ) -> Result<()> {
        let step_size = integration.step_size();
        let mut start = start;
        if let Solver::Exact { tolerance } = integration.solver {
            let series = exponential_series(step_size, self.walk, self.decay, tolerance);
            for _ in 0..integration.steps {
                evaluate_series(backend, graph, &series, start.take(), tile)?;
                tile.record_point(backend)?;
            }
            return Ok(());
        }
        let substeps = integration.solver.substeps(step_size);
        let factors = integration.solver.stage_factors();
        for _ in 0..integration.steps {
            for _ in 0..substeps {
                let size = step_size / substeps as f64;
                self.step(backend, graph, factors, size, start.take(), tile)?;
            }
            tile.record_point(backend)?;
        }
        Ok(())
    }

    /// One step of an explicit Runge-Kutta method.
    fn step<B: Backend>(
        &self,
        backend: &B,
        graph: &NormalizedGraph<B>,
        factors: &[f64],
        step_size: f64,
        start: Option<&B::Histories>,
        tile: &mut Tile<B>,
    ) -> Result<()> {
        let order = factors.len();
        let last_factor = factors.last().copied().unwrap_or(0.0);
        let first_keep = (1.0 + step_size * last_factor * self.decay) as f32;
        if let Some(histories) = start
            && (order > 1 || first_keep != 0.0)
        {
            backend.add_histories(1.0, histories, 0.0, &mut tile.scores)?;
        }
        for (stage, factor) in factors.iter().enumerate().rev() {
            let is_first = stage + 1 == order;
            match start {
                Some(histories) if is_first => {
                    backend.spmm_histories(graph.graph(), histories, &mut tile.users)?;
                }
                _ if is_first => graph.to_users(backend, &tile.scores, &mut tile.users)?,
                _ => graph.to_users(backend, &tile.stage, &mut tile.users)?,
            }
            let factor = step_size * factor;
            let product = (factor * self.walk) as f32;
            if order == 1 {
                let update = Update {
                    product,
                    keep: first_keep,
                    addend: None,
                };
                return graph.to_items(backend, &tile.users, update, &mut tile.scores);
            }
            let (keep, start_factor) = if is_first {
                (0.0, first_keep)
            } else {
                ((factor * self.decay) as f32, 1.0)
            };
            let update = Update {
                product,
                keep,
                addend: Some((start_factor, &tile.scores)),
            };
            graph.to_items(backend, &tile.users, update, &mut tile.stage)?;
        }
        std::mem::swap(&mut tile.scores, &mut tile.stage);
        Ok(())
    }
}
