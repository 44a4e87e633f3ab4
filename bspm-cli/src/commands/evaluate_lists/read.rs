//! Reads lists from files with one row per entry, or one row per list.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef, ListArray, RecordBatch};
use arrow_cast::cast;
use arrow_schema::{DataType, Field};
use bspm::data::reader::JsonObject;
use bspm::data::{Format, InvalidRow, usual_item_column, usual_user_column};
use bspm::{Error, Result};
use bspm_arrow::caught;
use bspm_arrow::id_texts;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::Serialize;

use crate::commands::text_rows::{Cell, TextOptions, TextRows};

/// Counts of repeated entries in lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Repeats {
    /// Entries whose item occurs earlier in the same list.
    pub(super) repeated_items: usize,
    /// Entries with the same rank or score as another entry of the same list.
    pub(super) equal_places: usize,
}

/// Lists by user id.
#[derive(Default)]
pub(super) struct Lists {
    places: HashMap<String, usize>,
    users: Vec<String>,
    /// The entries of each user in the order of the files, with a sort key; smaller is better.
    entries: Vec<Vec<(f64, String)>>,
    /// The users whose list came as one row.
    has_whole_list: HashSet<usize>,
}

const USER: &str = "user";
const ITEM: &str = "item";
const RANK: &str = "rank";
const SCORE: &str = "score";
const ITEMS: &str = "items";

/// The positions of the columns to read.
#[derive(Clone, Copy)]
enum Columns {
    /// One row per entry, with a rank or a score.
    Entries {
        user: usize,
        item: usize,
        number: usize,
        is_score: bool,
    },
    /// One row per list, best item first.
    Lists { user: usize, items: usize },
}

impl Columns {
    fn of(path: &Path, names: &[String]) -> Result<Self> {
        let find = |wanted: &str| {
            let mut places = (0..names.len()).filter(|&it| names[it] == wanted);
            match (places.next(), places.next()) {
                (Some(_), Some(_)) => Err(Error::InvalidFile {
                    path: path.into(),
                    expected: format!("one column {wanted:?}"),
                    found: "two".into(),
                }),
                (place, _) => Ok(place),
            }
        };
        let missing = |column: &str| Error::MissingColumn {
            path: path.into(),
            column: column.into(),
            found: names.join(", "),
        };
        // The names that interactions have, too.
        let id = |kind: &str, usual: Option<&str>| {
            let exact = find(kind)?.or(find(&format!("{kind}_id"))?);
            let usual = usual.and_then(|usual| names.iter().position(|it| it == usual));
            Ok::<_, Error>(exact.or(usual))
        };
        let user = id(USER, usual_user_column(names))?.ok_or_else(|| missing(USER))?;
        let (rank, score) = (find(RANK)?, find(SCORE)?);
        match (
            id(ITEM, usual_item_column(names))?,
            find(ITEMS)?,
            rank.or(score),
        ) {
            (Some(item), _, Some(number)) => Ok(Self::Entries {
                user,
                item,
                number,
                is_score: rank.is_none(),
            }),
            (None, Some(items), _) => Ok(Self::Lists { user, items }),
            (Some(_), _, None) => Err(Error::InvalidFile {
                path: path.into(),
                expected: "a column \"rank\" or \"score\" that orders the items of a list".into(),
                found: names.join(", "),
            }),
            (None, None, _) => Err(missing(ITEM)),
        }
    }
}

impl Lists {
    /// Reads the lists of a file.
    pub(super) fn read(&mut self, path: &Path) -> Result<()> {
        match Format::of(path)? {
            Format::Parquet => self.read_parquet(path),
            format @ (Format::Csv | Format::Tsv | Format::JsonLines) => {
                let rows = TextRows::open(path, format, &TextOptions::default())?;
                self.read_text(path, rows)
            }
            format => Err(Error::InvalidFile {
                path: path.into(),
                expected: "lists in a .csv, .tsv, .jsonl or .parquet file".into(),
                found: format!("the format {}", format.name()),
            }),
        }
    }

