//! Item tables from record batches.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType};

use super::columns::{cast, decoded, ids, value, with_texts, wrong};
use bspm_data::parameter::shortened;
use bspm_data::reader::{Cell, Fault, ItemRows, whole_number};
use bspm_data::{InvalidRow, ItemTable, ItemTableOptions, ReadReport, Result};

/// Reads item tables from record batches.
pub trait ItemsFromArrow: Sized {
    /// Reads record batches with one row per item, and also returns a report of the rows.
    ///
    /// The id column is read as in [`FromArrow::from_batches`](crate::FromArrow::from_batches) and becomes
    /// text. Columns of numbers and booleans keep their kind. Whole numbers that a double cannot
    /// represent exactly, times, lists and values of all other types become texts.
    ///
    /// # Errors
    ///
    /// [`Error::MissingColumn`](bspm_data::Error::MissingColumn) if the id column or the title column of
    /// the options is missing, or if there is a single column; [`Error::InvalidColumn`](bspm_data::Error::InvalidColumn) with the row, from 0, if an
    /// item is missing or occurs in an earlier row, or if the source of the batches fails;
    /// [`Error::InvalidFile`](bspm_data::Error::InvalidFile) if there are no rows.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use arrow_array::{Float64Array, RecordBatch, StringArray};
    /// use bspm_arrow::ItemsFromArrow;
    /// use bspm_data::{ItemTable, ItemTableOptions, ItemValue};
    ///
    /// let batch = RecordBatch::try_from_iter([
    ///     ("item", Arc::new(StringArray::from(vec!["t1", "m1"])) as _),
    ///     ("title", Arc::new(StringArray::from(vec!["Green tea", "Milk"])) as _),
    ///     ("price", Arc::new(Float64Array::from(vec![4.5, 1.2])) as _),
    /// ])?;
    /// let (table, _) = ItemTable::from_batches([Ok(batch)], &ItemTableOptions::new())?;
    /// assert_eq!(table.title("m1"), Some("Milk"));
    /// assert_eq!(table.value("m1", "price"), Some(ItemValue::Number(1.2)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn from_batches(
        batches: impl IntoIterator<Item = Result<RecordBatch, ArrowError>>,
        options: &ItemTableOptions,
    ) -> Result<(Self, ReadReport)>;
}

impl ItemsFromArrow for ItemTable {
    fn from_batches(
        batches: impl IntoIterator<Item = Result<RecordBatch, ArrowError>>,
        options: &ItemTableOptions,
    ) -> Result<(Self, ReadReport)> {
        let mut rows = ItemRows::new(options);
        let mut first = 0;
        for batch in batches {
            let batch =
                batch.map_err(|error| wrong("item", None, "a record batch", error.to_string()))?;
            add(&batch, first, &mut rows)?;
            first += batch.num_rows() as u64;
        }
        rows.finish()
    }
}

/// Adds the rows of a batch; `first` is the number of its first row.
pub(super) fn add(batch: &RecordBatch, first: u64, rows: &mut ItemRows<'_>) -> Result<()> {
    let fields = batch.schema_ref().fields().iter();
    let names: Vec<String> = fields.map(|it| it.name().clone()).collect();
    let (id, places) = rows.header(&names)?;
    let id_column = with_texts(batch, id);
    let texts = ids(&names[id], &id_column, &DataType::Utf8View)?;
    let texts = texts.as_string_view();
    let columns = places.iter().enumerate().filter_map(|(column, &place)| {
        let values = Values::of(&names[column], &with_texts(batch, column));
        place.map(|place| values.map(|values| (place, values)))
    });
    let columns: Vec<(usize, Values)> = columns.collect::<Result<_>>()?;
    for row in 0..batch.num_rows() {
        let line = first + row as u64;
        if texts.is_null(row) {
            let (reason, expected) = match id_column.is_null(row) {
                true => (InvalidRow::MissingItem, "an item id"),
                false => (
                    InvalidRow::InvalidItem,
                    "an item id that is text or a whole number",
                ),
            };
            let fault = Fault {
                reason,
                column: names[id].clone(),
                expected: expected.into(),
                found: shortened(value(&id_column, row)),
            };
            rows.refuse_row(line, fault)?;
            continue;
        }
        let cells = columns.iter();
        rows.push(
            line,
            texts.value(row),
            cells.map(|(place, values)| (*place, values.at(row))),
        )?;
    }
    Ok(())
}

/// The values of a column, converted to the kind that is read.
enum Values {
    Text(ArrayRef),
    Number(ArrayRef),
    Boolean(ArrayRef),
    /// Values of all other types, as text.
    Other(Vec<Option<String>>),
}

impl Values {
    fn of(name: &str, column: &ArrayRef) -> Result<Self> {
        let expected = "values of items";
        let column = decoded(name, column, expected)?;
        let of = column.data_type();
        Ok(match of {
            DataType::Boolean => Self::Boolean(column),
            DataType::Null => Self::Other(vec![None; column.len()]),
            of if of.is_string() => Self::Text(cast(name, &column, &DataType::Utf8View, expected)?),
            of if of.is_integer() && !is_exact(name, &column)? => Self::Other(shown(&column)),
            of if of.is_numeric() => {
                Self::Number(cast(name, &column, &DataType::Float64, expected)?)
            }
            _ => Self::Other(shown(&column)),
        })
    }

