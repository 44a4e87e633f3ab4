//! Polynomials of the walk, applied to histories and to their low-pass part at once.

use super::chebyshev::{series_at, series_to_powers};
use super::walk::NormalizedGraph;
use super::workspace::add_histories;
use crate::backend::{Backend, Checked, Operand, Update};
use crate::error::Result;

/// `history(W) z + low_pass(W) u` for the walk `W`, which is `P` where it is normalised
/// symmetrically, the histories `z` and a dense `u`.
///
/// Both polynomials are evaluated in one recurrence: as many products with `W` as the higher
/// degree, where one after the other would take the sum.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Polynomial {
    form: Form,
    history: Vec<f64>,
    low_pass: Vec<f64>,
}

/// What the coefficients belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `1, W, W^2, ...`, evaluated by Horner's scheme in the place of the scores.
    Powers,
    /// `T_k(I - 2W)`, by Clenshaw's recurrence: stable whatever the degree where the spectrum
    /// of `W` is in `[0, 1]`, with one matrix more.
    Series,
}

/// Up to this degree the powers are looked at.
const MOST_POWERS: usize = 8;

/// How much larger than the largest value on the spectrum the sum of the coefficients may be:
/// rounding to `f32` is amplified by as much.
const CONDITION: f64 = 64.0;

impl Polynomial {
    /// Coefficients of `1, W, W^2, ...`, of the history alone.
    pub(crate) fn of_powers(history: Vec<f64>) -> Self {
        Self {
            form: Form::Powers,
            history,
            low_pass: Vec::new(),
        }
    }

    /// Coefficients of `1, W, W^2, ...` of the low-pass part, too.
    pub(crate) fn and_low_pass(mut self, low_pass: Vec<f64>) -> Self {
        self.low_pass = low_pass;
        self
    }

    /// Chebyshev coefficients in `1 - 2p`, of both parts; evaluated in powers where that is
    /// well conditioned.
    pub(crate) fn of_series(history: Vec<f64>, low_pass: Vec<f64>) -> Self {
        match (well_conditioned(&history), well_conditioned(&low_pass)) {
            (Some(history), Some(low_pass)) => Self {
                form: Form::Powers,
                history,
                low_pass,
            },
            _ => Self {
                form: Form::Series,
                history,
                low_pass,
            },
        }
    }

    /// The factor of the low-pass part, where it is just added at the end.
    pub(crate) fn low_pass_factor(&self) -> Option<f32> {
        match self.low_pass.as_slice() {
            [factor] => Some(*factor as f32),
            _ => None,
        }
    }

    /// Whether [`evaluate`](Self::evaluate) needs a stage.
    pub(crate) fn needs_stage(&self) -> bool {
        self.form == Form::Series
    }

    fn degree(&self) -> usize {
        self.history
            .len()
            .max(self.low_pass.len())
            .saturating_sub(1)
    }

    /// `scores = history(W) histories + low_pass(W) low_pass`, without the last term where
    /// none is given. `stage: items x columns`, where it is needed, and
    /// `half_way: users x columns` are scratch.
    pub(crate) fn evaluate<B: Backend>(
        &self,
        run: Run<'_, B>,
        half_way: &mut B::Matrix,
        stage: &mut B::Matrix,
        scores: &mut B::Matrix,
    ) -> Result<()> {
        match self.form {
            Form::Powers => self.horner(run, half_way, scores),
            Form::Series => self.clenshaw(run, half_way, stage, scores),
        }
    }

    fn coefficients<B: Backend>(&self, run: Run<'_, B>, place: usize) -> (f64, f64) {
        let at = |coefficients: &[f64]| coefficients.get(place).copied().unwrap_or(0.0);
        let low_pass = run.low_pass.map_or(0.0, |_| at(&self.low_pass));
        (at(&self.history), low_pass)
    }

    /// With `b_k = h_k z + l_k u + W b_(k+1)` from the last coefficients down, `b_0`.
    fn horner<B: Backend>(
        &self,
        run: Run<'_, B>,
        half_way: &mut B::Matrix,
        scores: &mut B::Matrix,
    ) -> Result<()> {
        let degree = self.degree();
        let (last, last_low_pass) = self.coefficients(run, degree);
        let is_sparse = last_low_pass == 0.0 && degree > 0;
        if !is_sparse {
            run.start(last, last_low_pass, scores)?;
        }
        for place in (0..degree).rev() {
            let (history, low_pass) = self.coefficients(run, place);
            let addend = run.low_pass.map(|matrix| (low_pass as f32, matrix));
            let mut update = Update {
                addend: addend.filter(|(factor, _)| *factor != 0.0),
                ..Update::REPLACE
            };
            // The last point is known where it is sparse, and so is its product.
            let from = if is_sparse && place + 1 == degree {
                update.product = last as f32;
                Some(Operand::Histories(run.histories))
            } else {
                None
            };
            run.graph
                .step(run.backend, from, update, half_way, scores)?;
            if history != 0.0 {
                add_histories(run.backend, history, run.histories, scores)?;
            }
        }
        Ok(())
    }

