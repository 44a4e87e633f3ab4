//! The inverse of a large symmetric positive definite matrix, in place.
//!
//! The sweep operator (Beaton 1964), a block of pivots at a time: with `D` the inverse of
//! the block `A_KK`, the rest becomes `A_II - A_IK D A_KI`, the panels `A_IK D`, and the block
//! `-D`; after all blocks `A` is `-A^-1`. Only the lower triangle is kept up to date, so the
//! cost is `size^3` multiplications, nearly all of them in products of blocks.

use bspm_core::backend::MOST_ROWS_IN_F64;
use bspm_linalg::{Accum, Mat, MatMut, MatRef, Number};
use rayon::prelude::*;

use crate::error::CpuError;
use crate::matrix::CpuMatrix;
use crate::threads::Threads;

const BLOCK: usize = 256;

/// Matrices of up to [`MOST_ROWS_IN_F64`] rows are inverted in `f64`. Memory: two panels of `size x 256` in
/// addition to the matrix, and a copy of the matrix in `f64`. The result does not depend on the number of
/// threads, to the last bit.
pub(crate) fn invert_positive_definite(
    threads: &Threads,
    matrix: &mut CpuMatrix,
) -> Result<(), CpuError> {
    let (size, stride) = (matrix.rows(), matrix.stride());
    let elements = matrix.padded_mut();
    if size > MOST_ROWS_IN_F64 {
        return invert(threads, elements, size, stride);
    }
    let mut doubles: Vec<f64> = elements.iter().map(|&it| it.into()).collect();
    invert(threads, &mut doubles, size, stride)?;
    for (element, value) in elements.iter_mut().zip(doubles) {
        *element = value as f32;
    }
    Ok(())
}

fn invert<T: Number>(
    threads: &Threads,
    elements: &mut [T],
    size: usize,
    stride: usize,
) -> Result<(), CpuError> {
    for start in (0..size).step_by(BLOCK) {
        let end = (start + BLOCK).min(size);
        eliminate(threads, elements, size, stride, start..end)?;
    }
    threads.install(|| {
        elements
            .par_chunks_exact_mut(stride.max(1))
            .for_each(|row| row.iter_mut().for_each(|value| *value = -*value));
    })?;
    mirror(elements, size, stride);
    Ok(())
}

fn eliminate<T: Number>(
    threads: &Threads,
    elements: &mut [T],
    size: usize,
    stride: usize,
    pivots: std::ops::Range<usize>,
) -> Result<(), CpuError> {
    let width = pivots.len();
    // The panel A_IK, with zeros in the rows of K.
    let mut panel = vec![T::default(); size * width];
    for row in 0..size {
        for (place, pivot) in pivots.clone().enumerate() {
            if !pivots.contains(&row) {
                let (low, high) = (row.max(pivot), row.min(pivot));
                panel[row * width + place] = elements[low * stride + high];
            }
        }
    }
    let block = Mat::from_fn(width, width, |row, column| {
        let (low, high) = (row.max(column), row.min(column));
        elements[(pivots.start + low) * stride + pivots.start + high].into()
    });
    let inverse = bspm_linalg::inverse(block).ok_or(CpuError::NotPositiveDefinite { size })?;
    let inverse = Mat::from_fn(width, width, |row, column| T::of(inverse[(row, column)]));

    let mut scaled = vec![T::default(); size * width];
    threads.install(|| {
        let rows = scaled.par_chunks_mut(BLOCK * width);
        let parts = rows.zip(panel.par_chunks(BLOCK * width));
        parts.for_each(|(scaled, panel)| {
            let rows = scaled.len() / width;
            T::matmul(
                MatMut::from_row_major_slice_mut(scaled, rows, width),
                Accum::Replace,
                MatRef::from_row_major_slice(panel, rows, width),
                inverse.as_ref(),
                T::of(1.0),
            );
        });
        let rows = elements.par_chunks_mut(BLOCK * stride);
        let parts = rows.zip(scaled.par_chunks(BLOCK * width)).enumerate();
        parts.for_each(|(part, (elements, scaled))| {
            let rows = elements.len() / stride;
            let columns = part * BLOCK + rows;
            T::matmul(
                MatMut::from_row_major_slice_mut(elements, rows, stride).subcols_mut(0, columns),
                Accum::Add,
                MatRef::from_row_major_slice(scaled, rows, width),
                MatRef::from_row_major_slice(&panel[..columns * width], columns, width).transpose(),
                T::of(-1.0),
            );
        });
    })?;

    for row in 0..size {
        for (place, pivot) in pivots.clone().enumerate() {
            let value = match pivots.contains(&row) {
                true => -inverse[(row - pivots.start, place)],
                false => scaled[row * width + place],
            };
            let (low, high) = (row.max(pivot), row.min(pivot));
            elements[low * stride + high] = value;
        }
    }
    Ok(())
}

/// Copies the lower triangle to the upper one, tile by tile.
fn mirror<T: Copy>(elements: &mut [T], size: usize, stride: usize) {
    const TILE: usize = 32;
    for rows in (0..size).step_by(TILE) {
        for columns in (0..=rows).step_by(TILE) {
            for row in rows..(rows + TILE).min(size) {
                for column in columns..(columns + TILE).min(row) {
                    elements[column * stride + row] = elements[row * stride + column];
                }
            }
        }
    }
}
