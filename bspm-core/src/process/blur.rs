//! Blurring: the heat equation `dr/dt = rP - r` (paper, section 3.2).

use super::Tile;
use super::linear_ode::LinearOde;
use crate::backend::Backend;
use crate::config::Integration;
use crate::error::Result;
use crate::normalization::NormalizedGraph;

/// Blurs the histories into the tile's scores.
///
/// With one Euler step over unit time the result is exactly `rP`.
pub(super) fn blur<B: Backend>(
    backend: &B,
    graph: &NormalizedGraph<B>,
    integration: Integration,
    histories: &B::Histories,
    tile: &mut Tile<B>,
) -> Result<()> {
    let heat = LinearOde {
        walk: 1.0,
        decay: -1.0,
    };
    heat.integrate(backend, graph, integration, Some(histories), tile)
}