    /// With `b_k = h_k z + l_k u + 2 L b_(k+1) - b_(k+2)` from the last coefficients down,
    /// `h_0 z + l_0 u + L b_1 - b_2`.
    fn clenshaw<B: Backend>(
        &self,
        run: Run<'_, B>,
        half_way: &mut B::Matrix,
        stage: &mut B::Matrix,
        scores: &mut B::Matrix,
    ) -> Result<()> {
        let degree = self.degree();
        let (last, last_low_pass) = self.coefficients(run, degree);
        run.start(last, last_low_pass, scores)?;
        let (mut next, mut after) = (&mut *scores, &mut *stage);
        for place in (0..degree).rev() {
            let (mut history, low_pass) = self.coefficients(run, place);
            let products = if place == 0 { 1.0 } else { 2.0 };
            let mut update = Update {
                product: -2.0 * products as f32,
                keep: if place + 1 == degree { 0.0 } else { -1.0 },
                addend: Some((products as f32, &*next)),
            };
            let mut from = Operand::Dense(&*next);
            if place + 1 == degree && last_low_pass == 0.0 {
                update = Update::times((-2.0 * products * last) as f32);
                from = Operand::Histories(run.histories);
                history += products * last;
            }
            run.graph
                .step(run.backend, Some(from), update, half_way, after)?;
            add_histories(run.backend, history, run.histories, after)?;
            if let Some(matrix) = run.low_pass
                && low_pass != 0.0
            {
                let matrix = Operand::Dense(matrix);
                run.backend
                    .add_scaled(low_pass as f32, matrix, 1.0, after)?;
            }
            std::mem::swap(&mut next, &mut after);
        }
        if degree % 2 == 1 {
            std::mem::swap(scores, stage);
        }
        Ok(())
    }
}

/// What a polynomial is applied to.
pub(crate) struct Run<'a, B: Backend> {
    pub(crate) backend: Checked<'a, B>,
    pub(crate) graph: &'a NormalizedGraph<B>,
    pub(crate) histories: &'a B::Histories,
    /// `u: items x columns`.
    pub(crate) low_pass: Option<&'a B::Matrix>,
}

impl<B: Backend> Clone for Run<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B: Backend> Copy for Run<'_, B> {}

impl<B: Backend> Run<'_, B> {
    /// `out = history * histories + low_pass * u`.
    fn start(self, history: f64, low_pass: f64, out: &mut B::Matrix) -> Result<()> {
        let histories = Operand::Histories(self.histories);
        self.backend
            .add_scaled(history as f32, histories, 0.0, out)?;
        match self.low_pass {
            Some(matrix) if low_pass != 0.0 => {
                let matrix = Operand::Dense(matrix);
                self.backend.add_scaled(low_pass as f32, matrix, 1.0, out)
            }
            _ => Ok(()),
        }
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

/// `T_1(L) z`, `T_2(L) z` and so on from `points[0] = z`, which is the histories where they
/// are given. `half_way: users x columns` is scratch.
pub(crate) fn chebyshev_points<B: Backend>(
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
        let products = if degree == 1 { 1.0 } else { 2.0 };
        let mut keep = 0.0;
        if degree > 1 {
            backend.add_scaled(1.0, Operand::Dense(&before[degree - 2]), 0.0, next)?;
            keep = -1.0;
        }
        let recurrence = Update {
            product: -2.0 * products,
            keep,
            addend: Some((products, last)),
        };
        graph.step(backend, Some(from), recurrence, half_way, next)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_used_where_they_are_well_conditioned() {
        // The blur of one Euler step: p = 1/2 - 1/2 T_1(1 - 2p).
        let blur = Polynomial::of_series(vec![0.5, -0.5], Vec::new());
        assert_eq!(blur, Polynomial::of_powers(vec![0.0, 1.0]));
        let mut highest = vec![0.0; 9];
        highest[8] = 1.0;
        for (history, low_pass) in [
            (highest.clone(), vec![1.0]),
            (vec![1.0], highest),
            (vec![1.0; 30], Vec::new()),
        ] {
            assert!(Polynomial::of_series(history, low_pass).needs_stage());
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
