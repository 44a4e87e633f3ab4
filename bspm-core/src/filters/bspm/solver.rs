//! Solvers of the processes' ordinary differential equations.
//!
//! Every process of the paper is linear and autonomous, `dr/dt = r L`. Therefore a step of size `h` of
//! any explicit Runge-Kutta method is a polynomial of `hL`, which up to the order of the method is that
//! of the exponential, `I + hL + (hL)^2/2! + ...`. Horner's scheme evaluates it: `y <- r + f_j h y L`
//! for the factors `f_j` of its coefficients, starting with the last one and `y = r`. A solver is thus
//! defined by its factor for each eigenvector. The processes only compute coefficients, and the engine
//! computes the products.
//!
//! In all processes, the spectrum of `hL` is in `[-h, 0]`, where the factor of a step is known in
//! advance. Therefore the adaptive pair chooses its steps, and the exact solver its degree, once for all
//! users, and the result of a user does not depend on the other users.

use serde::{Deserialize, Serialize};

use crate::engine::chebyshev::interpolate_spectrum;
use bspm_data::Result;
use bspm_data::parameter::{check_range, invalid};

/// The method that integrates a process.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Solver {
    /// Explicit Euler: order 1, one product per step.
    Euler,
    /// The classical Runge-Kutta method: order 4, four products per step.
    Rk4,
    /// The embedded pair of Dormand and Prince (1980): order 5, six products per step. Each
    /// step of the process is divided into equal substeps, so that the difference from the embedded
    /// method of order 4 is within the tolerance.
    DormandPrince {
        /// The largest difference, relative to the norm of the point, for any point.
        tolerance: f64,
    },
    /// The matrix exponential, by a Chebyshev expansion: about `h + log(1 / tolerance)`
    /// products per step.
    Exact {
        /// The largest error of a step, relative to the norm of the point, for any point, without
        /// rounding to `f32`.
        tolerance: f64,
    },
}

impl Solver {
    /// The default tolerance of the solvers that have one.
    pub const DEFAULT_TOLERANCE: f64 = 1e-6;

    /// The smallest and the largest tolerance.
    pub const TOLERANCES: (f64, f64) = (1e-12, 0.1);

    /// The factors `f_j` of Horner's scheme; empty for a solver that does not use it.
    pub(crate) fn stage_factors(self) -> &'static [f64] {
        match self {
            Self::Euler => &[1.0],
            Self::Rk4 => &[1.0, 1.0 / 2.0, 1.0 / 3.0, 1.0 / 4.0],
            Self::DormandPrince { .. } => &dormand_prince::STAGE_FACTORS,
            Self::Exact { .. } => &[],
        }
    }

    /// The number of substeps of a step of this size.
    pub(crate) fn substeps(self, step_size: f64) -> usize {
        match self {
            Self::DormandPrince { tolerance } => dormand_prince::substeps(step_size, tolerance),
            _ => 1,
        }
    }

    /// The number of products with `P` of a step of this size, in the process
    /// `dr/dt = walk * rP + decay * r`.
    pub(crate) fn products(self, step_size: f64, walk: f64, decay: f64) -> usize {
        match self {
            // Interpolating at as many nodes as the series has terms doubles its error.
            Self::Exact { tolerance } => {
                exponential_series(step_size, walk, decay, tolerance / 2.0).len() - 1
            }
            _ => self.stage_factors().len() * self.substeps(step_size),
        }
    }

    /// The factor by which one step of this size multiplies an eigenvector of this
    /// eigenvalue, from -1 to 0.
    ///
    /// ```
    /// use bspm_core::Solver;
    /// assert_eq!(Solver::Euler.factor(1.0, -1.0), 0.0);
    /// assert_eq!(Solver::Rk4.factor(2.0, -0.5), 0.375);
    /// assert_eq!(Solver::Exact { tolerance: 1e-6 }.factor(1.0, -1.0), (-1.0_f64).exp());
    /// ```
    pub fn factor(self, step_size: f64, eigenvalue: f64) -> f64 {
        if let Self::Exact { .. } = self {
            return (step_size * eigenvalue).exp();
        }
        let substeps = self.substeps(step_size);
        let z = step_size / substeps as f64 * eigenvalue;
        let factors = self.stage_factors().iter().rev();
        let once = factors.fold(1.0, |value, factor| 1.0 + z * factor * value);
        once.powi(substeps as i32)
    }

    /// The name, which [`FromStr`](std::str::FromStr) parses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Euler => "euler",
            Self::Rk4 => "rk4",
            Self::DormandPrince { .. } => "dormand-prince",
            Self::Exact { .. } => "exact",
        }
    }

    /// The tolerance, if the solver has one.
    pub fn tolerance(self) -> Option<f64> {
        match self {
            Self::DormandPrince { tolerance } | Self::Exact { tolerance } => Some(tolerance),
            Self::Euler | Self::Rk4 => None,
        }
    }

    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) for a tolerance outside
    /// [`TOLERANCES`](Self::TOLERANCES).
    pub(crate) fn check(self) -> Result<()> {
        match self.tolerance() {
            Some(tolerance) => {
                let (least, most) = Self::TOLERANCES;
                check_range("tolerance", tolerance, least..=most)
            }
            None => Ok(()),
        }
    }
}

