//! Interactions from files of every format.

use std::path::PathBuf;

use bspm::Dataset;
use bspm::data::{Format, TableOptions};
use numpy::PyArray1;
use pyo3::prelude::*;

use crate::work::short;

/// What a file holds: row ends, columns, weights and times where it has them, and the ids.
type Contents<'py> = (
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i64>>,
    Option<Bound<'py, PyArray1<f32>>>,
    Option<Bound<'py, PyArray1<f64>>>,
    Vec<String>,
    Vec<String>,
);

/// Columns of a table.
#[derive(Debug, FromPyObject)]
pub(crate) struct Columns {
    #[pyo3(item)]
    user: Option<String>,
    #[pyo3(item)]
    item: Option<String>,
    #[pyo3(item)]
    weight: Option<String>,
    #[pyo3(item)]
    time: Option<String>,
    #[pyo3(item)]
    rating: Option<String>,
    #[pyo3(item)]
    rating_threshold: Option<f64>,
}

/// Reads a file, whose format its name tells.
#[pyfunction]
pub(crate) fn read_file<'py>(
    py: Python<'py>,
    path: PathBuf,
    columns: Columns,
) -> PyResult<Contents<'py>> {
    let dataset: Dataset<String, String> = short(py, || {
        let format = Format::of(&path)?;
        let (user, item) = format.columns();
        let mut options = TableOptions::new(
            columns.user.as_deref().unwrap_or(user),
            columns.item.as_deref().unwrap_or(item),
        );
        if let Some(column) = columns.weight {
            options = options.weight(column);
        }
        if let Some(column) = columns.time {
            options = options.time(column);
        }
        if let Some(column) = columns.rating {
            options = options.rating(column);
        }
        if let Some(threshold) = columns.rating_threshold {
            options = options.rating_threshold(threshold);
        }
        Dataset::read(&path, format, &options)
    })?;
    let matrix = dataset.interactions();
    let rows = matrix.as_csr();
    let ends: Vec<i64> = rows
        .indptr()
        .raw_storage()
        .iter()
        .map(|&it| it.into())
        .collect();
    let items: Vec<i64> = rows.indices().iter().map(|&it| it.into()).collect();
    let weights = matrix.weights().map(<[f32]>::to_vec);
    let times = dataset.times().map(<[f64]>::to_vec);
    Ok((
        PyArray1::from_vec(py, ends),
        PyArray1::from_vec(py, items),
        weights.map(|weights| PyArray1::from_vec(py, weights)),
        times.map(|times| PyArray1::from_vec(py, times)),
        dataset.users().iter().cloned().collect(),
        dataset.items().iter().cloned().collect(),
    ))
}
