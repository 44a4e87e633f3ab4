//! A dense matrix times one column: one dot product per row. The speed is limited by memory traffic.

use super::cpu::Kernel;

/// `out = product * (matrix * column) + keep * out`, for `matrix` with rows of `stride`.
pub(crate) struct RowDots<'a> {
    pub(crate) matrix: &'a [f32],
    pub(crate) stride: usize,
    /// At most `stride` numbers.
    pub(crate) column: &'a [f32],
    pub(crate) product: f32,
    pub(crate) keep: f32,
    pub(crate) out: &'a mut [f32],
}

impl Kernel for RowDots<'_> {
    #[inline(always)]
    fn run(self) {
        let rows = self.matrix.chunks_exact(self.stride.max(1));
        for (row, out) in rows.zip(self.out) {
            let value = self.product * dot(&row[..self.column.len()], self.column);
            *out = if self.keep == 0.0 {
                value
            } else {
                value + self.keep * *out
            };
        }
    }
}

/// The dot product. The order of the partial sums is fixed, so every instruction set rounds in the same way.
#[inline(always)]
pub(crate) fn dot(left: &[f32], right: &[f32]) -> f32 {
    const PARTS: usize = 64;
    let mut parts = [0.0_f32; PARTS];
    let (left_chunks, left_rest) = left.as_chunks::<PARTS>();
    let (right_chunks, right_rest) = right.as_chunks::<PARTS>();
    for (left, right) in left_chunks.iter().zip(right_chunks) {
        for part in 0..PARTS {
            parts[part] += left[part] * right[part];
        }
    }
    for ((part, left), right) in parts.iter_mut().zip(left_rest).zip(right_rest) {
        *part += left * right;
    }
    sum_in_halves(parts)
}

#[inline(always)]
pub(super) fn sum_in_halves<const PARTS: usize>(mut parts: [f32; PARTS]) -> f32 {
    let mut half = PARTS / 2;
    while half > 0 {
        for part in 0..half {
            parts[part] += parts[part + half];
        }
        half /= 2;
    }
    parts[0]
}
