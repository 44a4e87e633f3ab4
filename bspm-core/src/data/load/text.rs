//! Text that holds something else than interactions, by the rules that interactions are read by.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::file::open_text;
use super::format::Format;
use super::options::TableOptions;
use super::plain_text::{Lines, PlainText};
use super::quotes::{CheckedQuotes, QuoteError, Quoting};
use crate::error::{Error, InvalidRow, Result, shortened};
use crate::parameter::invalid;

/// The lines of a text file.
///
/// The file may be compressed with gzip or Zstandard, start with a byte order mark, be in UTF-16 or
/// another encoding, and end its lines in any way.
///
/// # Examples
///
/// ```
/// use bspm_core::data::{TableOptions, TextLines};
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
    /// Opens a file. Of the options the encoding counts.
    ///
    /// # Errors
    ///
    /// [`Error::Read`]; [`Error::InvalidFile`] for what is no text; [`Error::InvalidParameter`] for an
    /// unknown encoding.
    pub fn open(path: impl AsRef<Path>, options: &TableOptions) -> Result<Self> {
        let path = path.as_ref();
        let text = PlainText::new(open_text(path)?, options.text_encoding()?);
        Ok(Self {
            path: path.into(),
            lines: Lines::new(text),
        })
    }

    /// The next line, without its end, and its number, from 1; none at the end of the file.
    ///
    /// # Errors
    ///
    /// [`Error::Read`]; [`Error::InvalidField`] for a line that is not text in the encoding.
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

/// The rows of a CSV or TSV table, whatever its columns are.
///
/// What [`parse_csv`](crate::Dataset::parse_csv) accepts is accepted here: compression, byte order
/// marks, UTF-16, any line ends, quoted fields, a first line `sep=;`, and spaces around the names of
/// the columns.
///
/// # Examples
///
/// ```
/// use bspm_core::data::{Format, TableOptions, TextTable};
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
    reader: csv::Reader<CheckedQuotes<Text>>,
    record: csv::ByteRecord,
    /// Lines before the header.
    lines_before: u64,
}

/// A text in UTF-8 with line feeds.
type Text = BufReader<PlainText<Box<dyn Read>>>;

impl TextTable {
    /// Opens a table. Of the options those count that say how text is divided: the delimiter,
    /// quoting, comments, the encoding, and the names of the columns if there is no header.
    ///
    /// # Errors
    ///
    /// Those of [`TextLines::open`]; [`Error::Quotes`] for the quotes of the header;
    /// [`Error::InvalidParameter`] for a format that is not `csv` or `tsv`; [`Error::UnusedOption`].
    pub fn open(path: impl AsRef<Path>, format: Format, options: &TableOptions) -> Result<Self> {
        let path = path.as_ref();
        options.check(format)?;
        if !matches!(format, Format::Csv | Format::Tsv) {
            return Err(invalid("format", "csv or tsv", format.name()));
        }
        let text = PlainText::new(open_text(path)?, options.text_encoding()?);
        let mut text = BufReader::with_capacity(1 << 16, text);
        let named = match format {
            Format::Csv => {
                let start = text.fill_buf().map_err(|source| Error::Read {
                    path: path.into(),
                    source,
                })?;
                named_delimiter(start)
            }
            _ => None,
        };
        if named.is_some() {
            text.consume("sep=;\n".len());
        }
        let lines_before = u64::from(named.is_some());
        let delimiter = match format {
            Format::Tsv => b'\t',
            _ => options.delimiter.or(named).unwrap_or(b','),
        };
        let quoting = options.quoting.unwrap_or_default();
        let columns = options.header.as_ref().map(Vec::len);
        let text = CheckedQuotes::new(text, quoting, delimiter, options.comment, columns);
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .quoting(quoting != Quoting::Off)
            .escape((quoting == Quoting::Backslash).then_some(b'\\'))
            .comment(options.comment)
            .has_headers(options.header.is_none())
            .flexible(true)
            .buffer_capacity(1 << 16)
            .from_reader(text);
        let columns = match &options.header {
            Some(names) => names.clone(),
            None => {
                let header = reader.byte_headers();
                let header = header.map_err(|error| table_error(path, lines_before, error))?;
                let name = |bytes| String::from_utf8_lossy(bytes).trim().to_owned();
                header.iter().map(name).collect()
            }
        };
        Ok(Self {
            path: path.into(),
            columns,
            reader,
            record: csv::ByteRecord::new(),
            lines_before,
        })
    }

    /// The names of the columns, without spaces around them.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Puts the fields of the next row into `row`, and says on which line it starts, from 1; none at
    /// the end of the table.
    ///
    /// # Errors
    ///
    /// [`Error::Read`]; [`Error::Quotes`]; [`Error::InvalidField`] for a row with another number of
    /// fields than there are columns, and for a field that is not text in the encoding.
    pub fn next_row(&mut self, row: &mut Vec<String>) -> Result<Option<u64>> {
        let read = self.reader.read_byte_record(&mut self.record);
        if !read.map_err(|error| table_error(&self.path, self.lines_before, error))? {
            return Ok(None);
        }
        let fields = self.record.iter();
        let line_feeds = self.record.as_slice().iter();
        let line_feeds = line_feeds.filter(|&&byte| byte == b'\n').count() as u64;
        let line = self.lines_before + self.reader.position().line() - line_feeds - 1;
        if fields.len() != self.columns.len() {
            return Err(Error::InvalidField {
                path: self.path.clone(),
                line,
                column: "row".into(),
                expected: format!("{} fields", self.columns.len()),
                found: format!("{} fields", fields.len()),
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
        expected: "text in UTF-8, or the name of another encoding".into(),
        found: shortened(String::from_utf8_lossy(bytes).into_owned()),
        reason: InvalidRow::Encoding,
    }
}

/// The delimiter that a first line `sep=;` names, as spreadsheets write it.
pub(super) fn named_delimiter(start: &[u8]) -> Option<u8> {
    match start {
        [s, e, p, b'=', delimiter, b'\n', ..]
            if [s, e, p].map(u8::to_ascii_lowercase) == *b"sep" =>
        {
            Some(*delimiter)
        }
        _ => None,
    }
}

/// What is wrong with a record.
pub(super) fn table_error(path: &Path, lines_before: u64, error: csv::Error) -> Error {
    let line = lines_before + error.position().map_or(1, csv::Position::line);
    match error.into_kind() {
        csv::ErrorKind::Io(source) => match source.get_ref().map(|it| it.downcast_ref()) {
            Some(Some(&QuoteError { line, problem })) => Error::Quotes {
                path: path.into(),
                line: lines_before + line,
                problem,
            },
            _ => Error::Read {
                path: path.into(),
                source,
            },
        },
        other => Error::Syntax {
            path: path.into(),
            line: line as usize,
            column: 1,
            expected: "a record".into(),
            found: format!("{other:?}"),
        },
    }
}
