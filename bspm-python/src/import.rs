//! Arrow data of other packages, by the C data interface, checked before they are used.

use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi_and_data_type};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{RecordBatch, RecordBatchOptions, StructArray};
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef};
use bspm::Error;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::error::to_python;

/// Record batches in the order of the stream.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) schema: SchemaRef,
    arrays: Arrays,
}

#[derive(Debug)]
enum Arrays {
    Stream(FFI_ArrowArrayStream),
    One(Option<FFI_ArrowArray>),
}

impl Source {
    /// Imports an object that has the Arrow PyCapsule interface.
    pub(crate) fn of(table: &Bound<'_, PyAny>) -> PyResult<Self> {
        if table.hasattr("__arrow_c_stream__")? {
            let capsule = table.call_method0("__arrow_c_stream__")?;
            let stream = capsule
                .cast::<PyCapsule>()?
                .pointer_checked(Some(c"arrow_array_stream"))?;
            // SAFETY: a capsule of this name holds a stream, which is moved out of it.
            let mut stream = unsafe { FFI_ArrowArrayStream::from_raw(stream.as_ptr().cast()) };
            return Ok(Self {
                schema: schema_of(&mut stream)?,
                arrays: Arrays::Stream(stream),
            });
        }
        if table.hasattr("__arrow_c_array__")? {
            let capsules = table.call_method0("__arrow_c_array__")?;
            type Capsules<'py> = (Bound<'py, PyCapsule>, Bound<'py, PyCapsule>);
            let (schema, array): Capsules<'_> = capsules.extract()?;
            let schema = schema.pointer_checked(Some(c"arrow_schema"))?;
            // SAFETY: a capsule of this name holds a schema, which lives as long as the capsule.
            let schema = unsafe { schema.cast::<FFI_ArrowSchema>().as_ref() };
            let schema = Schema::try_from(schema).map_err(|error| damaged(error.to_string()))?;
            let array = array.pointer_checked(Some(c"arrow_array"))?;
            // SAFETY: a capsule of this name holds an array, which is moved out of it.
            let array = unsafe { FFI_ArrowArray::from_raw(array.as_ptr().cast()) };
            return Ok(Self {
                schema: schema.into(),
                arrays: Arrays::One(Some(array)),
            });
        }
        let expected = "expected a table with the Arrow PyCapsule interface";
        let text = format!("{expected}, found {}", table.get_type());
        Err(PyTypeError::new_err(text))
    }

    /// The next batch. The columns `is_read` are validated.
    pub(crate) fn next(&mut self, is_read: impl Fn(&str) -> bool) -> Option<PyResult<RecordBatch>> {
        let array = match &mut self.arrays {
            Arrays::One(array) => Ok(array.take()?),
            Arrays::Stream(stream) => next_of(stream).transpose()?,
        };
        let schema = self.schema.clone();
        Some(array.and_then(|array| {
            let batch = guarded(|| batch_of(array, schema, is_read));
            batch.unwrap_or_else(|message| Err(damaged(message)))
        }))
    }
}

/// The schema of a stream.
fn schema_of(stream: &mut FFI_ArrowArrayStream) -> PyResult<SchemaRef> {
    let (Some(get_schema), true) = (stream.get_schema(), stream.release().is_some()) else {
        return Err(damaged("a stream that is released".into()));
    };
    let mut schema = FFI_ArrowSchema::empty();
    // SAFETY: the stream is not released, and the schema is a place to write to.
    if unsafe { get_schema(stream, &raw mut schema) } != 0 {
        return Err(told_by(stream));
    }
    let schema = Schema::try_from(&schema).map_err(|error| damaged(error.to_string()))?;
    Ok(schema.into())
}

/// The next array of a stream, or `None` at its end.
fn next_of(stream: &mut FFI_ArrowArrayStream) -> PyResult<Option<FFI_ArrowArray>> {
    let Some(get_next) = stream.get_next() else {
        return Err(damaged("a stream that gives no arrays".into()));
    };
    let mut array = FFI_ArrowArray::empty();
    // SAFETY: the stream is not released, and the array is a place to write to.
    if unsafe { get_next(stream, &raw mut array) } != 0 {
        return Err(told_by(stream));
    }
    Ok((!array.is_released()).then_some(array))
}

/// The error of a call to a stream.
fn told_by(stream: &mut FFI_ArrowArrayStream) -> PyErr {
    let text = stream.get_last_error().and_then(|get_last_error| {
        // SAFETY: the stream is not released, and the last call to it failed.
        let text = unsafe { get_last_error(stream) };
        if text.is_null() {
            return None;
        }
        // SAFETY: the text ends in a zero byte, and stays until the next call.
        let text = unsafe { CStr::from_ptr(text) };
        Some(text.to_string_lossy().into_owned())
    });
    let text = text.unwrap_or_else(|| "no reason".into());
    PyValueError::new_err(format!("table: its source failed with: {text}"))
}