/// Returns the Chebyshev coefficients of `exp(step_size * (walk * p + decay))` over the spectrum `p` of
/// `P`, in the variable `1 - 2p`, truncated to the tolerance.
///
/// A Chebyshev polynomial is at most 1, so for every eigenvalue the truncation error is at most the sum of
/// the dropped coefficients.
pub(crate) fn exponential_series(
    step_size: f64,
    walk: f64,
    decay: f64,
    tolerance: f64,
) -> Vec<f64> {
    // The coefficients decrease faster than (size / 2)^k / k! and are below the rounding error here.
    let nodes = 40 + (2.0 * step_size * walk.abs()).ceil() as usize;
    interpolate_spectrum(nodes, tolerance, |eigenvalue| {
        (step_size * (walk * eigenvalue + decay)).exp()
    })
}

mod dormand_prince {
    //! RK5(4)7M: J. R. Dormand and P. J. Prince, "A family of embedded Runge-Kutta formulae",
    //! Journal of Computational and Applied Mathematics 6 (1980).

    /// Its polynomial is that of the exponential to the fifth power, and then `z^6 / 600`.
    pub(super) const STAGE_FACTORS: [f64; 6] =
        [1.0, 1.0 / 2.0, 1.0 / 3.0, 1.0 / 4.0, 1.0 / 5.0, 1.0 / 5.0];

    const TABLEAU: [&[f64]; 7] = [
        &[],
        &[1.0 / 5.0],
        &[3.0 / 40.0, 9.0 / 40.0],
        &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
        &[
            19372.0 / 6561.0,
            -25360.0 / 2187.0,
            64448.0 / 6561.0,
            -212.0 / 729.0,
        ],
        &[
            9017.0 / 3168.0,
            -355.0 / 33.0,
            46732.0 / 5247.0,
            49.0 / 176.0,
            -5103.0 / 18656.0,
        ],
        &[
            35.0 / 384.0,
            0.0,
            500.0 / 1113.0,
            125.0 / 192.0,
            -2187.0 / 6784.0,
            11.0 / 84.0,
        ],
    ];

    /// The weights of order 5 less those of order 4.
    const DIFFERENCE: [f64; 7] = [
        71.0 / 57600.0,
        0.0,
        -71.0 / 16695.0,
        71.0 / 1920.0,
        -17253.0 / 339200.0,
        22.0 / 525.0,
        -1.0 / 40.0,
    ];

    /// The stages, times the step size, of `dy/dt = z y` from 1.
    fn stages(z: f64) -> [f64; 7] {
        let mut stages = [0.0; 7];
        for (stage, row) in TABLEAU.iter().enumerate() {
            let sum: f64 = row.iter().zip(&stages).map(|(a, k)| a * k).sum();
            stages[stage] = z * (1.0 + sum);
        }
        stages
    }

    /// The difference of the two methods after a step.
    pub(super) fn difference(z: f64) -> f64 {
        DIFFERENCE.iter().zip(stages(z)).map(|(e, k)| e * k).sum()
    }

