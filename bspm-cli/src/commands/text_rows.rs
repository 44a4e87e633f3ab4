//! Reads rows of text tables and JSON objects.

use std::io::Read;
use std::path::{Path, PathBuf};

use bspm::data::reader::{JsonObject, JsonRecords, JsonValue, or_with_null_for_nan};
use bspm::data::{Format, InvalidRow, TableOptions, TextTable};
use bspm::{Error, Result};
use clap::Args;

use crate::data::byte;

/// Flags for text tables.
#[derive(Args, Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct TextOptions {
    /// Field delimiter of a CSV file: one character, or tab
    #[arg(long, value_name = "CHARACTER", value_parser = byte)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delimiter: Option<u8>,
    /// Text encoding, such as latin1, windows-1250 or utf-16le. Default: detected from the byte order
    /// mark, else UTF-8
    #[arg(long, value_name = "NAME")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    encoding: Option<String>,
}

impl TextOptions {
    /// Returns an error if an option has no effect on this file.
    pub(crate) fn refuse_for(&self, path: &Path, is: &str, needed: &str) -> Result<()> {
        let option = match (&self.delimiter, &self.encoding) {
            (Some(_), _) => "--delimiter",
            (None, Some(_)) => "--encoding",
            (None, None) => return Ok(()),
        };
        Err(Error::UnusedOption {
            option,
            context: format!("{}, {is}", path.display()),
            needed: needed.into(),
        })
    }

    fn table(&self) -> TableOptions {
        let mut options = TableOptions::default();
        if let Some(delimiter) = self.delimiter {
            options = options.delimiter(delimiter);
        }
        if let Some(encoding) = &self.encoding {
            options = options.encoding(encoding);
        }
        options
    }
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    /// A missing value.
    Null,
    /// A text, or the text of a value that is not a list.
    Text(String),
    /// A JSON array.
    List(Vec<Option<String>>),
}

/// A row with one value per column.
#[derive(Debug)]
pub(crate) struct TextRow {
    /// The line on which the row starts, from 1.
    pub(crate) line: u64,
    pub(crate) cells: Vec<Cell>,
}

impl TextRow {
    /// Returns the value of a column as text; `None` if it is empty.
    pub(crate) fn text(&self, place: usize) -> Option<&str> {
        match &self.cells[place] {
            Cell::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }
}

/// A reader of the rows of a CSV or TSV table or of JSON objects.
#[derive(Debug)]
pub(crate) struct TextRows {
    path: PathBuf,
    columns: Vec<String>,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Table(Box<TextTable>),
    /// The first object is read on opening, because it defines the columns.
    Objects(Box<JsonRecords<Box<dyn Read>>>, Option<TextRow>),
}

impl TextRows {
    /// Opens a file in one of the formats `csv`, `tsv` and `jsonl`.
    pub(crate) fn open(path: &Path, format: Format, options: &TextOptions) -> Result<Self> {
        let (columns, source) = match format {
            Format::JsonLines => {
                let mut records = JsonRecords::open(path, &options.table())?;
                if options.delimiter.is_some() {
                    options.refuse_for(path, "a file of JSON lines", "CSV")?;
                }
                match next_object(&mut records, path)? {
                    None => (Vec::new(), Source::Objects(Box::new(records), None)),
                    Some((line, object)) => {
                        let (columns, cells) = object.into_iter().unzip();
                        let first = TextRow { line, cells };
                        (columns, Source::Objects(Box::new(records), Some(first)))
                    }
                }
            }
            format => {
                let table = TextTable::open(path, format, &options.table())?;
                (table.columns().to_vec(), Source::Table(Box::new(table)))
            }
        };
        Ok(Self {
            path: path.into(),
            columns,
            source,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Returns the next row; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<TextRow>> {
        match &mut self.source {
            Source::Table(table) => {
                let mut fields = Vec::new();
                let line = table.next_row(&mut fields)?;
                Ok(line.map(|line| TextRow {
                    line,
                    cells: fields.into_iter().map(Cell::Text).collect(),
                }))
            }
            Source::Objects(records, first) => {
                if let Some(first) = first.take() {
                    return Ok(Some(first));
                }
                let Some((line, object)) = next_object(records, &self.path)? else {
                    return Ok(None);
                };
                let mut cells = vec![Cell::Null; self.columns.len()];
                for (name, cell) in object {
                    let place = self.columns.iter().position(|it| *it == name);
                    let place = place.ok_or_else(|| Error::InvalidField {
                        path: self.path.clone(),
                        line,
                        column: "object".into(),
                        expected: format!(
                            "a name that occurs in the first object ({})",
                            self.columns.join(", ")
                        ),
                        found: name,
                        reason: InvalidRow::NotAnObject,
                    })?;
                    cells[place] = cell;
                }
                Ok(Some(TextRow { line, cells }))
            }
        }
    }
}

/// The names and values of an object.
type Object = Vec<(String, Cell)>;

/// Reads the next object, and returns the line on which it starts.
fn next_object(
    records: &mut JsonRecords<Box<dyn Read>>,
    path: &Path,
) -> Result<Option<(u64, Object)>> {
    let Some((line, record)) = records.next(path)? else {
        return Ok(None);
    };
    let object = or_with_null_for_nan(record, &mut Vec::new(), cells);
    let object = object.map_err(|error| Error::InvalidField {
        path: path.into(),
        line,
        column: "object".into(),
        expected: format!("a JSON object ({error})"),
        found: String::from_utf8_lossy(record).chars().take(60).collect(),
        reason: InvalidRow::NotAnObject,
    })?;
    Ok(Some((line, object)))
}

fn cells(text: &[u8]) -> serde_json::Result<Object> {
    let values = JsonObject::parse(text)?.0.into_iter();
    values
        .map(|(name, value)| Ok((name, cell(&value)?)))
        .collect()
}

fn cell(value: &JsonValue<'_>) -> serde_json::Result<Cell> {
    Ok(match value.elements()? {
        Some(elements) => {
            let texts = elements.iter();
            Cell::List(
                texts
                    .map(|it| (!it.is_null()).then(|| text_of(it)))
                    .collect(),
            )
        }
        None if value.is_null() => Cell::Null,
        None => Cell::Text(text_of(value)),
    })
}

/// Converts a value to text. A whole number is written without a fraction, even if it is given as 3.0.
fn text_of(value: &JsonValue<'_>) -> String {
    value
        .id()
        .map_or_else(|| value.raw().to_owned(), |id| id.into_owned())
}
