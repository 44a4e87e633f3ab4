//! Sparse times a single column: the entries of many rows, one of each, are gathered at a time.

use bspm_core::backend::Update;

use super::instruction_set::{InstructionSet, Kernel};
use super::row_dots::sum_in_halves;
use crate::sparse::row_groups::{Columns, LANES, Lanes, RowGroup, RowGroups};

/// `out = update of (the pattern of the groups) * dense`. The lengths must fit.
pub(crate) fn single_column(
    instruction_set: InstructionSet,
    groups: &RowGroups,
    dense: &[f32],
    update: Update<'_, [f32]>,
    out: &mut [f32],
) {
    #[cfg(target_arch = "x86_64")]
    if instruction_set == InstructionSet::Avx512
        && let Some(gather) = FastGather::detect(dense.len())
    {
        return run(instruction_set, gather, groups, dense, update, out);
    }
    run(instruction_set, Portable, groups, dense, update, out);
}

fn run(
    instruction_set: InstructionSet,
    gather: impl Gather,
    groups: &RowGroups,
    dense: &[f32],
    update: Update<'_, [f32]>,
    out: &mut [f32],
) {
    match groups.columns() {
        Columns::Narrow(columns) => instruction_set.run(SingleColumn {
            gather,
            groups,
            columns,
            dense,
            update,
            out,
        }),
        Columns::Wide(columns) => instruction_set.run(SingleColumn {
            gather,
            groups,
            columns,
            dense,
            update,
            out,
        }),
    }
}

struct SingleColumn<'a, G, T> {
    gather: G,
    groups: &'a RowGroups,
    columns: &'a [Lanes<T>],
    dense: &'a [f32],
    update: Update<'a, [f32]>,
    out: &'a mut [f32],
}

impl<G: Gather, T: Column> Kernel for SingleColumn<'_, G, T> {
    #[inline(always)]
    fn run(self) {
        if self.groups.is_weighted() {
            self.run_groups::<true>();
        } else {
            self.run_groups::<false>();
        }
    }
}

impl<G: Gather, T: Column> SingleColumn<'_, G, T> {
    #[inline(always)]
    fn run_groups<const WEIGHTED: bool>(self) {
        assert!(self.groups.reach() <= self.dense.len());
        for group in self.groups.iter(self.columns) {
            // SAFETY: the columns are those of the groups, so they are below `reach`, and `gather`
            // was chosen for this processor and as many places as `dense` has.
            let mut sums = unsafe { self.gather.sums::<T, WEIGHTED>(&group, self.dense) };
            if group.is_one_row {
                sums[0] = sum_in_halves(sums);
            }
            for ((&row, &scale), sum) in group.rows.iter().zip(group.scale).zip(sums) {
                let row = row as usize;
                let mut value = sum * (scale * self.update.product);
                if let Some((factor, addend)) = self.update.addend {
                    value += factor * addend[row];
                }
                let out = &mut self.out[row];
                if self.update.keep != 0.0 {
                    value += self.update.keep * *out;
                }
                *out = value;
            }
        }
    }
}

/// A column of an entry.
trait Column: Copy {
    fn place(self) -> usize;

    /// # Safety
    ///
    /// The processor has AVX-512F.
    #[cfg(target_arch = "x86_64")]
    unsafe fn widened(columns: &Lanes<Self>) -> std::arch::x86_64::__m512i;
}

/// Each lane is summed in so many parts, which need not wait for each other: each entry joins the
/// next one, and the sum is that of the first two and that of the last two.
const PARTS: usize = 4;

/// Sums the entries of each lane.
trait Gather: Copy {
    /// # Safety
    ///
    /// The columns of the group are places of `dense`, and what gathers was chosen for the processor
    /// and for as many places.
    unsafe fn sums<T: Column, const WEIGHTED: bool>(
        self,
        group: &RowGroup<'_, T>,
        dense: &[f32],
    ) -> Lanes<f32>;
}

/// What every processor has.
#[derive(Clone, Copy, Debug)]
struct Portable;

