//! Sparse vectors as arrays of NumPy.

use bspm::fitted::SparseVector;
use numpy::PyArray1;
use pyo3::prelude::*;

use crate::arrays::numbers;

/// Row ends, columns and values of compressed sparse rows.
pub(crate) type Matrix<'py> = (
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<f32>>,
);

/// Sparse vectors as compressed sparse rows.
#[derive(Debug)]
pub(crate) struct SparseRows {
    ends: Vec<i64>,
    columns: Vec<i64>,
    values: Vec<f32>,
}

impl SparseRows {
    pub(crate) fn of(
        vectors: impl Iterator<Item = bspm::Result<SparseVector>>,
    ) -> bspm::Result<Self> {
        let (mut ends, mut columns, mut values) = (vec![0], Vec::new(), Vec::new());
        for vector in vectors {
            let vector = vector?;
            columns.extend(vector.indices.into_iter().map(i64::from));
            values.extend(vector.values);
            ends.push(columns.len() as i64);
        }
        Ok(Self {
            ends,
            columns,
            values,
        })
    }

    pub(crate) fn into_arrays(self, py: Python<'_>) -> Matrix<'_> {
        (
            numbers(py, self.ends),
            numbers(py, self.columns),
            numbers(py, self.values),
        )
    }
}
