//! Explicit solvers of the processes' ordinary differential equations.
//!
//! Every process of the paper is linear and autonomous, `dr/dt = r L`, so one
//! step of size `h` of an explicit Runge-Kutta method of order `p` with `p`
//! stages is `r -> r (I + hL + (hL)^2/2! + ... + (hL)^p/p!)`, whatever its
//! tableau. Horner's scheme evaluates that with one product per stage:
//! `y <- r + (h/j) y L` for `j = p, ..., 1`, from `y = r`.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The method that integrates a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Solver {
    /// Explicit Euler: order 1, one product per step.
    Euler,
    /// The classical Runge-Kutta method: order 4, four products per step.
    Rk4,
}

impl Solver {
    /// The order of the method, which is also its number of stages.
    pub fn order(self) -> usize {
        match self {
            Self::Euler => 1,
            Self::Rk4 => 4,
        }
    }

    /// The factor `I + z + z^2/2! + ...` by which one step multiplies an
    /// eigenvector whose eigenvalue times the step size is `z`.
    ///
    /// ```
    /// use bspm_core::Solver;
    /// assert_eq!(Solver::Euler.stability(-1.0), 0.0);
    /// assert_eq!(Solver::Rk4.stability(-1.0), 0.375);
    /// ```
    pub fn stability(self, z: f64) -> f64 {
        (1..=self.order())
            .rev()
            .fold(1.0, |value, stage| 1.0 + z / stage as f64 * value)
    }

    /// The name that [`FromStr`](std::str::FromStr) reads.
    pub fn name(self) -> &'static str {
        match self {
            Self::Euler => "euler",
            Self::Rk4 => "rk4",
        }
    }
}

impl std::fmt::Display for Solver {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

impl std::str::FromStr for Solver {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        [Self::Euler, Self::Rk4]
            .into_iter()
            .find(|solver| solver.name() == text)
            .ok_or_else(|| Error::InvalidParameter {
                parameter: "solver",
                expected: "euler or rk4".into(),
                found: format!("{text:?}"),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rk4_follows_the_exponential_to_its_order() {
        for z in [-0.1_f64, -0.01] {
            let error = (Solver::Rk4.stability(z) - z.exp()).abs();
            assert!(error < z.abs().powi(5) / 100.0, "{error} at {z}");
        }
    }

    #[test]
    fn names_are_read_back() {
        for solver in [Solver::Euler, Solver::Rk4] {
            assert_eq!(solver.name().parse::<Solver>().unwrap(), solver);
        }
        assert_eq!(
            "heun".parse::<Solver>().unwrap_err().to_string(),
            "solver: expected euler or rk4, found \"heun\""
        );
    }
}