fn batch_of(
    array: FFI_ArrowArray,
    schema: SchemaRef,
    is_read: impl Fn(&str) -> bool,
) -> PyResult<RecordBatch> {
    let fields = schema.fields();
    if array.num_children() != fields.len() {
        let text = format!("{} columns of {}", array.num_children(), fields.len());
        return Err(damaged(text));
    }
    for (place, field) in fields.iter().enumerate() {
        let found = check_ends(array.child(place), field.data_type());
        found.map_err(|found| invalid_column(field.name(), found))?;
    }
    // SAFETY: the buffers are as long as the format says; their ends have been looked at, and
    // what is read of them is validated below.
    let data = unsafe { from_ffi_and_data_type(array, DataType::Struct(fields.clone())) };
    let data = data.map_err(|error| damaged(error.to_string()))?;
    for (field, column) in fields.iter().zip(data.child_data()) {
        if is_read(field.name()) {
            let found = column.validate_full();
            found.map_err(|error| invalid_column(field.name(), error.to_string()))?;
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(data.len()));
    let (_, columns, nulls) = StructArray::from(data).into_parts();
    if nulls.is_some_and(|nulls| nulls.null_count() > 0) {
        return Err(damaged("rows that are null as a whole".into()));
    }
    let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &options);
    batch.map_err(|error| damaged(error.to_string()))
}

/// Rejects invalid lengths of buffers. The lengths are themselves in buffers, and the import does
/// not check them.
fn check_ends(array: &FFI_ArrowArray, of: &DataType) -> Result<(), String> {
    let child = |place: usize, of: &DataType| match place < array.num_children() {
        true => check_ends(array.child(place), of),
        false => Err(format!("{} children", array.num_children())),
    };
    match of {
        DataType::Utf8 | DataType::Binary => check_offset::<i32>(array),
        DataType::LargeUtf8 | DataType::LargeBinary => check_offset::<i64>(array),
        DataType::Utf8View | DataType::BinaryView => check_lengths(array),
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => child(0, field.data_type()),
        DataType::Struct(fields) => {
            let mut fields = fields.iter().enumerate();
            fields.try_for_each(|(place, field)| child(place, field.data_type()))
        }
        DataType::Union(fields, _) => {
            let mut fields = fields.iter().enumerate();
            fields.try_for_each(|(place, (_, field))| child(place, field.data_type()))
        }
        DataType::RunEndEncoded(ends, values) => {
            child(0, ends.data_type())?;
            child(1, values.data_type())
        }
        DataType::Dictionary(_, values) => match array.dictionary() {
            Some(dictionary) => check_ends(dictionary, values),
            None => Err("a dictionary without values".into()),
        },
        _ => Ok(()),
    }
}

/// Checks the last offset of a text or binary array.
fn check_offset<T: Copy + Into<i64>>(array: &FFI_ArrowArray) -> Result<(), String> {
    let count = array.len() + array.offset();
    if count == 0 {
        return Ok(());
    }
    if array.num_buffers() != 3 {
        return Err(format!("{} buffers", array.num_buffers()));
    }
    let offsets = array.buffer(1).cast::<T>();
    if offsets.is_null() {
        return Err("no offsets".into());
    }
    // SAFETY: there is one offset more than entries.
    let last: i64 = unsafe { offsets.add(count).read_unaligned() }.into();
    match last < 0 {
        true => Err(format!("the last offset {last}")),
        false => Ok(()),
    }
}

/// Checks the lengths of the buffers that views point into.
fn check_lengths(array: &FFI_ArrowArray) -> Result<(), String> {
    let buffers = array.num_buffers();
    if buffers < 3 {
        return Err(format!("{buffers} buffers"));
    }
    let count = buffers - 3;
    let lengths = array.buffer(buffers - 1).cast::<i64>();
    if count > 0 && lengths.is_null() {
        return Err("no lengths of buffers".into());
    }
    for place in 0..count {
        // SAFETY: there is a length for each buffer that views point into.
        let length = unsafe { lengths.add(place).read_unaligned() };
        if length < 0 {
            return Err(format!("a buffer of the length {length}"));
        }
    }
    Ok(())
}

/// Returns the result of `work`, or the message of its panic.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        let text = text.or_else(|| payload.downcast_ref::<&str>().map(|it| (*it).to_owned()));
        text.unwrap_or_else(|| "data that the import cannot take".into())
    })
}

fn damaged(found: String) -> PyErr {
    PyValueError::new_err(format!("table: expected valid Arrow data, found {found}"))
}

fn invalid_column(name: &str, found: String) -> PyErr {
    to_python(Error::InvalidColumn {
        column: name.into(),
        row: None,
        expected: "valid Arrow data".into(),
        found,
    })
}

pub(crate) fn failed(error: ArrowError) -> PyErr {
    PyValueError::new_err(error.to_string())
}
