//! CSV, TSV, and the atomic files of RecBole.

use std::hash::Hash;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;

use super::file::open_text;
use super::plain_text::PlainText;
use super::table::{Records, TableOptions};
use crate::data::dataset::Dataset;
use crate::error::{Error, Result};

impl<U, I> Dataset<U, I>
where
    U: FromStr + Eq + Hash + Clone,
    I: FromStr + Eq + Hash + Clone,
{
    /// Reads a CSV or TSV file, as it is or in gzip or Zstandard; see
    /// [`parse_csv`](Self::parse_csv).
    ///
    /// # Errors
    ///
    /// [`Error::Read`], and those of [`parse_csv`](Self::parse_csv).
    pub fn read_csv(path: impl AsRef<Path>, options: &TableOptions) -> Result<Self> {
        let path = path.as_ref();
        Self::parse_csv(open_text(path)?, path, options)
    }

    /// Parses a CSV or TSV table (RFC 4180) with one interaction per record.
    ///
    /// A byte order mark, also that of UTF-16, CRLF line ends, quoted fields, blank lines and further
    /// columns are accepted. Ids are taken as they are, spaces included, and must be
    /// UTF-8 and not empty. Every record must have as many fields as the header.
    /// `path` only names the source in errors.
    ///
    /// # Errors
    ///
    /// [`Error::MissingColumn`] for a column that the header lacks or has twice;
    /// [`Error::InvalidField`] with line, column and text for an id or a number that
    /// is none; [`Error::Syntax`] for a record of another length and for a quote that
    /// is never closed; [`Error::NoInteractions`]; [`Error::Read`].
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_core::Dataset;
    /// use bspm_core::data::TableOptions;
    ///
    /// let table = b"user,title,item\r\nann,\"Tea, green\",7\r\nbob,Milk,x\r\n";
    /// let options = TableOptions::new("user", "item");
    /// let dataset: Dataset = Dataset::parse_csv(&table[..], "inline", &options)?;
    /// assert_eq!(dataset.history("ann")?, ["7"]);
    ///
    /// let error = Dataset::<String, u64>::parse_csv(&table[..], "shop.csv", &options).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "shop.csv:3: item: expected an item id that is a u64, found \"x\""
    /// );
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn parse_csv(
        reader: impl Read,
        path: impl AsRef<Path>,
        options: &TableOptions,
    ) -> Result<Self> {
        parse(reader, path.as_ref(), options, str::to_owned)
    }

    /// Reads an atomic file of RecBole (`.inter`); see [`parse_recbole`](Self::parse_recbole).
    ///
    /// # Errors
    ///
    /// As [`read_csv`](Self::read_csv).
    pub fn read_recbole(path: impl AsRef<Path>, options: &TableOptions) -> Result<Self> {
        let path = path.as_ref();
        Self::parse_recbole(open_text(path)?, path, options)
    }

    /// Parses an atomic file of RecBole: tab-separated, with a header whose names end
    /// in a type, as in `user_id:token`.
    ///
    /// The options name the columns without that type; their delimiter, quoting and
    /// header are not used.
    ///
    /// # Errors
    ///
    /// As [`parse_csv`](Self::parse_csv).
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_core::Dataset;
    /// use bspm_core::data::TableOptions;
    ///
    /// let file = b"user_id:token\titem_id:token\ttimestamp:float\n196\t242\t8.8e8\n";
    /// let options = TableOptions::new("user_id", "item_id").time("timestamp");
    /// let dataset: Dataset<u32, u32> = Dataset::parse_recbole(&file[..], "inline", &options)?;
    /// assert_eq!(dataset.times(), Some(&[8.8e8][..]));
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn parse_recbole(
        reader: impl Read,
        path: impl AsRef<Path>,
        options: &TableOptions,
    ) -> Result<Self> {
        let options = TableOptions {
            delimiter: b'\t',
            quoting: false,
            header: None,
            ..options.clone()
        };
        parse(reader, path.as_ref(), &options, |name| {
            name.split(':').next().unwrap_or_default().to_owned()
        })
    }
}

fn parse<U, I>(
    reader: impl Read,
    path: &Path,
    options: &TableOptions,
    column_name: impl Fn(&str) -> String,
) -> Result<Dataset<U, I>>
where
    U: FromStr + Eq + Hash + Clone,
    I: FromStr + Eq + Hash + Clone,
{
    let _span = tracing::info_span!("load", path = %path.display()).entered();
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(options.delimiter)
        .quoting(options.quoting)
        .has_headers(options.header.is_none())
        .flexible(true)
        .from_reader(PlainText::new(reader));
    let names: Vec<String> = match &options.header {
        Some(names) => names.clone(),
        None => {
            let header = reader
                .byte_headers()
                .map_err(|error| table_error(path, error))?;
            if header.is_empty() {
                return Err(Error::NoInteractions { path: path.into() });
            }
            header
                .iter()
                .map(|name| column_name(String::from_utf8_lossy(name).trim()))
                .collect()
        }
    };
    let places = options.places(path, &names)?;
    let columns = names.len();
    let mut records = Records::new(path, names, places, options);
    let mut record = csv::ByteRecord::new();
    let mut line = 1;
    while reader
        .read_byte_record(&mut record)
        .map_err(|error| table_error(path, error))?
    {
        let line_feeds = record.as_slice().iter().filter(|&&byte| byte == b'\n');
        // An open quote takes the line feed that would have ended the last record.
        let is_cut = record.as_slice().ends_with(b"\n") && reader.get_ref().has_open_quote();
        line = reader.position().line() - line_feeds.count() as u64 - u64::from(!is_cut);
        if record.len() != columns {
            return Err(Error::Syntax {
                path: path.into(),
                line: line as usize,
                column: 1,
                expected: format!("{columns} fields"),
                found: format!("{} fields", record.len()),
            });
        }
        records.push(line, |place| record.get(place))?;
    }
    if options.quoting && reader.get_ref().has_open_quote() {
        return Err(Error::Syntax {
            path: path.into(),
            line: line as usize,
            column: 1,
            expected: "a closing quote for every opening one".into(),
            found: "an odd number of quotes".into(),
        });
    }
    records.finish()
}

fn table_error(path: &Path, error: csv::Error) -> Error {
    let line = error.position().map_or(1, csv::Position::line);
    match error.into_kind() {
        csv::ErrorKind::Io(source) => Error::Read {
            path: path.into(),
            source,
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
