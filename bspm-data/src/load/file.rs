//! Opens files, text that may be compressed, and standard input.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::format::MATRIX_MARKET;
use super::zstandard::{Frames, is_zstandard};
use crate::error::{Error, Result};

const GZIP: &[u8] = &[0x1f, 0x8b];

/// First bytes of unsupported file types, with a description and a hint.
const FOREIGN: [(&[u8], &str); 10] = [
    (
        b"PK\x03\x04",
        "a zip archive or a spreadsheet; hint: unpack it, or export the sheet as CSV",
    ),
    (b"BZh", "a bzip2 file; hint: decompress it with bunzip2"),
    (b"\xfd7zXZ\0", "an xz file; hint: decompress it with unxz"),
    (b"7z\xbc\xaf", "a 7-Zip archive; hint: unpack it"),
    (b"PAR1", "a Parquet file; hint: set the format to parquet"),
    (b"ARROW1", "an Arrow file; hint: write it as Parquet or CSV"),
    (
        b"SQLite format 3\0",
        "an SQLite database; hint: export the table as CSV",
    ),
    (b"%%MatrixMarket", MATRIX_MARKET),
    (
        b"\xd0\xcf\x11\xe0",
        "a spreadsheet; hint: export the sheet as CSV",
    ),
    (
        b"\xff\xfe\0\0",
        "UTF-32 text; hint: convert it to UTF-8, as in iconv -f UTF-32 -t UTF-8",
    ),
];

pub(super) fn open(path: &Path) -> Result<File> {
    let failed = |source| Error::Read {
        path: path.into(),
        source,
    };
    File::open(path).map_err(failed)
}

/// Opens a text file, and decompresses it if it starts with the magic number of gzip or Zstandard.
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
