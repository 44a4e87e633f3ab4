//! Host matrices in shared memory.

use std::ops::Range;
use std::sync::Arc;

use ndarray::ArrayView2;

/// A row-major `f32` matrix in shared bytes, such as a mapped file. Clones share the bytes.
#[derive(Clone)]
pub struct SharedMatrix {
    bytes: Arc<dyn AsRef<[u8]> + Send + Sync>,
    place: Range<usize>,
    rows: usize,
    columns: usize,
}

impl SharedMatrix {
    /// Creates the matrix `rows x columns` from the bytes at `place`. Returns `None` if the range is outside
    /// the bytes, has a wrong length, or is not aligned for `f32`.
    pub fn new(
        bytes: Arc<dyn AsRef<[u8]> + Send + Sync>,
        place: Range<usize>,
        rows: usize,
        columns: usize,
    ) -> Option<Self> {
        let values: &[f32] =
            bytemuck::try_cast_slice((*bytes).as_ref().get(place.clone())?).ok()?;
        (rows.checked_mul(columns) == Some(values.len())).then_some(Self {
            bytes,
            place,
            rows,
            columns,
        })
    }

    /// The numbers of rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// The elements, row by row.
    pub fn values(&self) -> &[f32] {
        bytemuck::cast_slice(&(*self.bytes).as_ref()[self.place.clone()])
    }

    /// The matrix as a view.
    pub fn view(&self) -> ArrayView2<'_, f32> {
        ArrayView2::from_shape(self.shape(), self.values())
            .expect("the number of elements was checked when this was made")
    }
}

impl std::fmt::Debug for SharedMatrix {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SharedMatrix")
            .field("rows", &self.rows)
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

/// A matrix on the host for a device: a view that must be copied, or shared memory that a backend on the
/// host can use without a copy.
#[derive(Clone, Debug)]
pub enum HostMatrix<'a> {
    /// A view, which the backend must copy.
    View(ArrayView2<'a, f32>),
    /// Shared memory, which the backend can copy or keep.
    Shared(SharedMatrix),
}

impl HostMatrix<'_> {
    /// The matrix as a view.
    pub fn view(&self) -> ArrayView2<'_, f32> {
        match self {
            Self::View(view) => view.view(),
            Self::Shared(shared) => shared.view(),
        }
    }
}

impl<'a> From<ArrayView2<'a, f32>> for HostMatrix<'a> {
    fn from(view: ArrayView2<'a, f32>) -> Self {
        Self::View(view)
    }
}

impl From<SharedMatrix> for HostMatrix<'_> {
    fn from(shared: SharedMatrix) -> Self {
        Self::Shared(shared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_matrix_that_lies_inside_is_made() {
        let values = [0.0_f32, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let bytes: Arc<dyn AsRef<[u8]> + Send + Sync> =
            Arc::new(bytemuck::cast_slice::<f32, u8>(&values).to_vec());
        let make = |place, rows, columns| SharedMatrix::new(bytes.clone(), place, rows, columns);
        let start = (0..4)
            .find(|&start| make(start..start + 24, 2, 3).is_some())
            .expect("one of four places is aligned");
        let matrix = make(start..start + 24, 2, 3).unwrap();
        assert_eq!((matrix.shape(), matrix.values().len()), ((2, 3), 6));
        assert!(make(start + 1..start + 25, 2, 3).is_none());
        assert!(make(start..start + 24, 2, 4).is_none());
        assert!(make(start..start + 48, 4, 3).is_none());
        assert!(make(start..start + 24, usize::MAX, 3).is_none());
    }
}