    fn read_text(&mut self, path: &Path, mut rows: TextRows) -> Result<()> {
        let columns = Columns::of(path, rows.columns())?;
        while let Some(row) = rows.next()? {
            let fault = |column: &str, expected: &str, found: &str| Error::InvalidField {
                path: path.into(),
                line: row.line,
                column: column.into(),
                expected: expected.into(),
                found: found.chars().take(60).collect(),
                reason: match column {
                    USER => InvalidRow::InvalidUser,
                    _ => InvalidRow::InvalidItem,
                },
            };
            let id = |place: usize, column: &str| {
                let text = row.text(place);
                text.ok_or_else(|| fault(column, "an id", ""))
            };
            match columns {
                Columns::Entries {
                    user,
                    item,
                    number,
                    is_score,
                } => {
                    let text = row.text(number).unwrap_or_default();
                    let value = text.trim().parse::<f64>().ok();
                    let value = value.filter(|it| it.is_finite()).ok_or_else(|| {
                        let column = if is_score { SCORE } else { RANK };
                        fault(column, "a finite number", text)
                    })?;
                    let (user, item) = (id(user, USER)?, id(item, ITEM)?);
                    self.add(user, item.into(), value, is_score);
                }
                Columns::Lists { user, items } => {
                    let user = id(user, USER)?;
                    let list = match &row.cells[items] {
                        Cell::Null => Vec::new(),
                        Cell::Text(text) => text.split_whitespace().map(str::to_owned).collect(),
                        Cell::List(values) => {
                            let item = |value: &Option<String>| {
                                let value = value.as_deref().and_then(item_of);
                                value.ok_or_else(|| {
                                    fault(ITEMS, "ids, or objects with a field \"item\"", "")
                                })
                            };
                            values.iter().map(item).collect::<Result<_>>()?
                        }
                    };
                    self.add_list(path, user, list)?;
                }
            }
        }
        Ok(())
    }

    fn read_parquet(&mut self, path: &Path) -> Result<()> {
        let file = File::open(path).map_err(|source| Error::Read {
            path: path.into(),
            source,
        })?;
        let damaged = |error: &dyn std::error::Error| Error::InvalidFile {
            path: path.into(),
            expected: "a readable Parquet file of lists".into(),
            found: error.to_string(),
        };
        let mut reader = caught(path, || {
            let reader = ParquetRecordBatchReaderBuilder::try_new(file);
            let reader = reader.and_then(ParquetRecordBatchReaderBuilder::build);
            reader.map_err(|error| damaged(&error))
        })?;
        let mut rows_before = 0;
        loop {
            let batch = caught(path, || {
                let batch = reader.next().transpose();
                batch.map_err(|error| damaged(&error))
            })?;
            let Some(batch) = batch else { return Ok(()) };
            self.add_batch(path, &batch, rows_before)?;
            rows_before += batch.num_rows() as u64;
        }
    }

