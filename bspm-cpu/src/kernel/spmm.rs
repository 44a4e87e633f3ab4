//! Sparse times dense product (SpMM): each row of the result is a scaled sum of gathered rows.

use super::cpu::{Cpu, Kernel};
use super::prefetch::prefetch;
use super::row_dots::sum_in_halves;
use crate::matrix::CpuMatrix;
use crate::sparse::ScaledPattern;
use bspm_core::backend::Update;

/// `out = update of pattern * dense`. The shapes must fit.
pub(crate) fn spmm(
    cpu: Cpu,
    pattern: &ScaledPattern,
    dense: &CpuMatrix,
    update: Update<'_, CpuMatrix>,
    out: &mut CpuMatrix,
) {
    let operands = Operands {
        pattern,
        dense: dense.padded(),
        update: Update {
            product: update.product,
            keep: update.keep,
            addend: update
                .addend
                .map(|(factor, addend)| (factor, addend.padded())),
        },
    };
    match out.stride() {
        0 => {}
        1 => cpu.run(ColumnSums {
            pattern,
            column: operands.dense,
            update: operands.update,
            out: out.padded_mut(),
        }),
        8 => operands.run::<8>(cpu, out),
        16 => operands.run::<16>(cpu, out),
        _ => operands.run::<32>(cpu, out),
    }
}

struct Operands<'a> {
    pattern: &'a ScaledPattern,
    dense: &'a [f32],
    update: Update<'a, [f32]>,
}

impl Operands<'_> {
    fn run<const WIDTH: usize>(self, cpu: Cpu, out: &mut CpuMatrix) {
        match self.pattern.weights {
            Some(_) => self.run_rows::<WIDTH, true>(cpu, out),
            None => self.run_rows::<WIDTH, false>(cpu, out),
        }
    }

    fn run_rows<const WIDTH: usize, const WEIGHTED: bool>(self, cpu: Cpu, out: &mut CpuMatrix) {
        let blocks = out.stride() / WIDTH;
        for block in 0..blocks {
            let rows = RowSums::<WIDTH, WEIGHTED> {
                pattern: self.pattern,
                weights: self.pattern.weights.as_deref().unwrap_or_default(),
                dense: self.dense.as_chunks().0,
                product: self.update.product,
                keep: self.update.keep,
                addend: self
                    .update
                    .addend
                    .map(|(factor, addend)| (factor, addend.as_chunks().0)),
                blocks,
                block,
                out: out.padded_mut().as_chunks_mut().0,
            };
            cpu.run(rows);
        }
    }
}

/// The number of entries of a row that are summed before the partial sum is added to the sum of the row.
/// The rounding error of a row of `n` entries grows with `PART + n / PART` instead of `n`.
const PART: usize = 64;

/// The prefetch distance, in entries. In measurements, 32 was faster than 16, and as fast as 64.
const AHEAD: usize = 32;

/// One block of columns. Element `row * blocks + block` of a matrix is the part of the row in the block.
struct RowSums<'a, const WIDTH: usize, const WEIGHTED: bool> {
    pattern: &'a ScaledPattern,
    /// The weights of all entries, if they are weighted.
    weights: &'a [f32],
    dense: &'a [[f32; WIDTH]],
    product: f32,
    keep: f32,
    addend: Option<(f32, &'a [[f32; WIDTH]])>,
    blocks: usize,
    block: usize,
    out: &'a mut [[f32; WIDTH]],
}

impl<const WIDTH: usize, const WEIGHTED: bool> Kernel for RowSums<'_, WIDTH, WEIGHTED> {
    #[inline(always)]
    fn run(self) {
        if self.blocks == 1 {
            self.run_blocks(1);
        } else {
            let blocks = self.blocks;
            self.run_blocks(blocks);
        }
    }
}

impl<const WIDTH: usize, const WEIGHTED: bool> RowSums<'_, WIDTH, WEIGHTED> {
    /// `blocks` is a parameter so that the compiler specializes the common case of 1.
    #[inline(always)]
    fn run_blocks(self, blocks: usize) {
        let columns = self.pattern.columns();
        let row_ends = self.pattern.row_ends();
        for (row, ends) in row_ends.windows(2).enumerate() {
            let mut sum = [0.0_f32; WIDTH];
            let mut start = ends[0] as usize;
            for part in columns[start..ends[1] as usize].chunks(PART) {
                let mut part_sum = [0.0_f32; WIDTH];
                for (place, &column) in (start..).zip(part) {
                    if let Some(&later) = columns.get(place + AHEAD) {
                        prefetch(self.dense, later as usize * blocks + self.block);
                    }
                    let gathered = &self.dense[column as usize * blocks + self.block];
                    if WEIGHTED {
                        let weight = self.weights[place];
                        for lane in 0..WIDTH {
                            part_sum[lane] += weight * gathered[lane];
                        }
                    } else {
                        for lane in 0..WIDTH {
                            part_sum[lane] += gathered[lane];
                        }
                    }
                }
                start += part.len();
                for lane in 0..WIDTH {
                    sum[lane] += part_sum[lane];
                }
            }
            let scale = self.pattern.scale[row] * self.product;
            for value in &mut sum {
                *value *= scale;
            }
            let place = row * blocks + self.block;
            if let Some((factor, addend)) = self.addend {
                for lane in 0..WIDTH {
                    sum[lane] += factor * addend[place][lane];
                }
            }
            let out = &mut self.out[place];
            if self.keep != 0.0 {
                for lane in 0..WIDTH {
                    sum[lane] += self.keep * out[lane];
                }
            }
            *out = sum;
        }
    }
}

/// The product with a single column. Several sums are computed at the same time.
struct ColumnSums<'a> {
    pattern: &'a ScaledPattern,
    column: &'a [f32],
    update: Update<'a, [f32]>,
    out: &'a mut [f32],
}

impl Kernel for ColumnSums<'_> {
    #[inline(always)]
    fn run(self) {
        let columns = self.pattern.columns();
        let weights = self.pattern.weights.as_deref();
        for (row, ends) in self.pattern.row_ends().windows(2).enumerate() {
            let place = ends[0] as usize..ends[1] as usize;
            let entries = &columns[place.clone()];
            let sum = match weights {
                None => sum_of(entries, |_, column| self.column[column as usize]),
                Some(weights) => {
                    let weights = &weights[place];
                    sum_of(entries, |place, column| {
                        weights[place] * self.column[column as usize]
                    })
                }
            };
            let mut sum = sum * (self.pattern.scale[row] * self.update.product);
            if let Some((factor, addend)) = self.update.addend {
                sum += factor * addend[row];
            }
            if self.update.keep != 0.0 {
                sum += self.update.keep * self.out[row];
            }
            self.out[row] = sum;
        }
    }
}

/// The sum of the values of the entries of a row.
#[inline(always)]
fn sum_of(entries: &[u32], value: impl Fn(usize, u32) -> f32) -> f32 {
    const LANES: usize = 8;
    let mut sums = [0.0_f32; LANES];
    let (chunks, rest) = entries.as_chunks::<LANES>();
    for (chunk, entries) in chunks.iter().enumerate() {
        for lane in 0..LANES {
            sums[lane] += value(chunk * LANES + lane, entries[lane]);
        }
    }
    let start = chunks.len() * LANES;
    for (lane, &entry) in rest.iter().enumerate() {
        sums[lane] += value(start + lane, entry);
    }
    sum_in_halves(sums)
}
