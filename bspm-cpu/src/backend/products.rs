//! Products of every kind of operand. Each updates the matrix that it is written to.

use bspm_core::backend::{Direction, Operand, Update};
use sprs::CsMatI;

use super::CpuBackend;
use crate::error::CpuError;
use crate::histories::CpuHistories;
use crate::kernel::cpu::Cpu;
use crate::kernel::elementwise::{AddScaled, ScaleRows};
use crate::kernel::prefetch::{CACHE_LINE, prefetch};
use crate::kernel::row_dots::RowDots;
use crate::kernel::scatter::Scatter;
use crate::kernel::spmm::spmm;
use crate::kernel::tile_product::tile_product;
use crate::matmul;
use crate::matrix::CpuMatrix;
use crate::sparse::{CpuSparse, Kind, ScaledPattern, Walk, row_of};
use crate::threads::Threads;

/// `out = update of sparse * right`, for the sparse matrix in one direction.
pub(super) fn sparse_product(
    cpu: Cpu,
    sparse: &CpuSparse,
    direction: Direction,
    right: Operand<'_, CpuBackend>,
    update: Update<'_, CpuMatrix>,
    out: &mut CpuMatrix,
) {
    match (sparse.kind(), right) {
        (Kind::Walk(walk), right) => {
            let (half, other_half) = match direction {
                Direction::Forward => (&walk.to_users, &walk.to_items),
                Direction::Transposed => (&walk.to_items, &walk.to_users),
            };
            match right {
                Operand::Dense(dense) => spmm(cpu, half, dense, update, out),
                Operand::Histories(histories) if is_replacement(&update) => {
                    walk_of_histories(cpu, half, other_half, histories, out);
                }
                Operand::Histories(histories) => {
                    spmm(cpu, half, &histories.to_dense(), update, out);
                }
            }
        }
        (Kind::ItemGraph(graph), Operand::Dense(dense)) => {
            start(cpu, update, out);
            cpu.run(Scatter {
                graph,
                is_transposed: direction == Direction::Transposed,
                factor: update.product,
                dense: dense.padded(),
                stride: out.stride(),
                out: out.padded_mut(),
            });
        }
        (Kind::ItemGraph(graph), Operand::Histories(histories)) => {
            if direction == Direction::Forward {
                let dense = histories.to_dense();
                let right = Operand::Dense(&dense);
                return sparse_product(cpu, sparse, direction, right, update, out);
            }
            start(cpu, update, out);
            if out.stride() == 1 {
                for (_, history) in histories.columns() {
                    add_rows(graph, update.product, history, out.padded_mut());
                }
                return;
            }
            let mut sums = vec![0.0; out.rows()];
            for (column, history) in histories.columns() {
                sums.fill(0.0);
                add_rows(graph, 1.0, history, &mut sums);
                add_column(update.product, &sums, column, out);
            }
        }
    }
}

/// `out += factor * (the rows of the items of a history)`. While one row is added, the next one is
/// prefetched, line by line.
fn add_rows(graph: &CsMatI<f32, u32>, factor: f32, history: &[(u32, f32)], out: &mut [f32]) {
    const LINE: usize = CACHE_LINE / size_of::<f32>();
    for (place, &(item, weight)) in history.iter().enumerate() {
        let (columns, weights) = row_of(graph, item as usize);
        let (next_columns, next_weights): (&[u32], &[f32]) = match history.get(place + 1) {
            Some(&(next, _)) => row_of(graph, next as usize),
            None => (&[], &[]),
        };
        let entries = columns.chunks(LINE).zip(weights.chunks(LINE));
        for (line, (columns, weights)) in entries.enumerate() {
            prefetch(next_columns, line * LINE);
            prefetch(next_weights, line * LINE);
            for (&to, &link) in columns.iter().zip(weights) {
                out[to as usize] += factor * (weight * link);
            }
        }
    }
}

fn is_replacement(update: &Update<'_, CpuMatrix>) -> bool {
    update.product == 1.0 && update.keep == 0.0 && update.addend.is_none()
}

/// One half of the walk, from histories: each item adds its weight to the rows of its users.
fn walk_of_histories(
    cpu: Cpu,
    half: &ScaledPattern,
    other_half: &ScaledPattern,
    histories: &CpuHistories,
    out: &mut CpuMatrix,
) {
    let stride = out.stride();
    let values = out.padded_mut();
    values.fill(0.0);
    for (column, history) in histories.columns() {
        for &(item, weight) in history {
            let (rows, weights) = other_half.row(item);
            spread(rows, weights, weight, &mut values[column..], stride);
        }
    }
    cpu.run(ScaleRows {
        scales: &half.scale,
        stride,
        out: values,
    });
}

/// Adds `value`, times the weight of the entry, to the element of each entry of a row.
fn spread(entries: &[u32], weights: Option<&[f32]>, value: f32, values: &mut [f32], stride: usize) {
    match weights {
        None => {
            for &to in entries {
                values[to as usize * stride] += value;
            }
        }
        Some(weights) => {
            for (&to, &weight) in entries.iter().zip(weights) {
                values[to as usize * stride] += value * weight;
            }
        }
    }
}

