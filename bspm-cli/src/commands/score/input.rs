//! Tables of users and histories, part by part.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{Float32Builder, ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use bspm::data::{Ids, InvalidRow, caught};
use bspm::{Error, Result};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};

/// A batch, and where its rows are in the table.
type Rows = Result<(Places, RecordBatch)>;

/// Where the rows of a batch are.
pub(super) enum Places {
    /// Rows of the table, from 1, of which the first is this.
    Rows(u64),
    /// The lines on which they start.
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
    /// A CSV file, which is read once from its beginning.
    Csv {
        path: PathBuf,
        header: Vec<String>,
        reader: Box<csv::Reader<File>>,
    },
}

/// The columns of a CSV file that are lists.
const LISTS: [&str; 3] = ["history", "deny", "allow"];
const WEIGHTS: &str = "weights";

impl<'a> Input<'a> {
    pub(super) fn of_users(users: &'a Ids<String>) -> Self {
        Self::Users(users.iter().map(String::as_str).collect())
    }

    pub(super) fn open(path: &Path) -> Result<Self> {
        let open = || {
            File::open(path).map_err(|source| Error::Read {
                path: path.into(),
                source,
            })
        };
        match path.extension().and_then(|it| it.to_str()) {
            Some("parquet") => {
                let file = open()?;
                let metadata = caught(path, || {
                    ArrowReaderMetadata::load(&file, Default::default())
                        .map_err(|error| damaged(path, &error))
                })?;
                Ok(Self::Parquet {
                    path: path.into(),
                    file,
                    metadata,
                })
            }
            Some("csv") => {
                let mut reader = csv::Reader::from_reader(open()?);
                let header = reader.headers().map_err(|error| damaged(path, &error))?;
                let header = header
                    .iter()
                    .map(|it| it.trim_start_matches('\u{feff}').into());
                Ok(Self::Csv {
                    path: path.into(),
                    header: header.collect(),
                    reader: Box::new(reader),
                })
            }
            _ => Err(Error::InvalidFile {
                path: path.into(),
                expected: "a name that ends in .parquet or .csv".into(),
                found: "another".into(),
            }),
        }
    }

    /// How many rows there are, where that is known before they are read.
    pub(super) fn rows(&self) -> Option<usize> {
        match self {
            Self::Users(users) => Some(users.len()),
            Self::Parquet { metadata, .. } => {
                let rows = metadata.metadata().file_metadata().num_rows();
                Some(usize::try_from(rows).unwrap_or(0))
            }
            Self::Csv { .. } => None,
        }
    }

    /// Passes over rows that follow those read or passed over before; how many there are.
    pub(super) fn skip(&mut self, rows: Range<usize>) -> Result<usize> {
        match (self.rows(), self) {
            (Some(all), _) => Ok(rows.end.min(all).saturating_sub(rows.start)),
            (None, Self::Csv { path, reader, .. }) => {
                let mut record = csv::StringRecord::new();
                let mut found = 0;
                while found < rows.len()
                    && reader
                        .read_record(&mut record)
                        .map_err(|error| damaged(path, &error))?
                {
                    found += 1;
                }
                Ok(found)
            }
            (None, _) => Ok(0),
        }
    }

    /// The next rows, in batches.
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
            Self::Csv {
                path,
                header,
                reader,
            } => {
                let mut left = rows.len();
                Ok(Box::new(std::iter::from_fn(move || {
                    let found = csv_batch(path, header, reader, batch.min(left)).transpose()?;
                    if let Ok((_, batch)) = &found {
                        left -= batch.num_rows();
                    }
                    Some(found)
                })))
            }
        }
    }
}

/// The row groups that hold these rows, and how many rows of the first one come before them.
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

/// The next records of a CSV file, if there are some.
fn csv_batch(
    path: &Path,
    header: &[String],
    reader: &mut csv::Reader<File>,
    count: usize,
) -> Result<Option<(Places, RecordBatch)>> {
    let mut records = Vec::with_capacity(count);
    for record in reader.records().take(count) {
        records.push(record.map_err(|error| damaged(path, &error))?);
    }
    if records.is_empty() {
        return Ok(None);
    }
    let columns = header.iter().enumerate().map(|(place, name)| {
        let texts = || {
            records
                .iter()
                .map(|record| record.get(place).unwrap_or_default())
        };
        let column: ArrayRef = match name.as_str() {
            WEIGHTS => numbers(path, &records, place)?,
            name if LISTS.contains(&name) => items(texts()),
            _ => Arc::new(StringArray::from_iter(
                texts().map(|text| (!text.is_empty()).then_some(text)),
            )),
        };
        Ok((name.clone(), column))
    });
    let lines = records.iter().map(line).collect();
    let batch = of(columns.collect::<Result<Vec<_>>>()?)?;
    Ok(Some((Places::Lines(lines), batch)))
}

/// Lists of what is separated by spaces; none for an empty text.
fn items<'t>(texts: impl Iterator<Item = &'t str>) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for text in texts {
        text.split_whitespace()
            .for_each(|item| lists.values().append_value(item));
        lists.append(!text.trim().is_empty());
    }
    Arc::new(lists.finish())
}

/// Likewise of numbers.
fn numbers(path: &Path, records: &[csv::StringRecord], place: usize) -> Result<ArrayRef> {
    let mut lists = ListBuilder::new(Float32Builder::new());
    for record in records {
        let text = record.get(place).unwrap_or_default();
        for number in text.split_whitespace() {
            let value = number.parse().map_err(|_| Error::InvalidField {
                path: path.into(),
                line: line(record),
                column: WEIGHTS.into(),
                expected: "numbers separated by spaces".into(),
                found: number.into(),
                reason: InvalidRow::InvalidWeight,
            })?;
            lists.values().append_value(value);
        }
        lists.append(!text.trim().is_empty());
    }
    Ok(Arc::new(lists.finish()))
}

fn line(record: &csv::StringRecord) -> u64 {
    record.position().map_or(0, csv::Position::line)
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
        expected: "a table that can be read".into(),
        found: error.to_string(),
    }
}
