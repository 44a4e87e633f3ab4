//! Dense matrices. Kernels can read their rows as arrays of a fixed width.

use std::sync::{Arc, OnceLock};

use bspm_core::backend::{Shaped, SharedMatrix};
use bspm_linalg::{MatMut, MatRef};
use bytemuck::{Pod, Zeroable};
use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};
use rayon::prelude::*;

use crate::error::CpuError;
use crate::quantized::QuantizedRows;
use crate::threads::Threads;

/// The number of columns of a tile: a row is two cache lines, which was faster than one or four in
/// measurements. All threads work on wider matrices.
pub(crate) const TILE_COLUMNS: usize = 32;

/// The number of rows of a part of a wider matrix: parts of a few hundred columns stay in the second-level
/// cache.
pub(crate) const PART_ROWS: usize = 1024;

/// A dense row-major `f32` matrix, aligned to cache lines if it owns its memory.
///
/// Rows are padded with zeros to a stride of 1, 8, 16 or a multiple of 32 floats.
#[derive(Clone, Debug)]
pub struct CpuMatrix {
    elements: Elements,
    rows: usize,
    columns: usize,
    stride: usize,
    /// Computed at the first use, and dropped if the matrix changes.
    quantized: OnceLock<Arc<QuantizedRows>>,
}

/// The memory of the elements. Shared elements are copied before they are changed.
#[derive(Clone, Debug)]
enum Elements {
    Owned(Vec<CacheLine>),
    Shared(SharedMatrix),
}

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C, align(64))]
struct CacheLine([f32; 16]);

/// The number of floats from one row to the next, for a matrix with this number of columns.
fn stride(columns: usize) -> usize {
    match columns {
        0..=1 => columns,
        2..=8 => 8,
        9..=16 => 16,
        _ => columns.next_multiple_of(32),
    }
}

impl CpuMatrix {
    /// The largest number of entries with those that pad the rows, or the largest `usize` if it is larger.
    pub(crate) fn padded_entries(rows: usize, columns: usize) -> usize {
        columns
            .checked_next_multiple_of(32)
            .map_or(usize::MAX, |stride| rows.saturating_mul(stride))
    }

    pub(crate) fn zeros(rows: usize, columns: usize) -> Self {
        let stride = stride(columns);
        let lines = bytemuck::allocation::zeroed_vec((rows * stride).div_ceil(16));
        Self {
            elements: Elements::Owned(lines),
            rows,
            columns,
            stride,
            quantized: OnceLock::new(),
        }
    }

    pub(crate) fn from_view(values: ArrayView2<'_, f32>) -> Self {
        let mut matrix = Self::zeros(values.nrows(), values.ncols());
        matrix.view_mut().assign(&values);
        matrix
    }

    /// Runs `work` for parts of the rows, with the first row of each part and the part.
    pub(crate) fn for_each_part(
        &mut self,
        threads: &Threads,
        work: impl Fn(usize, MatMut<'_, f32>) + Sync,
    ) -> Result<(), CpuError> {
        let (columns, stride) = (self.columns, self.stride);
        if columns <= TILE_COLUMNS {
            work(0, self.as_faer_mut());
            return Ok(());
        }
        let elements = self.padded_mut();
        threads.install(|| {
            let parts = elements.par_chunks_mut(PART_ROWS * stride).enumerate();
            parts.for_each(|(part, elements)| {
                let rows = elements.len() / stride;
                let out = MatMut::from_row_major_slice_mut(elements, rows, stride);
                work(part * PART_ROWS, out.subcols_mut(0, columns));
            });
        })
    }

    /// Uses the shared elements without a copy if their rows need no padding.
    pub(crate) fn from_shared(values: SharedMatrix) -> Self {
        let (rows, columns) = values.shape();
        if stride(columns) != columns {
            return Self::from_view(values.view());
        }
        Self {
            elements: Elements::Shared(values),
            rows,
            columns,
            stride: columns,
            quantized: OnceLock::new(),
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// The number of floats from one row to the next.
    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    /// All rows, padding included.
    pub(crate) fn padded(&self) -> &[f32] {
        match &self.elements {
            Elements::Owned(lines) => &bytemuck::cast_slice(lines)[..self.rows * self.stride],
            Elements::Shared(values) => values.values(),
        }
    }

    /// All rows, padding included. Values that are written to the padding must be finite; operations
    /// update them, but no result depends on them.
    pub(crate) fn padded_mut(&mut self) -> &mut [f32] {
        if let Elements::Shared(values) = &self.elements {
            *self = Self::from_view(values.view());
        }
        self.quantized.take();
        match &mut self.elements {
            Elements::Owned(lines) => {
                &mut bytemuck::cast_slice_mut(lines)[..self.rows * self.stride]
            }
            Elements::Shared(_) => unreachable!("shared elements were copied"),
        }
    }

    /// The matrix as bytes. They take an additional quarter of its memory.
    pub(crate) fn quantized(&self) -> &QuantizedRows {
        self.quantized
            .get_or_init(|| Arc::new(QuantizedRows::new(self.view())))
    }

    pub(crate) fn view(&self) -> ArrayView2<'_, f32> {
        ArrayView2::from_shape((self.rows, self.stride), self.padded())
            .expect("the padded slice has rows * stride elements")
            .slice_move(s![.., ..self.columns])
    }

    pub(crate) fn view_mut(&mut self) -> ArrayViewMut2<'_, f32> {
        let (rows, columns, stride) = (self.rows, self.columns, self.stride);
        ArrayViewMut2::from_shape((rows, stride), self.padded_mut())
            .expect("the padded slice has rows * stride elements")
            .slice_move(s![.., ..columns])
    }

    pub(crate) fn to_array(&self) -> Array2<f32> {
        self.view().to_owned()
    }

    pub(crate) fn as_faer(&self) -> MatRef<'_, f32> {
        let (rows, stride) = (self.rows, self.stride);
        MatRef::from_row_major_slice(self.padded(), rows, stride).subcols(0, self.columns)
    }

