//! Text without what different systems put around it.

use std::io::{self, BufRead, BufReader, Read};

use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};

/// Passes text on without a byte order mark, UTF-16 with one as UTF-8, and with every line, the
/// last one too, ended by a line feed; and counts its quotes.
pub(super) struct PlainText<R> {
    reader: BufReader<DecodeReaderBytes<R, Vec<u8>>>,
    /// The last byte taken; a line feed at the start.
    last: u8,
    has_open_quote: bool,
}

impl<R: Read> PlainText<R> {
    pub(super) fn new(rest: R) -> Self {
        // Bytes that are no UTF-8 are left to the errors that name them.
        let decoded = DecodeReaderBytesBuilder::new()
            .strip_bom(true)
            .utf8_passthru(true)
            .build(rest);
        Self {
            reader: BufReader::with_capacity(1 << 16, decoded),
            last: b'\n',
            has_open_quote: false,
        }
    }

    /// Whether the quotes so far are odd in number: in a whole table each has its twin.
    pub(super) fn has_open_quote(&self) -> bool {
        self.has_open_quote
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
                let byte = chunk[taken];
                taken += 1;
                let is_second_half = byte == b'\n' && self.last == b'\r';
                self.last = byte;
                if !is_second_half {
                    self.has_open_quote ^= byte == b'"';
                    buffer[written] = if byte == b'\r' { b'\n' } else { byte };
                    written += 1;
                }
            }
            self.reader.consume(taken);
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives out a few bytes at a time.
    struct Chunks<'a>(&'a [u8], usize);

    impl Read for Chunks<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(self.0.len());
            let mut chunk = &self.0[..length];
            chunk.read(buffer).inspect(|&read| self.0 = &self.0[read..])
        }
    }

    #[test]
    fn marks_go_and_lines_end_in_line_feeds_however_the_text_is_cut() {
        for (text, expected) in [
            (&b"\xef\xbb\xbfa\r\nb\r\n"[..], &b"a\nb\n"[..]),
            (b"\xef\xbb\xbf", b""),
            (b"\xef\xbbx", b"\xef\xbbx\n"),
            (b"\xff\xfea\0\r\0\n\0b\0", b"a\nb\n"),
            (b"\xfe\xff\0a\0\n", b"a\n"),
            (b"a\xef\xbb\xbf\n", b"a\xef\xbb\xbf\n"),
            (b"a\rb\r\r\nc\r", b"a\nb\n\nc\n"),
            (b"\r", b"\n"),
            (b"a\n\nb", b"a\n\nb\n"),
            (b"", b""),
        ] {
            for chunk in 1..6 {
                for room in 1..6 {
                    let mut plain = PlainText::new(Chunks(text, chunk));
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
    fn open_quotes_are_seen() {
        for (text, is_open) in [("a\"b\"", false), ("\"", true), ("\"\r\n\"\"", true)] {
            let mut plain = PlainText::new(text.as_bytes());
            io::copy(&mut plain, &mut io::sink()).unwrap();
            assert_eq!(plain.has_open_quote(), is_open, "{text:?}");
        }
    }
}