impl Gather for Portable {
    #[inline(always)]
    unsafe fn sums<T: Column, const WEIGHTED: bool>(
        self,
        group: &RowGroup<'_, T>,
        dense: &[f32],
    ) -> Lanes<f32> {
        let mut parts = [[0.0_f32; LANES]; PARTS];
        for (place, columns) in group.columns.iter().enumerate() {
            let mut gathered = [0.0_f32; LANES];
            for lane in 0..LANES {
                gathered[lane] = dense[columns[lane].place()];
            }
            let part = &mut parts[place % PARTS];
            for lane in 0..LANES {
                if WEIGHTED {
                    gathered[lane] *= group.weights[place][lane];
                }
                let is_there = (place as u32) < group.lengths[lane];
                part[lane] += if is_there { gathered[lane] } else { 0.0 };
            }
        }
        std::array::from_fn(|lane| {
            let [first, second, third, fourth] = parts;
            (first[lane] + second[lane]) + (third[lane] + fourth[lane])
        })
    }
}

impl Column for u16 {
    #[inline(always)]
    fn place(self) -> usize {
        usize::from(self)
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn widened(columns: &Lanes<Self>) -> std::arch::x86_64::__m512i {
        use std::arch::x86_64::{_mm256_loadu_si256, _mm512_cvtepu16_epi32};

        // SAFETY: the lanes have as many bytes as are read.
        _mm512_cvtepu16_epi32(unsafe { _mm256_loadu_si256(columns.as_ptr().cast()) })
    }
}

impl Column for u32 {
    #[inline(always)]
    fn place(self) -> usize {
        self as usize
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn widened(columns: &Lanes<Self>) -> std::arch::x86_64::__m512i {
        use std::arch::x86_64::_mm512_loadu_si512;

        // SAFETY: the lanes have as many bytes as are read.
        unsafe { _mm512_loadu_si512(columns.as_ptr().cast()) }
    }
}

/// All lanes by one instruction.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
struct FastGather(());

#[cfg(target_arch = "x86_64")]
impl FastGather {
    /// Where the processor gathers faster than it loads one after the other, and the places of
    /// the dense column are numbers with a sign. Those with AVX-512 FP16 do; of earlier ones some
    /// gather slowly, and others were made slow against a leak.
    fn detect(places: usize) -> Option<Self> {
        let is_there = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512fp16")
            && i32::try_from(places).is_ok();
        is_there.then_some(Self(()))
    }
}

#[cfg(target_arch = "x86_64")]
impl Gather for FastGather {
    #[inline(always)]
    unsafe fn sums<T: Column, const WEIGHTED: bool>(
        self,
        group: &RowGroup<'_, T>,
        dense: &[f32],
    ) -> Lanes<f32> {
        assert!(!WEIGHTED || group.weights.len() == group.columns.len());
        // SAFETY: the caller's promise; weights are as many as columns.
        unsafe { avx512::sums::<T, WEIGHTED>(group, dense) }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::{
        _mm512_add_ps, _mm512_cmpgt_epu32_mask, _mm512_loadu_ps, _mm512_loadu_si512,
        _mm512_mask_i32gather_ps, _mm512_mul_ps, _mm512_set1_epi32, _mm512_setzero_ps,
        _mm512_storeu_ps,
    };

    use super::{Column, LANES, Lanes, PARTS, RowGroup};

    /// # Safety
    ///
    /// The columns of the group are places of `dense`, which has no more than an `i32` counts;
    /// weights are as many as columns where they are asked for.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn sums<T: Column, const WEIGHTED: bool>(
        group: &RowGroup<'_, T>,
        dense: &[f32],
    ) -> Lanes<f32> {
        let mut parts = [_mm512_setzero_ps(); PARTS];
        // SAFETY: there is a length for each lane.
        let lengths = unsafe { _mm512_loadu_si512(group.lengths.as_ptr().cast()) };
        let mut add = |part: usize, place: usize| {
            let is_there = _mm512_cmpgt_epu32_mask(lengths, _mm512_set1_epi32(place as i32));
            // SAFETY: `place` is one of the columns, whose entries that are there are places of
            // `dense`, and one of the weights where they are asked for.
            unsafe {
                let columns = T::widened(group.columns.get_unchecked(place));
                let none = _mm512_setzero_ps();
                let start = dense.as_ptr().cast();
                let mut gathered = _mm512_mask_i32gather_ps::<4>(none, is_there, columns, start);
                if WEIGHTED {
                    let weights = group.weights.get_unchecked(place).as_ptr();
                    gathered = _mm512_mul_ps(gathered, _mm512_loadu_ps(weights));
                }
                parts[part] = _mm512_add_ps(parts[part], gathered);
            }
        };
        let places = group.columns.len();
        let whole = places - places % PARTS;
        for block in 0..places / PARTS {
            for part in 0..PARTS {
                add(part, block * PARTS + part);
            }
        }
        for part in 0..PARTS {
            if whole + part < places {
                add(part, whole + part);
            }
        }
        let [first, second, third, fourth] = parts;
        let halves = (_mm512_add_ps(first, second), _mm512_add_ps(third, fourth));
        let mut sums = [0.0; LANES];
        // SAFETY: there is a sum for each lane.
        unsafe { _mm512_storeu_ps(sums.as_mut_ptr(), _mm512_add_ps(halves.0, halves.1)) };
        sums
    }
}

#[cfg(test)]
mod tests {
    use bspm_core::backend::SparseParts;
    use sprs::CsMatI;

