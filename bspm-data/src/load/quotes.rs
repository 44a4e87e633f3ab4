//! Checks quotes in tables: a quoted field must end before a delimiter or a line end, and must not
//! enclose several records.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memrchr};

use super::plain_text::{LONGEST_RECORD, too_long};

/// How `"` is read in a text table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Quoting {
    /// A field may be quoted, and a quote within it is doubled (RFC 4180). A quoted field that
    /// spans several lines that look like records is an error, because the quote is most likely part
    /// of a name.
    #[default]
    Checked,
    /// Like `Checked`, but quoted fields may span lines that look like records.
    Trusted,
    /// Like `Trusted`, with quotes within a field escaped by a backslash, as written by Spark and MySQL.
    Backslash,
    /// Quotes are ordinary characters.
    Off,
}

crate::names! {
    Quoting("quoting"):
    Checked = "checked",
    Trusted = "trusted",
    Backslash = "backslash",
    Off = "off",
}

/// An error in the quotes of a record; the source of an [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {problem}")]
pub(super) struct QuoteError {
    /// The line on which the quote opens, from 1.
    pub(super) line: u64,
    pub(super) problem: &'static str,
}

const UNCLOSED: &str = "the quoted field that starts on this line is never closed";
const FOLLOWED: &str = "text follows the closing quote of the field that starts on this line";
const SWALLOWS: &str =
    "the quoted field that starts on this line spans several lines that look like records";

