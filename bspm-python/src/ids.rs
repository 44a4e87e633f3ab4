//! Ids: whole numbers or text, each kind in a model of its own type.

use bspm::data::Ids;
use numpy::{IntoPyArray, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Ids from Python.
#[derive(Clone, Debug)]
pub(crate) enum IdList {
    Numbers(Vec<i64>),
    Texts(Vec<String>),
}

impl<'a, 'py> FromPyObject<'a, 'py> for IdList {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(array) = object.extract::<PyReadonlyArray1<'py, i64>>() {
            return Ok(Self::Numbers(array.as_array().to_vec()));
        }
        Ok(Self::Texts(object.extract()?))
    }
}

/// A type of ids.
pub(crate) trait Id:
    Sized + Clone + Eq + std::hash::Hash + std::fmt::Debug + Send + Sync
{
    /// The ids in a list of their kind.
    fn of(list: IdList) -> Option<Vec<Self>>;

    /// What they are called in messages.
    const KIND: &'static str;

    fn to_python<'py>(py: Python<'py>, ids: Vec<Self>) -> PyResult<Bound<'py, PyAny>>;

    /// The id that is written so; none for a text that is none.
    fn parse(text: &str) -> Option<Self>;
}

impl Id for i64 {
    const KIND: &'static str = "whole numbers";

    fn of(list: IdList) -> Option<Vec<Self>> {
        match list {
            IdList::Numbers(ids) => Some(ids),
            // A list without ids is of any kind.
            IdList::Texts(ids) => ids.is_empty().then(Vec::new),
        }
    }

    fn to_python<'py>(py: Python<'py>, ids: Vec<Self>) -> PyResult<Bound<'py, PyAny>> {
        Ok(ids.into_pyarray(py).into_any())
    }

    fn parse(text: &str) -> Option<Self> {
        let number: Self = text.parse().ok()?;
        (number.to_string() == text).then_some(number)
    }
}

impl Id for String {
    const KIND: &'static str = "text";

    fn of(list: IdList) -> Option<Vec<Self>> {
        match list {
            IdList::Texts(ids) => Some(ids),
            IdList::Numbers(ids) => ids.is_empty().then(Vec::new),
        }
    }

    fn to_python<'py>(py: Python<'py>, ids: Vec<Self>) -> PyResult<Bound<'py, PyAny>> {
        ids.into_pyobject(py)
    }

    fn parse(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

/// The ids as those of a model, which must be distinct.
pub(crate) fn distinct<T: Id>(what: &str, ids: Vec<T>) -> PyResult<Ids<T>> {
    let count = ids.len();
    let ids: Ids<T> = ids.into_iter().collect();
    if ids.len() == count {
        return Ok(ids);
    }
    let text = format!(
        "{what}: expected distinct ids, found {} among {count}",
        ids.len()
    );
    Err(PyValueError::new_err(text))
}
