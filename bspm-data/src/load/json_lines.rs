//! Reads JSON objects: one per line, or the elements of an array.

use std::borrow::Cow;
use std::fmt;
use std::hash::Hash;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::column_names::listed;
use super::fault::Fault;
use super::format::Format;
use super::header::Header;
use super::json_object::{or_with_null_for_nan, raw_id, text};
use super::json_records::JsonRecords;
use super::options::{Places, TableOptions};
use super::rows::{Rows, TextFields};
use crate::error::InvalidRow;
use crate::error::{Error, Result};
use crate::parameter::shortened;

/// Adds the rows of a file.
pub(super) fn parse<U, I>(
    reader: impl Read,
    path: &Path,
    options: &TableOptions,
    rows: &mut Rows<U, I>,
) -> Result<()>
where
    U: FromStr + Eq + Hash + Clone,
    I: FromStr + Eq + Hash + Clone,
{
    let _span = tracing::info_span!("load", path = %path.display()).entered();
    options.check(Format::JsonLines)?;
    rows.start(path, Format::JsonLines);
    let mut records = JsonRecords::new(reader, options)?;
    let mut first = Map::new();
    if let Some((_, text)) = records.next(path)? {
        let parse = |text| serde_json::from_slice(text);
        first = or_with_null_for_nan(text, &mut Vec::new(), parse).unwrap_or_default();
        records.repeat();
    }
    let keys = keys_of(&first);
    let (user, item) = options.id_columns(Format::JsonLines.columns(), &keys);
    let mut names = vec![user.to_owned(), item.to_owned()];
    let weight = options.weight_column(&keys);
    for name in [options.rating.as_deref(), options.time.as_deref(), weight] {
        let name = name.map(str::to_owned);
        names.extend(name.filter(|name| !names.contains(name)));
    }
    let places = options.places(path, &names, Format::JsonLines.columns())?;
    rows.note_columns(&names, places, options);
    let fields = TextFields::new(options, places, names.clone(), Header::default());
    let mut is_first = true;
    while let Some((line, text)) = records.next(path)? {
        let mut replaced = Vec::new();
        let object = or_with_null_for_nan(text, &mut replaced, |text| {
            Object::of(text, &names, options.decimal_comma)
        });
        let object = match object {
            Ok(object) => object,
            Err(error) => {
                rows.refuse_row(line, not_an_object(text, &error))?;
                continue;
            }
        };
        if is_first && !options.skip_invalid {
            check_names(path, &names, &keys, &first)?;
        }
        is_first = false;
        if let Some(fault) = object.id_of_another_kind(places, &names) {
            rows.refuse_row(line, fault)?;
            continue;
        }
        let field = |place: usize| match &object.ids[place] {
            Some(Id::Text(text)) if place == places.user || place == places.item => {
                Some(text.as_bytes())
            }
            _ => object.texts.get(place).map(|text| text.as_bytes()),
        };
        rows.push(line, &mut fields.row(field))?;
    }
    rows.note_times(fields.times_read());
    Ok(())
}

/// The keys of an object. The keys of an object in it are paths, such as `product.id`.
fn keys_of(object: &Map<String, Value>) -> Vec<String> {
    let mut keys = Vec::new();
    add_keys(object, "", &mut keys);
    keys
}

fn add_keys(object: &Map<String, Value>, path: &str, keys: &mut Vec<String>) {
    for (key, value) in object {
        let name = joined(path, key);
        match value {
            Value::Object(inner) if !inner.is_empty() => add_keys(inner, &name, keys),
            _ => keys.push(name),
        }
    }
}

/// The name of a key of the object with this path; an empty path is that of the whole object.
fn joined(path: &str, key: &str) -> String {
    match path {
        "" => key.to_owned(),
        path => format!("{path}.{key}"),
    }
}

