//! Reads tables of users and histories, part by part.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{Float32Builder, ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use bspm::data::{Format, Ids, InvalidRow};
use bspm::{Error, Result};
use bspm_arrow::caught;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};

use super::names::check_names;
use crate::commands::text_rows::{Cell, TextOptions, TextRow, TextRows};

/// A batch, and the positions of its rows in the table.
type Rows = Result<(Places, RecordBatch)>;

/// The positions of the rows of a batch.
pub(super) enum Places {
    /// Consecutive rows of the table, starting with this one; the first row is 1.
    Rows(u64),
    /// The lines on which the rows start.
    Lines(Vec<u64>),
}

impl Places {
    pub(super) fn at(&self, row: usize) -> u64 {
        match self {
            Self::Rows(first) => first + row as u64,
            Self::Lines(lines) => lines.get(row).copied().unwrap_or(0),
        }
    }
}

/// The rows of a table.
pub(super) enum Input<'a> {
    /// The users of a model.
    Users(Vec<&'a str>),
    /// A Parquet file.
    Parquet {
        path: PathBuf,
        file: File,
        metadata: ArrowReaderMetadata,
    },
    /// A text file, which is read once from the start.
    Text(Box<TextRows>),
}

/// The columns of a text file that contain lists.
const LISTS: [&str; 4] = ["history", WEIGHTS, "deny", "allow"];
const WEIGHTS: &str = "weights";

impl<'a> Input<'a> {
    pub(super) fn of_users(users: &'a Ids<String>) -> Self {
        Self::Users(users.iter().map(String::as_str).collect())
    }

    /// Opens a table and checks its column names; `reserved` are the columns of the output.
    pub(super) fn open(path: &Path, options: &TextOptions, reserved: &[&str]) -> Result<Self> {
        let input = match Format::of(path) {
            Ok(Format::Parquet) => {
                options.refuse_for(path, "a Parquet file", "text")?;
                let file = File::open(path).map_err(|source| Error::Read {
                    path: path.into(),
                    source,
                })?;
                let metadata = caught(path, || {
                    ArrowReaderMetadata::load(&file, Default::default())
                        .map_err(|error| damaged(path, &error))
                })?;
                Self::Parquet {
                    path: path.into(),
                    file,
                    metadata,
                }
            }
            Ok(format @ (Format::Csv | Format::Tsv | Format::JsonLines)) => {
                Self::Text(Box::new(TextRows::open(path, format, options)?))
            }
            _ => {
                return Err(Error::InvalidFile {
                    path: path.into(),
                    expected: "a file name that ends in .parquet, .csv, .tsv or .jsonl".into(),
                    found: "another name".into(),
                });
            }
        };
        match &input {
            Self::Users(_) => {}
            Self::Text(rows) => check_names(path, rows.columns(), reserved)?,
            Self::Parquet { metadata, .. } => {
                let fields = metadata.schema().fields().iter();
                let names: Vec<String> = fields.map(|field| field.name().clone()).collect();
                check_names(path, &names, reserved)?;
            }
        }
        Ok(input)
    }

    /// Returns the number of rows, if it is known before they are read.
    pub(super) fn rows(&self) -> Option<usize> {
        match self {
            Self::Users(users) => Some(users.len()),
            Self::Parquet { metadata, .. } => {
                let rows = metadata.metadata().file_metadata().num_rows();
                Some(usize::try_from(rows).unwrap_or(0))
            }
            Self::Text(_) => None,
        }
    }

    /// Skips the next rows, and returns how many were skipped.
    pub(super) fn skip(&mut self, rows: Range<usize>) -> Result<usize> {
        match (self.rows(), self) {
            (Some(all), _) => Ok(rows.end.min(all).saturating_sub(rows.start)),
            (None, Self::Text(text)) => {
                let mut found = 0;
                while found < rows.len() && text.next()?.is_some() {
                    found += 1;
                }
                Ok(found)
            }
            (None, _) => Ok(0),
        }
    }

