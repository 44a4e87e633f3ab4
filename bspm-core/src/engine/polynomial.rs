//! Polynomials of the walk, applied to histories or to a dense matrix.

use super::chebyshev::{series_at, series_to_powers};
use super::walk::NormalizedGraph;
use crate::backend::{Backend, Checked, Operand, Update};
use bspm_data::Result;

/// `p(W) z` for the walk `W`, which is `P` if the normalisation is symmetric.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Polynomial {
    form: Form,
    coefficients: Vec<f64>,
}

/// The basis of the coefficients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `1, W, W^2, ...`, evaluated by Horner's scheme in the matrix of the scores.
    Powers,
    /// `1, L, L^2, ...` for `L = I - 2W`, evaluated in the same way. The spectrum of `W` is in `[0, 1]`, and
    /// that of `L` is centred at 0.
    CentredPowers,
    /// `T_k(L)`, by Clenshaw's recurrence, which is stable for every degree, with one more matrix.
    Series,
}

impl Form {
    /// Returns the first form in which all of these Chebyshev series are well-conditioned.
    pub(crate) fn common<'a>(series: impl Iterator<Item = &'a [f64]> + Clone) -> Self {
        [Self::Powers, Self::CentredPowers]
            .into_iter()
            .find(|form| series.clone().all(|it| form.well_conditioned(it).is_some()))
            .unwrap_or(Self::Series)
    }

    /// Converts a Chebyshev series to coefficients in this form, without trailing rounding errors.
    pub(crate) fn of_series(self, series: &[f64]) -> Vec<f64> {
        self.well_conditioned(series)
            .unwrap_or_else(|| without_rounding(series.to_vec()))
    }

    /// Returns the coefficients of powers in this form, if they are well-conditioned.
    fn well_conditioned(self, series: &[f64]) -> Option<Vec<f64>> {
        // `1 - 2p` in the variable of the powers.
        let (most, line) = match self {
            Self::Powers => (MOST_POWERS, [1.0, -2.0]),
            Self::CentredPowers => (MOST_CENTRED_POWERS, [0.0, 1.0]),
            Self::Series => return None,
        };
        let series = &without_rounding(series.to_vec());
        if series.len() > most + 1 {
            return None;
        }
        let powers = series_to_powers(series, line);
        let sum: f64 = powers.iter().map(|it| it.abs()).sum();
        let largest = (0..=64)
            .map(|place| series_at(series, f64::from(place) / 64.0).abs())
            .fold(0.0, f64::max);
        if sum > CONDITION * largest {
            return None;
        }
        Some(without_rounding(powers))
    }

    /// Computes the basis vectors after `points[0] = z` (or the given histories): `W z`, `W^2 z` and so on, or
    /// `L z`, `L^2 z`, or `T_1(L) z`, `T_2(L) z`.
    /// `half_way: users x columns` is scratch.
    pub(crate) fn fill_points<B: Backend>(
        self,
        backend: Checked<'_, B>,
        graph: &NormalizedGraph<B>,
        histories: Option<&B::Histories>,
        points: &mut [B::Matrix],
        half_way: &mut B::Matrix,
    ) -> Result<()> {
        for degree in 1..points.len() {
            let (before, after) = points.split_at_mut(degree);
            let (last, next) = (&before[degree - 1], &mut after[0]);
            let from = match histories {
                Some(histories) if degree == 1 => Operand::Histories(histories),
                _ => Operand::Dense(last),
            };
            let update = match (self, degree) {
                (Self::Powers, _) => Update::REPLACE,
                (Self::CentredPowers, _) | (Self::Series, 1) => Update {
                    product: -2.0,
                    keep: 0.0,
                    addend: Some((1.0, last)),
                },
                (Self::Series, _) => {
                    let second_last = Operand::Dense(&before[degree - 2]);
                    backend.add_scaled(1.0, second_last, 0.0, next)?;
                    Update {
                        product: -4.0,
                        keep: -1.0,
                        addend: Some((2.0, last)),
                    }
                }
            };
            graph.step(backend, Some(from), update, half_way, next)?;
        }
        Ok(())
    }
}

/// The maximum degree of powers. The coefficients of `T_n(1 - 2p)` in powers are up to `(3 + sqrt(8))^n`,
/// which amplifies the rounding errors of `f64`, to at most those of `f32`.
const MOST_POWERS: usize = 10;