    fn add_batch(&mut self, path: &Path, batch: &RecordBatch, rows_before: u64) -> Result<()> {
        let schema = batch.schema();
        let names: Vec<String> = schema.fields().iter().map(|it| it.name().clone()).collect();
        let to = |place: usize, kind: &DataType, expected: &str| -> Result<ArrayRef> {
            let column = batch.column(place);
            cast(column, kind).map_err(|_| Error::InvalidFile {
                path: path.into(),
                expected: format!("column {:?} to contain {expected}", names[place]),
                found: format!("a column of {}", column.data_type()),
            })
        };
        let ids = |place: usize| in_file(path, id_texts(batch, &names[place]));
        let fault = |row: usize, column: &str, expected: &str| Error::InvalidField {
            path: path.into(),
            line: rows_before + row as u64 + 1,
            column: column.into(),
            expected: expected.into(),
            found: "none".into(),
            reason: InvalidRow::InvalidItem,
        };
        let id = |ids: &[Option<String>], row: usize, column: &str| {
            ids[row].clone().ok_or_else(|| fault(row, column, "an id"))
        };
        match Columns::of(path, &names)? {
            Columns::Entries {
                user,
                item,
                number,
                is_score,
            } => {
                let (users, items) = (ids(user)?, ids(item)?);
                let numbers = to(number, &DataType::Float64, "numbers")?;
                let numbers = numbers.as_primitive::<Float64Type>();
                for row in 0..batch.num_rows() {
                    let value = numbers.is_valid(row).then(|| numbers.value(row));
                    let value = value
                        .filter(|it| it.is_finite())
                        .ok_or_else(|| fault(row, &names[number], "a finite number"))?;
                    let item = id(&items, row, ITEM)?;
                    self.add(&id(&users, row, USER)?, item, value, is_score);
                }
            }
            Columns::Lists { user, items } => {
                let users = ids(user)?;
                let column = batch.column(items);
                let values = match column.data_type() {
                    DataType::List(field) | DataType::LargeList(field) => field.data_type().clone(),
                    DataType::FixedSizeList(field, _) => field.data_type().clone(),
                    // The cast below returns an error.
                    _ => DataType::Null,
                };
                let kind = DataType::List(Field::new_list_field(values, true).into());
                let lists = to(items, &kind, "lists of ids")?;
                let lists: &ListArray = lists.as_list();
                for row in 0..batch.num_rows() {
                    let list = RecordBatch::try_from_iter([(ITEMS, lists.value(row))]);
                    let list = list.map_err(|error| Error::InvalidFile {
                        path: path.into(),
                        expected: "lists of ids".into(),
                        found: error.to_string(),
                    })?;
                    let list = in_file(path, id_texts(&list, ITEMS))?.into_iter();
                    let list = list.map(|it| it.ok_or_else(|| fault(row, ITEMS, "an id")));
                    let list = list.collect::<Result<Vec<String>>>()?;
                    self.add_list(path, &id(&users, row, USER)?, list)?;
                }
            }
        }
        Ok(())
    }

    fn place_of(&mut self, user: &str) -> usize {
        if let Some(&place) = self.places.get(user) {
            return place;
        }
        let place = self.users.len();
        self.places.insert(user.into(), place);
        self.users.push(user.into());
        self.entries.push(Vec::new());
        place
    }

    fn add(&mut self, user: &str, item: String, number: f64, is_score: bool) {
        let place = self.place_of(user);
        let order = if is_score { -number } else { number };
        self.entries[place].push((order, item));
    }

    fn add_list(&mut self, path: &Path, user: &str, items: Vec<String>) -> Result<()> {
        let place = self.place_of(user);
        if !self.has_whole_list.insert(place) || !self.entries[place].is_empty() {
            return Err(Error::InvalidFile {
                path: path.into(),
                expected: "one list for each user".into(),
                found: format!("two lists for user {user:?}"),
            });
        }
        let entries = items.into_iter().enumerate();
        self.entries[place] = entries.map(|(order, item)| (order as f64, item)).collect();
        Ok(())
    }

    /// Returns the list of each user, best item first and without duplicates, and the counts of repeated
    /// entries.
    pub(super) fn finish(self) -> (Vec<(String, Vec<String>)>, Repeats) {
        let mut repeats = Repeats::default();
        let lists = self.users.into_iter().zip(self.entries);
        let lists = lists.map(|(user, mut entries)| {
            entries.sort_by(|left, right| left.0.total_cmp(&right.0));
            repeats.equal_places += entries.windows(2).filter(|it| it[0].0 == it[1].0).count();
            let all = entries.len();
            let mut seen = HashSet::with_capacity(all);
            entries.retain(|(_, item)| seen.insert(item.clone()));
            repeats.repeated_items += all - entries.len();
            let items = entries.into_iter().map(|(_, item)| item).collect();
            (user, items)
        });
        (lists.collect(), repeats)
    }
}

/// Adds the file to an error of a column.
fn in_file<T>(path: &Path, read: Result<T>) -> Result<T> {
    read.map_err(|error| match error {
        Error::InvalidColumn {
            column,
            expected,
            found,
            ..
        } => Error::InvalidFile {
            path: path.into(),
            expected: format!("column {column:?} to contain {expected}"),
            found,
        },
        error => error,
    })
}

/// Returns the item of an entry, which is an id or a JSON object with a field `item`.
fn item_of(entry: &str) -> Option<String> {
    if !entry.starts_with('{') {
        return Some(entry.to_owned());
    }
    let object = JsonObject::parse(entry.as_bytes()).ok()?;
    let item = object.get(ITEM).filter(|it| !it.is_null())?;
    item.id().map(Cow::into_owned)
}
