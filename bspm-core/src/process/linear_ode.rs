//! Integrates `dr/dt = walk * rP + decay * r`, the form of blurring and sharpening.

use super::Tile;
use crate::backend::{Backend, Update};
use crate::config::Integration;
use crate::error::Result;
use crate::normalization::NormalizedGraph;

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
    /// stage of the solver, by Horner's scheme (see [`crate::solver`]); the first
    /// one from histories is a sparse one.
    pub(super) fn integrate<B: Backend>(
        &self,
        backend: &B,
        graph: &NormalizedGraph<B>,
        integration: Integration,
        start: Option<&B::Histories>,
        tile: &mut Tile<B>,
    ) -> Result<()> {
        let order = integration.solver.order();
        let step_size = integration.step_size();
        let first_keep = (1.0 + step_size / order as f64 * self.decay) as f32;

        if let Some(histories) = start
            && (order > 1 || first_keep != 0.0)
        {
            backend.add_histories(1.0, histories, 0.0, &mut tile.scores)?;
        }
        for step in 0..integration.steps {
            for stage in (1..=order).rev() {
                match start {
                    Some(histories) if step == 0 && stage == order => {
                        backend.spmm_histories(graph.graph(), histories, &mut tile.users)?;
                    }
                    _ if stage == order => {
                        graph.to_users(backend, &tile.scores, &mut tile.users)?;
                    }
                    _ => graph.to_users(backend, &tile.stage, &mut tile.users)?,
                }
                let factor = step_size / stage as f64;
                let product = (factor * self.walk) as f32;
                if order == 1 {
                    let update = Update {
                        product,
                        keep: first_keep,
                        addend: None,
                    };
                    graph.to_items(backend, &tile.users, update, &mut tile.scores)?;
                } else {
                    let (keep, start_factor) = if stage == order {
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
            }
            if order > 1 {
                std::mem::swap(&mut tile.scores, &mut tile.stage);
            }
            tile.record_point(backend)?;
        }
        Ok(())
    }
}
