//! Polynomials of the walk, applied to histories or to a dense matrix.

use super::chebyshev::{series_at, series_to_powers};
use super::walk::NormalizedGraph;
use crate::backend::{Backend, Checked, Operand, Update};
use crate::error::Result;

/// `p(W) z` for the walk `W`, which is `P` where it is normalised symmetrically.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Polynomial {
    form: Form,
    coefficients: Vec<f64>,
}

/// What the coefficients belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `1, W, W^2, ...`, evaluated by Horner's scheme in the place of the scores.
    Powers,
    /// `T_k(I - 2W)`, by Clenshaw's recurrence: stable whatever the degree where the spectrum
    /// of `W` is in `[0, 1]`, with one matrix more.
    Series,
}

impl Form {
    /// Powers where all of these Chebyshev series are well conditioned in them.
    pub(crate) fn common<'a>(mut series: impl Iterator<Item = &'a [f64]>) -> Self {
        if series.all(|it| well_conditioned(it).is_some()) {
            Self::Powers
        } else {
            Self::Series
        }
    }

    /// The coefficients in this form of a polynomial that is given as a Chebyshev series.
    pub(crate) fn of_series(self, series: &[f64]) -> Vec<f64> {
        let powers = match self {
            Self::Powers => well_conditioned(series),
            Self::Series => None,
        };
        powers.unwrap_or_else(|| series.to_vec())
    }

    /// What the coefficients are multiplied by, after `points[0] = z`, which is the histories
    /// where they are given: `W z`, `W^2 z` and so on, or `T_1(L) z`, `T_2(L) z`.
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
                (Self::Series, 1) => Update {
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

/// Up to this degree the powers are looked at.
const MOST_POWERS: usize = 8;

/// How much larger than the largest value on the spectrum the sum of the coefficients may be:
/// rounding to `f32` is amplified by as much.
const CONDITION: f64 = 64.0;

impl Polynomial {
    /// Coefficients of `1, W, W^2, ...`
    pub(crate) fn of_powers(coefficients: Vec<f64>) -> Self {
        Self {
            form: Form::Powers,
            coefficients,
        }
    }

    /// Chebyshev coefficients in `1 - 2p`; evaluated in powers where that is well conditioned.
    pub(crate) fn of_series(series: Vec<f64>) -> Self {
        match well_conditioned(&series) {
            Some(powers) => Self::of_powers(powers),
            None => Self {
                form: Form::Series,
                coefficients: series,
            },
        }
    }

    /// The number that it is, where it is of degree 0.
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

    /// `out = p(W) from`. `stage: items x columns`, where it is needed, and
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
            Form::Powers => run.horner(last, rest, half_way, out),
            Form::Series => run.clenshaw(last, rest, half_way, stage, out),
        }
    }
}

/// What a polynomial is applied to.
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

    /// With `b_k = h_k z + W b_(k+1)` from the last coefficients down, `b_0`.
    fn horner(
        &self,
        last: f64,
        rest: &[f64],
        half_way: &mut B::Matrix,
        out: &mut B::Matrix,
    ) -> Result<()> {
        let mut first = Some((self.from, Update::times(last as f32)));
        for &coefficient in rest.iter().rev() {
            let (from, update) = match first.take() {
                Some((from, update)) => (Some(from), update),
                None => (None, Update::REPLACE),
            };
            self.graph.step(self.backend, from, update, half_way, out)?;
            self.add(coefficient, out)?;
        }
        Ok(())
    }

    /// With `b_k = h_k z + 2 L b_(k+1) - b_(k+2)` from the last coefficients down,
    /// `h_0 z + L b_1 - b_2`.
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

/// The polynomial with these Chebyshev coefficients in powers, where rounding allows that.
fn well_conditioned(series: &[f64]) -> Option<Vec<f64>> {
    if series.len() > MOST_POWERS + 1 {
        return None;
    }
    let mut powers = series_to_powers(series);
    let sum: f64 = powers.iter().map(|it| it.abs()).sum();
    let largest = (0..=64)
        .map(|place| series_at(series, f64::from(place) / 64.0).abs())
        .fold(0.0, f64::max);
    if sum > CONDITION * largest {
        return None;
    }
    // What the change of basis leaves of a coefficient that is zero.
    let rounding = 1e-14 * sum;
    for power in &mut powers {
        if power.abs() < rounding {
            *power = 0.0;
        }
    }
    Some(powers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_used_where_they_are_well_conditioned() {
        // The blur of one Euler step: p = 1/2 - 1/2 T_1(1 - 2p).
        let blur = Polynomial::of_series(vec![0.5, -0.5]);
        assert_eq!(blur, Polynomial::of_powers(vec![0.0, 1.0]));
        let mut highest = vec![0.0; 9];
        highest[8] = 1.0;
        for series in [highest, vec![1.0; 30]] {
            assert!(Polynomial::of_series(series).needs_stage());
        }
    }

    #[test]
    fn powers_take_the_values_of_the_series() {
        let series = [0.3, -0.2, 0.1, 0.05, -0.02, 0.01];
        let powers = series_to_powers(&series);
        for place in 0..=10 {
            let p = f64::from(place) / 10.0;
            let value = powers.iter().rev().fold(0.0, |sum, power| sum * p + power);
            assert!((value - series_at(&series, p)).abs() < 1e-14);
        }
    }
}