/// `out = product * (item_scale * A^T) * half_way` for one column, from the users that a history
/// reaches. Returns false and does nothing if gathering is faster, because there are many users.
pub(super) fn walk_from_reached(
    cpu: Cpu,
    walk: &Walk,
    product: f32,
    half_way: &CpuMatrix,
    out: &mut CpuMatrix,
) -> bool {
    // An addition in memory takes about as long as this number of gathered entries.
    const GATHERED: usize = 4;
    let reached = || {
        let users = half_way.padded().iter().enumerate();
        users.filter(|(_, value)| **value != 0.0)
    };
    let entries: usize = reached()
        .map(|(user, _)| walk.to_users.row(user as u32).0.len())
        .sum();
    if entries * GATHERED > walk.to_items.columns().len() {
        return false;
    }
    let values = out.padded_mut();
    values.fill(0.0);
    for (user, &value) in reached() {
        let (items, weights) = walk.to_users.row(user as u32);
        spread(items, weights, product * value, values, 1);
    }
    cpu.run(ScaleRows {
        scales: &walk.to_items.scale,
        stride: 1,
        out: values,
    });
    true
}

/// Sets the columns of histories of a single item to zero.
pub(super) fn clear_single_items(histories: &CpuHistories, out: &mut CpuMatrix) {
    let stride = out.stride();
    let values = out.padded_mut();
    for (column, _) in histories.single_items() {
        let entries = values.iter_mut().skip(column).step_by(stride);
        entries.for_each(|value| *value = 0.0);
    }
}

/// `out += product * (item_scale * A^T) (user_scale * A) * histories` for the histories of a
/// single item, path by path. So these columns do not depend on the rest of the tile.
pub(super) fn walk_from_single_items(
    walk: &Walk,
    product: f32,
    histories: &CpuHistories,
    out: &mut CpuMatrix,
) {
    let stride = out.stride();
    let values = out.padded_mut();
    let scale = &walk.to_items.scale;
    for (column, (item, weight)) in histories.single_items() {
        let (users, weights) = walk.to_items.row(item);
        for (place, &user) in users.iter().enumerate() {
            let weight = weight * weights.map_or(1.0, |weights| weights[place]);
            let value = product * weight * walk.to_users.scale[user as usize];
            let (items, weights) = walk.to_users.row(user);
            for (place, &to) in items.iter().enumerate() {
                let value = value * weights.map_or(1.0, |weights| weights[place]);
                values[to as usize * stride + column] += value * scale[to as usize];
            }
        }
    }
}

/// `out = update of left * right`, or of `left^T * right`.
pub(super) fn dense_product(
    cpu: Cpu,
    threads: &Threads,
    left: &CpuMatrix,
    transpose_left: bool,
    right: Operand<'_, CpuBackend>,
    update: Update<'_, CpuMatrix>,
    out: &mut CpuMatrix,
) -> Result<(), CpuError> {
    let right = match right {
        Operand::Histories(histories) if transpose_left => {
            start(cpu, update, out);
            project(cpu, left, update.product, histories, out);
            return Ok(());
        }
        Operand::Histories(histories) => &histories.to_dense(),
        Operand::Dense(right) => right,
    };
    let is_kept = update.keep != 0.0 || update.addend.is_some();
    if is_kept {
        start(cpu, update, out);
    }
    if right.columns() == 1 && left.columns() == 1 && !transpose_left {
        cpu.run(AddScaled {
            scale: update.product * right.padded()[0],
            addend: left.padded(),
            keep: if is_kept { 1.0 } else { 0.0 },
            out: out.padded_mut(),
        });
    } else if right.columns() == 1 && !transpose_left && left.columns() > 0 {
        cpu.run(RowDots {
            matrix: left.padded(),
            stride: left.stride(),
            column: right.padded(),
            product: update.product,
            keep: if is_kept { 1.0 } else { 0.0 },
            out: out.padded_mut(),
        });
    } else if transpose_left || !tile_product(cpu, left, right, update.product, is_kept, out) {
        matmul::multiply(
            threads,
            left,
            transpose_left,
            right,
            update.product,
            is_kept,
            out,
        )?;
    }
    Ok(())
}

/// `out += product * basis^T * histories`.
fn project(
    cpu: Cpu,
    basis: &CpuMatrix,
    product: f32,
    histories: &CpuHistories,
    out: &mut CpuMatrix,
) {
    let stride = basis.stride();
    let mut sums = vec![0.0; stride];
    for (column, history) in histories.columns() {
        sums.fill(0.0);
        for &(item, weight) in history {
            cpu.run(AddScaled {
                scale: weight,
                addend: &basis.padded()[item as usize * stride..][..stride],
                keep: 1.0,
                out: &mut sums,
            });
        }
        add_column(product, &sums, column, out);
    }
}

fn add_column(factor: f32, sums: &[f32], column: usize, out: &mut CpuMatrix) {
    let mut view = out.view_mut();
    for (value, sum) in view.column_mut(column).iter_mut().zip(sums) {
        *value += factor * sum;
    }
}

/// `out = keep * out + addend`, before a product is added.
fn start(cpu: Cpu, update: Update<'_, CpuMatrix>, out: &mut CpuMatrix) {
    match update.addend {
        Some((factor, addend)) => cpu.run(AddScaled {
            scale: factor,
            addend: addend.padded(),
            keep: update.keep,
            out: out.padded_mut(),
        }),
        None => keep_only(update.keep, out),
    }
}

/// `out *= factor`; a factor of 0 sets `out` to zero, even if it is not finite.
pub(super) fn keep_only(factor: f32, out: &mut CpuMatrix) {
    if factor == 0.0 {
        out.padded_mut().fill(0.0);
    } else if factor != 1.0 {
        out.padded_mut()
            .iter_mut()
            .for_each(|value| *value *= factor);
    }
}
