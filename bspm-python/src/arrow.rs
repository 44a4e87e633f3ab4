//! Arrow tables of any package, with the PyCapsule interface.

use arrow_array::cast::AsArray;
use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, to_ffi};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch, RecordBatchIterator, StructArray};
use arrow_schema::{DataType, SchemaRef};
use bspm::data::Format;
use bspm::{Dataset, Error};
use bspm_arrow::FromArrow;
use numpy::PyArray1;
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::error::{to_python, with_hint};
use crate::files::{Contents, contents};
use crate::id_columns::hint_of_missing;
use crate::ids::Id;
use crate::import::{Source, failed};
use crate::options::{FileOptions, ReadOptions, of_reading, warn, with_arguments};

/// Record batches of one schema, with the Arrow PyCapsule interface.
#[pyclass(frozen, module = "bspm._bspm")]
#[derive(Debug)]
pub(crate) struct Batches {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

type Capsules<'py> = (Bound<'py, PyCapsule>, Bound<'py, PyCapsule>);

#[pymethods]
impl Batches {
    /// The number of rows.
    fn __len__(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(self.schema.as_ref()).map_err(failed)?;
        PyCapsule::new_with_value(py, schema, c"arrow_schema")
    }

    /// Returns the only record batch. Raises ValueError if there is not exactly one.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Capsules<'py>> {
        let _ = requested_schema;
        let [batch] = self.batches.as_slice() else {
            let text = format!("expected one record batch, found {}", self.batches.len());
            return Err(PyValueError::new_err(text));
        };
        let (array, _): (FFI_ArrowArray, FFI_ArrowSchema) =
            to_ffi(&StructArray::from(batch.clone()).into_data()).map_err(failed)?;
        let array = PyCapsule::new_with_value(py, array, c"arrow_array")?;
        Ok((self.__arrow_c_schema__(py)?, array))
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        let batches = self.batches.clone().into_iter().map(Ok);
        let reader = RecordBatchIterator::new(batches, self.schema.clone());
        let stream = FFI_ArrowArrayStream::new(Box::new(reader));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }
}

impl Source {
    /// Applies `work` to each batch, or to an empty batch if there is none.
    pub(crate) fn map(
        mut self,
        py: Python<'_>,
        work: impl Fn(&RecordBatch) -> bspm::Result<RecordBatch> + Send + Sync,
    ) -> PyResult<Batches> {
        let schema = self.schema.clone();
        let batches = py.detach(|| {
            let mut made = Vec::new();
            while let Some(batch) = self.next(|_| true) {
                made.push(work(&batch?).map_err(to_python)?);
            }
            if made.is_empty() {
                made.push(work(&RecordBatch::new_empty(schema)).map_err(to_python)?);
            }
            Ok::<_, PyErr>(made)
        })?;
        Ok(Batches {
            schema: batches[0].schema(),
            batches,
        })
    }

    /// The type of the column with this name. `keyword` is the Python argument that names it.
    fn column(&self, name: &str, keyword: &str) -> PyResult<&DataType> {
        let found = self.schema.column_with_name(name);
        found.map(|(_, field)| field.data_type()).ok_or_else(|| {
            let fields = self.schema.fields().iter();
            let there: Vec<String> = fields.map(|it| format!("{:?}", it.name())).collect();
            let there = there.join(", ");
            let text = format!("no column {name:?}; there are {there}; {keyword}= names another");
            PyKeyError::new_err(text)
        })
    }
}

/// Returns whether the ids in a column are text. Bytes and UUIDs are text.
fn is_text(of: &DataType) -> bool {
    match of {
        DataType::Dictionary(_, values) => is_text(values),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => true,
        DataType::FixedSizeBinary(_) => true,
        other => other.is_string(),
    }
}

/// Returns the exception for an error of reading a table, with a hint for a missing id.
fn of_table(error: Error) -> PyErr {
    let is_id = |text: &str| matches!(text, "a user id" | "an item id");
    let hint = match &error {
        Error::InvalidColumn { expected, .. } => is_id(expected).then(hint_of_missing),
        _ => None,
    };
    with_hint(error, hint)
}

/// Reads the interactions of a table. `of_file` are the options of the file that it comes from.
#[pyfunction]
#[pyo3(signature = (table, options, of_file = None))]
pub(crate) fn read_arrow<'py>(
    py: Python<'py>,
    table: &Bound<'py, PyAny>,
    options: ReadOptions,
    of_file: Option<FileOptions>,
) -> PyResult<Contents<'py>> {
    let mut source = Source::of(table)?;
    let mut table = options.table(options.weighting(options.named())?);
    if let Some(of_file) = &of_file {
        table = of_file.add_to(table)?;
    }
    let schema = source.schema.clone();
    let columns: Vec<&String> = schema.fields().iter().map(|it| it.name()).collect();
    let (user, item) = table.id_columns(("user", "item"), &columns);
    let is_text_column = |name, keyword| source.column(name, keyword).map(is_text);
    let kinds = (is_text_column(user, "user")?, is_text_column(item, "item")?);
    let others = [
        (options.weight.as_deref(), "weight"),
        (options.time.as_deref(), "time"),
        (options.rating.as_deref(), "rating"),
    ];
    let mut names = vec![user, item];
    for (name, keyword) in others {
        if let Some(name) = name {
            source.column(name, keyword)?;
            names.push(name);
        }
    }
    let mut wrong = None;
    let batches = std::iter::from_fn(|| match source.next(|name| names.contains(&name))? {
        Ok(batch) => Some(Ok(batch)),
        Err(error) => {
            wrong = Some(error);
            None
        }
    });
    macro_rules! read {
        ($users:ty, $items:ty) => {{
            let dataset = py.detach(|| Dataset::<$users, $items>::read_batches(batches, &table));
            match wrong {
                Some(error) => Err(error),
                None => {
                    let (dataset, report) = dataset.map_err(|error| match &of_file {
                        Some(_) => of_reading(error, Some(Format::Parquet), &table),
                        None => of_table(error),
                    })?;
                    for warning in of_file.iter().flat_map(|_| &report.warnings) {
                        warn(py, &with_arguments(warning))?;
                    }
                    options.check_half_life(py, dataset.times(), of_file.is_some())?;
                    contents(py, &dataset)
                }
            }
        }};
    }
    match kinds {
        (false, false) => read!(i64, i64),
        (false, true) => read!(i64, String),
        (true, false) => read!(String, i64),
        (true, true) => read!(String, String),
    }
}

