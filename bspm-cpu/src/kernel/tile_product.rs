//! The product of a tall matrix and a tile.
//!
//! A tall matrix is read from main memory, once per tile, and the hardware prefetcher is too late.
//! Therefore this kernel prefetches rows into the second-level cache while it multiplies other rows.

use super::cpu::Cpu;
#[cfg(target_arch = "x86_64")]
use super::cpu::InstructionSet;
use crate::matrix::{CpuMatrix, TILE_COLUMNS};

/// The minimum number of factors. With fewer factors, reading a row takes less time than its overhead.
const LEAST_FACTORS: usize = 32;

/// `out = product * left * right`, or adds it to `out`, if `right` is as wide as a tile and the processor
/// has AVX-512. Returns whether the product was computed.
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

    /// The number of rows of the result that are summed at a time, in two registers each.
    const ROWS: usize = 8;

    /// The number of factors in a cache line of a row.
    const LINE: usize = 16;

    /// The prefetch distance, in groups of rows.
    const AHEAD: usize = 3;

    pub(super) struct TileProduct<'a> {
        /// Rows of `stride`. The number of columns that are used is the number of rows of `right`.
        pub(super) left: &'a [f32],
        pub(super) stride: usize,
        pub(super) right: &'a [[f32; TILE_COLUMNS]],
        pub(super) product: f32,
        pub(super) is_added: bool,
    }

    impl TileProduct<'_> {
        /// Computes each row of `out` from the same row of `left`.
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

        /// Multiplies `COUNT` rows.
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
