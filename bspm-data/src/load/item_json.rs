//! Item tables in JSON lines: one object per line, with any names.

use std::borrow::Cow;
use std::fmt;
use std::io::Read;
use std::path::Path;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::format::Format;
use super::id_text::whole_number;
use super::item_columns::Cell;
use super::item_rows::ItemRows;
use super::json_lines::{Id, not_an_object, text, whole};
use super::options::TableOptions;
use super::plain_text::{Lines, PlainText};
use super::rows::Fault;
use crate::error::{Error, InvalidRow, Result};
use crate::item_table::MOST_COLUMNS;
use crate::parameter::shortened;

/// Adds the rows of a file.
pub(super) fn parse(
    reader: impl Read,
    path: &Path,
    options: &TableOptions,
    rows: &mut ItemRows<'_>,
) -> Result<()> {
    rows.start(path, Format::JsonLines);
    let mut lines = Lines::new(PlainText::new(reader, options.text_encoding()?));
    let failed = |source| Error::Read {
        path: path.into(),
        source,
    };
    let mut is_first = true;
    while let Some((line, bytes)) = lines.next().map_err(failed)? {
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let object = match Object::of(bytes) {
            Ok(object) => object,
            Err(error) => {
                rows.refuse_row(line, not_an_object(path, bytes, is_first, &error)?)?;
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
fn add(line: u64, object: &Object<'_>, rows: &mut ItemRows<'_>) -> Result<()> {
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
            cells.push((rows.column(name)?, value.cell()));
        }
    }
    rows.push(line, &id, cells)
}

/// A value of an object.
enum Value<'t> {
    Text(Cow<'t, str>),
    /// Any other value, as JSON text.
    Raw(&'t str),
}

impl Value<'_> {
    fn raw(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Raw(raw) => raw,
        }
    }

    /// The value as an id; `None` if it is neither a text nor a whole number.
    fn id(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Raw("null") => Some(Cow::Borrowed("")),
            Self::Raw("-0") => Some(Cow::Borrowed("0")),
            Self::Raw(raw) if raw.starts_with(|it: char| it == '-' || it.is_ascii_digit()) => {
                match whole(raw) {
                    None => Some(Cow::Borrowed(raw)),
                    Some(Id::Text(id)) => Some(id),
                    Some(Id::Other) => None,
                }
            }
            Self::Raw(_) => None,
        }
    }

    fn cell(&self) -> Cell<'_> {
        match self {
            Self::Text(text) => Cell::Text(text),
            Self::Raw("null") => Cell::Missing,
            Self::Raw("true") => Cell::Boolean(true),
            Self::Raw("false") => Cell::Boolean(false),
            Self::Raw(raw) => match raw.parse::<f64>() {
                // A whole number that a double cannot represent exactly is a code.
                Ok(number) if number.fract() != 0.0 || whole_number(number).is_some() => {
                    Cell::Number(number)
                }
                _ => Cell::Text(raw),
            },
        }
    }
}

/// The names and values of an object, in order.
struct Object<'t>(Vec<(String, Value<'t>)>);

impl<'t> Object<'t> {
    fn of(text: &'t [u8]) -> Result<Self, serde_json::Error> {
        let mut parser = serde_json::Deserializer::from_slice(text);
        let object = parser.deserialize_map(Values)?;
        parser.end()?;
        Ok(object)
    }
}

struct Values;

impl<'de> Visitor<'de> for Values {
    type Value = Object<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        let mut values: Vec<(String, Value<'de>)> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if values.len() > MOST_COLUMNS {
                let text = format!("more than {MOST_COLUMNS} names");
                return Err(serde::de::Error::custom(text));
            }
            if values.iter().any(|(name, _)| *name == key) {
                let text = format!("duplicate name {key:?}");
                return Err(serde::de::Error::custom(text));
            }
            let raw: &RawValue = map.next_value()?;
            let value = match raw.get().starts_with('"') {
                true => Value::Text(text(raw.get()).map_err(serde::de::Error::custom)?),
                false => Value::Raw(raw.get()),
            };
            values.push((key, value));
        }
        Ok(Object(values))
    }
}
