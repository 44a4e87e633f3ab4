//! `/items`: a search for items, and the columns of items.

use bspm::CpuModel;
use bspm::data::ItemValue;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::Failure;
use super::ids::Lookup;
use super::requests::{length, listed, parsed};
use super::work::Work;

/// A search for items by text in their ids or titles, or by their ids.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemsQuery {
    pub(super) model: Option<String>,
    #[serde(default)]
    search: String,
    ids: Option<String>,
    #[serde(rename = "where")]
    condition: Option<String>,
    /// Whether the response has the columns of the item table.
    #[serde(default)]
    columns: bool,
    k: Option<usize>,
}

#[derive(Serialize)]
struct Listed<'a> {
    items: Vec<Found<'a>>,
    /// The ids of the request that the model does not know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown_items: Vec<String>,
}

#[derive(Serialize)]
struct Found<'a> {
    item: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    users: u32,
    #[serde(skip_serializing_if = "Map::is_empty")]
    columns: Map<String, Value>,
}

impl ItemsQuery {
    /// The results of `ids` are in the order of the request. Other results are sorted by the number of
    /// users, in descending order.
    pub(super) fn work(self) -> Result<Work, Failure> {
        let ids = self
            .ids
            .as_deref()
            .map(|it| listed("ids", it))
            .transpose()?;
        let k = match (&ids, self.k) {
            (Some(ids), None) => ids.0.len(),
            (_, k) => length(k)?,
        };
        let condition = parsed(self.condition.as_deref())?;
        let text = self.search.to_lowercase();
        Ok(Work::Other(Box::new(move |model: &CpuModel| {
            let dataset = model.dataset();
            let set = condition.map(|it| it.items(dataset)).transpose()?;
            let users = dataset.interactions().item_degrees();
            let has_text = |name: &str| text.is_empty() || name.to_lowercase().contains(&text);
            let found = |column: u32| {
                let item = dataset.items().id(column)?;
                let title = dataset.title_of_column(column);
                let is_found = has_text(item) || title.is_some_and(has_text);
                let is_allowed = set.as_ref().is_none_or(|set| set.contains(column));
                (is_found && is_allowed).then_some(column)
            };
            let mut lookup = Lookup::default();
            let mut columns: Vec<u32> = match &ids {
                Some(ids) => {
                    let columns = lookup.columns(model, &ids.0).into_iter();
                    columns.filter_map(found).collect()
                }
                None => (0..users.len() as u32).filter_map(found).collect(),
            };
            if ids.is_none() {
                columns.sort_by_key(|&column| std::cmp::Reverse(users[column as usize]));
            }
            columns.truncate(k);
            let items = columns.into_iter().filter_map(|column| {
                Some(Found {
                    item: dataset.items().id(column)?,
                    title: dataset.title_of_column(column),
                    users: users[column as usize],
                    columns: match self.columns {
                        true => columns_of(model, column),
                        false => Map::new(),
                    },
                })
            });
            Ok(serde_json::to_string(&Listed {
                items: items.collect(),
                unknown_items: lookup.unknown,
            })?)
        })))
    }
}

/// Returns the values of an item in the item table, without its title and without missing values.
fn columns_of(model: &CpuModel, item: u32) -> Map<String, Value> {
    let Some(table) = model.dataset().item_table() else {
        return Map::new();
    };
    let values = table.other_columns().filter_map(|column| {
        let value = match column.value(item as usize)? {
            ItemValue::Text(text) => text.into(),
            ItemValue::Number(number) => number.into(),
            ItemValue::Boolean(boolean) => boolean.into(),
            _ => return None,
        };
        Some((column.name().to_owned(), value))
    });
    values.collect()
}
