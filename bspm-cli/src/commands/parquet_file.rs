//! Parquet files of record batches, written atomically.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use arrow_array::RecordBatch;
use bspm::saved::replace_file;
use bspm::{Error, Result};
use bspm_arrow::caught;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

/// Replaces a file with these batches, of which there must be at least one.
///
/// Memory: one row group, of `row_group` rows (default: 2^20).
pub(super) fn write(
    path: &Path,
    row_group: Option<usize>,
    batches: impl IntoIterator<Item = Result<RecordBatch>>,
) -> Result<()> {
    write_after(path, row_group, batches, || Ok(()))
}

/// Like [`write`], but calls `whole` after the last batch, and does not replace the file if it fails.
pub(super) fn write_after(
    path: &Path,
    row_group: Option<usize>,
    batches: impl IntoIterator<Item = Result<RecordBatch>>,
    whole: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let failed = |error: ParquetError| Error::Write {
        path: path.into(),
        source: io::Error::other(error),
    };
    replace_file(path, |file| {
        let mut batches = batches.into_iter();
        let first = batches.next().ok_or_else(|| Error::Write {
            path: path.into(),
            source: io::Error::other("no rows to write"),
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
        whole()
    })
}

/// Returns whether a file that was written here is complete, and has this number of rows if it is
/// known.
pub(super) fn is_whole(path: &Path, rows: Option<usize>) -> bool {
    caught(path, || {
        let failed = |source| Error::Read {
            path: path.into(),
            source,
        };
        let mut file = File::open(path).map_err(failed)?;
        let footer_start = footer_start(&mut file).map_err(failed)?;
        let found = ArrowReaderMetadata::load(&file, Default::default());
        let found = found.map_err(|error| failed(io::Error::other(error)))?;
        let metadata = found.metadata();
        let written = usize::try_from(metadata.file_metadata().num_rows()).ok();
        let groups = metadata.row_groups().iter();
        let ends = groups.flat_map(|group| group.columns()).flat_map(|column| {
            let (start, length) = column.byte_range();
            let index = |start: Option<i64>, length: Option<i32>| {
                let start = u64::try_from(start?).ok()?;
                Some((start, u64::try_from(length?).ok()?))
            };
            let parts = [
                Some((start, length)),
                index(column.column_index_offset(), column.column_index_length()),
                index(column.offset_index_offset(), column.offset_index_length()),
            ];
            let ends = parts.into_iter().flatten();
            ends.map(|(start, length)| start.saturating_add(length))
        });
        // The footer comes directly after the data that it describes.
        let is_complete = ends.max().is_none_or(|end| end == footer_start);
        Ok(is_complete && rows.is_none_or(|rows| written == Some(rows)))
    })
    .unwrap_or(false)
}

/// Returns the offset of the footer of a Parquet file.
fn footer_start(file: &mut File) -> io::Result<u64> {
    const TAIL: u64 = 8;
    let length = file.metadata()?.len();
    let damaged = || io::Error::from(io::ErrorKind::InvalidData);
    let mut start = [0; 4];
    file.read_exact(&mut start)?;
    let mut tail = [0; TAIL as usize];
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    file.read_exact(&mut tail)?;
    let [a, b, c, d, magic @ ..] = tail;
    if start != MAGIC || magic != MAGIC {
        return Err(damaged());
    }
    let footer = u64::from(u32::from_le_bytes([a, b, c, d])) + TAIL;
    length.checked_sub(footer).ok_or_else(damaged)
}

/// The first and the last four bytes of a Parquet file.
const MAGIC: [u8; 4] = *b"PAR1";
