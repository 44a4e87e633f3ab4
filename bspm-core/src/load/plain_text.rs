//! Text without what different systems put around it.

use std::io::{self, Cursor, Read};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Passes text on without a byte order mark and with a line feed for every carriage
/// return and line feed, and counts its quotes.
pub(super) struct PlainText<R> {
    /// The first bytes of the text, once they are known.
    start: Option<Cursor<Vec<u8>>>,
    rest: R,
    /// A carriage return was read and is passed on unless a line feed follows.
    holds_carriage_return: bool,
    has_open_quote: bool,
}

impl<R: Read> PlainText<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            start: None,
            rest: reader,
            holds_carriage_return: false,
            has_open_quote: false,
        }
    }

    /// Whether the quotes so far are odd in number: in a whole table each has its twin.
    pub(super) fn has_open_quote(&self) -> bool {
        self.has_open_quote
    }

    /// Reads what follows the byte order mark.
    fn read_marked(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let start = match &mut self.start {
            Some(start) => start,
            none => {
                let mut start = Vec::new();
                let length = BYTE_ORDER_MARK.len() as u64;
                (&mut self.rest).take(length).read_to_end(&mut start)?;
                if start == BYTE_ORDER_MARK {
                    start.clear();
                }
                none.insert(Cursor::new(start))
            }
        };
        match start.read(buffer)? {
            0 => self.rest.read(buffer),
            length => Ok(length),
        }
    }
}

impl<R: Read> Read for PlainText<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            // Room for the carriage return that is held.
            let held = usize::from(self.holds_carriage_return);
            if buffer.len() <= held {
                buffer.fill(b'\r');
                self.holds_carriage_return = false;
                return Ok(buffer.len());
            }
            let length = self.read_marked(&mut buffer[held..])?;
            if length == 0 {
                buffer[..held].fill(b'\r');
                self.holds_carriage_return = false;
                return Ok(held);
            }
            let mut written = 0;
            for place in held..held + length {
                let byte = buffer[place];
                if self.holds_carriage_return && byte != b'\n' {
                    buffer[written] = b'\r';
                    written += 1;
                }
                self.holds_carriage_return = byte == b'\r';
                if !self.holds_carriage_return {
                    self.has_open_quote ^= byte == b'"';
                    buffer[written] = byte;
                    written += 1;
                }
            }
            if written > 0 {
                return Ok(written);
            }
        }
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
            self.0[..length]
                .as_ref()
                .read(buffer)
                .inspect(|&read| self.0 = &self.0[read..])
        }
    }

    #[test]
    fn marks_and_carriage_returns_go_however_the_text_is_cut() {
        for (text, expected) in [
            (&b"\xef\xbb\xbfa\r\nb\r\n"[..], &b"a\nb\n"[..]),
            (b"\xef\xbb\xbf", b""),
            (b"\xef\xbbx", b"\xef\xbbx"),
            (b"a\xef\xbb\xbf", b"a\xef\xbb\xbf"),
            (b"a\rb\r\r\nc\r", b"a\rb\r\nc\r"),
            (b"\r", b"\r"),
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
