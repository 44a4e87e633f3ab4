//! Interactions from files of every format, and from columns of numbered ids.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{Int64Array, LargeStringArray, RecordBatch};
use bspm::data::{DatasetBuilder, Event, Format, TableOptions, expand_paths};
use bspm::{Dataset, Error};
use bspm_arrow::FromArrow;
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arrays::Integers;
use crate::error::to_python;
use crate::ids::Id;
use crate::import::failed;
use crate::options::{FileOptions, Has, ReadOptions, refused, warn};
use crate::work::short;

/// Row ends, columns, and weights and times if there are any.
pub(crate) type Entries<'py> = (
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i64>>,
    Option<Bound<'py, PyArray1<f32>>>,
    Option<Bound<'py, PyArray1<f64>>>,
);

/// The content of a file or a table: the entries, and the ids of users and items.
pub(crate) type Contents<'py> = (Entries<'py>, Bound<'py, PyAny>, Bound<'py, PyAny>);

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
    let format = match &of_file.format {
        Some(name) => name.parse().map_err(to_python)?,
        None => short(py, || Format::of_file(first))?,
    };
    if format == Format::Parquet {
        let message = "a Parquet file is passed as a table: pyarrow.parquet.read_table(path), \
                       polars.read_parquet(path) or pandas.read_parquet(path)";
        return Err(PyValueError::new_err(format!(
            "{}: {message}",
            first.display()
        )));
    }
    let table = options.file(format, &of_file)?;
    let given = of_file.format.as_ref().map(|_| format);
    let read = || Dataset::read_files(&paths, given, &table);
    let (dataset, report) = short(py, read)?;
    for warning in &report.warnings {
        warn(py, warning)?;
    }
    options.check_half_life(py, &dataset)?;
    contents(py, &dataset)
}

/// Reads interactions whose users and items are numbers. Returns the numbers that are kept as ids.
/// With a shape, all rows and columns are kept.
#[pyfunction]
#[pyo3(signature = (users, items, weights, times, ratings, options, *, shape = None))]
#[expect(clippy::too_many_arguments, reason = "columns of one table")]
pub(crate) fn read_codes<'py>(
    py: Python<'py>,
    users: Integers<'py>,
    items: Integers<'py>,
    weights: Option<PyReadonlyArray1<'py, f64>>,
    times: Option<PyReadonlyArray1<'py, f64>>,
    ratings: Option<PyReadonlyArray1<'py, f64>>,
    options: ReadOptions,
    shape: Option<(usize, usize)>,
) -> PyResult<Contents<'py>> {
    let limit = u32::MAX as usize;
    let (users, items) = (users.below("users", limit)?, items.below("items", limit)?);
    let rating_threshold = options.rating_threshold();
    let weighting = options.weighting(Has {
        weights: weights.is_some(),
        times: times.is_some(),
        ratings: ratings.is_some(),
    })?;
    let name = |given: &Option<String>, usual: &str| given.clone().unwrap_or(usual.into());
    let column = |values: Option<PyReadonlyArray1<'py, f64>>, name: String, least: f64| {
        let values = values.map(|values| Column::of(&values, name, least, users.len()));
        values.transpose()
    };
    let weights = column(weights, name(&options.weight, "weight"), 0.0)?;
    let times = column(times, name(&options.time, "time"), f64::MIN)?;
    let ratings = column(ratings, name(&options.rating, "rating"), f64::MIN)?;
    let dataset = short(py, || {
        let mut builder: DatasetBuilder<u32, u32> = Dataset::builder().weighting(weighting);
        if let Some(threshold) = rating_threshold {
            builder = builder.rating_threshold(threshold);
        }
        if let Some((users, items)) = shape {
            builder.add_ids(0..users as u32, 0..items as u32)?;
        }
        for (row, (&user, &item)) in users.iter().zip(&items).enumerate() {
            let at = |column: &Option<Column>| column.as_ref().map(|it| it.0[row]);
            let mut event = Event::new(user, item);
            event.weight = at(&weights);
            event.time = at(&times);
            event.rating = at(&ratings);
            builder.push(event)?;
        }
        builder.finish()
    })?;
    let numbers = dataset.map_ids(|&user| i64::from(user), |&item| i64::from(item));
    let numbers = numbers.map_err(to_python)?;
    options.check_half_life(py, &numbers)?;
    contents(py, &numbers)
}

/// Returns the index of the first text that means a missing id, if there is one.
#[pyfunction]
pub(crate) fn missing_text(py: Python<'_>, ids: Vec<String>) -> PyResult<Option<usize>> {
    if ids.is_empty() {
        return Ok(None);
    }
    let numbers = Int64Array::from_iter_values(0..ids.len() as i64);
    let texts = LargeStringArray::from_iter_values(ids);
    let columns = [
        ("user", Arc::new(texts) as _),
        ("item", Arc::new(numbers) as _),
    ];
    let batch = RecordBatch::try_from_iter(columns).map_err(failed)?;
    let options = TableOptions::new("user", "item");
    let read = || Dataset::<String, i64>::from_batches([Ok(batch)], &options);
    match py.detach(read) {
        Ok(_) => Ok(None),
        Err(Error::InvalidColumn { row: Some(row), .. }) => Ok(Some(row)),
        Err(error) => Err(to_python(error)),
    }
}

/// A column of finite numbers.
struct Column(Vec<f64>);

impl Column {
    fn of(
        values: &PyReadonlyArray1<'_, f64>,
        name: String,
        least: f64,
        rows: usize,
    ) -> PyResult<Self> {
        let values = values.as_array().to_vec();
        if values.len() != rows {
            let text = format!("{name}: expected {rows} values, found {}", values.len());
            return Err(PyValueError::new_err(text));
        }
        let is_wrong = |value: &f64| !(value.is_finite() && *value >= least);
        match values.iter().position(is_wrong) {
            None => Ok(Self(values)),
            Some(row) => Err(to_python(Error::InvalidColumn {
                column: name,
                row: Some(row),
                expected: match least == 0.0 {
                    true => "a finite number, 0 or above".into(),
                    false => "a finite number".into(),
                },
                found: values[row].to_string(),
            })),
        }
    }
}

/// Returns a data set as arrays. A data set without interactions is an error.
pub(crate) fn contents<'py, U: Id, I: Id>(
    py: Python<'py>,
    dataset: &Dataset<U, I>,
) -> PyResult<Contents<'py>> {
    if dataset.is_empty() {
        let text = "data: expected at least one interaction, found none";
        return Err(PyValueError::new_err(text));
    }
    Ok((
        entries(py, dataset),
        Id::to_python(py, dataset.users().iter().cloned().collect())?,
        Id::to_python(py, dataset.items().iter().cloned().collect())?,
    ))
}

/// Returns the entries of a data set as arrays.
pub(crate) fn entries<'py, U: Id, I: Id>(py: Python<'py>, dataset: &Dataset<U, I>) -> Entries<'py> {
    let matrix = dataset.interactions();
    let rows = matrix.as_csr();
    let ends = rows.indptr().into_raw_storage().iter();
    let ends: Vec<i64> = ends.map(|&it| it.into()).collect();
    let items: Vec<i64> = rows.indices().iter().map(|&it| it.into()).collect();
    let weights = matrix.weights().map(<[f32]>::to_vec);
    let times = dataset.times().map(<[f64]>::to_vec);
    (
        PyArray1::from_vec(py, ends),
        PyArray1::from_vec(py, items),
        weights.map(|weights| PyArray1::from_vec(py, weights)),
        times.map(|times| PyArray1::from_vec(py, times)),
    )
}
