//! Columns of ids, with a number for each distinct id.

use bspm::data::Numbered;
use bspm::data::reader::NullValues;
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;

use crate::ids::Id;
use crate::options::refused;

/// The hint for a text that means a missing id.
pub(crate) fn hint_of_missing() -> String {
    let texts = NullValues::USUAL.join(", ");
    format!(
        "{texts} and an empty text mean a missing id; leave the row out, or replace the text if it is an id"
    )
}

/// A column of ids from Python.
#[derive(Debug, FromPyObject)]
pub(crate) enum IdColumn<'py> {
    /// Ids, and the index of the id of each row.
    Coded(IdList<'py>, PyReadonlyArray1<'py, i64>),
    Plain(IdList<'py>),
}

#[derive(Debug, FromPyObject)]
pub(crate) enum IdList<'py> {
    Numbers(PyReadonlyArray1<'py, i64>),
    Texts(Vec<PyBackedStr>),
}

/// A column of ids, borrowed.
#[derive(Clone, Copy)]
pub(crate) struct IdCells<'a> {
    ids: IdSlice<'a>,
    codes: Option<&'a [i64]>,
}

#[derive(Clone, Copy)]
enum IdSlice<'a> {
    Numbers(&'a [i64]),
    Texts(&'a [PyBackedStr]),
}

/// The distinct ids of a column, in the order of their first occurrence.
pub(crate) enum DistinctIds<'a> {
    Numbers(Vec<i64>),
    Texts(Vec<&'a str>),
}

impl IdColumn<'_> {
    pub(crate) fn cells(&self) -> PyResult<IdCells<'_>> {
        let (ids, codes) = match self {
            Self::Coded(ids, codes) => (ids, Some(codes.as_slice()?)),
            Self::Plain(ids) => (ids, None),
        };
        let (ids, count) = match ids {
            IdList::Numbers(numbers) => (
                IdSlice::Numbers(numbers.as_slice()?),
                numbers.as_slice()?.len(),
            ),
            IdList::Texts(texts) => (IdSlice::Texts(texts), texts.len()),
        };
        let is_outside = |code: &&i64| usize::try_from(**code).map_or(true, |code| code >= count);
        if let Some(code) = codes.and_then(|codes| codes.iter().find(is_outside)) {
            return Err(refused(
                "codes",
                &format!("numbers from 0 to below {count}"),
                code,
            ));
        }
        Ok(IdCells { ids, codes })
    }
}

impl<'a> IdCells<'a> {
    pub(crate) fn len(self) -> usize {
        match (self.codes, self.ids) {
            (Some(codes), _) => codes.len(),
            (None, IdSlice::Numbers(numbers)) => numbers.len(),
            (None, IdSlice::Texts(texts)) => texts.len(),
        }
    }

    /// Returns the distinct ids, and the number of the id of each row.
    pub(crate) fn numbered(self) -> (DistinctIds<'a>, Vec<u32>) {
        let (mut ids, numbers) = match self.ids {
            IdSlice::Numbers(numbers) => {
                let found = Numbered::of_integers(numbers);
                (DistinctIds::Numbers(found.values), found.numbers)
            }
            IdSlice::Texts(texts) => {
                let found = Numbered::of(texts.iter().map(|text| &**text));
                (DistinctIds::Texts(found.values), found.numbers)
            }
        };
        let Some(codes) = self.codes else {
            return (ids, numbers);
        };
        let codes = codes.iter().map(|&code| i64::from(numbers[code as usize]));
        let found = Numbered::of_integers(&codes.collect::<Vec<_>>());
        let used: Vec<u32> = found.values.iter().map(|&number| number as u32).collect();
        ids.select(&used);
        (ids, found.numbers)
    }
}

/// Returns the row of the first occurrence of each distinct object of an array, and the number of the object
/// of each row. Equal objects that are not the same object are distinct.
#[pyfunction]
pub(crate) fn number_objects<'py>(
    py: Python<'py>,
    objects: PyReadonlyArray1<'py, Py<PyAny>>,
) -> (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<i64>>) {
    let objects = objects.as_array();
    let found = Numbered::of(objects.iter().map(|object| object.as_ptr() as usize));
    let mut first_rows = Vec::with_capacity(found.values.len());
    for (row, &number) in (0..).zip(&found.numbers) {
        if number as usize == first_rows.len() {
            first_rows.push(row);
        }
    }
    let numbers = found.numbers.into_iter().map(i64::from).collect();
    let first_rows = PyArray1::from_vec(py, first_rows);
    (first_rows, PyArray1::from_vec(py, numbers))
}

impl DistinctIds<'_> {
    /// Rejects a text that means a missing id. `name` is the name of the column, and `numbers` has the
    /// number of the id of each row.
    pub(crate) fn check(
        &self,
        py: Python<'_>,
        missing: &NullValues<'_>,
        name: &str,
        numbers: &[u32],
    ) -> PyResult<()> {
        let Self::Texts(texts) = self else {
            return Ok(());
        };
        let Some(place) = texts.iter().position(|text| missing.contains(text)) else {
            return Ok(());
        };
        let row = numbers.iter().position(|&it| it as usize == place);
        let row = row.unwrap_or_default();
        let found = texts[place].into_pyobject(py)?.repr()?;
        let text = format!(
            "{name}, row {row}: expected an id in every row, found {found}; hint: {}",
            hint_of_missing()
        );
        Err(PyValueError::new_err(text))
    }

    /// Keeps the ids with these numbers, in this order.
    pub(crate) fn select(&mut self, numbers: &[u32]) {
        fn selected<T: Copy>(of: &[T], numbers: &[u32]) -> Vec<T> {
            numbers.iter().map(|&it| of[it as usize]).collect()
        }
        match self {
            Self::Numbers(ids) => *ids = selected(ids, numbers),
            Self::Texts(ids) => *ids = selected(ids, numbers),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Numbers(ids) => ids.len(),
            Self::Texts(ids) => ids.len(),
        }
    }

    pub(crate) fn into_python<'py>(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Numbers(ids) => Id::to_python(py, ids),
            Self::Texts(ids) => ids.into_pyobject(py),
        }
    }
}
