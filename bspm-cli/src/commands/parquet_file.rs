//! Parquet files of record batches, written whole or not at all.

use std::io;
use std::path::Path;

use arrow_array::RecordBatch;
use bspm::saved::replace_file;
use bspm::{Error, Result};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

/// Replaces a file by these batches, of which there must be one.
///
/// Memory: a row group, of 2^20 rows or what `row_group` says.
pub(super) fn write(
    path: &Path,
    row_group: Option<usize>,
    batches: impl IntoIterator<Item = Result<RecordBatch>>,
) -> Result<()> {
    let failed = |error: ParquetError| Error::Write {
        path: path.into(),
        source: io::Error::other(error),
    };
    replace_file(path, |file| {
        let mut batches = batches.into_iter();
        let first = batches.next().ok_or_else(|| Error::Write {
            path: path.into(),
            source: io::Error::other("there is nothing to write"),
        })??;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(row_group.unwrap_or(1 << 20)))
            .build();
        let mut writer =
            ArrowWriter::try_new(file, first.schema(), Some(properties)).map_err(failed)?;
        writer.write(&first).map_err(failed)?;
        for batch in batches {
            writer.write(&batch?).map_err(failed)?;
        }
        writer.close().map_err(failed)?;
        Ok(())
    })
}
