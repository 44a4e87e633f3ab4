//! Conversion of columns of record batches to the types that are read, for Parquet files and Arrow
//! tables.

use std::cell::Cell;
use std::hash::Hash;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StringViewArray};
use arrow_schema::{DataType, Field, TimeUnit};
use jiff::SignedDuration;

use bspm_data::parameter::shortened;
use bspm_data::reader::{
    Fault, NullValues, Row, TimeReader, TimesRead, parse_value, seconds, whole_number,
};
use bspm_data::{Error, FoundId, Ids, InvalidRow, Result, TableOptions};

/// Returns the error for a column, or for one of its rows.
pub(crate) fn wrong(
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

fn wrong_type(name: &str, expected: &str, column: &dyn Array) -> Error {
    let found = format!("a column of {}", column.data_type());
    wrong(name, None, expected, found)
}

/// The value of a column in a row, as text.
pub(crate) fn value(column: &dyn Array, row: usize) -> String {
    if column.is_null(row) {
        return "null".into();
    }
    let found = arrow_cast::display::array_value_to_string(column, row);
    found.unwrap_or_else(|_| column.data_type().to_string())
}

/// The column with this name, if there is one, with UUIDs as text. Spaces around names are ignored, as in
/// text tables.
pub(crate) fn find(batch: &RecordBatch, name: &str) -> Result<Option<ArrayRef>> {
    let schema = batch.schema_ref();
    let mut places =
        (0..batch.num_columns()).filter(|&it| schema.field(it).name().trim() == name.trim());
    match (places.next(), places.next()) {
        (Some(_), Some(_)) => Err(wrong(
            name,
            None,
            "one column with this name",
            "two columns",
        )),
        (None, _) => Ok(None),
        (Some(place), None) => Ok(Some(with_texts(batch, place))),
    }
}

/// The column at this index, with UUIDs as text.
pub(crate) fn with_texts(batch: &RecordBatch, place: usize) -> ArrayRef {
    let column = batch.column(place);
    match is_uuid(batch.schema_ref().field(place)) {
        true => uuids(column),
        false => column.clone(),
    }
}

/// The column with this name, or an error if there is none.
pub(crate) fn needed(batch: &RecordBatch, name: &str) -> Result<ArrayRef> {
    find(batch, name)?.ok_or_else(|| {
        let fields = batch.schema_ref().fields().iter();
        let names: Vec<&str> = fields.map(|it| it.name().as_str()).collect();
        wrong(name, None, "a column with this name", names.join(", "))
    })
}

/// Whether a field has the extension type of UUIDs.
fn is_uuid(field: &Field) -> bool {
    let extension = field.metadata().get("ARROW:extension:name");
    *field.data_type() == DataType::FixedSizeBinary(16)
        && extension.is_some_and(|name| name == "arrow.uuid")
}

/// Converts UUIDs to their usual text.
fn uuids(column: &ArrayRef) -> ArrayRef {
    let bytes = column.as_fixed_size_binary().iter();
    let texts = bytes.map(|bytes| {
        let mut text = String::with_capacity(36);
        for (place, byte) in bytes?.iter().enumerate() {
            if matches!(place, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            text.push_str(&format!("{byte:02x}"));
        }
        Some(text)
    });
    Arc::new(StringViewArray::from_iter(texts))
}

/// Converts a column to another type. Values that do not fit the type become null.
pub(crate) fn cast(
    name: &str,
    column: &ArrayRef,
    to: &DataType,
    expected: &str,
) -> Result<ArrayRef> {
    if column.data_type() == to {
        return Ok(column.clone());
    }
    arrow_cast::cast(column, to).map_err(|_| wrong_type(name, expected, column))
}

/// Replaces a dictionary by its values, row by row. Returns other columns unchanged.
pub(crate) fn decoded(name: &str, column: &ArrayRef, expected: &str) -> Result<ArrayRef> {
    match column.data_type() {
        DataType::Dictionary(_, values) => cast(name, column, values, expected),
        _ => Ok(column.clone()),
    }
}

/// Converts a column of ids to the type `to`. Ids are text and whole numbers, including whole decimals
/// and floating-point numbers. Values that are not ids become null.
pub(crate) fn ids(name: &str, column: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let expected = "ids that are text or whole numbers";
    let column = decoded(name, column, expected)?;
    let column = match column.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => column,
        of if of.is_integer() => column,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
            cast(name, &column, &DataType::Utf8View, expected)?
        }
        of if of.is_floating() => whole_floats(name, &column, expected)?,
        of if of.is_decimal() => whole_decimals(name, &column, expected)?,
        _ => return Err(wrong_type(name, expected, &column)),
    };
    cast(name, &column, to, expected)
}

