//! Reads item tables from CSV, TSV, JSON lines and RecBole files.

use std::io::Read;
use std::path::Path;

use super::delimited::column_name;
use super::fault::Fault;
use super::file::{open_text, refuse_pointer};
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
use crate::error::{Error, InvalidRow, Result};
use crate::item_table::ItemTable;
use crate::parameter::shortened;

impl ItemTable {
    /// Reads files with one row per item as one item table, and returns a report: CSV, TSV, JSON lines
    /// and RecBole `.item` files, plain or compressed with gzip or Zstandard. `bspm-arrow` also reads
    /// Parquet.
    ///
    /// Default of `format`: from the name of each file. A column has numbers or booleans (`true` and
    /// `false`, in any case) if all its values do; a number with leading zeros is a text. In JSON and
    /// Parquet, the types of the values are used. An empty value, or one of the texts that mean a missing
    /// id, is a missing value; of titles, only an empty one.
    ///
    /// # Errors
    ///
    /// [`Error::MissingColumn`] with the columns of the table, if the id column or the title column of the
    /// options is missing, or if there is a single column;
    /// [`Error::InvalidField`] with line and value for a duplicate or a missing item, and for a row with
    /// a wrong number of fields; [`Error::InvalidFile`] for an unsupported format, for two columns with
    /// the same name, and for a table without rows; the errors of reading text as in
    /// [`Dataset::parse_csv`](crate::Dataset::parse_csv).
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

/// Like [`ItemTable::read_files`], with a reader for Parquet files, which adds their rows to its last
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
        let text = options.text.text_for(format);
        match format {
            Format::Csv | Format::Tsv | Format::RecBole => {
                delimited(open_text(path)?, path, format, &text, &mut rows)?;
            }
            Format::JsonLines => item_json::parse(open_text(path)?, path, &text, &mut rows)?,
            Format::Parquet => {
                refuse_pointer(path, format.name())?;
                parquet(path, &mut rows)?;
            }
            other => {
                return Err(Error::InvalidFile {
                    path: path.into(),
                    expected: "an item table in the format csv, tsv, jsonl, recbole or parquet"
                        .into(),
                    found: format!("the format {}", other.name()),
                });
            }
        }
    }
    rows.finish()
}

/// Adds the rows of a delimited text table.
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
            let found = record.len().to_string();
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

/// Returns the fault of a field that is not valid text.
fn not_text(record: &csv::ByteRecord, names: &[String]) -> Fault {
    let fields = names.iter().zip(record);
    let wrong = fields
        .into_iter()
        .find(|(_, field)| str::from_utf8(field).is_err());
    let (name, field) = wrong.map_or(("row", &b""[..]), |(name, field)| (name.as_str(), field));
    Fault {
        reason: InvalidRow::Encoding,
        column: name.into(),
        expected: "text in UTF-8 (or set another encoding)".into(),
        found: shortened(String::from_utf8_lossy(field).into_owned()),
    }
}
