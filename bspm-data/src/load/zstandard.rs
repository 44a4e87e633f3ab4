//! Decompresses Zstandard files and verifies their checksums.

use std::io::{self, BufRead, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The magic number of a skippable frame; its last four bits are arbitrary.
const SKIPPABLE: [u8; 4] = [0x50, 0x2a, 0x4d, 0x18];

/// Whether these are the first bytes of a Zstandard file.
pub(super) fn is_zstandard(bytes: &[u8]) -> bool {
    let is_skippable =
        |start: &[u8]| start[0] & 0xf0 == SKIPPABLE[0] && start[1..] == SKIPPABLE[1..];
    let start = bytes.get(..MAGIC.len());
    start.is_some_and(|start| start == MAGIC || is_skippable(start))
}

/// A reader of the contents of a Zstandard file. Skippable frames, as written by pzstd, are skipped.
pub(super) struct Frames<R> {
    file: R,
    /// The current frame, and the number of bytes read from it; `None` at the end of the file.
    frame: Option<(Box<FrameDecoder>, u64)>,
}

impl<R: BufRead> Frames<R> {
    /// # Errors
    ///
    /// If the file does not start with a complete frame header.
    pub(super) fn new(file: R) -> io::Result<Self> {
        let mut frames = Self { file, frame: None };
        frames.frame = frames.next()?;
        Ok(frames)
    }

    /// Returns the next frame with content; `None` at the end of the file.
    fn next(&mut self) -> io::Result<Option<(Box<FrameDecoder>, u64)>> {
        while !self.file.fill_buf()?.is_empty() {
            let mut decoder = Box::new(FrameDecoder::new());
            match decoder.init(&mut self.file) {
                Ok(()) => return Ok(Some((decoder, 0))),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let mut content = self.file.by_ref().take(length.into());
                    if io::copy(&mut content, &mut io::sink())? < length.into() {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(_) => return Err(damaged(&"a frame has no valid header")),
            }
        }
        Ok(None)
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some((decoder, length)) = &mut self.frame {
            while decoder.can_collect() == 0 && !decoder.is_finished() {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                decoder
                    .decode_blocks(&mut self.file, one)
                    .map_err(|_| damaged(&"a block cannot be decoded"))?;
            }
            let count = decoder.read(buffer)?;
            *length += count as u64;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            check(decoder, *length)?;
            self.frame = self.next()?;
        }
        Ok(0)
    }
}

/// Verifies the length and the checksum of a frame.
fn check(frame: &FrameDecoder, length: u64) -> io::Result<()> {
    if let Some(stated) = frame.get_checksum_from_data()
        && frame.get_calculated_checksum() != Some(stated)
    {
        return Err(damaged(&"the checksum of a frame does not match"));
    }
    // 0 means that the frame does not state its length.
    let stated = frame.content_size();
    if stated != 0 && stated != length {
        return Err(damaged(&"the length of a frame does not match"));
    }
    Ok(())
}

fn damaged(error: &dyn std::fmt::Display) -> io::Error {
    let text = format!("the Zstandard file is damaged: {error}");
    io::Error::new(io::ErrorKind::InvalidData, text)
}
