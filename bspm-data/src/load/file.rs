//! Opens files, text that may be compressed, and standard input.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::foreign;
use super::zstandard::{Frames, is_zstandard};
use crate::error::{Error, Result};

const GZIP: &[u8] = &[0x1f, 0x8b];

pub(super) fn open(path: &Path) -> Result<File> {
    let failed = |source| Error::Read {
        path: path.into(),
        source,
    };
    File::open(path).map_err(failed)
}

/// Returns an error for a binary file that is a pointer of Git LFS. [`open_text`] refuses those of text files.
pub(super) fn refuse_pointer(path: &Path, format: &str) -> Result<()> {
    let mut start = [0; foreign::POINTER.len()];
    // Errors are reported later, when the file is read.
    let is_read = path.is_file() && open(path)?.read_exact(&mut start).is_ok();
    match is_read && start == foreign::POINTER {
        true => Err(Error::InvalidFile {
            path: path.into(),
            expected: format!("a file of the format {format}"),
            found: foreign::A_POINTER.into(),
        }),
        false => Ok(()),
    }
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
    match foreign::by_start(start) {
        Some(found) => Err(Error::InvalidFile {
            path: path.into(),
            expected: "text, plain or compressed with gzip or Zstandard".into(),
            found: found.into(),
        }),
        None => Ok(Box::new(file)),
    }
}
