//! Errors as Python exceptions.

use bspm::Error;
use pyo3::PyErr;
use pyo3::exceptions::{
    PyFileNotFoundError, PyIndexError, PyKeyError, PyMemoryError, PyOSError, PyRuntimeError,
    PyValueError,
};

/// Returns the Python exception for an error.
pub(crate) fn to_python(error: Error) -> PyErr {
    with_hint(error, None)
}

/// Returns the Python exception for an error, with a hint.
pub(crate) fn with_hint(error: Error, hint: Option<String>) -> PyErr {
    let hint = hint.map(|hint| format!("; hint: {hint}"));
    let text = bspm::with_sources(&error) + &hint.unwrap_or_default();
    match &error {
        Error::UnknownId { .. } => PyKeyError::new_err(text),
        Error::UnknownUser { .. } | Error::UnknownItem { .. } => PyIndexError::new_err(text),
        Error::MemoryBudget { .. } => PyMemoryError::new_err(text),
        Error::Backend { .. } => PyRuntimeError::new_err(text),
        Error::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            PyFileNotFoundError::new_err(text)
        }
        Error::Read { .. } | Error::Write { .. } => PyOSError::new_err(text),
        _ => PyValueError::new_err(text),
    }
}
