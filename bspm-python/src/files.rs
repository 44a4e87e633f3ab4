//! Interactions from files of every format, as arrays.

use std::path::PathBuf;

use bspm::data::reader::{IdSource, warnings_of_items, warnings_of_times, warnings_of_users};
use bspm::data::{Decay, Format, expand_paths};
use bspm::{Dataset, Interactions};
use numpy::PyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arrays::Csr;
use crate::datasets::{DecayPair, Times};
use crate::error::to_python;
use crate::ids::{Id, IdList};
use crate::options::{FileOptions, ReadOptions, of_reading, refused, warn, with_arguments};

/// Row ends, columns, and weights, times and the decay of the weights if there are any.
pub(crate) type Entries<'py> = (
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i64>>,
    Option<Bound<'py, PyArray1<f32>>>,
    Option<Bound<'py, PyArray1<f64>>>,
    Option<DecayPair>,
);

/// The content of a file or a table: the entries, and the ids of users and items.
pub(crate) type Contents<'py> = (Entries<'py>, Bound<'py, PyAny>, Bound<'py, PyAny>);

/// Returns the files of folders and glob patterns if their format is Parquet, else None.
#[pyfunction]
pub(crate) fn parquet_files(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    options: ReadOptions,
    of_file: FileOptions,
) -> PyResult<Option<Vec<PathBuf>>> {
    let paths = expand_paths(&paths).map_err(to_python)?;
    let Some(first) = paths.first() else {
        return Ok(None);
    };
    // The name alone says whether a file is Parquet.
    let format = of_file.format()?.or_else(|| Format::of(first).ok());
    if format != Some(Format::Parquet) {
        return Ok(None);
    }
    let _ = options.file(py, first, &of_file)?;
    Ok(Some(paths))
}

/// Reads files, folders of part files and glob patterns as one data set.
#[pyfunction]
pub(crate) fn read_files<'py>(
    py: Python<'py>,
    paths: Vec<PathBuf>,
    options: ReadOptions,
    of_file: FileOptions,
) -> PyResult<Contents<'py>> {
    let paths = expand_paths(&paths).map_err(to_python)?;
    let Some(first) = paths.first() else {
        return Err(refused("path", "at least one file", "none"));
    };
    let (table, format) = options.file(py, first, &of_file)?;
    if format == Format::Parquet {
        let message = "expected PyArrow or polars, which read Parquet files, found neither";
        return Err(PyValueError::new_err(format!(
            "{}: {message}",
            first.display()
        )));
    }
    let given = of_file.format()?;
    let read = py.detach(|| Dataset::read_files(&paths, given, &table));
    let (dataset, report) = read.map_err(|error| of_reading(error, given, &table))?;
    for warning in &report.warnings {
        warn(py, &with_arguments(warning))?;
    }
    options.check_half_life(py, dataset.times(), true)?;
    contents(py, &dataset)
}

/// Returns warnings about ids and times of a table that are likely misread.
#[pyfunction]
pub(crate) fn likely_misread<'py>(
    csr: Csr<'py>,
    times: Times<'py>,
    users: IdList,
    items: IdList,
) -> PyResult<Vec<String>> {
    let rows = csr.rows()?;
    let mut warnings = Vec::new();
    if let IdList::Texts(users) = users {
        let ids = users.into_iter().collect();
        let degree = |user| rows.row(user as usize).0.len();
        warnings.extend(warnings_of_users(IdSource::Values, &ids, degree));
    }
    if let IdList::Texts(items) = items {
        let mut degrees = vec![0; rows.width()];
        for user in 0..rows.len() {
            for &item in rows.row(user).0 {
                degrees[item as usize] += 1;
            }
        }
        let ids = items.into_iter().collect();
        let degree = |item| degrees[item as usize];
        warnings.extend(warnings_of_items(IdSource::Values, &ids, degree));
    }
    if let Some(times) = times {
        warnings.extend(warnings_of_times(times.as_slice()?));
    }
    Ok(warnings)
}

/// Returns a data set as arrays. A data set without interactions is an error.
pub(crate) fn contents<'py, U: Id, I: Id>(
    py: Python<'py>,
    dataset: &Dataset<U, I>,
) -> PyResult<Contents<'py>> {
    Ok((
        entries(py, dataset)?,
        Id::to_python(py, dataset.users().iter().cloned().collect())?,
        Id::to_python(py, dataset.items().iter().cloned().collect())?,
    ))
}

/// Returns the entries of a data set as arrays. A data set without interactions is an error.
pub(crate) fn entries<'py, U: Id, I: Id>(
    py: Python<'py>,
    dataset: &Dataset<U, I>,
) -> PyResult<Entries<'py>> {
    arrays(
        py,
        dataset.interactions(),
        dataset.times().map(<[f64]>::to_vec),
        dataset.decay(),
    )
}

/// Returns a matrix, its times and the decay of its weights as arrays and numbers. A matrix without entries is an error.
pub(crate) fn arrays<'py>(
    py: Python<'py>,
    matrix: &Interactions,
    times: Option<Vec<f64>>,
    decay: Option<Decay>,
) -> PyResult<Entries<'py>> {
    if matrix.is_empty() {
        let text = "data: expected at least one interaction, found none";
        return Err(PyValueError::new_err(text));
    }
    let rows = matrix.as_csr();
    let ends = rows.indptr().into_raw_storage().iter();
    let ends: Vec<i64> = ends.map(|&it| it.into()).collect();
    let items: Vec<i64> = rows.indices().iter().map(|&it| it.into()).collect();
    let weights = matrix.weights().map(<[f32]>::to_vec);
    Ok((
        PyArray1::from_vec(py, ends),
        PyArray1::from_vec(py, items),
        weights.map(|weights| PyArray1::from_vec(py, weights)),
        times.map(|times| PyArray1::from_vec(py, times)),
        decay.map(|decay| (decay.half_life, decay.reference_time)),
    ))
}
