//! Polynomials of the walk in the Chebyshev basis, by Clenshaw's recurrence.
//!
//! `P` has its spectrum in `[0, 1]`, so that `L = I - 2P` has it in `[-1, 1]`, where
//! Chebyshev polynomials stay at most 1. Clenshaw (1955): with
//! `b_k = c_k z + 2 L b_(k+1) - b_(k+2)` from the last coefficient down,
//! `sum c_k T_k(L) z = c_0 z + L b_1 - b_2`.

use super::Tile;
use crate::backend::{Backend, Update};
use crate::error::Result;
use crate::normalization::NormalizedGraph;

/// Replaces the tile's scores by `sum coefficients[k] T_k(L) z`, where `z` is the histories,
/// or the scores where there are none; at least one coefficient. Uses both stages.
///
/// One product with `P` per coefficient after the first.
pub(crate) fn evaluate_series<B: Backend>(
    backend: &B,
    graph: &NormalizedGraph<B>,
    coefficients: &[f64],
    histories: Option<&B::Histories>,
    tile: &mut Tile<B>,
) -> Result<()> {
    let (users, scores) = (&mut tile.users, &mut tile.scores);
    let (mut next, mut after) = (&mut tile.stage, &mut tile.second_stage);
    let degree = coefficients.len().saturating_sub(1);
    for (place, &coefficient) in coefficients.iter().enumerate().rev() {
        let products = match degree - place {
            0 => 0.0,
            _ if place == 0 => 1.0,
            _ => 2.0,
        };
        // Two places below the last there is a point to subtract.
        let mut keep = if degree - place < 2 { 0.0 } else { -1.0 };
        if products > 0.0 {
            graph.to_users(backend, next, users)?;
            let recurrence = Update {
                product: -2.0 * products,
                keep,
                addend: Some((products, &*next)),
            };
            graph.to_items(backend, users, recurrence, after)?;
            keep = 1.0;
        }
        let coefficient = coefficient as f32;
        match histories {
            Some(histories) => backend.add_histories(coefficient, histories, keep, after)?,
            None => backend.add_scaled(coefficient, scores, keep, after)?,
        }
        std::mem::swap(&mut next, &mut after);
    }
    std::mem::swap(scores, next);
    Ok(())
}

/// The coefficients, in the variable `1 - 2p`, of the interpolant of `value(p)` at so many
/// Chebyshev nodes of the spectrum `p` of `P`, as few as are within the tolerance.
///
/// A Chebyshev polynomial is at most 1, so what is cut off is at most the sum of the
/// coefficients cut off, for every eigenvalue.
pub(crate) fn interpolate_spectrum(
    nodes: usize,
    tolerance: f64,
    value: impl Fn(f64) -> f64,
) -> Vec<f64> {
    let values: Vec<f64> = (0..nodes)
        .map(|node| {
            let x = (std::f64::consts::PI * (node as f64 + 0.5) / nodes as f64).cos();
            value((1.0 - x) / 2.0)
        })
        .collect();
    let mut coefficients = interpolate(&values);
    let mut cut_off = 0.0;
    while coefficients.len() > 1 {
        cut_off += coefficients[coefficients.len() - 1].abs();
        if cut_off > tolerance {
            break;
        }
        coefficients.pop();
    }
    coefficients
}

/// The coefficients of the polynomial that takes these values at the Chebyshev nodes
/// `cos((2k + 1) pi / 2n)`, from the one nearest 1 on.
pub(crate) fn interpolate(values: &[f64]) -> Vec<f64> {
    let count = values.len() as f64;
    (0..values.len())
        .map(|degree| {
            let sum: f64 = values
                .iter()
                .enumerate()
                .map(|(node, value)| {
                    let angle = std::f64::consts::PI * (node as f64 + 0.5) / count;
                    value * (degree as f64 * angle).cos()
                })
                .sum();
            sum * if degree == 0 { 1.0 } else { 2.0 } / count
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solver::exponential_series;
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
    fn a_polynomial_is_its_own_interpolant() {
        // 2 T_0 - T_1 + 3 T_2 at four nodes.
        let values: Vec<f64> = (0..4)
            .map(|node| {
                let x = (std::f64::consts::PI * (f64::from(node) + 0.5) / 4.0).cos();
                2.0 - x + 3.0 * (2.0 * x * x - 1.0)
            })
            .collect();
        for (found, expected) in interpolate(&values).iter().zip([2.0, -1.0, 3.0, 0.0]) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
    }
}
