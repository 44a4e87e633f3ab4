//! Dense products, with the matrix multiplication of `bspm-linalg`.

use std::ops::Range;

use bspm_linalg::{Accum, Mat, MatRef, lower_triangle_of_product, matmul};
use ndarray::{Array2, ArrayViewMut2};
use rayon::prelude::*;

use crate::error::CpuError;
use crate::matrix::{CpuMatrix, PART_ROWS, copy_side_by_side};
use crate::threads::Threads;

/// The maximum number of partial sums of a product over all rows. One thread computes each.
const SUMS: usize = 16;

/// `out = product * op(left) * right`, or adds it to `out`.
pub(crate) fn multiply(
    threads: &Threads,
    left: &CpuMatrix,
    transpose_left: bool,
    right: &CpuMatrix,
    product: f32,
    is_added: bool,
    out: &mut CpuMatrix,
) -> Result<(), CpuError> {
    let accumulate = if is_added { Accum::Add } else { Accum::Replace };
    let (left, right) = (left.as_faer(), right.as_faer());
    if transpose_left {
        let (left, out) = (left.transpose(), out.as_faer_mut());
        matmul(out, accumulate, left, right, product);
        return Ok(());
    }
    out.for_each_part(threads, |start, out| {
        let left = left.subrows(start, out.nrows());
        matmul(out, accumulate, left, right, product);
    })
}

/// The symmetric product `left^T * right`, with the matrices of `right` side by side. Only the lower
/// triangle is computed.
///
/// Memory: up to 16 matrices of the size of the product. The result does not depend on the number of
/// threads, to the last bit.
pub(crate) fn symmetric_product(
    threads: &Threads,
    left: &CpuMatrix,
    right: &[CpuMatrix],
) -> Result<Array2<f64>, CpuError> {
    let (rows, size) = (left.rows(), left.columns());
    let rows_of_sum = rows.div_ceil(SUMS).max(1).next_multiple_of(PART_ROWS);
    let sums: Vec<Mat<f32>> = threads.install(|| {
        let starts = (0..rows).into_par_iter().step_by(rows_of_sum);
        let ranges = starts.map(|start| start..rows.min(start + rows_of_sum));
        ranges.map(|rows| triangle(left, right, rows)).collect()
    })?;
    Ok(Array2::from_shape_fn((size, size), |(row, column)| {
        let (low, high) = (row.max(column), row.min(column));
        sums.iter().map(|sum| f64::from(sum[(low, high)])).sum()
    }))
}

/// The lower triangle of the product of some of the rows.
fn triangle(left: &CpuMatrix, right: &[CpuMatrix], rows: Range<usize>) -> Mat<f32> {
    let size = left.columns();
    let mut sum = Mat::zeros(size, size);
    let mut side_by_side = vec![0.0; PART_ROWS * size];
    for start in rows.clone().step_by(PART_ROWS) {
        let count = PART_ROWS.min(rows.end - start);
        let part = &mut side_by_side[..count * size];
        let view = ArrayViewMut2::from_shape((count, size), &mut *part);
        copy_side_by_side(right, start, view.expect("the part has as many elements"));
        lower_triangle_of_product(
            sum.as_mut(),
            left.as_faer().subrows(start, count).transpose(),
            MatRef::from_row_major_slice(part, count, size),
        );
    }
    sum
}
