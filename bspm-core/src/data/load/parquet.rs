//! Parquet tables, with the feature `parquet`.

use std::hash::Hash;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use parquet::schema::types::Type;

use super::file::open;
use super::table::{Records, TableOptions};
use crate::data::dataset::Dataset;
use crate::error::{Error, Result, shortened};

impl<U, I> Dataset<U, I>
where
    U: FromStr + Eq + Hash + Clone,
    I: FromStr + Eq + Hash + Clone,
{
    /// Reads a Parquet file with one interaction per row, with the feature `parquet`.
    ///
    /// Ids are columns of strings or integers; ratings and times are numbers, dates or
    /// timestamps in the unit of the file. Only the named columns are read. The options'
    /// delimiter, quoting and header are not used.
    ///
    /// # Errors
    ///
    /// [`Error::Read`]; [`Error::InvalidFile`] for a file that is damaged or is no
    /// Parquet; [`Error::MissingColumn`]; [`Error::InvalidField`] with the row, from 1;
    /// [`Error::NoInteractions`].
    pub fn read_parquet(path: impl AsRef<Path>, options: &TableOptions) -> Result<Self> {
        let path = path.as_ref();
        let _span = tracing::info_span!("load", path = %path.display()).entered();
        // The parquet crate takes some damages for impossible, and panics.
        let read = std::panic::AssertUnwindSafe(|| Self::parse_parquet(path, options));
        std::panic::catch_unwind(read).unwrap_or_else(|panic| {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(Error::InvalidFile {
                path: path.into(),
                expected: "a Parquet file that is whole".into(),
                found: shortened(said.unwrap_or("damage").to_owned()),
            })
        })
    }

    fn parse_parquet(path: &Path, options: &TableOptions) -> Result<Self> {
        let damaged = |error: ParquetError| Error::InvalidFile {
            path: path.into(),
            expected: "a Parquet file".into(),
            found: error.to_string(),
        };
        let reader = SerializedFileReader::new(open(path)?).map_err(damaged)?;
        let schema = reader.metadata().file_metadata().schema();
        let all: Vec<String> = schema
            .get_fields()
            .iter()
            .map(|it| it.name().into())
            .collect();
        let in_file = options.places(path, &all)?;

        let mut wanted = vec![in_file.user, in_file.item];
        wanted.extend(in_file.rating);
        wanted.extend(in_file.time);
        wanted.extend(in_file.weight);
        wanted.sort_unstable();
        wanted.dedup();
        let columns: Vec<Arc<Type>> = wanted
            .iter()
            .map(|&place| schema.get_fields()[place].clone())
            .collect();
        let names: Vec<String> = columns.iter().map(|it| it.name().into()).collect();
        let places = options.places(path, &names)?;
        let projection = Type::group_type_builder(schema.name())
            .with_fields(columns)
            .build()
            .map_err(damaged)?;

        let mut records = Records::new(path, names, places, options);
        let rows = reader.get_row_iter(Some(projection)).map_err(damaged)?;
        for (row, line) in rows.zip(1..) {
            let row = row.map_err(damaged)?;
            let texts: Vec<Vec<u8>> = row.get_column_iter().map(|(_, it)| text(it)).collect();
            records.push(line, |place| texts.get(place).map(Vec::as_slice))?;
        }
        records.finish()
    }
}

/// What a field says, and nothing for a null. Bytes that are no text are left as they are, for
/// the error that names them.
fn text(field: &Field) -> Vec<u8> {
    let text = match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::Bytes(bytes) => return bytes.data().to_vec(),
        Field::Date(number) | Field::TimeMillis(number) => number.to_string(),
        Field::TimeMicros(number)
        | Field::TimestampMillis(number)
        | Field::TimestampMicros(number) => number.to_string(),
        other => other.to_string(),
    };
    text.into_bytes()
}
