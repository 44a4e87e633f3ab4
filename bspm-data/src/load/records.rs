//! Reads the records of text tables: CSV, TSV and RecBole files.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::format::Format;
use super::options::TableOptions;
use super::plain_text::PlainText;
use super::quotes::{CheckedQuotes, QuoteError, Quoting};
use crate::error::{Error, Result};

/// A reader of the records of a table.
pub(super) struct Records<R> {
    path: PathBuf,
    /// The names of the columns, as in the header; empty for an empty file.
    header: Vec<String>,
    delimiter: u8,
    reader: csv::Reader<CheckedQuotes<BufReader<PlainText<R>>>>,
    /// The number of lines before the header.
    lines_before: u64,
}

impl<R: Read> Records<R> {
    /// # Errors
    ///
    /// [`Error::Read`]; [`Error::Quotes`] for invalid quotes in the header; [`Error::InvalidParameter`]
    /// for an unknown encoding.
    pub(super) fn new(
        reader: R,
        path: &Path,
        format: Format,
        options: &TableOptions,
    ) -> Result<Self> {
        let text = PlainText::new(reader, options.text_encoding()?);
        let mut text = BufReader::with_capacity(1 << 16, text);
        let failed = |source| Error::Read {
            path: path.into(),
            source,
        };
        let named = match format {
            Format::Csv => named_delimiter(text.fill_buf().map_err(failed)?),
            _ => None,
        };
        if let Some((_, length)) = named {
            text.consume(length);
        }
        let delimiter = match format {
            Format::Csv => options.delimiter.or(named.map(|it| it.0)).unwrap_or(b','),
            _ => b'\t',
        };
        let quoting = match format {
            Format::RecBole => Quoting::Off,
            _ => options.quoting.unwrap_or_default(),
        };
        let columns = options.columns.as_ref().map(Vec::len);
        let text = CheckedQuotes::new(text, quoting, delimiter, options.comment, columns);
        let reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .quoting(quoting != Quoting::Off)
            .escape((quoting == Quoting::Backslash).then_some(b'\\'))
            .comment(options.comment)
            .has_headers(options.columns.is_none())
            .flexible(true)
            .buffer_capacity(1 << 16)
            .from_reader(text);
        let mut records = Self {
            path: path.into(),
            header: options.columns.clone().unwrap_or_default(),
            delimiter,
            reader,
            lines_before: u64::from(named.is_some()),
        };
        if options.columns.is_none() {
            let header = match records.reader.byte_headers() {
                Ok(header) => header.clone(),
                Err(error) => return Err(records.error(error)),
            };
            let name = |bytes| String::from_utf8_lossy(bytes).into_owned();
            records.header = header.iter().map(name).collect();
        }
        Ok(records)
    }

    /// The names of the columns, as in the header; empty for an empty file.
    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    /// The delimiter of the fields.
    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Reads the next record, and returns the line on which it starts, from 1; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`Error::Read`]; [`Error::Quotes`].
    pub(super) fn next(&mut self, record: &mut csv::ByteRecord) -> Result<Option<u64>> {
        match self.reader.read_byte_record(record) {
            Ok(false) => Ok(None),
            Ok(true) => {
                let line_feeds = record.as_slice().iter().filter(|&&byte| byte == b'\n');
                let before = line_feeds.count() as u64 + 1;
                Ok(Some(
                    self.lines_before + self.reader.position().line() - before,
                ))
            }
            Err(error) => Err(self.error(error)),
        }
    }

    fn error(&self, error: csv::Error) -> Error {
        let path = self.path.clone();
        let line = self.lines_before + error.position().map_or(1, csv::Position::line);
        match error.into_kind() {
            csv::ErrorKind::Io(source) => match source.get_ref().map(|it| it.downcast_ref()) {
                Some(Some(&QuoteError { line, problem })) => Error::Quotes {
                    path,
                    line: self.lines_before + line,
                    problem,
                },
                _ => Error::Read { path, source },
            },
            other => Error::Syntax {
                path,
                line: line as usize,
                column: 1,
                expected: "a record".into(),
                found: format!("{other:?}"),
            },
        }
    }
}

/// Returns the delimiter of a first line such as `sep=;`, as written by spreadsheets, and the length of
/// the line. The line may be quoted, and may end in more delimiters.
fn named_delimiter(start: &[u8]) -> Option<(u8, usize)> {
    let end = start.iter().take(256).position(|&byte| byte == b'\n')?;
    let line = start[..end].strip_prefix(b"\"").unwrap_or(&start[..end]);
    let [s, e, p, b'=', delimiter, rest @ ..] = line else {
        return None;
    };
    let is_named = [s, e, p].map(u8::to_ascii_lowercase) == *b"sep";
    let is_end = rest.iter().all(|byte| byte == delimiter || *byte == b'"');
    (is_named && is_end).then_some((*delimiter, end + 1))
}