    use super::*;
    use crate::sparse::{CpuSparse, Kind};

    /// Rows of all kinds of lengths, in no order.
    const LENGTHS: [usize; 23] = [
        0, 700, 1, 3, 256, 5, 17, 257, 2, 31, 0, 64, 255, 7, 4, 4, 4, 12, 300, 6, 1, 9, 40,
    ];

    fn scattered(seed: usize, below: usize) -> usize {
        (seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20) % below
    }

    fn assert_right(items: usize, is_weighted: bool) {
        let mut ends = vec![0_u32];
        let mut columns = Vec::new();
        for (row, &length) in LENGTHS.iter().enumerate() {
            let start = scattered(row, items - length * (items / 800));
            columns.extend((0..length).map(|place| (start + place * (items / 800)) as u32));
            ends.push(columns.len() as u32);
        }
        let number = |seed| scattered(seed, 2000) as f32 / 1e3 - 1.0;
        let weights: Vec<f32> = (0..columns.len()).map(|seed| number(seed + 7)).collect();
        let scale: Vec<f32> = (0..LENGTHS.len()).map(|seed| number(seed + 3)).collect();
        let dense: Vec<f32> = (0..items).map(number).collect();
        let expected: Vec<f64> = (0..LENGTHS.len())
            .map(|row| {
                let entries = ends[row] as usize..ends[row + 1] as usize;
                let sum: f64 = entries
                    .map(|entry| {
                        let weight = if is_weighted { weights[entry] } else { 1.0 };
                        f64::from(weight) * f64::from(dense[columns[entry] as usize])
                    })
                    .sum();
                0.5 * f64::from(scale[row]) * sum - 0.25
            })
            .collect();

        let entries = vec![(); columns.len()];
        let pattern = CsMatI::new((LENGTHS.len(), items), ends, columns, entries);
        let transposed = pattern.to_other_storage().transpose_into();
        let of_items: Vec<f32> = (0..items).map(number).collect();
        let sparse = CpuSparse::new(SparseParts::Walk {
            user_items: pattern.view(),
            item_users: transposed.view(),
            user_scale: &scale,
            item_scale: &of_items,
            weights: is_weighted.then_some((&weights, &weights)),
        });
        let Kind::Walk(walk) = sparse.kind() else {
            panic!("a walk")
        };
        let groups = &walk.to_users.row_groups;
        let is_wide = matches!(groups.columns(), Columns::Wide(_));
        assert_eq!(is_wide, items > 65_536);
        let update = || Update {
            product: 0.5,
            keep: -0.125,
            addend: None,
        };
        let run = |set| {
            let mut out = vec![2.0; LENGTHS.len()];
            single_column(set, groups, &dense, update(), &mut out);
            out
        };
        let portable = run(InstructionSet::Portable);
        for (row, (found, expected)) in portable.iter().zip(expected).enumerate() {
            let error = (f64::from(*found) - expected).abs();
            assert!(error < 1e-4, "row {row}: {found} instead of {expected}");
        }
        for set in InstructionSet::available() {
            assert_eq!(run(set), portable, "{set:?}");
        }
    }

    #[test]
    fn rows_of_all_lengths_are_summed() {
        for is_weighted in [false, true] {
            assert_right(900, is_weighted);
            assert_right(65_536, is_weighted);
            assert_right(100_000, is_weighted);
        }
    }
}