    /// Reads the next rows in batches.
    pub(super) fn read(
        &mut self,
        rows: Range<usize>,
        batch: usize,
    ) -> Result<Box<dyn Iterator<Item = Rows> + '_>> {
        match self {
            Self::Users(users) => {
                let rows = rows.start.min(users.len())..rows.end.min(users.len());
                let users = &users[rows.clone()];
                let batches = users.chunks(batch).enumerate().map(move |(place, users)| {
                    let column: ArrayRef = Arc::new(StringArray::from_iter_values(users));
                    let first = rows.start + place * batch + 1;
                    Ok((Places::Rows(first as u64), of([("user".into(), column)])?))
                });
                Ok(Box::new(batches))
            }
            Self::Parquet {
                path,
                file,
                metadata,
            } => {
                let (groups, offset) = row_groups(metadata, rows.start, rows.end);
                if groups.is_empty() {
                    return Ok(Box::new(std::iter::empty()));
                }
                let file = file.try_clone().map_err(|source| Error::Read {
                    path: path.clone(),
                    source,
                })?;
                let mut reader = caught(path, || {
                    ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone())
                        .with_row_groups(groups)
                        .with_offset(offset)
                        .with_limit(rows.len())
                        .with_batch_size(batch)
                        .build()
                        .map_err(|error| damaged(path, &error))
                })?;
                let mut next_row = rows.start as u64 + 1;
                Ok(Box::new(std::iter::from_fn(move || {
                    let next = caught(path, || match reader.next() {
                        Some(batch) => batch.map(Some).map_err(|error| damaged(path, &error)),
                        None => Ok(None),
                    });
                    Some(next.transpose()?.map(|batch| {
                        let places = Places::Rows(next_row);
                        next_row += batch.num_rows() as u64;
                        (places, batch)
                    }))
                })))
            }
            Self::Text(text) => {
                let mut left = rows.len();
                Ok(Box::new(std::iter::from_fn(move || {
                    let found = text_batch(text, batch.min(left)).transpose()?;
                    if let Ok((_, batch)) = &found {
                        left -= batch.num_rows();
                    }
                    Some(found)
                })))
            }
        }
    }
}

/// Returns the row groups that contain these rows, and the number of rows of the first group to skip.
fn row_groups(metadata: &ArrowReaderMetadata, start: usize, end: usize) -> (Vec<usize>, usize) {
    let mut groups = Vec::new();
    let mut offset = 0;
    let mut first = 0;
    for (place, group) in metadata.metadata().row_groups().iter().enumerate() {
        let last = first + usize::try_from(group.num_rows()).unwrap_or(0);
        if first < end && start < last {
            if groups.is_empty() {
                offset = start - first;
            }
            groups.push(place);
        }
        first = last;
    }
    (groups, offset)
}

/// Reads the next rows of a text file, if there are any.
fn text_batch(text: &mut TextRows, count: usize) -> Result<Option<(Places, RecordBatch)>> {
    let mut rows: Vec<TextRow> = Vec::with_capacity(count.min(1 << 12));
    while rows.len() < count
        && let Some(row) = text.next()?
    {
        rows.push(row);
    }
    if rows.is_empty() {
        return Ok(None);
    }
    let names = text.columns().iter().enumerate();
    let columns = names.map(|(place, name)| {
        let column: ArrayRef = match name.as_str() {
            name if !LISTS.contains(&name) => Arc::new(StringArray::from_iter(
                rows.iter().map(|row| row.text(place)),
            )),
            name => lists(text.path(), &rows, place, name)?,
        };
        Ok((name.clone(), column))
    });
    let batch = of(columns.collect::<Result<Vec<_>>>()?)?;
    let lines = rows.iter().map(|row| row.line).collect();
    Ok(Some((Places::Lines(lines), batch)))
}

/// Converts a column of lists, which are separated by spaces or are JSON arrays. Weights are converted
/// to numbers.
fn lists(path: &Path, rows: &[TextRow], place: usize, name: &str) -> Result<ArrayRef> {
    let mut items = ListBuilder::new(StringBuilder::new());
    let mut numbers = ListBuilder::new(Float32Builder::new());
    for row in rows {
        let values: Option<Vec<Option<&str>>> = match &row.cells[place] {
            Cell::Null => None,
            Cell::Text(text) if text.trim().is_empty() => None,
            Cell::Text(text) => Some(text.split_whitespace().map(Some).collect()),
            Cell::List(values) => Some(values.iter().map(Option::as_deref).collect()),
        };
        for value in values.iter().flatten() {
            if name != WEIGHTS {
                items.values().append_option(*value);
                continue;
            }
            let number = value.map(str::parse).transpose();
            let number = number.map_err(|_| Error::InvalidField {
                path: path.into(),
                line: row.line,
                column: name.into(),
                expected: "numbers separated by spaces".into(),
                found: value.unwrap_or_default().into(),
                reason: InvalidRow::InvalidWeight,
            })?;
            numbers.values().append_option(number);
        }
        items.append(values.is_some());
        numbers.append(values.is_some());
    }
    Ok(match name {
        WEIGHTS => Arc::new(numbers.finish()),
        _ => Arc::new(items.finish()),
    })
}

fn of(columns: impl IntoIterator<Item = (String, ArrayRef)>) -> Result<RecordBatch> {
    RecordBatch::try_from_iter_with_nullable(
        columns
            .into_iter()
            .map(|(name, column)| (name, column, true)),
    )
    .map_err(|error| damaged(Path::new("table"), &error))
}

fn damaged(path: &Path, error: &dyn std::error::Error) -> Error {
    Error::InvalidFile {
        path: path.into(),
        expected: "a readable table".into(),
        found: error.to_string(),
    }
}
