//! Parquet tables.

use std::fs::File;
use std::hash::Hash;
use std::path::Path;
use std::str::FromStr;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_schema::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::columns::{BatchRows, IdReader, ROWS};
use super::item_table::add;
use super::parquet_damage::caught;
use bspm_data::reader::{Rows, read_files_with, read_items_with};
use bspm_data::{
    Dataset, Error, Format, ItemTable, ItemTableOptions, ReadReport, Result, TableOptions,
};

/// Reads data sets from Parquet files, with the feature `parquet`.
pub trait FromParquet: Sized {
    /// Reads a Parquet file with one interaction per row.
    ///
    /// Ids are columns of text, of whole numbers (including whole decimals and floating-point numbers),
    /// or of UUIDs. Ratings and weights are numbers. Times are numbers or text; dates and timestamps of
    /// any unit become seconds since 1970. Only the columns that the options name are read.
    ///
    /// # Errors
    ///
    /// [`Error::Read`]; [`Error::InvalidFile`] if the file is damaged or is not Parquet, or if a column
    /// has an unsupported type; [`Error::MissingColumn`]; [`Error::InvalidField`] with the row, from 1;
    /// [`Error::UnusedOption`]; [`Error::NoInteractions`].
    fn read_parquet(path: impl AsRef<Path>, options: &TableOptions) -> Result<Self>;
}

impl<U, I> FromParquet for Dataset<U, I>
where
    U: FromStr + Eq + Hash + Clone,
    I: FromStr + Eq + Hash + Clone,
{
    fn read_parquet(path: impl AsRef<Path>, options: &TableOptions) -> Result<Self> {
        let mut rows = Rows::new(options);
        parse(path.as_ref(), options, &mut rows)?;
        Ok(rows.finish()?.0)
    }
}

/// Reads interactions as [`Dataset::read_files`], and also Parquet files, with the feature `parquet`.
///
/// # Errors
///
/// As [`Dataset::read_files`] and [`FromParquet::read_parquet`].
pub fn read_files(
    paths: impl IntoIterator<Item = impl AsRef<Path>>,
    format: Option<Format>,
    options: &TableOptions,
) -> Result<(Dataset, ReadReport)> {
    read_files_with(paths, format, options, parse)
}

/// Reads item tables as [`ItemTable::read_files`], and also Parquet files, with the feature `parquet`.
///
/// # Errors
///
/// As [`ItemTable::read_files`] and [`ItemsFromArrow::from_batches`](crate::ItemsFromArrow::from_batches);
/// [`Error::InvalidFile`] if a file is damaged or is not Parquet.
pub fn read_items(
    paths: impl IntoIterator<Item = impl AsRef<Path>>,
    format: Option<Format>,
    options: &ItemTableOptions,
) -> Result<(ItemTable, ReadReport)> {
    read_items_with(paths, format, options, |path, rows| {
        rows.start(path, Format::Parquet);
        let file = open(path)?;
        caught(path, || {
            let builder = ParquetRecordBatchReaderBuilder::try_new(file);
            let builder = builder.map_err(|error| damaged(path, &error))?;
            let reader = builder.with_batch_size(ROWS).build();
            let mut line = 1;
            for batch in reader.map_err(|error| damaged(path, &error))? {
                let batch = batch.map_err(|error| damaged(path, &error))?;
                add(&batch, line, rows).map_err(|error| in_file(path, error))?;
                line += batch.num_rows() as u64;
            }
            Ok(())
        })
    })
}

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|source| Error::Read {
        path: path.into(),
        source,
    })
}

fn damaged(path: &Path, error: &dyn std::error::Error) -> Error {
    Error::InvalidFile {
        path: path.into(),
        expected: "a Parquet file".into(),
        found: error.to_string(),
    }
}

/// Adds the rows of a file.
fn parse<U, I>(path: &Path, options: &TableOptions, rows: &mut Rows<U, I>) -> Result<()>
where
    U: FromStr + Eq + Hash + Clone,
    I: FromStr + Eq + Hash + Clone,
{
    let _span = tracing::info_span!("load", path = %path.display()).entered();
    options.check_batches()?;
    rows.start(path, Format::Parquet);
    let file = open(path)?;
    caught(path, || {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file);
        let builder = builder.map_err(|error| damaged(path, &error))?;
        let fields = builder.schema().fields();
        let names: Vec<String> = fields.iter().map(|it| it.name().clone()).collect();
        let places = options.places(path, &names, Format::Parquet.columns())?;
        rows.note_columns(&names, places, options);
        let wanted = places.roles().map(|(place, _)| place);
        let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
        let reader = builder.with_projection(mask).with_batch_size(ROWS);
        let (user, item) = (id_reader::<U>(), id_reader::<I>());
        let mut line = 1;
        for batch in reader.build().map_err(|error| damaged(path, &error))? {
            let batch = batch.map_err(|error| damaged(path, &error))?;
            let of_batch = BatchRows::new(&batch, options, (&user, &item), rows.ids());
            let mut of_batch = of_batch.map_err(|error| in_file(path, error))?;
            rows.note_times(of_batch.times_read());
            for row in 0..batch.num_rows() {
                rows.push(line, of_batch.at(row))?;
                line += 1;
            }
        }
        Ok(())
    })
}

/// Reads ids from text.
fn id_reader<T: FromStr + Eq + Hash>() -> IdReader<T> {
    IdReader {
        to: DataType::Utf8View,
        id: |column, row| {
            let texts = column.as_string_view();
            let text = texts.is_valid(row).then(|| texts.value(row))?;
            text.parse().ok()
        },
        look_up: |_, column| vec![None; column.len()],
    }
}

/// Adds the file to an error of a column.
fn in_file(path: &Path, error: Error) -> Error {
    match error {
        Error::InvalidColumn {
            column,
            expected,
            found,
            ..
        } => Error::InvalidFile {
            path: path.into(),
            expected: format!("{expected} in column {column:?}"),
            found,
        },
        error => error,
    }
}
