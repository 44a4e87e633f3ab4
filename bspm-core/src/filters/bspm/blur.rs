//! Blurring: the heat equation `dr/dt = rP - r` (paper, section 3.2).

use super::config::Integration;
use super::linear_ode::LinearOde;

/// Returns the frequency response of blurring on the eigenvectors of `P`.
///
/// With one Euler step over unit time, the factor is the eigenvalue `p` itself: exactly `rP`.
pub(super) fn blur(integration: Integration) -> LinearOde {
    LinearOde {
        walk: 1.0,
        decay: -1.0,
        integration,
    }
}
