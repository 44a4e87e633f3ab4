//! Interactions from files of every format.

use std::path::PathBuf;

use bspm::Dataset;
use bspm::data::{Format, TableOptions};
use numpy::PyArray1;
use pyo3::prelude::*;

use crate::ids::Id;
use crate::work::short;

/// What a file or a table holds: row ends, columns, weights and times where it has them, and the
/// ids.
pub(crate) type Contents<'py> = (
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i64>>,
    Option<Bound<'py, PyArray1<f32>>>,
    Option<Bound<'py, PyArray1<f64>>>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
);

/// Columns of a table.
#[derive(Debug, FromPyObject)]
pub(crate) struct Columns {
    #[pyo3(item)]
    pub(crate) user: Option<String>,
    #[pyo3(item)]
    pub(crate) item: Option<String>,
    #[pyo3(item)]
    pub(crate) weight: Option<String>,
    #[pyo3(item)]
    pub(crate) time: Option<String>,
    #[pyo3(item)]
    rating: Option<String>,
    #[pyo3(item)]
    rating_threshold: Option<f64>,
}

impl Columns {
    /// As options for a table whose columns have these names unless told.
    pub(crate) fn options(self, (user, item): (&str, &str)) -> TableOptions {
        let mut options = TableOptions::new(
            self.user.as_deref().unwrap_or(user),
            self.item.as_deref().unwrap_or(item),
        );
        if let Some(column) = self.weight {
            options = options.weight(column);
        }
        if let Some(column) = self.time {
            options = options.time(column);
        }
        if let Some(column) = self.rating {
            options = options.rating(column);
        }
        if let Some(threshold) = self.rating_threshold {
            options = options.rating_threshold(threshold);
        }
        options
    }
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
        let options = columns.options(format.columns());
        Dataset::read(&path, format, &options)
    })?;
    contents(py, &dataset)
}

/// A data set in arrays.
pub(crate) fn contents<'py, U: Id, I: Id>(
    py: Python<'py>,
    dataset: &Dataset<U, I>,
) -> PyResult<Contents<'py>> {
    let matrix = dataset.interactions();
    let rows = matrix.as_csr();
    let ends = rows.indptr().into_raw_storage().iter();
    let ends: Vec<i64> = ends.map(|&it| it.into()).collect();
    let items: Vec<i64> = rows.indices().iter().map(|&it| it.into()).collect();
    let weights = matrix.weights().map(<[f32]>::to_vec);
    let times = dataset.times().map(<[f64]>::to_vec);
    Ok((
        PyArray1::from_vec(py, ends),
        PyArray1::from_vec(py, items),
        weights.map(|weights| PyArray1::from_vec(py, weights)),
        times.map(|times| PyArray1::from_vec(py, times)),
        Id::to_python(py, dataset.users().iter().cloned().collect())?,
        Id::to_python(py, dataset.items().iter().cloned().collect())?,
    ))
}