    pub(crate) fn as_faer_mut(&mut self) -> MatMut<'_, f32> {
        let (rows, columns, stride) = (self.rows, self.columns, self.stride);
        MatMut::from_row_major_slice_mut(self.padded_mut(), rows, stride).subcols_mut(0, columns)
    }
}

/// Fills `out` with the rows from `start` on of matrices side by side.
pub(crate) fn copy_side_by_side(
    matrices: &[CpuMatrix],
    start: usize,
    mut out: ArrayViewMut2<'_, f32>,
) {
    let rows = start..start + out.nrows();
    let mut column = 0;
    for matrix in matrices {
        let columns = column..column + matrix.columns;
        column = columns.end;
        out.slice_mut(s![.., columns])
            .assign(&matrix.view().slice(s![rows.clone(), ..]));
    }
}

impl Shaped for CpuMatrix {
    fn shape(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_start_where_the_kernels_expect_them() {
        for (columns, stride) in [(0, 0), (1, 1), (2, 8), (9, 16), (17, 32), (33, 64)] {
            let matrix = CpuMatrix::zeros(3, columns);
            assert_eq!(matrix.stride(), stride, "{columns} columns");
            assert_eq!(matrix.padded().len(), 3 * stride);
            assert_eq!(matrix.padded().as_ptr() as usize % 64, 0);
        }
    }

    #[test]
    fn shared_elements_are_used_in_place_and_copied_before_a_change() {
        for (columns, is_shared) in [(5, false), (32, true)] {
            let values: Vec<f32> = (0..3 * columns).map(|place| place as f32).collect();
            let bytes: Vec<u64> = bytemuck::pod_collect_to_vec(&values);
            let bytes: std::sync::Arc<Words> = std::sync::Arc::new(Words(bytes));
            let shared = SharedMatrix::new(bytes, 0..12 * columns, 3, columns).unwrap();
            let before = shared.values().as_ptr();
            let mut matrix = CpuMatrix::from_shared(shared.clone());
            assert_eq!(matrix.view(), shared.view());
            assert_eq!(matrix.padded().as_ptr() == before, is_shared);
            matrix.padded_mut()[0] = 7.0;
            assert_eq!((matrix.view()[[0, 0]], shared.values()[0]), (7.0, 0.0));
        }
    }

    struct Words(Vec<u64>);

    impl AsRef<[u8]> for Words {
        fn as_ref(&self) -> &[u8] {
            bytemuck::cast_slice(&self.0)
        }
    }

    #[test]
    fn values_come_back_without_the_padding() {
        let values = Array2::from_shape_fn((4, 5), |(row, column)| (10 * row + column) as f32);
        assert_eq!(CpuMatrix::from_view(values.view()).to_array(), values);
    }
}
