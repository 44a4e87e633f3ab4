//! Opening files: regular ones, text that may be compressed, and standard input.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::zstandard::{Frames, is_zstandard};
use crate::error::{Error, Result};

const GZIP: &[u8] = &[0x1f, 0x8b];

/// First bytes of files that hold text in a form that is not read, and what to do about each.
const FOREIGN: [(&[u8], &str); 7] = [
    (
        b"PK\x03\x04",
        "a zip archive or a spreadsheet: unpack it, or export the sheet as CSV",
    ),
    (b"BZh", "a bzip2 file: decompress it with bunzip2"),
    (b"\xfd7zXZ\0", "an xz file: decompress it with unxz"),
    (b"7z\xbc\xaf", "a 7-Zip archive: unpack it"),
    (b"PAR1", "a Parquet file: its format is parquet"),
    (b"ARROW1", "an Arrow file: write it as Parquet or CSV"),
    (
        b"SQLite format 3\0",
        "an SQLite database: export the table as CSV",
    ),
];

pub(super) fn open(path: &Path) -> Result<File> {
    let failed = |source| Error::Read {
        path: path.into(),
        source,
    };
    File::open(path).map_err(failed)
}

/// The text of a file, decompressed if it starts as gzip or Zstandard does.
pub(super) fn open_text(path: &Path) -> Result<Box<dyn Read>> {
    let failed = |source| Error::Read {
        path: path.into(),
        source,
    };
    let mut file = BufReader::with_capacity(1 << 16, open(path)?);
    let start = file.fill_buf().map_err(failed)?;
    if start.starts_with(GZIP) {
        return Ok(Box::new(MultiGzDecoder::new(file)));
    }
    if is_zstandard(start) {
        return Ok(Box::new(Frames::new(file).map_err(failed)?));
    }
    match FOREIGN.iter().find(|(magic, _)| start.starts_with(magic)) {
        Some((_, found)) => Err(Error::InvalidFile {
            path: path.into(),
            expected: "text, plain or compressed with gzip or Zstandard".into(),
            found: (*found).into(),
        }),
        None => Ok(Box::new(file)),
    }
}
