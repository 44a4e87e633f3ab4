//! Opening files, of which those of text may be compressed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use crate::error::{Error, Result};

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

pub(super) fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|source| unreadable(path, source))
}

fn unreadable(path: &Path, source: io::Error) -> Error {
    Error::Read {
        path: path.into(),
        source,
    }
}

/// The text of a file, taken out of gzip and Zstandard where its first bytes are theirs.
pub(super) fn open_text(path: &Path) -> Result<Box<dyn Read>> {
    let failed = |source| unreadable(path, source);
    let mut file = BufReader::with_capacity(1 << 16, open(path)?);
    let start = file.fill_buf().map_err(failed)?;
    if start.starts_with(GZIP) {
        return Ok(Box::new(MultiGzDecoder::new(file)));
    }
    if start.starts_with(ZSTD) {
        return Ok(Box::new(Frames::First(file).next().map_err(failed)?));
    }
    Ok(Box::new(file))
}

/// The frames of a Zstandard file, one after the other.
enum Frames {
    First(BufReader<File>),
    Within(Box<StreamingDecoder<BufReader<File>, FrameDecoder>>),
    End,
}

impl Frames {
    /// At the beginning of the next frame, if there is one.
    fn next(self) -> io::Result<Self> {
        let mut file = match self {
            Self::First(file) => file,
            Self::Within(frame) => frame.into_inner(),
            Self::End => return Ok(Self::End),
        };
        if file.fill_buf()?.is_empty() {
            return Ok(Self::End);
        }
        let frame = StreamingDecoder::new(file).map_err(io::Error::other)?;
        Ok(Self::Within(Box::new(frame)))
    }
}

impl Read for Frames {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Self::Within(frame) = self {
            let count = frame.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            *self = std::mem::replace(self, Self::End).next()?;
        }
        Ok(0)
    }
}
