//! Ids and histories in requests.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use bspm::CpuModel;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use super::error::Failure;

/// The maximum length of a list, a history or a selection in a request.
pub(super) const MOST: usize = 10_000;

/// An id: a text, or a whole number, which is converted to decimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Id(pub(super) String);

/// An item of a history with an optional weight.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) item: Id,
    pub(super) weight: Option<f32>,
}

/// Parses the ids of a list in a query string, which are separated by commas. As in CSV, an id with a
/// comma is in double quotes, and a double quote in it is doubled.
///
/// # Errors
///
/// [`Failure::Request`] for a quote that is not closed, or is closed before the end of the id.
pub(super) fn from_list(name: &str, text: &str) -> Result<Vec<Id>, Failure> {
    let mut ids = Vec::new();
    let mut rest = (!text.is_empty()).then_some(text);
    while let Some(text) = rest {
        let (id, after) = match text.strip_prefix('"') {
            None => {
                let end = text.find(',').unwrap_or(text.len());
                (text[..end].to_owned(), &text[end..])
            }
            Some(quoted) => quoted_id(quoted).ok_or_else(|| {
                Failure::Request(format!(
                    "{name}: expected ids separated by commas, with an id that contains a comma in double \
                     quotes (and a double quote in it doubled)"
                ))
            })?,
        };
        ids.push(Id(id));
        rest = after.strip_prefix(',');
    }
    Ok(ids)
}

/// Returns the id before the closing quote, and the rest, which is empty or starts with a comma.
fn quoted_id(text: &str) -> Option<(String, &str)> {
    let mut id = String::new();
    let mut rest = text;
    loop {
        let (part, after) = rest.split_once('"')?;
        id.push_str(part);
        match after.strip_prefix('"') {
            Some(more) => {
                id.push('"');
                rest = more;
            }
            None if after.is_empty() || after.starts_with(',') => return Some((id, after)),
            None => return None,
        }
    }
}

/// A list of at most [`MOST`] values; reading stops at a longer list.
#[derive(Debug)]
pub(super) struct Bounded<T>(pub(super) Vec<T>);

impl<T> Default for Bounded<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

struct OfBounded<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OfBounded<T> {
    type Value = Bounded<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Bounded<T>, A::Error> {
        let mut found = Vec::new();
        while let Some(entry) = entries.next_element()? {
            if found.len() == MOST {
                return Err(A::Error::custom(format!("expected at most {MOST} entries")));
            }
            found.push(entry);
        }
        Ok(Bounded(found))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Bounded<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(OfBounded(PhantomData))
    }
}

struct OfId;

impl Visitor<'_> for OfId {
    type Value = Id;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an id (a string or a whole number)")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Id, E> {
        Ok(Id(text.into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Id, E> {
        Ok(Id(number.to_string()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Id, E> {
        Ok(Id(number.to_string()))
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OfId)
    }
}

struct OfEntry;

impl<'de> Visitor<'de> for OfEntry {
    type Value = Entry;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an id (a string or a whole number), or an object with item and weight")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Entry, E> {
        OfId.visit_str(text).map(Entry::from)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Entry, E> {
        OfId.visit_u64(number).map(Entry::from)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Entry, E> {
        OfId.visit_i64(number).map(Entry::from)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Entry, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, expecting = "an object with item and weight")]
        struct Weighted {
            item: Id,
            weight: f64,
        }
        let Weighted { item, weight } = Weighted::deserialize(MapAccessDeserializer::new(map))?;
        let narrow = weight as f32;
        if !narrow.is_finite() {
            let found = Unexpected::Float(weight);
            return Err(A::Error::invalid_value(found, &"a weight up to 3.4e38"));
        }
        Ok(Entry {
            item,
            weight: Some(narrow),
        })
    }
}

impl From<Id> for Entry {
    fn from(item: Id) -> Self {
        Self { item, weight: None }
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OfEntry)
    }
}

/// Looks up the items of a request in the model, and collects the unknown ones.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    /// The unknown items in the order of the request, without duplicates.
    pub(super) unknown: Vec<String>,
    seen: HashSet<String>,
}

impl Lookup {
    /// Returns the column of an item, or records it as unknown.
    pub(super) fn column(&mut self, model: &CpuModel, item: &Id) -> Option<u32> {
        let column = model.dataset().items().index(&item.0);
        if column.is_none() && self.seen.insert(item.0.clone()) {
            self.unknown.push(item.0.clone());
        }
        column
    }

    /// Returns the columns of the known items.
    pub(super) fn columns(&mut self, model: &CpuModel, items: &[Id]) -> Vec<u32> {
        let columns = items.iter().filter_map(|item| self.column(model, item));
        columns.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_their_digits_and_nothing_else_is_an_id() {
        let id = |text: &str| serde_json::from_str::<Id>(text);
        for (text, expected) in [
            ("1", "1"),
            ("-7", "-7"),
            ("\"0042\"", "0042"),
            ("\"1.5\"", "1.5"),
        ] {
            assert_eq!(id(text).unwrap(), Id(expected.into()));
        }
        assert_eq!(id("18446744073709551615").unwrap().0, u64::MAX.to_string());
        for text in ["1.5", "1.0", "1e3", "true", "null", "[1]", "{}"] {
            let error = id(text).unwrap_err().to_string();
            assert!(
                error.contains("expected an id (a string or a whole number)"),
                "{error}"
            );
        }
    }

    #[test]
    fn lists_in_addresses_are_csv() {
        let list = |text: &str| -> Vec<String> {
            let ids = from_list("deny", text).unwrap();
            ids.into_iter().map(|id| id.0).collect()
        };
        assert_eq!(list("a,b c"), ["a", "b c"]);
        assert_eq!(list("\"a,b\",c"), ["a,b", "c"]);
        assert_eq!(list("\"say \"\"a\"\"\""), ["say \"a\""]);
        assert!(list("").is_empty());
        assert_eq!(list("a,,\nb"), ["a", "", "\nb"]);
        for odd in ["\"a", "\"a\"b", "\"a\"\"", "x,\"a"] {
            assert!(from_list("deny", odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn entries_have_weights_only_if_they_are_said() {
        let entries: Vec<Entry> = serde_json::from_str(
            r#"[1, "a", {"item": 2, "weight": 1}, {"weight": -2.5, "item": "b"}]"#,
        )
        .unwrap();
        let found: Vec<_> = entries
            .iter()
            .map(|it| (it.item.0.as_str(), it.weight))
            .collect();
        assert_eq!(
            found,
            [
                ("1", None),
                ("a", None),
                ("2", Some(1.0)),
                ("b", Some(-2.5))
            ]
        );
        for text in [
            "1.5",
            r#"{"item": "a"}"#,
            r#"{"item": "a", "weight": 1e39}"#,
        ] {
            serde_json::from_str::<Entry>(text).unwrap_err();
        }
    }
}