fn whole_floats(name: &str, column: &ArrayRef, expected: &str) -> Result<ArrayRef> {
    // From here on, different whole numbers have the same value in this type.
    let limit = match column.data_type() {
        DataType::Float16 => 2_f64.powi(11),
        DataType::Float32 => 2_f64.powi(24),
        _ => 2_f64.powi(53),
    };
    let numbers = cast(name, column, &DataType::Float64, expected)?;
    let numbers = numbers.as_primitive::<Float64Type>().iter();
    let whole = numbers.map(|it| it.filter(|it| it.abs() < limit).and_then(whole_number));
    Ok(Arc::new(Int64Array::from_iter(whole)))
}

fn whole_decimals(name: &str, column: &ArrayRef, expected: &str) -> Result<ArrayRef> {
    let texts = cast(name, column, &DataType::Utf8View, expected)?;
    let whole = texts.as_string_view().iter().map(|text| {
        let text = text?;
        match text.split_once('.') {
            Some((whole, fraction)) if fraction.bytes().all(|it| it == b'0') => Some(whole),
            Some(_) => None,
            None => Some(text),
        }
    });
    Ok(Arc::new(StringViewArray::from_iter(whole)))
}

/// Replaces the texts that mean a missing value by null. Returns columns of other types unchanged.
fn without_missing(column: ArrayRef, missing: &NullValues<'_>) -> ArrayRef {
    let Some(texts) = column.as_string_view_opt() else {
        return column;
    };
    let is_missing = |text: &str| missing.contains(text);
    if !texts.iter().flatten().any(is_missing) {
        return column;
    }
    let left = texts.iter().map(|it| it.filter(|text| !is_missing(text)));
    Arc::new(StringViewArray::from_iter(left))
}

/// Reads a column of numbers or Booleans, or of text that contains them.
fn numbers(name: &str, column: &ArrayRef, decimal_comma: bool) -> Result<Vec<Option<f64>>> {
    let expected = "numbers";
    let column = decoded(name, column, expected)?;
    let found = column.data_type();
    if found.is_string() {
        let texts = cast(name, &column, &DataType::Utf8View, expected)?;
        let texts = texts.as_string_view().iter();
        return Ok(texts
            .map(|text| parse_value(text?.trim(), decimal_comma))
            .collect());
    }
    if !(found.is_numeric() || matches!(found, DataType::Boolean | DataType::Null)) {
        return Err(wrong_type(name, expected, &column));
    }
    let column = cast(name, &column, &DataType::Float64, expected)?;
    Ok(column.as_primitive::<Float64Type>().iter().collect())
}

/// Returns the number that a rating in `f32` was written as, such as 4.1, so that it equals the same threshold.
fn as_written(rating: Option<f64>) -> Option<f64> {
    let rating = rating?;
    (rating as f32).to_string().parse().ok().or(Some(rating))
}

/// Reads a column of times, in seconds: columns of a temporal type with any unit, numbers, and text.
/// With a time format, numbers are read as text.
fn times(
    name: &str,
    column: &ArrayRef,
    options: &TableOptions,
) -> Result<(Vec<Option<f64>>, TimesRead)> {
    let expected = "times, numbers or text";
    let reader = TimeReader::new(options.time_format.as_deref(), options.time_unit);
    let column = decoded(name, column, expected)?;
    let (is_temporal, is_text) = (
        column.data_type().is_temporal(),
        column.data_type().is_string(),
    );
    let useless = match (options.time_format.is_some(), options.time_unit.is_some()) {
        (true, _) if is_temporal => Some("time_format"),
        (_, true) if is_temporal => Some("time_unit"),
        _ => None,
    };
    if let Some(option) = useless {
        return Err(Error::UnusedOption {
            option,
            context: format!("the column {name:?} of type {}", column.data_type()),
            needed: match option {
                "time_format" => "a column of text or numbers".into(),
                _ => "a column of numbers".into(),
            },
        });
    }
    if *column.data_type() == DataType::Boolean {
        return Err(wrong_type(name, expected, &column));
    }
    if is_text || options.time_format.is_some() {
        let texts = cast(name, &column, &DataType::Utf8View, expected)?;
        let texts = texts.as_string_view().iter();
        let times = texts.map(|text| reader.read(text?)).collect();
        return Ok((times, reader.times_read()));
    }
    if !is_temporal {
        let numbers = numbers(name, &column, options.decimal_comma)?.into_iter();
        let times = numbers.map(|it| reader.number(it?)).collect();
        return Ok((times, reader.times_read()));
    }
    let times = temporal(name, &column, expected)?;
    let read = TimesRead::of_dates(times.iter().flatten().count());
    Ok((times, read))
}

