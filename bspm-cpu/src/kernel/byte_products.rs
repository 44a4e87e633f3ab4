//! Integer products of bytes, which are the same on every processor.

#[cfg(target_arch = "x86_64")]
use super::cpu::{Cpu, InstructionSet};
use crate::quantized::ROWS;

/// Multiplies rows of bytes by columns of bytes, in the layout of [`quantized`](crate::quantized).
pub(crate) trait ByteProducts: Copy {
    /// `sums[r][lane]` is the product of row `r` and column `lane`. `rows` are [`ROWS`] rows of
    /// `columns.len() / LANES` bytes, a multiple of 64.
    fn products<const LANES: usize>(
        self,
        rows: &[i8],
        columns: &[u8],
        sums: &mut [[i32; LANES]; ROWS],
    );
}

/// Portable code for every processor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable;

impl ByteProducts for Portable {
    #[inline(always)]
    fn products<const LANES: usize>(
        self,
        rows: &[i8],
        columns: &[u8],
        sums: &mut [[i32; LANES]; ROWS],
    ) {
        let stride = rows.len() / ROWS;
        for (row, sums) in rows.chunks_exact(stride.max(1)).zip(sums) {
            if LANES == 1 {
                let products = row.iter().zip(columns);
                sums[0] = products
                    .map(|(&left, &right)| i32::from(i16::from(left) * i16::from(right)))
                    .sum();
                continue;
            }
            *sums = [0; LANES];
            let groups = columns.chunks_exact(4 * LANES);
            for (row, columns) in row.as_chunks::<4>().0.iter().zip(groups) {
                for (sum, column) in sums.iter_mut().zip(columns.as_chunks::<4>().0) {
                    for (&left, &right) in row.iter().zip(column) {
                        *sum += i32::from(left) * i32::from(right);
                    }
                }
            }
        }
    }
}

/// Four products of bytes in each lane of one instruction (AVX-512 VNNI).
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vnni(());

#[cfg(target_arch = "x86_64")]
impl Vnni {
    /// Returns `None` if the processor does not support the instruction.
    pub(crate) fn of(cpu: Cpu) -> Option<Self> {
        cpu.has(InstructionSet::Avx512Vnni).then_some(Self(()))
    }
}

#[cfg(target_arch = "x86_64")]
impl ByteProducts for Vnni {
    #[inline(always)]
    fn products<const LANES: usize>(
        self,
        rows: &[i8],
        columns: &[u8],
        sums: &mut [[i32; LANES]; ROWS],
    ) {
        let stride = rows.len() / ROWS;
        assert!(stride.is_multiple_of(64) && rows.len() == ROWS * stride);
        assert!(columns.len() == LANES * stride);
        // SAFETY: the processor has the instructions, and the lengths are those that the functions require.
        unsafe {
            match LANES {
                1 => vnni::one_column(rows, columns, stride, sums.as_flattened_mut()),
                16 => vnni::columns::<1>(rows, columns, stride, sums.as_flattened_mut()),
                32 => vnni::columns::<2>(rows, columns, stride, sums.as_flattened_mut()),
                _ => Portable.products(rows, columns, sums),
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod vnni {
    use std::arch::x86_64::{
        __m512i, _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_reduce_add_epi32,
        _mm512_set1_epi32, _mm512_setzero_si512, _mm512_storeu_si512,
    };

    use super::ROWS;

    /// # Safety
    ///
    /// `rows` are `ROWS` rows of `stride` bytes, a multiple of 64; `columns` has `stride` bytes, and
    /// `sums` has `ROWS` elements.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub(super) unsafe fn one_column(rows: &[i8], columns: &[u8], stride: usize, sums: &mut [i32]) {
        // One row after the other, because memory is read fastest in this order.
        for (row, sum) in sums.iter_mut().enumerate() {
            let mut total = _mm512_setzero_si512();
            for place in (0..stride).step_by(64) {
                // SAFETY: 64 bytes from `place` on are in `columns` and in every row.
                let (column, bytes) = unsafe {
                    (
                        load(columns.as_ptr().add(place)),
                        load(rows.as_ptr().add(row * stride + place)),
                    )
                };
                total = _mm512_dpbusd_epi32(total, column, bytes);
            }
            *sum = _mm512_reduce_add_epi32(total);
        }
    }

    /// # Safety
    ///
    /// `rows` are `ROWS` rows of `stride` bytes, a multiple of 64; `columns` has
    /// `16 * BLOCKS * stride` bytes, and `sums` has `16 * BLOCKS * ROWS` elements.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub(super) unsafe fn columns<const BLOCKS: usize>(
        rows: &[i8],
        columns: &[u8],
        stride: usize,
        sums: &mut [i32],
    ) {
        let mut totals = [[_mm512_setzero_si512(); BLOCKS]; ROWS];
        for group in 0..stride / 4 {
            let mut right = [_mm512_setzero_si512(); BLOCKS];
            for (block, right) in right.iter_mut().enumerate() {
                // SAFETY: a group of four factors has `64 * BLOCKS` bytes in `columns`.
                *right = unsafe { load(columns.as_ptr().add((group * BLOCKS + block) * 64)) };
            }
            for (row, totals) in totals.iter_mut().enumerate() {
                // SAFETY: four bytes of each row belong to a group.
                let left = unsafe {
                    rows.as_ptr()
                        .add(row * stride + 4 * group)
                        .cast::<i32>()
                        .read_unaligned()
                };
                let left = _mm512_set1_epi32(left);
                for (total, &right) in totals.iter_mut().zip(&right) {
                    *total = _mm512_dpbusd_epi32(*total, right, left);
                }
            }
        }
        for (place, &total) in totals.as_flattened().iter().enumerate() {
            // SAFETY: `sums` has 16 elements for each of the totals.
            unsafe { _mm512_storeu_si512(sums.as_mut_ptr().add(16 * place).cast(), total) };
        }
    }

    /// # Safety
    ///
    /// The 64 bytes from `start` on must be readable.
    #[target_feature(enable = "avx512f")]
    unsafe fn load<T>(start: *const T) -> __m512i {
        // SAFETY: guaranteed by the caller.
        unsafe { _mm512_loadu_si512(start.cast()) }
    }
}
