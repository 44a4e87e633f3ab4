//! JSON objects with any names, and the ids and values in them.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::id_text::whole_number;
use crate::item_table::MOST_COLUMNS;

/// The names and values of an object, in order and without duplicate names.
#[derive(Debug)]
pub struct JsonObject<'t>(pub Vec<(String, JsonValue<'t>)>);

/// A value of an object or an array.
#[derive(Clone, Debug)]
pub enum JsonValue<'t> {
    /// A string.
    Text(Cow<'t, str>),
    /// Any other value, as JSON text. Numbers keep all of their digits.
    Raw(&'t str),
}

impl<'t> JsonObject<'t> {
    /// Parses an object.
    ///
    /// # Errors
    ///
    /// That of `serde_json` if the text is not an object, if a name occurs twice, or if there are more than
    /// 1,001 names (an id and the columns of an item table).
    pub fn parse(text: &'t [u8]) -> Result<Self, serde_json::Error> {
        let mut parser = serde_json::Deserializer::from_slice(text);
        let object = parser.deserialize_map(Values)?;
        parser.end()?;
        Ok(object)
    }

    /// Returns the value with this name.
    pub fn get(&self, name: &str) -> Option<&JsonValue<'t>> {
        let mut values = self.0.iter();
        values.find(|it| it.0 == name).map(|it| &it.1)
    }
}

impl<'t> JsonValue<'t> {
    fn new(raw: &'t RawValue) -> Result<Self, serde_json::Error> {
        Ok(match raw.get().starts_with('"') {
            true => Self::Text(text(raw.get())?),
            false => Self::Raw(raw.get()),
        })
    }

    /// Returns the text of a string, or the JSON text of another value.
    pub fn raw(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Raw(raw) => raw,
        }
    }

    /// Whether the value is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Raw("null"))
    }

    /// Returns the value as the text of an id; `None` if it is neither a string nor a whole number. The id
    /// of `null` is empty.
    pub fn id(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Raw(raw) => raw_id(raw),
        }
    }

    /// Returns the elements of an array; `None` for another value.
    ///
    /// # Errors
    ///
    /// That of `serde_json` for a string that is not valid text.
    pub fn elements(&self) -> Result<Option<Vec<JsonValue<'t>>>, serde_json::Error> {
        match self {
            Self::Raw(raw) if raw.starts_with('[') => {
                let elements: Vec<&RawValue> = serde_json::from_str(raw)?;
                elements
                    .into_iter()
                    .map(Self::new)
                    .collect::<Result<_, _>>()
                    .map(Some)
            }
            _ => Ok(None),
        }
    }
}

struct Values;

impl<'de> Visitor<'de> for Values {
    type Value = JsonObject<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonObject<'de>, A::Error> {
        let mut values: Vec<(String, JsonValue<'de>)> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if values.len() > MOST_COLUMNS {
                let text = format!("more than {MOST_COLUMNS} names");
                return Err(serde::de::Error::custom(text));
            }
            if values.iter().any(|(name, _)| *name == key) {
                let text = format!("duplicate name {key:?}");
                return Err(serde::de::Error::custom(text));
            }
            let value = JsonValue::new(map.next_value()?).map_err(serde::de::Error::custom)?;
            values.push((key, value));
        }
        Ok(JsonObject(values))
    }
}

/// Parses JSON, or JSON with `NaN` and infinities, which are replaced by `null` in `buffer`.
pub fn or_with_null_for_nan<'t, T>(
    text: &'t [u8],
    buffer: &'t mut Vec<u8>,
    parse: impl Fn(&'t [u8]) -> serde_json::Result<T>,
) -> serde_json::Result<T> {
    parse(text).or_else(|_| {
        *buffer = with_null_for_nan(text);
        parse(buffer)
    })
}