/// Converts a column of a temporal type to seconds.
fn temporal(name: &str, column: &ArrayRef, expected: &str) -> Result<Vec<Option<f64>>> {
    let to_seconds = match column.data_type() {
        DataType::Timestamp(unit, _)
        | DataType::Time32(unit)
        | DataType::Time64(unit)
        | DataType::Duration(unit) => match unit {
            TimeUnit::Second => SignedDuration::from_secs,
            TimeUnit::Millisecond => SignedDuration::from_millis,
            TimeUnit::Microsecond => SignedDuration::from_micros,
            TimeUnit::Nanosecond => SignedDuration::from_nanos,
        },
        DataType::Date32 => |days: i64| SignedDuration::from_secs(days * 86_400),
        DataType::Date64 => SignedDuration::from_millis,
        _ => return Err(wrong_type(name, expected, column)),
    };
    let column = match column.data_type() {
        DataType::Date32 | DataType::Time32(_) => {
            let days = cast(name, column, &DataType::Int32, expected)?;
            cast(name, &days, &DataType::Int64, expected)?
        }
        _ => cast(name, column, &DataType::Int64, expected)?,
    };
    let numbers = column.as_primitive::<Int64Type>().iter();
    Ok(numbers
        .map(|it| it.map(|it| seconds(to_seconds(it))))
        .collect())
}

/// The number of rows of a batch that are read together: first columns, then rows. Ids are looked up faster
/// in columns.
pub(crate) const ROWS: usize = 8192;

/// How a column of ids is read.
pub(crate) struct IdReader<T: Eq + Hash> {
    /// The Arrow type that the column is cast to.
    pub(crate) to: DataType,
    /// Returns the id in a row; `None` for a row without an id.
    pub(crate) id: fn(&dyn Array, usize) -> Option<T>,
    /// Returns the index of the id of each row; `None` for an unknown one.
    pub(crate) look_up: fn(&Ids<T>, &dyn Array) -> Vec<Option<u32>>,
}

/// The current row of a batch.
pub(crate) struct BatchRows<U: Eq + Hash, I: Eq + Hash> {
    users: IdColumn<U>,
    items: IdColumn<I>,
    ratings: NumberColumn,
    weights: NumberColumn,
    times: NumberColumn,
    times_read: TimesRead,
    time_format: Option<String>,
    row: usize,
}

struct IdColumn<T: Eq + Hash> {
    name: String,
    ids: ArrayRef,
    id: fn(&dyn Array, usize) -> Option<T>,
    known: Vec<Option<u32>>,
    column: ArrayRef,
}

impl<T: Eq + Hash> IdColumn<T> {
    fn at(
        &self,
        row: usize,
        what: &str,
        missing: InvalidRow,
        invalid: InvalidRow,
    ) -> Result<FoundId<T>, Fault> {
        if let Some(index) = self.known[row] {
            return Ok(FoundId::Known(index));
        }
        let id = (self.id)(&self.ids, row).map(FoundId::Other);
        id.ok_or_else(|| {
            let is_missing = self.column.is_null(row) || value(&self.column, row).is_empty();
            let kind = std::any::type_name::<T>();
            let kind = kind.rsplit("::").next().unwrap_or(kind);
            Fault {
                reason: if is_missing { missing } else { invalid },
                column: self.name.clone(),
                expected: match kind {
                    "String" => what.into(),
                    _ if is_missing => what.into(),
                    "i64" => format!("{what} that is a whole number below 2^63"),
                    kind => format!("{what} that is a {kind}"),
                },
                found: shortened(value(&self.column, row)),
            }
        })
    }
}

/// A column of numbers, if the options name one.
struct NumberColumn(Option<(String, Vec<Option<f64>>, ArrayRef)>);

impl NumberColumn {
    fn at(&self, row: usize, reason: InvalidRow) -> Result<Option<f64>, Fault> {
        let Some((name, numbers, column)) = &self.0 else {
            return Ok(None);
        };
        let is_weight = reason == InvalidRow::InvalidWeight;
        let (reason, expected) = match numbers[row] {
            Some(number) if number.is_finite() && !(is_weight && number < 0.0) => {
                return Ok(Some(number));
            }
            Some(number) if number < 0.0 && is_weight => {
                (InvalidRow::NegativeWeight, "a finite number, 0 or above")
            }
            _ if reason == InvalidRow::InvalidTime => (reason, "a time or a finite number"),
            _ => (reason, "a finite number"),
        };
        let found = value(column, row);
        let is_missing = column.is_null(row) || found.trim().is_empty();
        Err(Fault {
            reason: reason.or_missing(is_missing),
            column: name.clone(),
            expected: expected.into(),
            found: shortened(found),
        })
    }
}