/// Users, items, and the name and values of the column that orders them.
type ListColumns<'py> = (
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Option<(String, Bound<'py, PyAny>)>,
);

/// Returns the columns of a table of lists: ids as int64 or str, and the numbers that order them as
/// float64. The default column of these numbers is "rank" or "score".
#[pyfunction]
pub(crate) fn read_lists<'py>(
    py: Python<'py>,
    table: &Bound<'py, PyAny>,
    ids: (String, String),
    order: Option<(String, String)>,
) -> PyResult<ListColumns<'py>> {
    let mut source = Source::of(table)?;
    let order = order.or_else(|| {
        let usual = ["rank", "score"].into_iter();
        let name = usual.filter(|name| source.schema.column_with_name(name).is_some());
        name.map(|name| (name.to_owned(), name.to_owned())).next()
    });
    let mut columns = Vec::new();
    for (name, keyword) in [(&ids.0, "user"), (&ids.1, "item")] {
        let expected = "ids that are text or whole numbers";
        let cells = match source.column(name, keyword)? {
            it if is_text(it) => Cells::Texts(Vec::new()),
            it if is_integer(it) => Cells::Integers(Vec::new()),
            other => return Err(unlike(name, expected, other)),
        };
        columns.push(Read::new(name, expected, cells));
    }
    if let Some((name, keyword)) = &order {
        let found = source.column(name, keyword)?;
        if !found.is_numeric() {
            return Err(unlike(name, "numbers", found));
        }
        let cells = Cells::Floats(Vec::new());
        columns.push(Read::new(name, "a number", cells));
    }
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    while let Some(batch) = source.next(|name| names.contains(&name)) {
        let batch = batch?;
        for column in &mut columns {
            column.add(&batch)?;
        }
    }
    let mut columns = columns
        .into_iter()
        .map(|column| column.cells.into_python(py));
    let mut next = || columns.next().transpose();
    let (Some(users), Some(items)) = (next()?, next()?) else {
        return Err(PyValueError::new_err("lists: expected users and items"));
    };
    let values = next()?;
    let order = order.zip(values).map(|((name, _), values)| (name, values));
    Ok((users, items, order))
}

fn is_integer(of: &DataType) -> bool {
    match of {
        DataType::Dictionary(_, values) => is_integer(values),
        other => other.is_integer(),
    }
}

fn unlike(column: &str, expected: &str, found: &DataType) -> PyErr {
    to_python(Error::InvalidColumn {
        column: column.into(),
        row: None,
        expected: expected.into(),
        found: format!("a column of {found}"),
    })
}

/// A column that was read.
struct Read<'n> {
    name: &'n str,
    expected: &'static str,
    rows: usize,
    cells: Cells,
}

enum Cells {
    Integers(Vec<i64>),
    Texts(Vec<String>),
    Floats(Vec<f64>),
}

impl<'n> Read<'n> {
    fn new(name: &'n str, expected: &'static str, cells: Cells) -> Self {
        Self {
            name,
            expected,
            rows: 0,
            cells,
        }
    }

    fn add(&mut self, batch: &RecordBatch) -> PyResult<()> {
        let Some(column) = batch.column_by_name(self.name) else {
            return Ok(());
        };
        let to = match self.cells {
            Cells::Integers(_) => DataType::Int64,
            Cells::Texts(_) => DataType::LargeUtf8,
            Cells::Floats(_) => DataType::Float64,
        };
        let column = arrow_cast::cast(column, &to).map_err(failed)?;
        // Values that do not fit the type have become null.
        if let Some(row) = (0..column.len()).find(|&row| column.is_null(row)) {
            return Err(to_python(Error::InvalidColumn {
                column: self.name.into(),
                row: Some(self.rows + row),
                expected: self.expected.into(),
                found: "null".into(),
            }));
        }
        self.rows += column.len();
        match &mut self.cells {
            Cells::Integers(all) => all.extend(column.as_primitive::<Int64Type>().values()),
            Cells::Floats(all) => all.extend(column.as_primitive::<Float64Type>().values()),
            Cells::Texts(all) => {
                let texts = column.as_string::<i64>().iter().flatten();
                all.extend(texts.map(str::to_owned));
            }
        }
        Ok(())
    }
}

impl Cells {
    fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        match self {
            Self::Integers(values) => Id::to_python(py, values),
            Self::Texts(values) => Id::to_python(py, values),
            Self::Floats(values) => Ok(PyArray1::from_vec(py, values).into_any()),
        }
    }
}

/// Returns a batch with the lists of its rows, in either form.
pub(crate) fn in_form(lists: RecordBatch, is_long: bool) -> bspm::Result<RecordBatch> {
    match is_long {
        true => bspm_arrow::long_form(&lists),
        false => Ok(lists),
    }
}