/// Checks that the first object has all requested names.
fn check_names(
    path: &Path,
    names: &[String],
    keys: &[String],
    first: &Map<String, Value>,
) -> Result<()> {
    let is_known = |name: &&String| {
        let is_key = |key: &String| {
            let rest = key.strip_prefix(name.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        keys.iter().any(is_key)
    };
    let missing = names.iter().find(|name| !is_known(name));
    let whole = table_of_pandas(first).or_else(|| missing.and_then(|_| array_of_objects(first)));
    if let Some(found) = whole {
        return Err(Error::InvalidFile {
            path: path.into(),
            expected: format!("objects with the column {:?}", missing.unwrap_or(&names[0])),
            found,
        });
    }
    match missing {
        Some(name) => Err(Error::MissingColumn {
            path: path.into(),
            column: name.clone(),
            found: listed(keys),
        }),
        None => Ok(()),
    }
}

/// Describes a whole table in one object, in a form that pandas writes.
fn table_of_pandas(object: &Map<String, Value>) -> Option<String> {
    let is_column = |value: &Value| {
        let rows = value.as_object();
        rows.is_some_and(|rows| rows.keys().all(|row| row.parse::<usize>().is_ok()))
    };
    let is_columns = object.len() >= 2 && object.values().all(is_column);
    let is_name = |key: &String| ["columns", "index", "data"].contains(&key.as_str());
    let is_split = object.len() == 3 && object.keys().all(is_name);
    let form = match (is_columns, is_split) {
        (true, _) => "an object for each column",
        (_, true) => "an array of all rows",
        _ => return None,
    };
    Some(format!(
        "an object with {form}; hint: in pandas, write it with table.to_json(path, orient=\"records\", lines=True)"
    ))
}

/// Describes an object that has an array of objects.
fn array_of_objects(object: &Map<String, Value>) -> Option<String> {
    let is_array_of_objects = |value: &Value| {
        let first = value.as_array().and_then(|array| array.first());
        first.is_some_and(Value::is_object)
    };
    let (array, _) = object
        .iter()
        .find(|(_, value)| is_array_of_objects(value))?;
    Some(format!(
        "an object with the array {array:?}; hint: convert it with jq -c '.[\"{array}\"][]'"
    ))
}

/// Returns the fault of a record that is not an object.
pub(super) fn not_an_object(record: &[u8], error: &serde_json::Error) -> Fault {
    let reason = error.to_string();
    let reason = reason.split(" at line ").next().unwrap_or_default();
    Fault::of_row(
        InvalidRow::NotAnObject,
        format!("a JSON object ({reason})"),
        String::from_utf8_lossy(record).into_owned(),
    )
}

/// A value as an id.
enum Id<'t> {
    Text(Cow<'t, str>),
    /// Neither a text nor a whole number.
    Other,
}

/// The values of an object that are read, in the order of the requested names; empty for null and for
/// missing values.
struct Object<'t> {
    texts: Vec<Cow<'t, str>>,
    ids: Vec<Option<Id<'t>>>,
    /// Whether the object has each of the names.
    is_found: Vec<bool>,
}

impl<'t> Object<'t> {
    fn of(
        text: &'t [u8],
        names: &[String],
        decimal_comma: bool,
    ) -> Result<Self, serde_json::Error> {
        let mut parser = serde_json::Deserializer::from_slice(text);
        let mut object = Object {
            texts: vec![Cow::Borrowed(""); names.len()],
            ids: names.iter().map(|_| None).collect(),
            is_found: vec![false; names.len()],
        };
        parser.deserialize_map(Members {
            names,
            decimal_comma,
            path: "",
            object: &mut object,
        })?;
        parser.end()?;
        Ok(object)
    }

    /// Returns the fault of the first id that is neither a text nor a whole number.
    fn id_of_another_kind(&self, places: Places, names: &[String]) -> Option<Fault> {
        let ids = [
            (places.user, InvalidRow::InvalidUser, "a user id"),
            (places.item, InvalidRow::InvalidItem, "an item id"),
        ];
        let is_other = |place: usize| matches!(self.ids[place], Some(Id::Other));
        let (place, reason, what) = ids.into_iter().find(|(place, ..)| is_other(*place))?;
        Some(Fault {
            reason,
            column: names[place].clone(),
            expected: format!("{what} that is a string or a whole number"),
            found: shortened(self.texts[place].clone().into_owned()),
        })
    }
}

/// Adds the requested values of an object, and of the objects in it. A name such as `product.id` is a key of the
/// object, or a path.
struct Members<'a, 't> {
    names: &'a [String],
    decimal_comma: bool,
    /// The path of the object; empty for the whole object.
    path: &'a str,
    object: &'a mut Object<'t>,
}

impl<'t> Visitor<'t> for Members<'_, 't> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<(), A::Error> {
        let Self {
            names,
            decimal_comma,
            path,
            object,
        } = self;
        while let Some(key) = map.next_key::<String>()? {
            let key = joined(path, &key);
            let has_name_below = || {
                let mut rests = names.iter().filter_map(|name| name.strip_prefix(&*key));
                rests.any(|rest| rest.starts_with('.'))
            };
            if let Some(place) = names.iter().position(|name| *name == key) {
                if std::mem::replace(&mut object.is_found[place], true) {
                    let text = format!("duplicate name {key:?}");
                    return Err(serde::de::Error::custom(text));
                }
                let raw: &RawValue = map.next_value()?;
                let (text, id) =
                    read(raw.get(), decimal_comma).map_err(serde::de::Error::custom)?;
                object.texts[place] = text;
                object.ids[place] = id;
            } else if has_name_below() {
                let raw: &RawValue = map.next_value()?;
                if raw.get().starts_with('{') {
                    let members = Members {
                        names,
                        decimal_comma,
                        path: &key,
                        object: &mut *object,
                    };
                    let mut parser = serde_json::Deserializer::from_str(raw.get());
                    parser
                        .deserialize_map(members)
                        .map_err(serde::de::Error::custom)?;
                }
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Converts a value to a text and to an id. The id is `None` if its text is the same.
fn read(
    raw: &str,
    decimal_comma: bool,
) -> Result<(Cow<'_, str>, Option<Id<'_>>), serde_json::Error> {
    if raw.starts_with('"') {
        return Ok((text(raw)?, None));
    }
    Ok(match raw_id(raw) {
        Some(Cow::Borrowed(id)) => (Cow::Borrowed(id), None),
        Some(id) => (number(raw, decimal_comma), Some(Id::Text(id))),
        None => (number(raw, decimal_comma), Some(Id::Other)),
    })
}

/// Converts a JSON number, which has a decimal point, to the number format of the texts. Other values do not
/// change.
fn number(raw: &str, decimal_comma: bool) -> Cow<'_, str> {
    let is_number = raw.starts_with(|it: char| it == '-' || it.is_ascii_digit());
    match decimal_comma && is_number && raw.contains('.') {
        true => Cow::Owned(raw.replace('.', ",")),
        false => Cow::Borrowed(raw),
    }
}
