//! The factors of a product, quantized to bytes, with bounds of the quantization errors.
//!
//! Row `x` of the left factor becomes `scale * q` for whole numbers `q` from -127 to 127, and
//! a column `c` of the right factor becomes `unit * d` in the same way. The product `q d` is exact in
//! whole numbers, and `x c` differs from `scale * unit * (q d)` by at most
//! `|x - scale q| |c| + |scale q| |c - unit d|` (Cauchy-Schwarz).

use ndarray::ArrayView2;

/// The number of bytes of a row, and so of factors, is padded to a multiple of this.
const BYTES: usize = 64;

/// The number of rows is padded to a multiple of this.
pub(crate) const ROWS: usize = 8;

/// The largest whole number of the quantization.
const LARGEST: f32 = 127.0;

/// The offset of the bytes of a column from the whole numbers. The instructions multiply unsigned bytes by
/// signed bytes.
const OFFSET: i32 = 128;

/// The maximum number of factors for which no sum of products overflows an `i32`.
pub(crate) const MOST_FACTORS: usize = 32_768;

/// A matrix as bytes, row by row.
#[derive(Clone, Debug)]
pub(crate) struct QuantizedRows {
    bytes: Vec<i8>,
    stride: usize,
    is_finite: bool,
    /// One element per row; the elements of the padding are zero.
    pub(crate) rows: Vec<QuantizedRow>,
}

/// The quantization of a row.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct QuantizedRow {
    /// The step from one whole number to the next.
    pub(crate) scale: f32,
    /// The value that the offset of the columns adds to every product.
    pub(crate) offset: i32,
    /// At least `|x - scale q|` plus the rounding error of an `f32` product of `x`.
    pub(crate) error: f32,
    /// At least `|scale q|`.
    pub(crate) norm: f32,
}

impl QuantizedRows {
    pub(crate) fn new(matrix: ArrayView2<'_, f32>) -> Self {
        let stride = matrix.ncols().next_multiple_of(BYTES);
        let count = matrix.nrows().next_multiple_of(ROWS);
        let mut bytes = vec![0_i8; count * stride];
        let mut rows = vec![QuantizedRow::default(); count];
        let places = bytes.chunks_exact_mut(stride.max(1)).zip(&mut rows);
        for (values, (bytes, row)) in matrix.rows().into_iter().zip(places) {
            let values = values.as_slice().expect("rows are contiguous");
            let (scale, error, norm) = quantize(values, |place, whole| bytes[place] = whole as i8);
            let sum: i32 = bytes.iter().map(|&byte| i32::from(byte)).sum();
            *row = QuantizedRow {
                scale,
                offset: OFFSET * sum,
                error: error + rounding(values.len()) * norm,
                norm,
            };
        }
        Self {
            bytes,
            stride,
            is_finite: rows.iter().all(|row| row.error.is_finite()),
            rows,
        }
    }

    /// Whether the bounds are finite.
    pub(crate) fn is_finite(&self) -> bool {
        self.is_finite
    }

    /// The number of bytes from one row to the next.
    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    /// The bytes, in blocks of [`ROWS`] rows.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = &[i8]> {
        self.bytes.chunks_exact((ROWS * self.stride).max(1))
    }
}

/// The columns of a matrix as bytes: the bytes of the first four factors of each column, then those of the
/// next four, and so on.
#[derive(Clone, Debug)]
pub(crate) struct QuantizedColumns<const LANES: usize> {
    pub(crate) bytes: Vec<u8>,
    pub(crate) columns: [QuantizedColumn; LANES],
}

/// The quantization of a column.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct QuantizedColumn {
    /// The step from one whole number to the next.
    pub(crate) unit: f32,
    /// At least `|c - unit d|`; not finite if the column is not.
    pub(crate) error: f32,
    /// At least `|c|`.
    pub(crate) norm: f32,
}

impl<const LANES: usize> QuantizedColumns<LANES> {
    /// Quantizes at most `LANES` columns, for rows of `stride` bytes.
    pub(crate) fn new(columns: &[Vec<f32>], stride: usize) -> Self {
        let mut bytes = vec![OFFSET as u8; stride * LANES];
        let mut quantized = [QuantizedColumn::default(); LANES];
        for (lane, (values, column)) in columns.iter().zip(&mut quantized).enumerate() {
            let (unit, error, norm) = quantize(values, |place, whole| {
                let place = (place / 4 * LANES + lane) * 4 + place % 4;
                bytes[place] = (whole + OFFSET) as u8;
            });
            *column = QuantizedColumn { unit, error, norm };
        }
        Self {
            bytes,
            columns: quantized,
        }
    }
}

/// Passes the whole number of each value to `put`. Returns the step between whole numbers, and upper
/// bounds of the norm of the quantization errors and of the norm of the values.
fn quantize(values: &[f32], mut put: impl FnMut(usize, i32)) -> (f32, f32, f32) {
    let largest = values.iter().fold(0.0_f32, |most, it| most.max(it.abs()));
    let scale = largest / LARGEST;
    let squares = values.iter().map(|&it| f64::from(it).powi(2));
    let norm = upwards(squares.sum::<f64>().sqrt());
    if scale < f32::MIN_POSITIVE {
        return (0.0, norm, norm);
    }
    let mut error = 0.0_f64;
    for (place, &value) in values.iter().enumerate() {
        let whole = (value / scale).round().clamp(-LARGEST, LARGEST);
        put(place, whole as i32);
        error += (f64::from(value) - f64::from(scale) * f64::from(whole)).powi(2);
    }
    let error = upwards(error.sqrt());
    (scale, error, norm + error)
}

/// Increases an upper bound slightly, so that it is still a bound after rounding.
fn upwards(value: f64) -> f32 {
    (value * (1.0 + 1e-5)) as f32
}

/// A bound of the rounding error of an `f32` product of this number of factors, relative to the product of
/// the norms. It holds for every order of summation.
fn rounding(factors: usize) -> f32 {
    (factors + 64) as f32 * f32::EPSILON
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    #[test]
    fn what_is_left_out_is_within_the_bounds() {
        let values = Array2::from_shape_fn((11, 70), |(row, column)| {
            let place = (row * 70 + column) as u32;
            let scattered = place.wrapping_mul(2_654_435_761) as f32 / 2e9 - 1.0;
            scattered.powi(5) * 10_f32.powi(row as i32 - 5)
        });
        let rows = QuantizedRows::new(values.view());
        assert_eq!((rows.stride(), rows.rows.len()), (128, 16));
        let column: Vec<f32> = values.row(3).iter().map(|it| it * it - 0.1).collect();
        let columns = QuantizedColumns::<1>::new(std::slice::from_ref(&column), rows.stride());
        let of_column = columns.columns[0];
        let bytes = rows.blocks().flat_map(|block| block.chunks_exact(128));
        let mut largest_share = 0.0_f64;
        for ((values, row), bytes) in values.rows().into_iter().zip(&rows.rows).zip(bytes) {
            let whole: i32 = bytes
                .iter()
                .zip(&columns.bytes)
                .map(|(&left, &right)| i32::from(left) * i32::from(right))
                .sum();
            let found =
                f64::from(row.scale) * f64::from(of_column.unit) * f64::from(whole - row.offset);
            let exact: f64 = values
                .iter()
                .zip(&column)
                .map(|(&left, &right)| f64::from(left) * f64::from(right))
                .sum();
            let bound = row.error * of_column.norm + row.norm * of_column.error;
            largest_share = largest_share.max((found - exact).abs() / f64::from(bound));
        }
        assert!(
            largest_share < 1.0 && largest_share > 1e-3,
            "{largest_share}"
        );
    }
}