impl<U: Eq + Hash, I: Eq + Hash> BatchRows<U, I> {
    /// Reads the columns of a batch that the options name, with the ids of the rows before.
    pub(crate) fn new(
        batch: &RecordBatch,
        options: &TableOptions,
        (user, item): (&IdReader<U>, &IdReader<I>),
        (users, items): (&Ids<U>, &Ids<I>),
    ) -> Result<Self> {
        let schema = batch.schema();
        let names: Vec<&String> = schema.fields().iter().map(|it| it.name()).collect();
        let (user_name, item_name) = options.id_columns(("user", "item"), &names);
        if user_name == item_name {
            let expected = "a column other than the user column";
            return Err(wrong("item", None, expected, item_name));
        }
        let missing = NullValues::new(options);
        fn id_column<T: Eq + Hash>(
            batch: &RecordBatch,
            name: &str,
            reader: &IdReader<T>,
            known: &Ids<T>,
            missing: &NullValues<'_>,
        ) -> Result<IdColumn<T>> {
            let column = needed(batch, name)?;
            let ids = without_missing(ids(name, &column, &reader.to)?, missing);
            Ok(IdColumn {
                name: name.into(),
                known: (reader.look_up)(known, &ids),
                ids,
                id: reader.id,
                column,
            })
        }
        let column = |name: Option<&str>, read: &dyn Fn(&str, &ArrayRef) -> Result<_>| {
            let column = name.map(|name| {
                let column = needed(batch, name)?;
                Ok((name.to_owned(), read(name, &column)?, column))
            });
            Ok::<_, Error>(NumberColumn(column.transpose()?))
        };
        let number = |name: &str, column: &ArrayRef| numbers(name, column, options.decimal_comma);
        let times_read = Cell::default();
        Ok(Self {
            users: id_column(batch, user_name, user, users, &missing)?,
            items: id_column(batch, item_name, item, items, &missing)?,
            ratings: column(options.rating.as_deref(), &|name, column| {
                let ratings = number(name, column)?;
                Ok(match column.data_type() {
                    DataType::Float32 => ratings.into_iter().map(as_written).collect(),
                    _ => ratings,
                })
            })?,
            weights: column(options.weight_column(&names), &number)?,
            times: column(options.time.as_deref(), &|name, column| {
                let (times, read) = times(name, column, options)?;
                times_read.set(read);
                Ok(times)
            })?,
            times_read: times_read.get(),
            time_format: options.time_format.clone(),
            row: 0,
        })
    }

    /// The kinds of times of the batch.
    pub(crate) fn times_read(&self) -> TimesRead {
        self.times_read
    }

    /// Moves to a row.
    pub(crate) fn at(&mut self, row: usize) -> &mut Self {
        self.row = row;
        self
    }
}

impl<U: Eq + Hash, I: Eq + Hash> Row<U, I> for BatchRows<U, I> {
    fn user(&mut self) -> Result<FoundId<U>, Fault> {
        let (missing, invalid) = (InvalidRow::MissingUser, InvalidRow::InvalidUser);
        self.users.at(self.row, "a user id", missing, invalid)
    }

    fn item(&mut self) -> Result<FoundId<I>, Fault> {
        let (missing, invalid) = (InvalidRow::MissingItem, InvalidRow::InvalidItem);
        self.items.at(self.row, "an item id", missing, invalid)
    }

    fn rating(&mut self) -> Result<Option<f64>, Fault> {
        self.ratings.at(self.row, InvalidRow::InvalidRating)
    }

    fn weight(&mut self) -> Result<Option<f64>, Fault> {
        self.weights.at(self.row, InvalidRow::InvalidWeight)
    }

    fn time(&mut self) -> Result<Option<f64>, Fault> {
        let time = self.times.at(self.row, InvalidRow::InvalidTime);
        time.map_err(|fault| match fault.reason {
            InvalidRow::InvalidTime => {
                let reader = TimeReader::new(self.time_format.as_deref(), None);
                let (reason, expected) = reader.fault(&fault.found);
                Fault {
                    reason,
                    expected,
                    ..fault
                }
            }
            _ => fault,
        })
    }
}
