//! Reads text that does not contain interactions, with the same rules as interactions.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::file::open_text;
use super::format::Format;
use super::options::TableOptions;
use super::plain_text::{Lines, PlainText};
use super::records::Records;
use crate::error::{Error, InvalidRow, Result};
use crate::parameter::{invalid, shortened};

/// A reader of the lines of a text file.
///
/// The file may be compressed with gzip or Zstandard, may start with a byte order mark, and may have any
/// encoding and any line ends.
///
/// # Examples
///
/// ```
/// use bspm_data::{TableOptions, TextLines};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("users.txt");
/// std::fs::write(&path, "\u{feff}ann\r\nbob\r\n")?;
/// let mut lines = TextLines::open(&path, &TableOptions::default())?;
/// assert_eq!(lines.next_line()?, Some((1, "ann")));
/// assert_eq!(lines.next_line()?, Some((2, "bob")));
/// assert_eq!(lines.next_line()?, None);
/// # Ok(())
/// # }
/// ```
pub struct TextLines {
    path: PathBuf,
    lines: Lines<Box<dyn Read>>,
}

impl TextLines {
    /// Opens a file. Only the encoding of the options is used.
    ///
    /// # Errors
    ///
    /// [`Error::Read`]; [`Error::InvalidFile`] if the file is not text; [`Error::InvalidParameter`] for
    /// an unknown encoding.
    pub fn open(path: impl AsRef<Path>, options: &TableOptions) -> Result<Self> {
        let path = path.as_ref();
        let text = PlainText::new(open_text(path)?, options.text_encoding()?);
        Ok(Self {
            path: path.into(),
            lines: Lines::new(text),
        })
    }

    /// Returns the next line without its line end, and its number, from 1; `None` at the end of the file.
    ///
    /// # Errors
    ///
    /// [`Error::Read`]; [`Error::InvalidField`] for a line that is not valid text in the encoding.
    pub fn next_line(&mut self) -> Result<Option<(u64, &str)>> {
        let next = self.lines.next().map_err(|source| Error::Read {
            path: self.path.clone(),
            source,
        })?;
        let Some((line, bytes)) = next else {
            return Ok(None);
        };
        let text = std::str::from_utf8(bytes);
        let text = text.map_err(|_| not_text(&self.path, line, "line", bytes))?;
        Ok(Some((line, text)))
    }
}

impl fmt::Debug for TextLines {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = out.debug_struct("TextLines");
        text.field("path", &self.path).finish_non_exhaustive()
    }
}

/// A reader of the rows of a CSV or TSV table with any columns.
///
/// It accepts the same files as [`parse_csv`](crate::Dataset::parse_csv): compression, byte order marks,
/// UTF-16, any line ends, quoted fields, a first line `sep=;`, and spaces around the names of the
/// columns.
///
/// # Examples
///
/// ```
/// use bspm_data::{Format, TableOptions, TextTable};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("people.csv");
/// std::fs::write(&path, "sep=;\r\nuser; deny\r\nann;\"tea milk\"\r\n")?;
/// let mut table = TextTable::open(&path, Format::Csv, &TableOptions::default())?;
/// assert_eq!(table.columns(), ["user", "deny"]);
/// let mut row = Vec::new();
/// assert_eq!(table.next_row(&mut row)?, Some(3));
/// assert_eq!(row, ["ann", "tea milk"]);
/// assert_eq!(table.next_row(&mut row)?, None);
/// # Ok(())
/// # }
/// ```
pub struct TextTable {
    path: PathBuf,
    columns: Vec<String>,
    records: Records<Box<dyn Read>>,
    record: csv::ByteRecord,
}

impl TextTable {
    /// Opens a table. The options for the delimiter, quoting, comments, the encoding, and the names of
    /// the columns of a table without a header are used.
    ///
    /// # Errors
    ///
    /// Those of [`TextLines::open`]; [`Error::Quotes`] for invalid quotes in the header;
    /// [`Error::InvalidParameter`] for a format that is not `csv` or `tsv`; [`Error::UnusedOption`].
    pub fn open(path: impl AsRef<Path>, format: Format, options: &TableOptions) -> Result<Self> {
        let path = path.as_ref();
        options.check(format)?;
        if !matches!(format, Format::Csv | Format::Tsv) {
            return Err(invalid("format", "csv or tsv", format.name()));
        }
        let records = Records::new(open_text(path)?, path, format, options)?;
        let columns = records.header().iter();
        Ok(Self {
            path: path.into(),
            columns: columns.map(|name| name.trim().to_owned()).collect(),
            records,
            record: csv::ByteRecord::new(),
        })
    }

    /// The names of the columns, without surrounding spaces.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Reads the fields of the next row into `row`, and returns the line on which it starts, from 1;
    /// `None` at the end of the table.
    ///
    /// # Errors
    ///
    /// [`Error::Read`]; [`Error::Quotes`]; [`Error::InvalidField`] for a row with a wrong number of
    /// fields, and for a field that is not valid text in the encoding.
    pub fn next_row(&mut self, row: &mut Vec<String>) -> Result<Option<u64>> {
        let Some(line) = self.records.next(&mut self.record)? else {
            return Ok(None);
        };
        let fields = self.record.iter();
        if fields.len() != self.columns.len() {
            return Err(Error::InvalidField {
                path: self.path.clone(),
                line,
                column: "row".into(),
                expected: format!("{} fields", self.columns.len()),
                found: fields.len().to_string(),
                reason: InvalidRow::FieldCount,
            });
        }
        row.clear();
        for (name, field) in self.columns.iter().zip(fields) {
            let text = std::str::from_utf8(field);
            row.push(
                text.map_err(|_| not_text(&self.path, line, name, field))?
                    .to_owned(),
            );
        }
        Ok(Some(line))
    }
}

impl fmt::Debug for TextTable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = out.debug_struct("TextTable");
        text.field("path", &self.path)
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

fn not_text(path: &Path, line: u64, column: &str, bytes: &[u8]) -> Error {
    Error::InvalidField {
        path: path.into(),
        line,
        column: column.into(),
        expected: "text in UTF-8 (or set another encoding)".into(),
        found: shortened(String::from_utf8_lossy(bytes).into_owned()),
        reason: InvalidRow::Encoding,
    }
}
