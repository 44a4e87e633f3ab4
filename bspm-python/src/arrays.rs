//! NumPy arrays as Rust slices.

use bspm::Interactions;
use bspm::data::Duplicates;
use numpy::{PyArray1, PyReadonlyArray1, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::error::to_python;

/// Returns the values as an array of NumPy.
pub(crate) fn numbers<'py, T: numpy::Element>(
    py: Python<'py>,
    values: Vec<T>,
) -> Bound<'py, PyArray1<T>> {
    PyArray1::from_vec(py, values)
}

/// Integers of 32 or 64 bits, borrowed from NumPy.
#[derive(Debug)]
pub(crate) enum Integers<'py> {
    I32(PyReadonlyArray1<'py, i32>),
    I64(PyReadonlyArray1<'py, i64>),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Integers<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(array) = object.extract::<PyReadonlyArray1<'py, i32>>() {
            return Ok(Self::I32(array));
        }
        if let Ok(array) = object.extract::<PyReadonlyArray1<'py, i64>>() {
            return Ok(Self::I64(array));
        }
        let found = match object.cast::<PyUntypedArray>() {
            Ok(array) => format!(
                "an array of {} of {} dimensions",
                array.dtype(),
                array.ndim()
            ),
            Err(_) => object.get_type().to_string(),
        };
        let expected = "expected a one-dimensional array of int32 or int64";
        Err(PyTypeError::new_err(format!("{expected}, found {found}")))
    }
}

impl Integers<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::I32(array) => array.len(),
            Self::I64(array) => array.len(),
        }
    }

    /// The numbers. Each must be below `limit`.
    pub(crate) fn below(&self, what: &str, limit: usize) -> PyResult<Vec<u32>> {
        let check = |value: i64| match u32::try_from(value) {
            Ok(number) if (number as usize) < limit => Ok(number),
            _ => {
                let text =
                    format!("{what}: expected numbers from 0 to below {limit}, found {value}");
                Err(PyValueError::new_err(text))
            }
        };
        match self {
            Self::I32(array) => array
                .as_array()
                .iter()
                .map(|&it| check(it.into()))
                .collect(),
            Self::I64(array) => array.as_array().iter().map(|&it| check(it)).collect(),
        }
    }
}

/// Compressed sparse rows, borrowed from NumPy or SciPy.
#[derive(Debug, FromPyObject)]
pub(crate) struct Csr<'py> {
    #[pyo3(item)]
    indptr: Integers<'py>,
    #[pyo3(item)]
    indices: Integers<'py>,
    #[pyo3(item)]
    data: Option<PyReadonlyArray1<'py, f32>>,
    #[pyo3(item)]
    columns: usize,
}

/// Rows whose ends and columns were checked.
#[derive(Debug)]
pub(crate) struct Rows {
    ends: Vec<u32>,
    columns: Vec<u32>,
    weights: Option<Vec<f32>>,
    width: usize,
}

impl Csr<'_> {
    /// Checks the rows.
    pub(crate) fn rows(&self) -> PyResult<Rows> {
        let count = self.indices.len();
        let ends = self.indptr.below("indptr", count + 1)?;
        let ascends = ends.is_sorted() && ends.first() == Some(&0);
        if !ascends || ends.last().map(|&it| it as usize) != Some(count) {
            let text = format!("indptr: expected ascending numbers from 0 to {count}");
            return Err(PyValueError::new_err(text));
        }
        let weights = self.data.as_ref().map(|data| data.as_array().to_vec());
        if let Some(weights) = &weights {
            if weights.len() != count {
                let text = format!("data: expected {count} values, found {}", weights.len());
                return Err(PyValueError::new_err(text));
            }
            if let Some(weight) = weights.iter().find(|it| !it.is_finite()) {
                let text = format!("data: expected finite numbers, found {weight}");
                return Err(PyValueError::new_err(text));
            }
        }
        Ok(Rows {
            columns: self.indices.below("indices", self.columns)?,
            ends,
            weights,
            width: self.columns,
        })
    }
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        self.ends.len() - 1
    }

    /// The columns of a row, and their weights.
    pub(crate) fn row(&self, row: usize) -> (&[u32], Option<&[f32]>) {
        let place = self.ends[row] as usize..self.ends[row + 1] as usize;
        let weights = self.weights.as_ref().map(|it| &it[place.clone()]);
        (&self.columns[place], weights)
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Returns whether the columns of each row are in ascending order without repeats.
    pub(crate) fn is_canonical(&self) -> bool {
        (0..self.len()).all(|row| self.row(row).0.is_sorted_by(|left, right| left < right))
    }

    /// Converts the rows to a matrix. Repeated entries are added, and zeros are left out.
    pub(crate) fn interactions(&self) -> PyResult<Interactions> {
        let users = self.len();
        let entries = || {
            (0..users).flat_map(|user| {
                let (columns, weights) = self.row(user);
                let weight = move |place: usize| weights.map_or(1.0, |it| it[place]);
                let entry = move |(place, &item)| (user as u32, item, weight(place));
                columns.iter().enumerate().map(entry)
            })
        };
        let interactions = match self.weights {
            None if self.is_canonical() => {
                let pairs = entries().map(|(user, item, _)| (user, item));
                Interactions::from_pairs(users, self.width, pairs)
            }
            _ => Interactions::from_weighted(users, self.width, entries(), Duplicates::Sum),
        };
        interactions.map_err(to_python)
    }
}