/// Describes a line whose quoted fields have another delimiter than the format.
fn separated_by(delimiter: u8) -> Option<&'static str> {
    Some(match delimiter {
        b';' => "the quoted fields of this line are separated by semicolons",
        b',' => "the quoted fields of this line are separated by commas",
        b'\t' => "the quoted fields of this line are separated by tabs",
        b'|' => "the quoted fields of this line are separated by vertical bars",
        _ => return None,
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    RecordStart,
    FieldStart,
    Unquoted,
    Quoted,
    /// After a backslash within quotes.
    Escaped,
    /// After a quote within quotes, which closes the field or is the first of two.
    Closing,
    Comment,
}

/// Counts of the lines of a record that are not empty.
#[derive(Default)]
struct SpannedLines {
    are_several: bool,
    count: usize,
    /// The number of lines with as many delimiters as a record.
    full: usize,
    is_first_full: bool,
    is_last_full: bool,
}

impl SpannedLines {
    fn see(&mut self, is_full: bool) {
        self.is_first_full |= is_full && self.count == 0;
        self.is_last_full = is_full;
        self.count += 1;
        self.full += usize::from(is_full);
    }

    /// Whether several lines look like records: the first, the last and at least half of them, or one of these
    /// two and at least two thirds.
    fn look_like_records(&self) -> bool {
        let both = self.is_first_full && self.is_last_full && self.full * 2 >= self.count;
        let one = (self.is_first_full || self.is_last_full) && self.full * 3 >= self.count * 2;
        self.are_several && (both || one && self.full >= 2)
    }
}

/// A reader that normalizes the line ends of a table and checks its quotes.
pub(super) struct CheckedQuotes<R> {
    reader: R,
    quoting: Quoting,
    delimiter: u8,
    comment: Option<u8>,
    state: State,
    line: u64,
    /// The line on which the last quoted field starts.
    opened: u64,
    /// The numbers of bytes of the record so far, and of its last line.
    length: usize,
    line_length: usize,
    /// The number of delimiters on the line so far, including those within quotes.
    delimiters: usize,
    /// The number of delimiters outside quotes, until the first record is complete.
    first: usize,
    /// The number of delimiters of a record.
    expected: Option<usize>,
    /// The lines of a record that spans several lines.
    lines: SpannedLines,
}

impl<R: Read> CheckedQuotes<R> {
    pub(super) fn new(
        reader: R,
        quoting: Quoting,
        delimiter: u8,
        comment: Option<u8>,
        columns: Option<usize>,
    ) -> Self {
        Self {
            reader,
            quoting,
            delimiter,
            comment,
            state: State::RecordStart,
            line: 1,
            opened: 1,
            length: 0,
            line_length: 0,
            delimiters: 0,
            first: 0,
            expected: columns.map(|columns| columns.saturating_sub(1)),
            lines: SpannedLines::default(),
        }
    }

    fn check(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            // In a record that spans several lines, each line is examined completely.
            let is_within = self.lines.are_several
                || matches!(self.state, State::Quoted | State::Escaped | State::Closing);
            let plain = match self.quoting {
                _ if is_within || self.expected.is_none() => 0,
                Quoting::Off => rest.len(),
                _ => memchr(b'"', rest).unwrap_or(rest.len()),
            };
            // Up to the line of the next quote, only lines are counted.
            let plain = match plain == rest.len() {
                true => plain,
                false => memrchr(b'\n', &rest[..plain]).map_or(0, |place| place + 1),
            };
            self.skip(&rest[..plain])?;
            rest = &rest[plain..];
            let line = memchr(b'\n', rest).map_or(rest.len(), |place| place + 1);
            self.grow(line)?;
            self.line_length += line;
            for &byte in &rest[..line] {
                self.push(byte)?;
            }
            rest = &rest[line..];
        }
        Ok(())
    }

    /// Skips bytes without quotes, outside quoted fields.
    fn skip(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(&last) = bytes.last() else {
            return Ok(());
        };
        let tail = match memrchr(b'\n', bytes) {
            Some(place) => {
                self.line += memchr_iter(b'\n', bytes).count() as u64;
                self.end_record();
                &bytes[place + 1..]
            }
            None => bytes,
        };
        let Some(&first) = tail.first() else {
            return Ok(());
        };
        if self.state == State::RecordStart && Some(first) == self.comment {
            self.state = State::Comment;
        }
        self.line_length += tail.len();
        if self.state != State::Comment {
            self.delimiters += memchr_iter(self.delimiter, tail).count();
            self.state = match last == self.delimiter {
                true => State::FieldStart,
                false => State::Unquoted,
            };
        }
        self.grow(tail.len())
    }

    fn grow(&mut self, bytes: usize) -> io::Result<()> {
        self.length += bytes;
        match self.length > LONGEST_RECORD {
            true => Err(too_long(self.line)),
            false => Ok(()),
        }
    }

    fn end_record(&mut self) {
        self.state = State::RecordStart;
        self.length = 0;
        self.line_length = 0;
        self.delimiters = 0;
        self.lines = SpannedLines::default();
    }

    fn fault(&self, problem: &'static str) -> io::Error {
        let line = self.opened;
        io::Error::new(io::ErrorKind::InvalidData, QuoteError { line, problem })
    }

    fn push(&mut self, byte: u8) -> io::Result<()> {
        if byte == b'\n' {
            return self.end_line();
        }
        let is_delimiter = byte == self.delimiter;
        let is_quote = byte == b'"' && self.quoting != Quoting::Off;
        self.delimiters += usize::from(is_delimiter);
        self.state = match self.state {
            State::Comment => State::Comment,
            State::RecordStart if Some(byte) == self.comment => State::Comment,
            State::Quoted if is_quote => State::Closing,
            State::Quoted if byte == b'\\' && self.quoting == Quoting::Backslash => State::Escaped,
            State::Quoted | State::Escaped => State::Quoted,
            State::Closing if is_quote => State::Quoted,
            State::Closing if !is_delimiter => {
                let has_no_delimiter =
                    self.first == 0 && (self.line == 1 || self.expected == Some(0));
                let other = has_no_delimiter.then(|| separated_by(byte)).flatten();
                return Err(self.fault(other.unwrap_or(FOLLOWED)));
            }
            State::RecordStart | State::FieldStart if is_quote => {
                self.opened = self.line;
                State::Quoted
            }
            _ if is_delimiter => {
                self.first += 1;
                State::FieldStart
            }
            _ => State::Unquoted,
        };
        Ok(())
    }

    fn end_line(&mut self) -> io::Result<()> {
        self.line += 1;
        // The length includes the line feed.
        let is_empty = self.delimiters == 0 && self.line_length <= 1;
        let has_all = self.delimiters > 0 && Some(self.delimiters) == self.expected;
        if !is_empty {
            self.lines.see(has_all);
        }
        self.delimiters = 0;
        self.line_length = 0;
        match self.state {
            State::Quoted | State::Escaped => {
                self.state = State::Quoted;
                self.lines.are_several = true;
                return Ok(());
            }
            State::RecordStart | State::Comment => {}
            _ => {
                self.expected.get_or_insert(self.first);
            }
        }
        if self.quoting == Quoting::Checked && self.lines.look_like_records() {
            return Err(self.fault(SWALLOWS));
        }
        self.end_record();
        Ok(())
    }
}