/// The maximum degree of centred powers. The coefficients of `T_n(x)` are up to `(1 + sqrt(2))^n`.
const MOST_CENTRED_POWERS: usize = 20;

/// The maximum ratio of the sum of the coefficients to the largest value on the spectrum, by which rounding
/// errors of `f32` are amplified.
const CONDITION: f64 = 64.0;

impl Polynomial {
    /// Creates a polynomial from coefficients of `1, W, W^2, ...`
    pub(crate) fn of_powers(coefficients: Vec<f64>) -> Self {
        Self {
            form: Form::Powers,
            coefficients,
        }
    }

    /// Creates a polynomial from Chebyshev coefficients in `1 - 2p`. It is evaluated in powers if they are
    /// well-conditioned.
    pub(crate) fn of_series(series: Vec<f64>) -> Self {
        let form = Form::common(std::iter::once(series.as_slice()));
        Self {
            coefficients: form.of_series(&series),
            form,
        }
    }

    /// Returns the constant, if the degree is 0.
    pub(crate) fn constant(&self) -> Option<f64> {
        match self.coefficients.as_slice() {
            [] => Some(0.0),
            [only] => Some(*only),
            _ => None,
        }
    }

    /// Whether [`evaluate`](Self::evaluate) needs a stage.
    pub(crate) fn needs_stage(&self) -> bool {
        self.form == Form::Series
    }

    /// `out = p(W) from`. `stage: items x columns`, if it is needed, and
    /// `half_way: users x columns` are scratch.
    pub(crate) fn evaluate<B: Backend>(
        &self,
        run: Run<'_, B>,
        half_way: &mut B::Matrix,
        stage: &mut B::Matrix,
        out: &mut B::Matrix,
    ) -> Result<()> {
        let Some((&last, rest)) = self.coefficients.split_last() else {
            return run.start(0.0, out);
        };
        match self.form {
            _ if rest.is_empty() => run.start(last, out),
            Form::Powers => run.horner([0.0, 1.0], last, rest, half_way, out),
            Form::CentredPowers => run.horner([1.0, -2.0], last, rest, half_way, out),
            Form::Series => run.clenshaw(last, rest, half_way, stage, out),
        }
    }
}

/// The operands of an evaluation of a polynomial.
pub(crate) struct Run<'a, B: Backend> {
    pub(crate) backend: Checked<'a, B>,
    pub(crate) graph: &'a NormalizedGraph<B>,
    /// `z: items x columns`.
    pub(crate) from: Operand<'a, B>,
}

impl<B: Backend> Run<'_, B> {
    /// `out = factor * z`.
    fn start(&self, factor: f64, out: &mut B::Matrix) -> Result<()> {
        self.backend.add_scaled(factor as f32, self.from, 0.0, out)
    }

    /// `out += factor * z`.
    fn add(&self, factor: f64, out: &mut B::Matrix) -> Result<()> {
        if factor == 0.0 {
            return Ok(());
        }
        self.backend.add_scaled(factor as f32, self.from, 1.0, out)
    }

    /// Computes `b_0` for `V = line[0] + line[1] W`, with `b_k = h_k z + V b_(k+1)`, starting with the last
    /// coefficient.
    fn horner(
        &self,
        line: [f64; 2],
        last: f64,
        rest: &[f64],
        half_way: &mut B::Matrix,
        out: &mut B::Matrix,
    ) -> Result<()> {
        let [keep, product] = line;
        let mut first = Some(last);
        for &coefficient in rest.iter().rev() {
            // The last point is a multiple of `z`, and so is its product.
            let (from, update, kept) = match first.take() {
                Some(last) => {
                    let update = Update::times((product * last) as f32);
                    (Some(self.from), update, keep * last)
                }
                None => {
                    let update = Update {
                        keep: keep as f32,
                        ..Update::times(product as f32)
                    };
                    (None, update, 0.0)
                }
            };
            self.graph.step(self.backend, from, update, half_way, out)?;
            self.add(coefficient + kept, out)?;
        }
        Ok(())
    }

    /// Computes `h_0 z + L b_1 - b_2`, with `b_k = h_k z + 2 L b_(k+1) - b_(k+2)`, starting with the last
    /// coefficient.
    fn clenshaw(
        &self,
        last: f64,
        rest: &[f64],
        half_way: &mut B::Matrix,
        stage: &mut B::Matrix,
        out: &mut B::Matrix,
    ) -> Result<()> {
        self.start(last, out)?;
        let (mut next, mut after) = (&mut *out, &mut *stage);
        for (place, &coefficient) in rest.iter().enumerate().rev() {
            let products = if place == 0 { 1.0 } else { 2.0 };
            let mut coefficient = coefficient;
            let mut update = Update {
                product: -2.0 * products as f32,
                keep: -1.0,
                addend: Some((products as f32, &*next)),
            };
            let mut from = Operand::Dense(&*next);
            // The last point is a multiple of `z`, and so is its product.
            if place + 1 == rest.len() {
                update = Update::times((-2.0 * products * last) as f32);
                from = self.from;
                coefficient += products * last;
            }
            self.graph
                .step(self.backend, Some(from), update, half_way, after)?;
            self.add(coefficient, after)?;
            std::mem::swap(&mut next, &mut after);
        }
        if rest.len() % 2 == 1 {
            std::mem::swap(out, stage);
        }
        Ok(())
    }
}

