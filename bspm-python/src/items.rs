//! Item tables from files, Arrow tables, and columns of Python values.

use std::path::PathBuf;

use bspm::data::reader::{Cell, Fault, ItemRows, whole_number};
use bspm::data::{Ids, InvalidRow, ItemTable, ItemTableOptions, ItemValue, ReadReport};
use bspm_arrow::ItemsFromArrow;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyString};

use crate::error::to_python;
use crate::ids::Id;
use crate::import::Source;
use crate::options::warn;
use crate::work::short;

/// An item table whose ids are text.
#[pyclass(frozen, module = "bspm._bspm")]
#[derive(Debug)]
pub(crate) struct Items(ItemTable);

/// The columns of ids and titles, as Python arguments.
#[derive(Debug, FromPyObject)]
pub(crate) struct ItemOptions {
    #[pyo3(item)]
    id: Option<String>,
    #[pyo3(item)]
    title: Option<String>,
    /// The item column of the interactions.
    #[pyo3(item)]
    item: Option<String>,
}

impl ItemOptions {
    fn table(self) -> ItemTableOptions {
        let mut options = ItemTableOptions::new();
        if let Some(column) = self.item {
            options = options.item_column(column);
        }
        if let Some(column) = self.id {
            options = options.id(column);
        }
        if let Some(column) = self.title {
            options = options.title(column);
        }
        options
    }
}

/// Issues the warnings of a table, and returns it.
fn read(py: Python<'_>, (table, report): (ItemTable, ReadReport)) -> PyResult<Items> {
    for warning in &report.warnings {
        warn(py, warning)?;
    }
    Ok(Items(table))
}

/// Reads a file. The extension of its name selects the format.
#[pyfunction]
pub(crate) fn read_items_file(
    py: Python<'_>,
    path: PathBuf,
    options: ItemOptions,
) -> PyResult<Items> {
    let options = options.table();
    let found = short(py, || ItemTable::read_files([&path], None, &options))?;
    read(py, found)
}

/// Reads an Arrow table.
#[pyfunction]
pub(crate) fn read_items_arrow(
    py: Python<'_>,
    table: &Bound<'_, PyAny>,
    options: ItemOptions,
) -> PyResult<Items> {
    let mut source = Source::of(table)?;
    let options = options.table();
    let mut wrong = None;
    let batches = std::iter::from_fn(|| match source.next(|_| true)? {
        Ok(batch) => Some(Ok(batch)),
        Err(error) => {
            wrong = Some(error);
            None
        }
    });
    let found = py.detach(|| ItemTable::from_batches(batches, &options));
    match wrong {
        Some(error) => Err(error),
        None => read(py, found.map_err(to_python)?),
    }
}

/// A value of Python.
enum Value {
    Missing,
    Text(String),
    Number(f64),
    Boolean(bool),
}

impl Value {
    fn of(value: &Bound<'_, PyAny>) -> PyResult<Self> {
        if value.is_none() {
            return Ok(Self::Missing);
        }
        if let Ok(boolean) = value.cast::<PyBool>() {
            return Ok(Self::Boolean(boolean.is_true()));
        }
        if let Ok(text) = value.cast::<PyString>() {
            return Ok(Self::Text(text.to_str()?.to_owned()));
        }
        Ok(Self::Number(value.extract()?))
    }

    /// Converts the value to an id. The error has the expected type and the found value.
    fn id(&self) -> Result<String, (InvalidRow, &'static str, String)> {
        let expected = "an item id that is text or a whole number";
        match self {
            Self::Missing => Err((InvalidRow::MissingItem, "an item id", "None".into())),
            Self::Text(text) => Ok(text.clone()),
            Self::Number(number) => match whole_number(*number) {
                Some(number) => Ok(number.to_string()),
                None => Err((InvalidRow::InvalidItem, expected, number.to_string())),
            },
            Self::Boolean(boolean) => Err((InvalidRow::InvalidItem, expected, boolean.to_string())),
        }
    }

    fn cell(&self) -> Cell<'_> {
        match self {
            Self::Missing => Cell::Missing,
            Self::Text(text) => Cell::Text(text),
            Self::Number(number) => Cell::Number(*number),
            Self::Boolean(boolean) => Cell::Boolean(*boolean),
        }
    }
}

/// Reads columns of str, int, float, bool and None.
#[pyfunction]
pub(crate) fn read_items_columns(
    py: Python<'_>,
    names: Vec<String>,
    columns: Vec<Vec<Bound<'_, PyAny>>>,
    options: ItemOptions,
) -> PyResult<Items> {
    let count = columns.first().map_or(0, Vec::len);
    if let Some(column) = columns.iter().find(|column| column.len() != count) {
        let text = format!(
            "items: expected columns of {count} values, found {}",
            column.len()
        );
        return Err(PyValueError::new_err(text));
    }
    let values = columns
        .iter()
        .map(|column| column.iter().map(Value::of).collect());
    let values: Vec<Vec<Value>> = values.collect::<PyResult<_>>()?;
    let options = options.table();
    let found = short(py, || {
        let mut rows = ItemRows::new(&options);
        let (id, places) = rows.header(&names)?;
        for row in 0..count {
            let text = match values[id][row].id() {
                Ok(text) => text,
                Err((reason, expected, found)) => {
                    let fault = Fault {
                        reason,
                        column: names[id].clone(),
                        expected: expected.into(),
                        found,
                    };
                    rows.refuse_row(row as u64, fault)?;
                    continue;
                }
            };
            let cells = places.iter().zip(&values);
            let cells = cells.filter_map(|(place, column)| Some(((*place)?, column[row].cell())));
            rows.push(row as u64, &text, cells)?;
        }
        rows.finish()
    })?;
    read(py, found)
}

impl Items {
    /// The table with ids of the type that the model has.
    pub(crate) fn under<I: Id>(&self) -> PyResult<ItemTable<I>> {
        let mut ids: Ids<I> = Ids::default();
        for text in self.0.ids().iter() {
            let id = I::parse(text).ok_or_else(|| {
                let kind = I::KIND;
                PyTypeError::new_err(format!(
                    "items: expected ids that are {kind}, as the model's, found {text:?}"
                ))
            })?;
            ids.index_or_insert(id, "items").map_err(to_python)?;
        }
        let columns = self.0.columns().to_vec();
        ItemTable::new(ids, self.0.titles().name(), columns).map_err(to_python)
    }
}

/// Returns the values of a column for Python, with `None` for a missing value.
pub(crate) fn values<'py, I: Id>(
    py: Python<'py>,
    table: &ItemTable<I>,
    column: usize,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let column = &table.columns()[column];
    let value = |row: usize| {
        Ok(match column.value(row) {
            Some(ItemValue::Text(text)) => text.into_pyobject(py)?.into_any(),
            Some(ItemValue::Number(number)) => number.into_pyobject(py)?.into_any(),
            Some(ItemValue::Boolean(boolean)) => PyBool::new(py, boolean).to_owned().into_any(),
            _ => py.None().into_bound(py),
        })
    };
    (0..column.len()).map(value).collect()
}
