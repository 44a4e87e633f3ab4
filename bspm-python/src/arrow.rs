//! Arrow tables, by the PyCapsule interface: whatever package they come from.

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, to_ffi};
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::{Array, RecordBatch, RecordBatchIterator, RecordBatchReader, StructArray};
use arrow_pyarrow::FromPyArrow;
use arrow_schema::{ArrowError, DataType, SchemaRef};
use bspm::Dataset;
use pyo3::exceptions::{PyKeyError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::error::to_python;
use crate::files::{Columns, Contents, contents};

/// Record batches of one schema, which any package that knows the Arrow PyCapsule interface takes.
#[pyclass(frozen, module = "bspm._bspm")]
#[derive(Debug)]
pub(crate) struct Batches {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

type Capsules<'py> = (Bound<'py, PyCapsule>, Bound<'py, PyCapsule>);

#[pymethods]
impl Batches {
    /// Rows.
    fn __len__(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(self.schema.as_ref()).map_err(failed)?;
        PyCapsule::new_with_value(py, schema, c"arrow_schema")
    }

    /// As one record batch, where there is one.
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

fn failed(error: ArrowError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Record batches as they come.
pub(crate) struct Source {
    pub(crate) schema: SchemaRef,
    pub(crate) batches: Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>,
}

impl Source {
    /// Of an object that has the Arrow PyCapsule interface.
    pub(crate) fn of(table: &Bound<'_, PyAny>) -> PyResult<Self> {
        if table.hasattr("__arrow_c_stream__")? {
            let reader = RecordBatchStreamReader::from_pyarrow_bound(table)?;
            return Ok(Self {
                schema: reader.schema(),
                batches: Box::new(reader),
            });
        }
        if table.hasattr("__arrow_c_array__")? {
            let batch = RecordBatch::from_pyarrow_bound(table)?;
            return Ok(Self {
                schema: batch.schema(),
                batches: Box::new(std::iter::once(Ok(batch))),
            });
        }
        let expected = "expected a table with the Arrow PyCapsule interface";
        let text = format!("{expected}, found {}", table.get_type());
        Err(PyTypeError::new_err(text))
    }

    /// What `work` makes of each batch; of an empty one where there is none.
    pub(crate) fn map(
        self,
        py: Python<'_>,
        work: impl Fn(&RecordBatch) -> bspm::Result<RecordBatch> + Send + Sync,
    ) -> PyResult<Batches> {
        let Self { schema, batches } = self;
        let batches = py.detach(|| {
            let mut made = Vec::new();
            for batch in batches {
                made.push(work(&batch.map_err(failed)?).map_err(to_python)?);
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
}

/// Whether a column holds text, or text by numbers of it.
fn is_text(of: &DataType) -> bool {
    match of {
        DataType::Dictionary(_, values) => is_text(values),
        other => other.is_string(),
    }
}

/// Reads the interactions of a table.
#[pyfunction]
pub(crate) fn read_arrow<'py>(
    py: Python<'py>,
    table: &Bound<'py, PyAny>,
    columns: Columns,
) -> PyResult<Contents<'py>> {
    let source = Source::of(table)?;
    let (user, item) = ("user", "item");
    let names = [
        Some(columns.user.as_deref().unwrap_or(user)),
        Some(columns.item.as_deref().unwrap_or(item)),
        columns.weight.as_deref(),
        columns.time.as_deref(),
    ];
    let mut kinds = Vec::new();
    for name in names.into_iter().flatten() {
        let Some((_, field)) = source.schema.column_with_name(name) else {
            let fields = source.schema.fields().iter();
            let there: Vec<&str> = fields.map(|it| it.name().as_str()).collect();
            let text = format!("no column {name:?}; there are {}", there.join(", "));
            return Err(PyKeyError::new_err(text));
        };
        kinds.push(is_text(field.data_type()));
    }
    let kinds = (kinds[0], kinds[1]);
    let options = columns.options((user, item));
    macro_rules! read {
        ($users:ty, $items:ty) => {{
            let read = || Dataset::<$users, $items>::from_batches(source.batches, &options);
            contents(py, &py.detach(read).map_err(to_python)?)
        }};
    }
    match kinds {
        (false, false) => read!(i64, i64),
        (false, true) => read!(i64, String),
        (true, false) => read!(String, i64),
        (true, true) => read!(String, String),
    }
}

/// A batch with the lists of its rows, in either form.
pub(crate) fn in_form(lists: RecordBatch, is_long: bool) -> bspm::Result<RecordBatch> {
    match is_long {
        true => bspm::arrow::long_form(&lists),
        false => Ok(lists),
    }
}