    fn at(&self, row: usize) -> Cell<'_> {
        match self {
            Self::Text(texts) if !texts.is_null(row) => {
                Cell::Text(texts.as_string_view().value(row))
            }
            Self::Number(numbers) if !numbers.is_null(row) => {
                Cell::Number(numbers.as_primitive::<Float64Type>().value(row))
            }
            Self::Boolean(booleans) if !booleans.is_null(row) => {
                Cell::Boolean(booleans.as_boolean().value(row))
            }
            Self::Other(texts) => texts[row].as_deref().map_or(Cell::Missing, Cell::Text),
            _ => Cell::Missing,
        }
    }
}

/// Whether doubles can represent all of these whole numbers exactly.
fn is_exact(name: &str, column: &ArrayRef) -> Result<bool> {
    let numbers = cast(name, column, &DataType::Int64, "whole numbers")?;
    // Values that do not fit become null.
    let fits = numbers.null_count() == column.null_count();
    let numbers = numbers.as_primitive::<Int64Type>().iter().flatten();
    Ok(fits
        && numbers
            .into_iter()
            .all(|it| whole_number(it as f64) == Some(it)))
}

fn shown(column: &ArrayRef) -> Vec<Option<String>> {
    let text = |row: usize| (!column.is_null(row)).then(|| value(column, row));
    (0..column.len()).map(text).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{
        BooleanArray, Date32Array, DictionaryArray, Float32Array, Int64Array, ListArray,
        StringArray, UInt64Array,
    };
    use bspm_data::{ItemColumnKind, ItemValue};

    use super::*;

    fn read(columns: Vec<(&str, ArrayRef)>) -> Result<ItemTable> {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let (table, _) = ItemTable::from_batches([Ok(batch)], &ItemTableOptions::new())?;
        Ok(table)
    }

    #[test]
    fn columns_keep_their_kinds_and_what_has_none_becomes_text() {
        let lists =
            ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1), Some(2)]), None]);
        let brands: DictionaryArray<arrow_array::types::Int32Type> =
            [Some("A"), None].into_iter().collect();
        let table = read(vec![
            ("item", Arc::new(Int64Array::from(vec![7, 8]))),
            ("Title", Arc::new(StringArray::from(vec![Some("12"), None]))),
            (
                "price",
                Arc::new(Float32Array::from(vec![Some(0.5), Some(f32::NAN)])),
            ),
            ("code", Arc::new(UInt64Array::from(vec![u64::MAX, 1]))),
            (
                "stock",
                Arc::new(BooleanArray::from(vec![Some(false), None])),
            ),
            ("brand", Arc::new(brands)),
            ("since", Arc::new(Date32Array::from(vec![0, 1]))),
            ("sizes", Arc::new(lists)),
        ])
        .unwrap();
        assert_eq!((table.title("7"), table.title("8")), (Some("12"), None));
        assert_eq!(table.value("7", "price"), Some(ItemValue::Number(0.5)));
        assert_eq!(
            table.value("7", "code"),
            Some(ItemValue::Text("18446744073709551615"))
        );
        assert_eq!(table.value("7", "stock"), Some(ItemValue::Boolean(false)));
        assert_eq!(table.value("7", "brand"), Some(ItemValue::Text("A")));
        assert_eq!(
            table.value("8", "since"),
            Some(ItemValue::Text("1970-01-02"))
        );
        assert_eq!(table.value("7", "sizes"), Some(ItemValue::Text("[1, 2]")));
        for column in ["price", "stock", "brand", "sizes"] {
            assert_eq!(table.value("8", column), None, "{column}");
        }
        assert_eq!(table.titles().kind(), ItemColumnKind::Text);
    }

    #[test]
    fn ids_that_are_none_or_come_twice_are_errors_with_the_row() {
        let titles = || Arc::new(StringArray::from(vec!["A", "B"])) as ArrayRef;
        let refusal = |ids: ArrayRef| {
            read(vec![("item", ids), ("title", titles())])
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            refusal(Arc::new(Int64Array::from(vec![7, 7]))),
            "column \"item\", row 1: expected an item that does not occur in an earlier row, found 7"
        );
        assert_eq!(
            refusal(Arc::new(Int64Array::from(vec![None, Some(7)]))),
            "column \"item\", row 0: expected an item id, found null"
        );
        assert_eq!(
            refusal(Arc::new(Float32Array::from(vec![7.0, 0.5]))),
            "column \"item\", row 1: expected an item id that is text or a whole number, found 0.5"
        );
        let error = read(vec![("item", titles())]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "items: expected a column \"title\", found item"
        );
        let table = read(vec![("item", titles()), ("colour", titles())]).unwrap();
        assert_eq!(table.title("A"), None);
    }
}
