//! Lists of items as columns.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, Float32Array, Int32Array, ListArray, RecordBatch, StringArray, UInt64Array,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{ArrowError, DataType, Field, Schema};
use arrow_select::take::take;

use super::columns::{find, wrong};
use super::ids::ArrowId;
use super::requests::REQUEST;
use bspm_core::Fallback;
use bspm_core::backend::ScoredItem;
use bspm_data::{Dataset, Error, Result};

const ITEMS: &str = "items";
const SCORES: &str = "scores";
const TITLES: &str = "titles";

/// The batch without the columns of the requests, with the lists of its rows.
pub(super) fn with_lists<U: ArrowId, I: ArrowId>(
    batch: &RecordBatch,
    dataset: &Dataset<U, I>,
    lists: &[Vec<ScoredItem>],
    fallback: Fallback,
) -> Result<RecordBatch> {
    let entries: usize = lists.iter().map(Vec::len).sum();
    if entries > i32::MAX as usize {
        return Err(Error::TooLarge {
            what: "entries of the lists in a record batch",
            found: entries,
            limit: i32::MAX as usize,
        });
    }
    let ends = OffsetBuffer::from_lengths(lists.iter().map(Vec::len));
    let of_lists = || lists.iter().flatten();
    let ids = dataset.items();
    let items = I::column(of_lists().filter_map(|entry| ids.id(entry.item)))?;
    let scores = of_lists().map(|entry| (!fallback.has_filled(entry)).then_some(entry.score));
    let scores = Float32Array::from_iter(scores);
    let mut columns = others(batch, &REQUEST);
    let mut added = vec![(ITEMS, items), (SCORES, Arc::new(scores) as ArrayRef)];
    if dataset.item_table().is_some() {
        added.push((TITLES, titles(dataset, of_lists())?));
    }
    for (name, values) in added {
        let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
        let lists = ListArray::try_new(field, ends.clone(), values, None).map_err(unfit)?;
        columns.push((
            Field::new(name, lists.data_type().clone(), true),
            Arc::new(lists),
        ));
    }
    of(columns)
}

/// The titles of entries; null for an item without one.
fn titles<'e, U: ArrowId, I: ArrowId>(
    dataset: &Dataset<U, I>,
    entries: impl Iterator<Item = &'e ScoredItem> + Clone,
) -> Result<ArrayRef> {
    let titles = entries.map(|entry| dataset.title_of_column(entry.item));
    let (limit, found) = (
        i32::MAX as usize,
        titles.clone().flatten().map(str::len).sum(),
    );
    if found > limit {
        return Err(Error::TooLarge {
            what: "bytes of titles in a record batch",
            found,
            limit,
        });
    }
    Ok(Arc::new(titles.collect::<StringArray>()))
}

/// Converts the lists of [`recommend_batch`](crate::RecommendBatch::recommend_batch) to one row per entry:
/// the other columns are repeated, and the columns `rank` (from 1), `item` and `score` are added, and
/// `title` if the lists have titles.
///
/// # Errors
///
/// [`Error::InvalidColumn`] if the batch has no such lists, or if another column is named `rank`,
/// `item`, `score` or, if the lists have titles, `title`.
pub fn long_form(lists: &RecordBatch) -> Result<RecordBatch> {
    let column = |name: &str| {
        let found = find(lists, name)?;
        let column = found
            .as_ref()
            .and_then(|it| it.as_list_opt::<i32>())
            .cloned();
        column.ok_or_else(|| wrong(name, None, "a column of lists", "none"))
    };
    let (items, scores) = (column(ITEMS)?, column(SCORES)?);
    if items.offsets() != scores.offsets() {
        let expected = "a score for each item";
        return Err(wrong(SCORES, None, expected, "lists of different lengths"));
    }
    let titles = find(lists, TITLES)?;
    let titles = titles.as_ref().and_then(|it| it.as_list_opt::<i32>());
    let titles =
        titles.filter(|it| it.value_type() == DataType::Utf8 && it.offsets() == items.offsets());
    let lengths = || items.offsets().lengths().enumerate();
    let rows: UInt64Array = lengths()
        .flat_map(|(row, length)| std::iter::repeat_n(row as u64, length))
        .collect();
    let ranks: Int32Array = lengths()
        .flat_map(|(_, length)| 1..=length as i32)
        .collect();
    let mut columns = Vec::new();
    let of_lists: &[&str] = match titles {
        Some(_) => &[ITEMS, SCORES, TITLES],
        None => &[ITEMS, SCORES],
    };
    for (field, values) in others(lists, of_lists) {
        columns.push((field, take(&values, &rows, None).map_err(unfit)?));
    }
    let first = items.value_offsets()[0] as usize;
    let within = |values: &ArrayRef| values.slice(first, rows.len());
    let item_type = items.value_type();
    columns.push((
        Field::new("rank", DataType::Int32, false),
        Arc::new(ranks) as ArrayRef,
    ));
    columns.push((Field::new("item", item_type, true), within(items.values())));
    columns.push((
        Field::new("score", DataType::Float32, true),
        within(scores.values()),
    ));
    if let Some(titles) = titles {
        let field = Field::new("title", DataType::Utf8, true);
        columns.push((field, within(titles.values())));
    }
    of(columns)
}

/// The columns with other names.
fn others(batch: &RecordBatch, names: &[&str]) -> Vec<(Field, ArrayRef)> {
    let fields = batch.schema_ref().fields().iter();
    fields
        .zip(batch.columns())
        .filter(|(field, _)| !names.contains(&field.name().as_str()))
        .map(|(field, values)| (field.as_ref().clone(), values.clone()))
        .collect()
}

fn of(columns: Vec<(Field, ArrayRef)>) -> Result<RecordBatch> {
    let mut names = HashSet::new();
    if let Some((field, _)) = columns
        .iter()
        .find(|it| !names.insert(it.0.name().as_str()))
    {
        let expected = "no other column with this name";
        let found = "two columns; hint: rename the column of the table";
        return Err(wrong(field.name(), None, expected, found));
    }
    let (fields, columns): (Vec<Field>, _) = columns.into_iter().unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(unfit)
}

fn unfit(error: ArrowError) -> Error {
    wrong(
        ITEMS,
        None,
        "lists that fit in a record batch",
        error.to_string(),
    )
}
