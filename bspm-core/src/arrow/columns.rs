//! The columns of a record batch, in the types that are read.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, LargeListArray, RecordBatch};
use arrow_schema::{DataType, Field};

use super::ids::ArrowId;
use crate::error::{Error, Result, shortened};

/// What is wrong with a column, or with one of its rows.
pub(super) fn wrong(
    column: &str,
    row: Option<usize>,
    expected: &str,
    found: impl Into<String>,
) -> Error {
    Error::InvalidColumn {
        column: column.into(),
        row,
        expected: expected.into(),
        found: shortened(found.into()),
    }
}

/// What a column says in a row.
pub(super) fn value(column: &dyn Array, row: usize) -> String {
    if column.is_null(row) {
        return "null".into();
    }
    let found = arrow_cast::display::array_value_to_string(column, row);
    found.unwrap_or_else(|_| column.data_type().to_string())
}

/// The only column of this name, if there is one.
pub(super) fn find(batch: &RecordBatch, name: &str) -> Result<Option<ArrayRef>> {
    let schema = batch.schema_ref();
    let mut places = (0..batch.num_columns()).filter(|&it| schema.field(it).name() == name);
    match (places.next(), places.next()) {
        (Some(_), Some(_)) => Err(wrong(name, None, "one column of this name", "two")),
        (place, _) => Ok(place.map(|place| batch.column(place).clone())),
    }
}

fn is_id(of: &DataType) -> bool {
    match of {
        DataType::Dictionary(_, values) => is_id(values),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => true,
        other => other.is_integer(),
    }
}

/// A column in another type; what does not fit it becomes null.
fn cast(name: &str, column: &ArrayRef, to: &DataType, expected: &str) -> Result<ArrayRef> {
    let found = || format!("a column of {}", column.data_type());
    arrow_cast::cast(column, to).map_err(|_| wrong(name, None, expected, found()))
}

/// A column of ids, as they are read.
pub(super) fn ids<T: ArrowId>(name: &str, column: &ArrayRef) -> Result<ArrayRef> {
    let expected = "ids that are text or whole numbers";
    if !is_id(column.data_type()) {
        let found = format!("a column of {}", column.data_type());
        return Err(wrong(name, None, expected, found));
    }
    cast(name, column, &T::READ, expected)
}

/// Numbers; times of a type of their own in seconds since 1970.
pub(super) fn numbers(name: &str, column: &ArrayRef) -> Result<Vec<Option<f64>>> {
    let expected = "numbers or times";
    let is_time = column.data_type().is_temporal();
    let found = column.data_type();
    if !(found.is_numeric() || is_time || *found == DataType::Null) {
        let found = format!("a column of {found}");
        return Err(wrong(name, None, expected, found));
    }
    let (column, unit) = match is_time {
        true => {
            let unit = DataType::Timestamp(arrow_schema::TimeUnit::Millisecond, None);
            let times = cast(name, column, &unit, expected)?;
            (cast(name, &times, &DataType::Int64, expected)?, 1e-3)
        }
        false => (column.clone(), 1.0),
    };
    let column = cast(name, &column, &DataType::Float64, expected)?;
    let numbers = column.as_primitive::<arrow_array::types::Float64Type>();
    Ok(numbers.iter().map(|it| it.map(|it| it * unit)).collect())
}

/// A column of lists, whatever kind of list it is.
pub(super) fn lists(name: &str, column: &ArrayRef) -> Result<LargeListArray> {
    let expected = "lists";
    let values = match column.data_type() {
        DataType::List(field) | DataType::LargeList(field) => field.data_type().clone(),
        DataType::FixedSizeList(field, _) => field.data_type().clone(),
        DataType::Null => DataType::Null,
        found => {
            let found = format!("a column of {found}");
            return Err(wrong(name, None, expected, found));
        }
    };
    let to = DataType::LargeList(Field::new_list_field(values, true).into());
    let lists = cast(name, column, &to, expected)?;
    Ok(lists.as_list::<i64>().clone())
}
