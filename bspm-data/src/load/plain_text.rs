//! Normalizes the line ends of text.

use std::io::{self, BufRead, BufReader, Read};

use encoding_rs::Encoding;
use memchr::memchr;

use super::encoding::Utf8;

/// A reader of UTF-8 text without a byte order mark, in which each line, including the last, ends in a
/// line feed.
pub(super) struct PlainText<R> {
    reader: BufReader<Utf8<R>>,
    /// The last byte returned; a line feed at the start.
    last: u8,
}

impl<R: Read> PlainText<R> {
    pub(super) fn new(reader: R, encoding: Option<&'static Encoding>) -> Self {
        Self {
            reader: BufReader::with_capacity(1 << 16, Utf8::new(reader, encoding)),
            last: b'\n',
        }
    }
}

impl<R: Read> Read for PlainText<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut written = 0;
        while written == 0 && !buffer.is_empty() {
            let chunk = self.reader.fill_buf()?;
            if chunk.is_empty() {
                if !matches!(self.last, b'\n' | b'\r') {
                    self.last = b'\n';
                    buffer[0] = b'\n';
                    written = 1;
                }
                break;
            }
            let mut taken = 0;
            while taken < chunk.len() && written < buffer.len() {
                let is_second_half = self.last == b'\r' && chunk[taken] == b'\n';
                taken += usize::from(is_second_half);
                let rest = &chunk[taken..];
                let length = rest.len().min(buffer.len() - written);
                let run = memchr(b'\r', &rest[..length]);
                let count = run.unwrap_or(length);
                buffer[written..written + count].copy_from_slice(&rest[..count]);
                written += count;
                taken += count;
                self.last = match count {
                    0 if is_second_half => b'\n',
                    0 => self.last,
                    _ => rest[count - 1],
                };
                if run.is_some() {
                    buffer[written] = b'\n';
                    written += 1;
                    taken += 1;
                    self.last = b'\r';
                }
            }
            self.reader.consume(taken);
        }
        Ok(written)
    }
}

/// Returns text without a byte order mark.
pub(super) fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// Reads lines of at most [`LONGEST_RECORD`] bytes, without their line feeds.
pub(super) struct Lines<R> {
    reader: BufReader<PlainText<R>>,
    line: Vec<u8>,
    /// The number of the last line, from 1.
    number: u64,
}

/// The maximum number of bytes of a line, or of a record of a table. It limits the memory for a file
/// without line ends, which is not a table.
pub(super) const LONGEST_RECORD: usize = 1 << 26;

impl<R: Read> Lines<R> {
    pub(super) fn new(text: PlainText<R>) -> Self {
        Self {
            reader: BufReader::with_capacity(1 << 16, text),
            line: Vec::new(),
            number: 0,
        }
    }

    /// Returns the next line and its number, from 1; `None` at the end.
    ///
    /// # Errors
    ///
    /// Those of the reader, and for a line of more than [`LONGEST_RECORD`] bytes.
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        self.read()?;
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        // A file that follows another one in the same file may start with a byte order mark.
        let line = without_mark(line);
        Ok((!self.line.is_empty()).then_some((self.number, line)))
    }

    /// Reads the next line with its line feed; an empty one at the end.
    fn read(&mut self) -> io::Result<()> {
        self.line.clear();
        self.number += 1;
        let most = LONGEST_RECORD as u64 + 1;
        let length = self
            .reader
            .by_ref()
            .take(most)
            .read_until(b'\n', &mut self.line)?;
        match length as u64 == most {
            true => Err(too_long(self.number)),
            false => Ok(()),
        }
    }
}

/// Returns the error for a record that is too long.
pub(super) fn too_long(line: u64) -> io::Error {
    let text = format!("line {line} has more than {LONGEST_RECORD} bytes; the file is not a table");
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that returns a few bytes at a time.
    struct Chunks<'a>(&'a [u8], usize);

    impl Read for Chunks<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(self.0.len());
            let mut chunk = &self.0[..length];
            chunk.read(buffer).inspect(|&read| self.0 = &self.0[read..])
        }
    }

    #[test]
    fn lines_end_in_line_feeds_however_the_text_is_cut() {
        for (text, expected) in [
            (&b"\xef\xbb\xbfa\r\nb\r\n"[..], &b"a\nb\n"[..]),
            (b"\xef\xbb\xbf", b""),
            (b"\xff\xfea\0\r\0\n\0b\0", b"a\nb\n"),
            (b"a\xef\xbb\xbf\n", b"a\xef\xbb\xbf\n"),
            (b"a\rb\r\r\nc\r", b"a\nb\n\nc\n"),
            (b"\r", b"\n"),
            (b"a\n\nb", b"a\n\nb\n"),
            (b"\r\n\r\na", b"\n\na\n"),
            (b"a\n\r\n", b"a\n\n"),
            (b"", b""),
        ] {
            for chunk in 1..6 {
                for room in 1..6 {
                    let mut plain = PlainText::new(Chunks(text, chunk), None);
                    let mut found: Vec<u8> = Vec::new();
                    let mut buffer = vec![0; room];
                    loop {
                        let length = plain.read(&mut buffer).unwrap();
                        if length == 0 {
                            break;
                        }
                        found.extend(&buffer[..length]);
                    }
                    assert_eq!(found, expected, "chunks of {chunk}, room for {room}");
                }
            }
        }
    }

    #[test]
    fn a_text_without_a_line_end_is_refused() {
        let mut lines = Lines::new(PlainText::new(io::repeat(b'a'), None));
        assert!(lines.next().unwrap_err().to_string().starts_with("line 1 "));
    }
}