    /// Returns the smallest number of equal steps whose difference is within the tolerance on the
    /// spectrum.
    pub(super) fn substeps(step_size: f64, tolerance: f64) -> usize {
        const SAMPLES: usize = 64;
        const MOST: usize = 1_000_000;
        (1..MOST)
            .find(|&steps| {
                let size = step_size / steps as f64;
                (1..=SAMPLES).all(|sample| {
                    difference(-size * sample as f64 / SAMPLES as f64).abs() <= tolerance
                })
            })
            .unwrap_or(MOST)
    }

    /// Weights of order 5, which are the last row of the tableau.
    #[cfg(test)]
    pub(super) fn step(z: f64) -> f64 {
        1.0 + TABLEAU[6]
            .iter()
            .zip(stages(z))
            .map(|(b, k)| b * k)
            .sum::<f64>()
    }
}

impl std::fmt::Display for Solver {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())?;
        match self.tolerance() {
            Some(tolerance) => write!(formatter, ":{tolerance:e}"),
            None => Ok(()),
        }
    }
}

/// `euler`, `rk4`, `dormand-prince`, `exact`; the last two may be followed by a colon and a
/// tolerance, as in `exact:1e-4`.
impl std::str::FromStr for Solver {
    type Err = bspm_data::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, tolerance) = match text.split_once(':') {
            Some((name, tolerance)) => (name, tolerance.parse().ok()),
            None => (text, Some(Self::DEFAULT_TOLERANCE)),
        };
        let solver = match (name, tolerance) {
            ("euler", _) if name == text => Self::Euler,
            ("rk4", _) if name == text => Self::Rk4,
            ("dormand-prince", Some(tolerance)) => Self::DormandPrince { tolerance },
            ("exact", Some(tolerance)) => Self::Exact { tolerance },
            _ => {
                return Err(invalid(
                    "solver",
                    "euler, rk4, dormand-prince or exact, the last two with a \
                               tolerance as in exact:1e-6 if any",
                    format!("{text:?}"),
                ));
            }
        };
        solver.check().map(|()| solver)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    /// The exponential of a matrix by its power series, of a small part of it, squared back.
    fn exponential(matrix: &Array2<f64>) -> Array2<f64> {
        const SQUARINGS: i32 = 12;
        let small = matrix / 2.0_f64.powi(SQUARINGS);
        let mut term = Array2::eye(matrix.nrows());
        let mut sum = term.clone();
        for power in 1..20 {
            term = term.dot(&small) / f64::from(power);
            sum += &term;
        }
        (0..SQUARINGS).fold(sum, |root, _| root.dot(&root))
    }

    /// `P` of a random matrix, in `f64`.
    fn propagation(users: usize, items: usize) -> Array2<f64> {
        let history = Array2::from_shape_fn((users, items), |(user, item)| {
            let mixed = (user * items + item).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60;
            f64::from(u8::from(mixed < 4 || item == user % items))
        });
        let user_roots = history.sum_axis(ndarray::Axis(1)).mapv(f64::sqrt);
        let item_roots = history
            .sum_axis(ndarray::Axis(0))
            .mapv(|it| it.max(1.0).sqrt());
        let normalised = history / user_roots.insert_axis(ndarray::Axis(1)) / item_roots;
        normalised.t().dot(&normalised)
    }

    #[test]
    fn the_series_meets_its_bound_against_the_matrix_exponential() {
        let propagation = propagation(40, 24);
        let identity = Array2::<f64>::eye(24);
        for (walk, decay) in [(-1.0, 0.0), (1.0, -1.0)] {
            for time in [0.3, 1.2, 2.5, 10.0] {
                let exact = exponential(&((&propagation * walk + &identity * decay) * time));
                for tolerance in [1e-2, 1e-4, 1e-6, 1e-9, 1e-12] {
                    let series = exponential_series(time, walk, decay, tolerance);
                    let laplacian = &identity - &propagation * 2.0;
                    let (mut last, mut point) = (laplacian.clone(), identity.clone());
                    let mut sum = Array2::<f64>::zeros((24, 24));
                    for coefficient in &series {
                        sum += &(&point * *coefficient);
                        // T_(k+1) = 2 L T_k - T_(k-1), with T_(-1) = T_1 = L.
                        let next = laplacian.dot(&point) * 2.0 - &last;
                        last = std::mem::replace(&mut point, next);
                    }
                    let difference = sum - &exact;
                    // The norm of a symmetric matrix, by power iteration.
                    let mut vector = ndarray::Array1::from_elem(24, 1.0);
                    let mut norm = 0.0;
                    for _ in 0..200 {
                        vector = difference.dot(&vector);
                        norm = vector.dot(&vector).sqrt();
                        if norm == 0.0 {
                            break;
                        }
                        vector /= norm;
                    }
                    let rounding = 1e-13;
                    assert!(
                        norm <= tolerance + rounding,
                        "T {time}, tolerance {tolerance:e}: off by {norm:e}"
                    );
                    assert!(series.len() < 40, "{} coefficients", series.len());
                }
            }
        }
    }

    #[test]
    fn runge_kutta_methods_follow_the_exponential_to_their_order() {
        let dormand_prince = Solver::DormandPrince { tolerance: 0.1 };
        for (solver, order) in [(Solver::Euler, 1), (Solver::Rk4, 4), (dormand_prince, 5)] {
            for z in [-0.1_f64, -0.01] {
                let error = (solver.factor(-z, -1.0) - z.exp()).abs();
                assert!(error < z.abs().powi(order + 1), "{solver} {error} at {z}");
            }
        }
    }

    #[test]
    fn the_polynomial_of_dormand_and_prince_is_that_of_their_tableau() {
        for z in [-3.0, -1.0, -0.3] {
            let polynomial = Solver::DormandPrince { tolerance: 0.1 }
                .stage_factors()
                .iter()
                .rev()
                .fold(1.0, |value, factor| 1.0 + z * factor * value);
            assert!((polynomial - dormand_prince::step(z)).abs() < 1e-12, "{z}");
            // The methods agree to the fourth order.
            let (large, small) = (
                dormand_prince::difference(z / 10.0),
                dormand_prince::difference(z / 20.0),
            );
            assert!((large / small - 32.0).abs() < 4.0, "{}", large / small);
        }
    }

    #[test]
    fn smaller_tolerances_and_longer_steps_take_more_steps() {
        let steps = |size, tolerance| Solver::DormandPrince { tolerance }.substeps(size);
        assert_eq!(steps(0.1, 0.01), 1);
        assert!(steps(2.5, 1e-6) > steps(2.5, 1e-3));
        assert!(steps(10.0, 1e-6) > steps(2.5, 1e-6));
        let error =
            (Solver::DormandPrince { tolerance: 1e-8 }.factor(2.5, -1.0) - (-2.5_f64).exp()).abs();
        assert!(error < 1e-6, "{error:e}");
    }

    #[test]
    fn names_are_read_back() {
        for solver in [
            Solver::Euler,
            Solver::Rk4,
            Solver::DormandPrince { tolerance: 1e-4 },
            Solver::Exact { tolerance: 2.5e-7 },
        ] {
            assert_eq!(solver.to_string().parse::<Solver>().unwrap(), solver);
            let json = serde_json::to_string(&solver).unwrap();
            assert_eq!(serde_json::from_str::<Solver>(&json).unwrap(), solver);
        }
        let by_name = "exact".parse::<Solver>().unwrap();
        assert_eq!(by_name.tolerance(), Some(Solver::DEFAULT_TOLERANCE));
        for text in ["heun", "rk4:1e-3", "exact:", "exact:x"] {
            let error = text.parse::<Solver>().unwrap_err().to_string();
            assert!(
                error.starts_with("solver: expected euler, rk4, dorm"),
                "{error}"
            );
            assert!(error.ends_with(&format!("found {text:?}")), "{error}");
        }
        assert_eq!(
            "exact:2".parse::<Solver>().unwrap_err().to_string(),
            "tolerance: expected a number from 1e-12 to 0.1, found 2"
        );
    }
}