impl<R: Read> Read for CheckedQuotes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.check(&buffer[..length])?;
        if length == 0 && !buffer.is_empty() && matches!(self.state, State::Quoted | State::Escaped)
        {
            return Err(self.fault(UNCLOSED));
        }
        Ok(length)
    }
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

    fn found(text: &str, quoting: Quoting) -> Vec<Option<(u64, &'static str)>> {
        [1, 2, 7, 4096]
            .map(|chunk| {
                let text = Chunks(text.as_bytes(), chunk);
                let mut checked = CheckedQuotes::new(text, quoting, b',', Some(b'#'), None);
                let error = io::copy(&mut checked, &mut io::sink()).err()?;
                let error = error.into_inner()?.downcast::<QuoteError>().ok()?;
                Some((error.line, error.problem))
            })
            .to_vec()
    }

    #[test]
    fn quotes_that_swallow_records_are_found_where_they_open() {
        use Quoting::{Backslash, Checked, Off, Trusted};
        for (text, quoting, expected) in [
            ("a,b\n1,\"x\"\n", Checked, None),
            ("a,b\n1,\"x \"\"y\"\"\"\n", Checked, None),
            ("a,b\n1,x \"y\n2,z\"\n", Checked, None),
            ("a,b\n1,\"x\n2,y\n", Checked, Some((2, UNCLOSED))),
            ("a,b\n1,\"x\n2,y\n", Off, None),
            ("a,b\n1,\"x\n2,\"y\n", Checked, Some((2, FOLLOWED))),
            ("a,b\n1,\"x\n2,\"y\n", Trusted, Some((2, FOLLOWED))),
            ("a,b\n1,\"x\n2,y\"\n", Checked, Some((2, SWALLOWS))),
            (
                "a,b\n1,\"x\n\n2,y\n3\n4,z\"\n",
                Checked,
                Some((2, SWALLOWS)),
            ),
            ("a,b,c\n1,\"x,1\n2,y\",2\n", Checked, Some((2, SWALLOWS))),
            (
                "a,b,c\n1,\"x, y,1\n2,y,2\n3,z\",3\n",
                Checked,
                Some((2, SWALLOWS)),
            ),
            ("a,b,c\n1,\"x, y,\nand, z\",3\n", Checked, None),
            (
                "a,b,c\n1,\"x\nand, so, on\nthe, end, of it\",3\n",
                Checked,
                None,
            ),
            (
                "\"a\";\"b\"\n",
                Checked,
                Some((1, separated_by(b';').unwrap())),
            ),
            (
                "a\tb\n\"1\"\t\"2\"\n",
                Trusted,
                Some((2, separated_by(b'\t').unwrap())),
            ),
            ("a,b\n1,\"x\";2\n", Checked, Some((2, FOLLOWED))),
            ("a,b\n1,\"x\n2,y\"\n", Trusted, None),
            ("a,b\n1,\"two\nlines\"\n3,x\n", Checked, None),
            ("a,b\n1,\"x \\\"y\\\"\"\n", Backslash, None),
            ("a,b\n1,\"x \\\"y\"\n", Checked, Some((2, FOLLOWED))),
            ("# \"\na,b\n# a \"b\n1,2\n", Checked, None),
            ("a,b\n\n\n1,\"x\n", Checked, Some((4, UNCLOSED))),
            ("\"a\nb\",c\n1,2\n", Checked, None),
        ] {
            for found in found(text, quoting) {
                assert_eq!(found, expected, "{text:?} with {quoting:?}");
            }
        }
    }

    #[test]
    fn a_record_without_an_end_is_refused() {
        for (text, quoting) in [
            ("a", Quoting::Checked),
            ("\"", Quoting::Trusted),
            ("a", Quoting::Off),
        ] {
            let endless = text.as_bytes().chain(io::repeat(b'x'));
            let mut checked = CheckedQuotes::new(endless, quoting, b',', None, None);
            let error = io::copy(&mut checked, &mut io::sink()).unwrap_err();
            assert!(error.to_string().contains("is not a table"), "{error}");
        }
    }
}
