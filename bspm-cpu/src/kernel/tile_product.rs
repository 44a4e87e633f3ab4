//! The product of a tall matrix and a tile.
//!
//! A tall matrix comes from far away, each row once for every tile, and what the processor asks for
//! by itself comes late: rows are asked for here, into the second-level cache, while others are
//! multiplied.

use super::cpu::Cpu;
#[cfg(target_arch = "x86_64")]
use super::cpu::InstructionSet;
use crate::matrix::{CpuMatrix, TILE_COLUMNS};

/// From so many factors on, a row costs more to bring than to begin.
const LEAST_FACTORS: usize = 32;

/// `out = product * left * right`, or that added to `out`, where `right` is as wide as a tile and
/// the processor has AVX-512; says whether it is done.
pub(crate) fn tile_product(
    cpu: Cpu,
    left: &CpuMatrix,
    right: &CpuMatrix,
    product: f32,
    is_added: bool,
    out: &mut CpuMatrix,
) -> bool {
    let fits = out.stride() == TILE_COLUMNS && left.columns() >= LEAST_FACTORS;
    #[cfg(target_arch = "x86_64")]
    if fits && cpu.has(InstructionSet::Avx512) {
        let product = avx512::TileProduct {
            left: left.padded(),
            stride: left.stride(),
            right: right.padded().as_chunks().0,
            product,
            is_added,
        };
        // SAFETY: the processor has AVX-512F.
        unsafe { product.write_to(out.padded_mut().as_chunks_mut().0) };
        return true;
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (fits, cpu, right, product, is_added);
    false
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::{
        __m512, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_mul_ps, _mm512_set1_ps, _mm512_setzero_ps,
        _mm512_storeu_ps,
    };

    use super::TILE_COLUMNS;
    use crate::kernel::prefetch::prefetch_to_second_level;

    /// Rows of the result that are summed at a time, in two registers each.
    const ROWS: usize = 8;

    /// Factors that come together: a cache line of a row.
    const LINE: usize = 16;

    /// How many groups of rows before they are multiplied rows are asked for.
    const AHEAD: usize = 3;

    pub(super) struct TileProduct<'a> {
        /// Rows of `stride`, of which as many columns count as `right` has rows.
        pub(super) left: &'a [f32],
        pub(super) stride: usize,
        pub(super) right: &'a [[f32; TILE_COLUMNS]],
        pub(super) product: f32,
        pub(super) is_added: bool,
    }

    impl TileProduct<'_> {
        /// Each row of `out` from that of `left`.
        #[target_feature(enable = "avx512f")]
        pub(super) fn write_to(&self, out: &mut [[f32; TILE_COLUMNS]]) {
            let (groups, rest) = out.as_chunks_mut::<ROWS>();
            let whole = groups.len() * ROWS;
            for (group, out) in groups.iter_mut().enumerate() {
                self.multiply(group * ROWS, out);
            }
            for (row, out) in (whole..).zip(rest) {
                self.multiply(row, std::array::from_mut(out));
            }
        }

        /// Some rows, from the first on.
        #[target_feature(enable = "avx512f")]
        fn multiply<const COUNT: usize>(
            &self,
            first: usize,
            out: &mut [[f32; TILE_COLUMNS]; COUNT],
        ) {
            let factors = self.right.len();
            let rows: [&[f32]; COUNT] =
                std::array::from_fn(|row| &self.left[(first + row) * self.stride..][..factors]);
            let ahead = (first + AHEAD * ROWS) * self.stride;
            let mut sums = [[_mm512_setzero_ps(); 2]; COUNT];
            for (place, right) in self.right.iter().enumerate() {
                if place % LINE == 0 {
                    for row in 0..COUNT {
                        prefetch_to_second_level(self.left, ahead + row * self.stride + place);
                    }
                }
                let right = halves(right);
                for (sums, row) in sums.iter_mut().zip(&rows) {
                    // SAFETY: each row is as long as `right`.
                    let factor = _mm512_set1_ps(unsafe { *row.get_unchecked(place) });
                    for (sum, &right) in sums.iter_mut().zip(&right) {
                        *sum = _mm512_fmadd_ps(factor, right, *sum);
                    }
                }
            }
            let product = _mm512_set1_ps(self.product);
            for (sums, out) in sums.iter().zip(out) {
                let before = halves(out);
                for (half, (&sum, &before)) in sums.iter().zip(&before).enumerate() {
                    let value = if self.is_added {
                        _mm512_fmadd_ps(product, sum, before)
                    } else {
                        _mm512_mul_ps(product, sum)
                    };
                    // SAFETY: a row has two halves.
                    unsafe { _mm512_storeu_ps(out.as_mut_ptr().add(16 * half), value) };
                }
            }
        }
    }

    #[target_feature(enable = "avx512f")]
    fn halves(row: &[f32; TILE_COLUMNS]) -> [__m512; 2] {
        // SAFETY: a row has two halves.
        unsafe { [0, 1].map(|half| _mm512_loadu_ps(row.as_ptr().add(16 * half))) }
    }
}
