//! Ids: whole numbers or text, each with its own type of model.

use bspm::data::Ids;
use numpy::{IntoPyArray, PyReadonlyArray1};
use pyo3::exceptions::PyTypeError;
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
    /// The ids of a list of this type.
    fn of(list: IdList) -> Option<Vec<Self>>;

    /// The name of the type in messages.
    const KIND: &'static str;

    fn to_python<'py>(py: Python<'py>, ids: Vec<Self>) -> PyResult<Bound<'py, PyAny>>;

    /// Parses an id from text. Returns `None` if the text is not an id of this type.
    fn parse(text: &str) -> Option<Self>;
}

impl Id for i64 {
    const KIND: &'static str = "whole numbers";

    fn of(list: IdList) -> Option<Vec<Self>> {
        match list {
            IdList::Numbers(ids) => Some(ids),
            // An empty list has ids of any type.
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

/// Returns the ids for a model. They must be distinct.
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

/// Converts ids to the type of the model.
pub(crate) fn of_kind<T: Id>(what: &str, ids: IdList) -> PyResult<Vec<T>> {
    T::of(ids).ok_or_else(|| {
        PyTypeError::new_err(format!(
            "{what}: expected ids that are {}, as the model's",
            T::KIND
        ))
    })
}