/// Sets coefficients that are rounding errors of interpolation or of a change of basis to zero, and removes
/// trailing zeros.
fn without_rounding(mut coefficients: Vec<f64>) -> Vec<f64> {
    const ROUNDING: f64 = 1e-12;
    let sum: f64 = coefficients.iter().map(|it| it.abs()).sum();
    for coefficient in &mut coefficients {
        if coefficient.abs() < ROUNDING * sum {
            *coefficient = 0.0;
        }
    }
    let last = coefficients.iter().rposition(|&it| it != 0.0);
    coefficients.truncate(last.unwrap_or(0) + 1);
    coefficients
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_used_where_they_are_well_conditioned() {
        // The blur of one Euler step: p = 1/2 - 1/2 T_1(1 - 2p).
        let blur = Polynomial::of_series(vec![0.5, -0.5]);
        assert_eq!(blur, Polynomial::of_powers(vec![0.0, 1.0]));
        // x^8 has coefficients of up to 70 * 256 in p, and one in x.
        let mut centred = [70.0, 0.0, 112.0, 0.0, 56.0, 0.0, 16.0, 0.0, 2.0].map(|it| it / 256.0);
        let power = Polynomial::of_series(centred.to_vec());
        assert_eq!(power.form, Form::CentredPowers);
        assert_eq!(power.coefficients, [vec![0.0; 8], vec![1.0]].concat());
        // A step at one half.
        centred = [0.5, -0.6, 0.0, 0.1, 0.0, -0.03, 0.0, 0.01, 0.0];
        assert_eq!(
            Polynomial::of_series(centred.to_vec()).form,
            Form::CentredPowers
        );
        let mut highest = vec![0.0; 9];
        highest[8] = 1.0;
        for series in [highest, vec![1.0; 30]] {
            assert!(Polynomial::of_series(series).needs_stage());
        }
    }

    #[test]
    fn what_rounding_leaves_of_zeros_takes_no_products() {
        let ends_in_rounding = [0.5, -0.5, 1e-17, 3e-16, -8e-16];
        let blur = Polynomial::of_series(ends_in_rounding.to_vec());
        assert_eq!(blur, Polynomial::of_powers(vec![0.0, 1.0]));
        assert_eq!(Polynomial::of_series(vec![0.0; 3]).constant(), Some(0.0));
    }

    #[test]
    fn powers_take_the_values_of_the_series() {
        let series = [0.3, -0.2, 0.1, 0.05, -0.02, 0.01];
        let value =
            |powers: &[f64], at: f64| powers.iter().rev().fold(0.0, |sum, it| sum * at + it);
        for place in 0..=10 {
            let p = f64::from(place) / 10.0;
            let expected = series_at(&series, p);
            let powers = series_to_powers(&series, [1.0, -2.0]);
            assert!((value(&powers, p) - expected).abs() < 1e-14);
            let centred = series_to_powers(&series, [0.0, 1.0]);
            assert!((value(&centred, 1.0 - 2.0 * p) - expected).abs() < 1e-14);
        }
    }
}
