//! Sharpening: the reversed heat flow `dr/dt = -rP` (paper, section 3.3).

use super::Tile;
use super::linear_ode::LinearOde;
use crate::backend::Backend;
use crate::config::Integration;
use crate::error::Result;
use crate::normalization::NormalizedGraph;

/// Sharpens the tile's scores in place.
pub(super) fn sharpen<B: Backend>(
    backend: &B,
    graph: &NormalizedGraph<B>,
    integration: Integration,
    tile: &mut Tile<B>,
) -> Result<()> {
    let reversed = LinearOde {
        walk: -1.0,
        decay: 0.0,
    };
    reversed.integrate(backend, graph, integration, None, tile)
}
