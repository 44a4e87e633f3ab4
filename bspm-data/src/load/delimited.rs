//! Delimited text tables: CSV, TSV, and the atomic files of RecBole.

use std::hash::Hash;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;

use super::file::open_text;
use super::format::Format;
use super::header::Header;
use super::options::TableOptions;
use super::plain_text::without_mark;
use super::records::Records;
use super::rows::{Rows, TextFields};
use crate::dataset::Dataset;
use crate::error::Result;
use crate::parameter::shortened;

impl<U, I> Dataset<U, I>
where
    U: FromStr + Eq + Hash + Clone,
    I: FromStr + Eq + Hash + Clone,
{
    /// Reads a CSV or TSV file, plain or compressed with gzip or Zstandard; see
    /// [`parse_csv`](Self::parse_csv).
    ///
    /// # Errors
    ///
    /// [`Error::Read`](crate::Error::Read), and those of [`parse_csv`](Self::parse_csv).
    pub fn read_csv(path: impl AsRef<Path>, options: &TableOptions) -> Result<Self> {
        let path = path.as_ref();
        Self::parse_csv(open_text(path)?, path, options)
    }

    /// Parses a CSV or TSV table (RFC 4180) with one interaction per record.
    ///
    /// A byte order mark, UTF-16, CRLF line ends, quoted fields, blank lines, a first line
    /// `sep=;` and further columns are accepted. Ids are not trimmed, and must be valid text and not
    /// missing. Every record must have as many fields as the header. `path` is only used in errors.
    ///
    /// # Errors
    ///
    /// [`Error::MissingColumn`](crate::Error::MissingColumn) if the header does not have a column, or has it twice;
    /// [`Error::InvalidField`](crate::Error::InvalidField) with line, column and text for an invalid id or number, and for
    /// a record with a wrong number of fields; [`Error::Quotes`](crate::Error::Quotes) for a quote that is never closed,
    /// or that encloses several records; [`Error::UnusedOption`](crate::Error::UnusedOption);
    /// [`Error::NoInteractions`](crate::Error::NoInteractions); [`Error::Read`](crate::Error::Read).
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::Dataset;
    /// use bspm_data::TableOptions;
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
    /// # Ok::<(), bspm_data::Error>(())
    /// ```
    pub fn parse_csv(
        reader: impl Read,
        path: impl AsRef<Path>,
        options: &TableOptions,
    ) -> Result<Self> {
        let mut rows = Rows::new(options);
        parse(reader, path.as_ref(), Format::Csv, options, &mut rows)?;
        Ok(rows.finish()?.0)
    }

    /// Parses an atomic file of RecBole: tab-separated, with a header whose names end
    /// in a type, as in `user_id:token`.
    ///
    /// The options give the column names without the type.
    ///
    /// # Errors
    ///
    /// As [`parse_csv`](Self::parse_csv).
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::Dataset;
    /// use bspm_data::TableOptions;
    ///
    /// let file = b"user_id:token\titem_id:token\ttimestamp:float\n196\t242\t8.8e8\n";
    /// let options = TableOptions::new("user_id", "item_id").time("timestamp");
    /// let dataset: Dataset<u32, u32> = Dataset::parse_recbole(&file[..], "inline", &options)?;
    /// assert_eq!(dataset.times(), Some(&[8.8e8][..]));
    /// # Ok::<(), bspm_data::Error>(())
    /// ```
    pub fn parse_recbole(
        reader: impl Read,
        path: impl AsRef<Path>,
        options: &TableOptions,
    ) -> Result<Self> {
        let mut rows = Rows::new(options);
        parse(reader, path.as_ref(), Format::RecBole, options, &mut rows)?;
        Ok(rows.finish()?.0)
    }
}

/// Returns the name of a column in a header, without surrounding spaces and without the type of a
/// RecBole column.
pub(super) fn column_name(format: Format, name: &str) -> String {
    let name = match format {
        Format::RecBole => name.split(':').next().unwrap_or_default(),
        _ => name,
    };
    name.trim().to_owned()
}

/// Adds the rows of a table.
pub(super) fn parse<U, I>(
    reader: impl Read,
    path: &Path,
    format: Format,
    options: &TableOptions,
    rows: &mut Rows<U, I>,
) -> Result<()>
where
    U: FromStr + Eq + Hash + Clone,
    I: FromStr + Eq + Hash + Clone,
{
    let _span = tracing::info_span!("load", path = %path.display()).entered();
    options.check(format)?;
    rows.start(path, format);
    let mut records = Records::new(reader, path, format, options)?;
    let header = records.header().to_vec();
    if header.is_empty() {
        return Ok(());
    }
    let names = header.iter().map(|name| column_name(format, name));
    let names: Vec<String> = names.collect();
    let places = options.places(path, &names, format.columns())?;
    rows.note_columns(&names, places, options);
    let header = Header::new(&header, options.columns.is_none());
    let fields = TextFields::new(options, places, names.clone(), header);
    if records.delimiter() == b';' {
        fields.count_thousands();
    }
    let mut first = FirstRow::default();
    let mut record = csv::ByteRecord::new();
    while let Some(line) = records.next(&mut record)? {
        if record.len() != fields.columns() {
            rows.refuse_row(line, fields.field_count(record.len()))?;
            continue;
        }
        if options.columns.is_some() {
            first.see(&record[places.user], &record[places.item]);
        }
        // A file that follows another one in the same file may start with a byte order mark.
        let field = |place| match place {
            0 => record.get(0).map(without_mark),
            place => record.get(place),
        };
        rows.push(line, &mut fields.row(field))?;
    }
    rows.note_times(fields.times_read());
    if let Some(count) = fields.thousands() {
        rows.warn(format!(
            "{}: the points of {count} weights, as in 1.400, are read as decimal points; \
             hint: set `decimal_comma` if the point separates thousands",
            path.display()
        ));
    }
    if options.columns.is_none() && names.iter().all(|name| name.parse::<f64>().is_ok()) {
        rows.warn(format!(
            "{}: the names of the columns are numbers ({}), so the first line may be an interaction; hint: if it \
             is, set `columns` to the names of the columns",
            path.display(),
            shortened(names.join(", "))
        ));
    }
    if let Some(warning) = first.warning() {
        rows.warn(format!("{}: {warning}", path.display()));
    }
    Ok(())
}

/// Detects a header that was read as a row: its ids are words, and all other ids are numbers.
#[derive(Default)]
struct FirstRow {
    rows: u64,
    words: Option<(String, String)>,
    others_are_numbers: bool,
}

impl FirstRow {
    fn see(&mut self, user: &[u8], item: &[u8]) {
        let is_number = |field: &[u8]| field.first().is_some_and(u8::is_ascii_digit);
        self.rows += 1;
        if self.rows == 1 {
            let is_words = !is_number(user) && !is_number(item);
            let text = |field| String::from_utf8_lossy(field).into_owned();
            self.words = is_words.then(|| (text(user), text(item)));
            self.others_are_numbers = true;
        } else if self.words.is_some() && self.others_are_numbers {
            self.others_are_numbers = is_number(user) && is_number(item);
        }
    }

    fn warning(&self) -> Option<String> {
        let (user, item) = self.words.as_ref()?;
        (self.rows > 1 && self.others_are_numbers).then(|| {
            format!(
                "the first row (user {user:?}, item {item:?}) looks like a header, but was read as an \
                 interaction"
            )
        })
    }
}
