//! Reading item tables, in the formats of tables.

use std::io::Read;
use std::path::Path;

use super::delimited::column_name;
use super::file::open_text;
use super::format::Format;
use super::item_columns::Cell;
use super::item_json;
use super::item_options::ItemTableOptions;
use super::item_rows::ItemRows;
use super::options::TableOptions;
use super::paths::DistinctFiles;
use super::read::parquet_is_elsewhere;
use super::records::Records;
use super::report::ReadReport;
use super::rows::Fault;
use crate::error::{Error, InvalidRow, Result};
use crate::item_table::ItemTable;
use crate::parameter::shortened;

impl ItemTable {
    /// Reads files with a row for each item as one item table, and reports what was read: CSV, TSV,
    /// JSON lines and RecBole's `.item`, plain or compressed with gzip or Zstandard. `bspm-arrow` reads Parquet too.
    ///
    /// Default of `format`: that of the name of each file. A column is of numbers or of booleans (`true` and
    /// `false`, in any case) if all of its values are; a number with leading zeros is a text. In JSON and Parquet
    /// the types of the values count. What is empty, or one of the texts that stand for a missing id, is
    /// no value; of titles only what is empty.
    ///
    /// # Errors
    ///
    /// [`Error::MissingColumn`] with the columns that there are, if that of the ids or the titles is
    /// missing; [`Error::InvalidField`] with line and value for an item that an earlier row has, for
    /// one that is missing, and for a row with another number of fields; [`Error::InvalidFile`] for
    /// another format, for two columns of one name and for a table without rows; those of reading
    /// text as [`Dataset::parse_csv`](crate::Dataset::parse_csv) does.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::{ItemColumnKind, ItemTable, ItemTableOptions};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("items.csv");
    /// std::fs::write(&path, "item,title,price\nt1,Green tea,4.50\nm1,Milk,1.20\n")?;
    /// let (table, report) = ItemTable::read_files([&path], None, &ItemTableOptions::new())?;
    /// assert_eq!(table.title("t1"), Some("Green tea"));
    /// assert_eq!(table.column("price").unwrap().kind(), ItemColumnKind::Number);
    /// assert_eq!(report.rows, 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn read_files(
        paths: impl IntoIterator<Item = impl AsRef<Path>>,
        format: Option<Format>,
        options: &ItemTableOptions,
    ) -> Result<(Self, ReadReport)> {
        read_items_with(paths, format, options, |_, _| Err(parquet_is_elsewhere()))
    }
}

/// [`ItemTable::read_files`], with a reader for Parquet files, which gives their rows to the last
/// argument.
pub fn read_items_with(
    paths: impl IntoIterator<Item = impl AsRef<Path>>,
    format: Option<Format>,
    options: &ItemTableOptions,
    parquet: impl Fn(&Path, &mut ItemRows<'_>) -> Result<()>,
) -> Result<(ItemTable, ReadReport)> {
    let mut rows = ItemRows::new(options);
    let mut distinct = DistinctFiles::default();
    for path in paths {
        let path = path.as_ref();
        distinct.add(path)?;
        let format = format.map_or_else(|| Format::of(path), Ok)?;
        let text = options.text_for(format);
        match format {
            Format::Csv | Format::Tsv | Format::RecBole => {
                delimited(open_text(path)?, path, format, &text, &mut rows)?;
            }
            Format::JsonLines => item_json::parse(open_text(path)?, path, &text, &mut rows)?,
            Format::Parquet => parquet(path, &mut rows)?,
            other => {
                return Err(Error::InvalidFile {
                    path: path.into(),
                    expected:
                        "a table with a row for each item: csv, tsv, jsonl, recbole or parquet"
                            .into(),
                    found: format!("the format {}", other.name()),
                });
            }
        }
    }
    rows.finish()
}

/// Adds the rows of a table of text.
fn delimited(
    reader: impl Read,
    path: &Path,
    format: Format,
    options: &TableOptions,
    rows: &mut ItemRows<'_>,
) -> Result<()> {
    rows.start(path, format);
    let mut records = Records::new(reader, path, format, options)?;
    let names = records.header().iter();
    let names: Vec<String> = names.map(|name| column_name(format, name)).collect();
    let (id, columns) = rows.header(&names)?;
    let mut record = csv::ByteRecord::new();
    while let Some(line) = records.next(&mut record)? {
        if record.len() != names.len() {
            let expected = format!("{} fields", names.len());
            let found = format!("{} fields", record.len());
            let fault = Fault::of_row(InvalidRow::FieldCount, expected, found);
            rows.refuse_row(line, fault)?;
            continue;
        }
        let decoded: Option<Vec<&str>> = record.iter().map(|it| str::from_utf8(it).ok()).collect();
        let Some(decoded) = decoded else {
            rows.refuse_row(line, not_text(&record, &names))?;
            continue;
        };
        let cells = columns.iter().zip(&decoded);
        let cells = cells.filter_map(|(column, &text)| Some(((*column)?, Cell::Untyped(text))));
        rows.push(line, decoded[id], cells)?;
    }
    Ok(())
}

/// The fault of a field that is not text.
fn not_text(record: &csv::ByteRecord, names: &[String]) -> Fault {
    let fields = names.iter().zip(record);
    let wrong = fields
        .into_iter()
        .find(|(_, field)| str::from_utf8(field).is_err());
    let (name, field) = wrong.map_or(("row", &b""[..]), |(name, field)| (name.as_str(), field));
    Fault {
        reason: InvalidRow::Encoding,
        column: name.into(),
        expected: "text in UTF-8, or the name of another encoding".into(),
        found: shortened(String::from_utf8_lossy(field).into_owned()),
    }
}
