//! Sharpening: the reversed heat flow `dr/dt = -rP` (paper, section 3.3).

use super::config::Integration;
use super::linear_ode::LinearOde;

/// Returns the frequency response of sharpening on the eigenvectors of `P`.
pub(super) fn sharpen(integration: Integration) -> LinearOde {
    LinearOde {
        walk: -1.0,
        decay: 0.0,
        integration,
    }
}