/// Replaces `NaN`, `Infinity` and `-Infinity` outside strings, which are not JSON but which Python writes, by
/// `null`.
fn with_null_for_nan(mut text: &[u8]) -> Vec<u8> {
    const NOT_NUMBERS: [&[u8]; 3] = [b"NaN", b"Infinity", b"-Infinity"];
    let mut replaced = Vec::with_capacity(text.len() + 16);
    let mut is_string = false;
    while let Some(&byte) = text.first() {
        let token = NOT_NUMBERS.into_iter().find(|it| text.starts_with(it));
        let (length, to) = match token {
            Some(token) if !is_string => (token.len(), &b"null"[..]),
            _ if is_string && byte == b'\\' => (2.min(text.len()), &text[..2.min(text.len())]),
            _ => (1, &text[..1]),
        };
        is_string ^= byte == b'"';
        replaced.extend_from_slice(to);
        text = &text[length..];
    }
    replaced
}

/// Returns the text of a JSON string.
pub(super) fn text(raw: &str) -> Result<Cow<'_, str>, serde_json::Error> {
    match raw.contains('\\') {
        true => serde_json::from_str(raw).map(Cow::Owned),
        false => Ok(Cow::Borrowed(&raw[1..raw.len() - 1])),
    }
}

/// Returns the id of a value that is not a string: empty for `null`, the digits of a whole number, and `None`
/// for other values. A number with a fraction or an exponent must be a whole number that a double represents
/// exactly.
pub(super) fn raw_id(raw: &str) -> Option<Cow<'_, str>> {
    match raw.as_bytes().first()? {
        b'n' => Some(Cow::Borrowed("")),
        b'-' if raw == "-0" => Some(Cow::Borrowed("0")),
        b'-' | b'0'..=b'9' if raw.contains(['.', 'e', 'E']) => {
            let number = raw.parse().ok().and_then(whole_number)?;
            Some(Cow::Owned(number.to_string()))
        }
        b'-' | b'0'..=b'9' => Some(Cow::Borrowed(raw)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_and_infinity_outside_strings_are_null() {
        for (text, expected) in [
            (r#"{"a":NaN,"b":-Infinity}"#, r#"{"a":null,"b":null}"#),
            (r#"[Infinity, "NaN", NaN]"#, r#"[null, "NaN", null]"#),
            (r#"{"\"NaN\\":NaN}"#, r#"{"\"NaN\\":null}"#),
            (r#"{"a": "\"#, r#"{"a": "\"#),
        ] {
            assert_eq!(with_null_for_nan(text.as_bytes()), expected.as_bytes());
        }
    }

    #[test]
    fn ids_keep_their_digits() {
        let text = r#"{"a":12345678901234567890123,"b":5.0,"c":-0,"d":5.5,"e":null,"f":"\u0061","g":[1e3,"x",{}]}"#;
        let object = JsonObject::parse(text.as_bytes()).unwrap();
        let id = |name: &str| {
            let id = object.get(name).unwrap().id();
            id.map(Cow::into_owned)
        };
        assert_eq!(id("a").unwrap(), "12345678901234567890123");
        assert_eq!(id("b").unwrap(), "5");
        assert_eq!(id("c").unwrap(), "0");
        assert_eq!(id("d"), None);
        assert_eq!(id("e").unwrap(), "");
        assert_eq!(id("f").unwrap(), "a");
        assert_eq!(id("g"), None);
        assert!(object.get("e").unwrap().is_null() && object.get("h").is_none());
        let elements = object.get("g").unwrap().elements().unwrap().unwrap();
        let ids: Vec<Option<Cow<'_, str>>> = elements.iter().map(JsonValue::id).collect();
        assert_eq!(ids, [Some("1000".into()), Some("x".into()), None]);
        let array = JsonObject::parse(br#"{"a":["\ud800"]}"#).unwrap();
        assert!(array.get("a").unwrap().elements().is_err());
        for wrong in ["[]", r#"{"a":1,"a":2}"#, r#"{"a":1} x"#] {
            assert!(JsonObject::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
