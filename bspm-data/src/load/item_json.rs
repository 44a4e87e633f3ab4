//! Item tables of JSON objects with any names: one per line, or the elements of an array.

use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

use super::fault::Fault;
use super::format::Format;
use super::id_text::whole_number;
use super::item_columns::Cell;
use super::item_rows::ItemRows;
use super::json_lines::not_an_object;
use super::json_object::{JsonObject, JsonValue, or_with_null_for_nan};
use super::json_records::JsonRecords;
use super::options::TableOptions;
use crate::error::{InvalidRow, Result};
use crate::parameter::shortened;

/// Adds the rows of a file.
pub(super) fn parse(
    reader: impl Read,
    path: &Path,
    options: &TableOptions,
    rows: &mut ItemRows<'_>,
) -> Result<()> {
    rows.start(path, Format::JsonLines);
    let mut records = JsonRecords::new(reader, options)?;
    let mut is_first = true;
    while let Some((line, bytes)) = records.next(path)? {
        let mut replaced = Vec::new();
        let object = match or_with_null_for_nan(bytes, &mut replaced, JsonObject::parse) {
            Ok(object) => object,
            Err(error) => {
                rows.refuse_row(line, not_an_object(bytes, &error))?;
                continue;
            }
        };
        if is_first {
            let names: Vec<String> = object.0.iter().map(|it| it.0.clone()).collect();
            rows.first_names(&names)?;
            is_first = false;
        }
        add(line, &object, rows)?;
    }
    Ok(())
}

/// Adds the row of an object.
fn add(line: u64, object: &JsonObject<'_>, rows: &mut ItemRows<'_>) -> Result<()> {
    let (mut id, mut cells) = (Cow::Borrowed(""), Vec::with_capacity(object.0.len()));
    for (name, value) in &object.0 {
        if name == rows.id_name() {
            id = match value.id() {
                Some(id) => id,
                None => {
                    let fault = Fault {
                        reason: InvalidRow::InvalidItem,
                        column: name.clone(),
                        expected: "an item id that is a string or a whole number".into(),
                        found: shortened(value.raw().into()),
                    };
                    return rows.refuse_row(line, fault);
                }
            };
        } else {
            cells.push((rows.column(name)?, cell(value)));
        }
    }
    rows.push(line, &id, cells)
}

/// Converts a value of an object.
fn cell<'v>(value: &'v JsonValue<'_>) -> Cell<'v> {
    match value {
        JsonValue::Text(text) => Cell::Text(text),
        JsonValue::Raw("null") => Cell::Missing,
        JsonValue::Raw("true") => Cell::Boolean(true),
        JsonValue::Raw("false") => Cell::Boolean(false),
        JsonValue::Raw(raw) => match raw.parse::<f64>() {
            // A whole number that a double cannot represent exactly is a code.
            Ok(number) if number.fract() != 0.0 || whole_number(number).is_some() => {
                Cell::Number(number)
            }
            _ => Cell::Text(raw),
        },
    }
}
