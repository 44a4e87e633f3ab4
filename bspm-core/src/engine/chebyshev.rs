//! Polynomials of the walk: Chebyshev series over the spectrum of `P`, and powers of it.
//!
//! The spectrum of `P` is in `[0, 1]`, so that of `L = I - 2P` is in `[-1, 1]`, where Chebyshev polynomials
//! are at most 1.

/// Evaluates `sum coefficients[k] T_k(1 - 2p)` at the eigenvalue `p`, by Clenshaw's recurrence (1955).
pub(crate) fn series_at(coefficients: &[f64], eigenvalue: f64) -> f64 {
    let x = 1.0 - 2.0 * eigenvalue;
    let (mut next, mut after) = (0.0, 0.0);
    for &coefficient in coefficients.iter().skip(1).rev() {
        (next, after) = (coefficient + 2.0 * x * next - after, next);
    }
    coefficients.first().copied().unwrap_or(0.0) + x * next - after
}

/// Converts a series in the variable `line[0] + line[1] v` to coefficients of `1, v, v^2, ...`.
pub(crate) fn series_to_powers(coefficients: &[f64], line: [f64; 2]) -> Vec<f64> {
    // T_(k+1)(x) = 2 x T_k(x) - T_(k-1)(x).
    let mut powers = vec![0.0; coefficients.len()];
    let (mut last, mut point) = (line.to_vec(), vec![1.0]);
    for &coefficient in coefficients {
        for (power, value) in powers.iter_mut().zip(&point) {
            *power += coefficient * value;
        }
        let mut next = vec![0.0; point.len() + 1];
        for (place, value) in point.iter().enumerate() {
            next[place] += 2.0 * line[0] * value;
            next[place + 1] += 2.0 * line[1] * value;
        }
        for (place, value) in last.iter().enumerate().take(next.len()) {
            next[place] -= value;
        }
        last = std::mem::replace(&mut point, next);
    }
    powers
}

/// Interpolates `value(p)` at this number of Chebyshev nodes of the spectrum `p` of `P`. Returns the
/// coefficients in the variable `1 - 2p`, truncated to the tolerance.
///
/// A Chebyshev polynomial is at most 1, so for every eigenvalue the truncation error is at most the sum of
/// the dropped coefficients.
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

/// Returns the coefficients of the polynomial with these values at the Chebyshev nodes
/// `cos((2k + 1) pi / 2n)`, starting with the node nearest 1.
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
