//! Ids and histories as requests write them.

use std::collections::HashSet;
use std::fmt;

use bspm::CpuModel;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use super::error::Failure;

/// An id: a text, or a whole number, which stands for its decimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Id(pub(super) String);

/// An item of a history, with what it counts if that is said.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) item: Id,
    pub(super) weight: Option<f32>,
}

/// The ids of a list in an address, with commas in between. An id with a comma is in double quotes,
/// and a double quote in it is doubled, as in CSV.
///
/// # Errors
///
/// [`Failure::Request`] for a list of more than one line.
pub(super) fn from_list(name: &str, text: &str) -> Result<Vec<Id>, Failure> {
    let mut records = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let refused = |found: String| {
        let expected = "expected ids with commas in between, those with commas in double quotes";
        Failure::Request(format!("{name}: {expected}, found {found}"))
    };
    let mut ids = Vec::new();
    for (line, record) in records.records().enumerate() {
        let record = record.map_err(|error| refused(error.to_string()))?;
        if line > 0 {
            return Err(refused("more than one line".into()));
        }
        ids.extend(record.iter().map(|id| Id(id.into())));
    }
    Ok(ids)
}

struct OfId;

impl Visitor<'_> for OfId {
    type Value = Id;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an id, a string or a whole number")
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
        formatter.write_str("an id, a string or a whole number, or an item with its weight")
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
        #[serde(deny_unknown_fields, expecting = "an item with its weight")]
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

/// The items of a model among those that a request names, and the others.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    /// Each once, in the order of the request.
    pub(super) unknown: Vec<String>,
    seen: HashSet<String>,
}

impl Lookup {
    /// The column of an item; none if the model does not know it, which is noted.
    pub(super) fn column(&mut self, model: &CpuModel, item: &Id) -> Option<u32> {
        let column = model.dataset().items().index(&item.0);
        if column.is_none() && self.seen.insert(item.0.clone()) {
            self.unknown.push(item.0.clone());
        }
        column
    }

    /// The columns of those items that the model knows.
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
                error.contains("expected an id, a string or a whole number"),
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
        assert!(from_list("deny", "a\nb").is_err());
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
