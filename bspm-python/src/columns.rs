//! Interactions from columns of ids and numbers.

use std::borrow::Cow;
use std::panic::resume_unwind;
use std::thread;

use bspm::Error;
use bspm::data::reader::NullValues;
use bspm::data::{EventColumns, Numbered, TableOptions, Weighting};
use numpy::PyReadonlyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arrays::Integers;
use crate::error::to_python;
use crate::files::{Contents, Entries, arrays};
use crate::id_columns::IdColumn;
use crate::options::{Has, ReadOptions, refused};
use crate::work::short;

type Numbers<'py> = Option<PyReadonlyArray1<'py, f64>>;

/// The weights, times and ratings of rows, as a tuple.
#[derive(Debug, FromPyObject)]
pub(crate) struct Values<'py>(Numbers<'py>, Numbers<'py>, Numbers<'py>);

/// Returns the default column of the ids of a kind, `user` or `item`, in a table with these columns.
#[pyfunction]
pub(crate) fn default_column(names: Vec<String>, kind: &str) -> String {
    let options = TableOptions::default();
    let (user, item) = options.id_columns(("user", "item"), &names);
    let column = if kind == "user" { user } else { item };
    column.to_owned()
}

/// Reads interactions from columns. `names` are the names of the columns of users and of items.
#[pyfunction]
pub(crate) fn read_columns<'py>(
    py: Python<'py>,
    names: (String, String),
    users: IdColumn<'py>,
    items: IdColumn<'py>,
    values: Values<'py>,
    options: ReadOptions,
) -> PyResult<Contents<'py>> {
    if names.0 == names.1 {
        let expected = "a column other than the user column";
        return Err(refused("item", expected, format!("{:?}", names.1)));
    }
    let (users, items) = (users.cells()?, items.cells()?);
    let count = users.len();
    if items.len() != count {
        let found = items.len();
        let text = format!("items: expected {count} of them, as users, found {found}");
        return Err(PyValueError::new_err(text));
    }
    let ((mut users, user_rows), (mut items, item_columns)) = py.detach(|| {
        thread::scope(|scope| {
            let users = scope.spawn(|| users.numbered());
            let items = items.numbered();
            let users = users.join().unwrap_or_else(|panic| resume_unwind(panic));
            (users, items)
        })
    });
    let table = TableOptions::default();
    let missing = NullValues::new(&table);
    users.check(py, &missing, &names.0, &user_rows)?;
    items.check(py, &missing, &names.1, &item_columns)?;
    let mut rows = Rows::new(user_rows, item_columns, &values, &options)?;
    if rows.users.len() < count {
        for (ids, numbers) in [(&mut users, &mut rows.users), (&mut items, &mut rows.items)] {
            let kept = Numbered::of(numbers.iter().copied());
            ids.select(&kept.values);
            *numbers = kept.numbers;
        }
    }
    let entries = rows.entries(py, (users.len(), items.len()), &options)?;
    Ok((entries, users.into_python(py)?, items.into_python(py)?))
}

/// Reads the entries of a matrix of this shape.
#[pyfunction]
pub(crate) fn read_entries<'py>(
    py: Python<'py>,
    shape: (usize, usize),
    users: Integers<'py>,
    items: Integers<'py>,
    values: Values<'py>,
    options: ReadOptions,
) -> PyResult<Entries<'py>> {
    let (users, items) = (
        users.below("users", shape.0)?,
        items.below("items", shape.1)?,
    );
    Rows::new(users, items, &values, &options)?.entries(py, shape, &options)
}

/// Rows that are at or above the threshold of the ratings.
struct Rows<'a> {
    users: Vec<u32>,
    items: Vec<u32>,
    weights: Cow<'a, [f64]>,
    times: Cow<'a, [f64]>,
    weighting: Weighting,
}

impl<'a> Rows<'a> {
    fn new(
        mut users: Vec<u32>,
        mut items: Vec<u32>,
        values: &'a Values<'_>,
        options: &ReadOptions,
    ) -> PyResult<Self> {
        let Values(weights, times, ratings) = values;
        let weighting = options.weighting(Has {
            weights: weights.is_some(),
            times: times.is_some(),
            ratings: ratings.is_some(),
        })?;
        let count = users.len();
        let name = |given: &Option<String>, usual: &str| given.clone().unwrap_or(usual.into());
        let mut weights = checked(weights, &name(&options.weight, "weight"), 0.0, count)?;
        let mut times = checked(times, &name(&options.time, "time"), f64::MIN, count)?;
        let ratings = checked(ratings, &name(&options.rating, "rating"), f64::MIN, count)?;
        if let Some(threshold) = options.rating_threshold()? {
            let is_kept = |row: usize| ratings[row] >= threshold;
            if !(0..count).all(is_kept) {
                users = only(&users, is_kept);
                items = only(&items, is_kept);
                weights = Cow::Owned(only(&weights, is_kept));
                times = Cow::Owned(only(&times, is_kept));
            }
        }
        Ok(Self {
            users,
            items,
            weights,
            times,
            weighting,
        })
    }

    /// Returns the entries of the matrix of this shape. A matrix without entries is an error.
    fn entries<'py>(
        &self,
        py: Python<'py>,
        shape: (usize, usize),
        options: &ReadOptions,
    ) -> PyResult<Entries<'py>> {
        let columns = EventColumns {
            users: &self.users,
            items: &self.items,
            weights: &self.weights,
            times: &self.times,
        };
        let read = || columns.interactions(shape, &self.weighting);
        let (interactions, times) = short(py, read)?;
        options.check_half_life(py, times.as_deref(), false)?;
        arrays(py, &interactions, times, columns.decay(&self.weighting))
    }
}

/// Returns the values of the rows that `is_kept`.
fn only<T: Copy>(values: &[T], is_kept: impl Fn(usize) -> bool) -> Vec<T> {
    let values = values.iter().enumerate();
    values
        .filter(|&(row, _)| is_kept(row))
        .map(|(_, &value)| value)
        .collect()
}

/// Returns a column of finite numbers of at least `least`, or an empty one if there is no column.
fn checked<'a>(
    values: &'a Numbers<'_>,
    name: &str,
    least: f64,
    rows: usize,
) -> PyResult<Cow<'a, [f64]>> {
    let Some(values) = values else {
        return Ok(Cow::Borrowed(&[]));
    };
    let values = values.as_slice()?;
    if values.len() != rows {
        let text = format!("{name}: expected {rows} values, found {}", values.len());
        return Err(PyValueError::new_err(text));
    }
    let is_wrong = |value: &f64| !(value.is_finite() && *value >= least);
    match values.iter().position(is_wrong) {
        None => Ok(Cow::Borrowed(values)),
        Some(row) => Err(to_python(Error::InvalidColumn {
            column: name.into(),
            row: Some(row),
            expected: match least == 0.0 {
                true => "a finite number, 0 or above".into(),
                false => "a finite number".into(),
            },
            found: values[row].to_string(),
        })),
    }
}
