//! The columns of the item table with few values, and a condition for each value.

use std::collections::{BTreeMap, BTreeSet};

use bspm::CpuModel;
use bspm::data::{ItemColumn, ItemColumnKind};
use serde::Serialize;

use super::page::image_column;

/// The maximum number of columns.
const MOST_COLUMNS: usize = 8;

/// The maximum number of values of a column.
const MOST_VALUES: usize = 12;

/// The maximum number of distinct words of a column of several words, such as genres. The most frequent
/// ones are its values.
const MOST_WORDS: usize = 24;

/// The maximum number of bytes of a value, and of the name of a column.
const LONGEST: usize = 60;

/// A column with few values.
#[derive(Debug, Serialize)]
pub(super) struct Facet<'a> {
    column: &'a str,
    /// The most frequent value first.
    values: Vec<FacetValue>,
}

/// A value of a column.
#[derive(Debug, Serialize)]
struct FacetValue {
    value: String,
    /// The number of items of the model that have the value.
    items: usize,
    /// The condition that these items satisfy.
    #[serde(rename = "where")]
    condition: String,
}

/// Returns the first columns with few values. Titles and addresses of pictures are left out.
///
/// Cost: a pass over the items for each column, which ends when a column has too many values.
pub(super) fn facets(model: &CpuModel) -> Vec<Facet<'_>> {
    let Some(table) = model.dataset().item_table() else {
        return Vec::new();
    };
    let items = model.dataset().items().len();
    let picture = image_column(model).map(ItemColumn::name);
    let columns = table.other_columns().filter(|column| {
        let name = column.name();
        let is_plain = name.len() <= LONGEST && !name.contains(['`', '\\']);
        is_plain && Some(name) != picture
    });
    let facets = columns.filter_map(|column| facet(column, items));
    facets.take(MOST_COLUMNS).collect()
}

/// What separates the words of a text.
const SEPARATORS: [&str; 5] = ["|", ";", ", ", ",", " "];

fn facet(column: &ItemColumn, items: usize) -> Option<Facet<'_>> {
    let name = column.name();
    let rows = || (0..items).filter_map(|row| column.value(row));
    let whole = rows().map(|value| [value.to_string()]);
    let values = match (counts(whole, MOST_VALUES), column.kind()) {
        (Some(counts), ItemColumnKind::Text) => {
            with_conditions(counts, |value| format!("`{name}` = {}", quoted(value)))
        }
        (Some(counts), _) => with_conditions(counts, |value| format!("`{name}` = {value}")),
        (None, ItemColumnKind::Text) => words(column, items)?,
        (None, _) => return None,
    };
    (values.len() > 1).then_some(Facet {
        column: name,
        values,
    })
}

/// Returns the most frequent words of a column of texts; `None` if it has too many.
fn words(column: &ItemColumn, items: usize) -> Option<Vec<FacetValue>> {
    let name = column.name();
    let texts = || (0..items).filter_map(|row| column.text(row));
    let mut separators = SEPARATORS.into_iter();
    separators.find_map(|separator| {
        let words = |text: &str| -> BTreeSet<String> {
            let words = text.split(separator).filter(|word| !word.is_empty());
            words.map(str::to_owned).collect()
        };
        if !texts().any(|text| text.contains(separator)) {
            return None;
        }
        let counts = counts(texts().map(words), MOST_WORDS)?;
        // A pattern of like has no escapes.
        let is_plain = |word: &String| !word.contains(['%', '_', '\\']);
        let condition = |word: &str| {
            let like = |pattern: String| format!("`{name}` like {}", quoted(&pattern));
            let first = like(format!("{word}{separator}%"));
            let last = like(format!("%{separator}{word}"));
            let middle = like(format!("%{separator}{word}{separator}%"));
            format!(
                "`{name}` = {} or {first} or {last} or {middle}",
                quoted(word)
            )
        };
        let are_plain = counts.keys().all(is_plain);
        are_plain.then(|| with_conditions(counts, condition))
    })
}

/// Counts the items with each value. Returns `None` if there are more than `most` values, or if one is too
/// long.
fn counts<V: IntoIterator<Item = String>>(
    values: impl Iterator<Item = V>,
    most: usize,
) -> Option<BTreeMap<String, usize>> {
    let mut counts = BTreeMap::new();
    for value in values.flatten() {
        if value.len() > LONGEST {
            return None;
        }
        *counts.entry(value).or_default() += 1;
        if counts.len() > most {
            return None;
        }
    }
    Some(counts)
}

/// Returns the most frequent values with their conditions, the most frequent one first.
fn with_conditions(
    counts: BTreeMap<String, usize>,
    condition: impl Fn(&str) -> String,
) -> Vec<FacetValue> {
    let values = counts.into_iter().map(|(value, items)| FacetValue {
        condition: condition(&value),
        value,
        items,
    });
    let mut values: Vec<FacetValue> = values.collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.items));
    values.truncate(MOST_VALUES);
    values
}

/// Returns a text in quotes, for a condition.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bspm::data::ItemTable;
    use bspm_rules::ItemCondition;

    #[test]
    fn a_condition_selects_the_items_that_are_counted() {
        let genres = [
            "Action",
            "Action Drama",
            "Drama Comedy",
            "Children's",
            "Melodrama War",
            "War Western",
            "Sci-Fi",
            "Horror Sci-Fi",
            "Comedy Horror",
            "Musical",
            "Noir",
            "Mystery",
            "Noir War",
            "Adult",
        ];
        let rows = genres.len();
        let brands = (0..rows).map(|row| ["it's", "a\\b", "100%", "\"x\""][row % 4]);
        let tags = genres.map(|genres| genres.replace(' ', "|").replace("Sci-Fi", "Sci Fi"));
        let columns = vec![
            ItemColumn::texts("title", genres),
            ItemColumn::texts("genre", genres),
            ItemColumn::texts("tag list", tags.iter().map(String::as_str)),
            ItemColumn::texts("brand", brands),
            ItemColumn::numbers("stars", (0..rows).map(|row| row as f64 % 4.0 - 1.5)),
            ItemColumn::booleans("sold", (0..rows).map(|row| (row > 3).then_some(row > 6))),
            ItemColumn::numbers("price", (0..rows).map(|row| row as f64)),
        ];
        let ids = (0..rows as u32).collect();
        let table = ItemTable::<u32>::new(ids, "title", columns).unwrap();
        let mut found = Vec::new();
        for facet in table.columns()[1..].iter().filter_map(|it| facet(it, rows)) {
            found.push((facet.column, facet.values.len()));
            for FacetValue {
                value,
                items,
                condition,
            } in facet.values
            {
                let parsed: ItemCondition = condition.parse().unwrap();
                assert_eq!(
                    parsed.rows(&table).unwrap().rows().count(),
                    items,
                    "{value}: {condition}"
                );
            }
        }
        let expected = [
            ("genre", 12),
            ("tag list", 12),
            ("brand", 4),
            ("stars", 4),
            ("sold", 2),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn columns_without_few_short_values_are_left_out() {
        let long = "x".repeat(LONGEST + 1);
        let letters: Vec<String> = ('a'..='z').map(String::from).collect();
        let letters = || letters.iter().map(String::as_str);
        for column in [
            ItemColumn::texts("long", letters().map(|_| long.as_str())),
            ItemColumn::texts("many", letters()),
            ItemColumn::texts("one", letters().map(|_| "same")),
            ItemColumn::texts("none", letters().map(|_| "")),
        ] {
            assert!(facet(&column, 26).is_none(), "{}", column.name());
        }
    }
}
