//! Splits JSON text into its objects: one object per line, objects of several lines, or the elements of an array.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::mem;
use std::path::Path;

use super::file::open_text;
use super::options::TableOptions;
use super::plain_text::{LONGEST_RECORD, PlainText, without_mark};
use crate::error::{Error, Result};

/// A reader of the objects of JSON text.
///
/// A text that starts with `[` is an array; its elements may have several lines or share a line, and the commas
/// between them are not checked. A text whose first line is only `{` has objects of several lines, one after the
/// other. Any other text has one object per line.
pub struct JsonRecords<R> {
    reader: BufReader<PlainText<R>>,
    layout: Layout,
    record: Vec<u8>,
    /// The line on which the record starts, from 1.
    line: u64,
    /// The line of the next byte, from 1.
    next_line: u64,
    is_repeated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Layout {
    /// Nothing has been read except blanks.
    Unknown,
    /// The first line starts with `{`.
    Opened,
    /// One object per line.
    Lines,
    /// Objects of several lines.
    Spread,
    /// The elements of an array.
    Array,
    /// The array has ended.
    Ended,
}

/// The end of a value in a text.
#[derive(Default)]
struct Nesting {
    depth: usize,
    is_text: bool,
    is_escaped: bool,
}

impl Nesting {
    /// Adds a byte of a value, and returns whether the value ends with it. Numbers and names end before the next
    /// separator instead.
    fn ends_with(&mut self, byte: u8) -> bool {
        if self.is_text {
            let is_quote = byte == b'"' && !self.is_escaped;
            self.is_escaped = byte == b'\\' && !self.is_escaped;
            self.is_text = !is_quote;
            return is_quote && self.depth == 0;
        }
        match byte {
            b'"' => self.is_text = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }

    fn is_open(&self) -> bool {
        self.is_text || self.depth > 0
    }
}

fn is_separator(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == b','
}

impl JsonRecords<Box<dyn Read>> {
    /// Opens a file. Only the encoding of the options is used.
    pub fn open(path: &Path, options: &TableOptions) -> Result<Self> {
        Self::new(open_text(path)?, options)
    }
}

impl<R: Read> JsonRecords<R> {
    pub(super) fn new(reader: R, options: &TableOptions) -> Result<Self> {
        let text = PlainText::new(reader, options.text_encoding()?);
        Ok(Self {
            reader: BufReader::with_capacity(1 << 16, text),
            layout: Layout::Unknown,
            record: Vec::new(),
            line: 1,
            next_line: 1,
            is_repeated: false,
        })
    }

    /// Makes [`next`](Self::next) return the last record again.
    pub(super) fn repeat(&mut self) {
        self.is_repeated = true;
    }

    /// Returns the next record that is not blank, and the line on which it starts; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] also for a record of more than 64 MiB, for one that has no end, for an array that has no end,
    /// and for text after the array.
    pub fn next(&mut self, path: &Path) -> Result<Option<(u64, &[u8])>> {
        if !mem::take(&mut self.is_repeated) {
            self.read().map_err(|source| Error::Read {
                path: path.into(),
                source,
            })?;
        }
        // A file that follows another one in the same file may start with a byte order mark.
        let record = without_mark(self.record.trim_ascii());
        Ok((!record.is_empty()).then_some((self.line, record)))
    }

    /// Reads the next record; an empty one at the end.
    fn read(&mut self) -> io::Result<()> {
        self.record.clear();
        if self.layout != Layout::Lines {
            self.read_value()?;
        }
        while self.layout == Layout::Lines && self.record.trim_ascii().is_empty() {
            self.record.clear();
            self.line = self.next_line;
            if self.read_rest_of_line()? == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Reads the rest of the line into the record, and returns its number of bytes.
    fn read_rest_of_line(&mut self) -> io::Result<usize> {
        let most = LONGEST_RECORD as u64 + 1;
        let length = (&mut self.reader)
            .take(most)
            .read_until(b'\n', &mut self.record)?;
        if length as u64 == most {
            return Err(too_long(self.line));
        }
        self.next_line += 1;
        Ok(length)
    }

    /// Reads the next value of a text that has not one object per line. If its first line shows that it has, reads
    /// this line.
    fn read_value(&mut self) -> io::Result<()> {
        self.skip_to_value()?;
        self.line = self.next_line;
        let mut nesting = Nesting::default();
        while let Some(byte) = self.peek()? {
            if self.layout == Layout::Opened
                && !self.record.is_empty()
                && !matches!(byte, b' ' | b'\t')
            {
                self.layout = match byte {
                    b'\n' => Layout::Spread,
                    _ => Layout::Lines,
                };
            }
            if self.layout == Layout::Lines {
                return self.read_rest_of_line().map(|_| ());
            }
            if !nesting.is_open() && (is_separator(byte) || byte == b']') {
                return Ok(());
            }
            self.skip(byte);
            self.record.push(byte);
            if nesting.ends_with(byte) {
                return Ok(());
            }
            if self.record.len() > LONGEST_RECORD {
                return Err(too_long(self.line));
            }
        }
        self.check_end(&nesting)
    }

    /// Skips the text between two values, and recognises the layout.
    fn skip_to_value(&mut self) -> io::Result<()> {
        while let Some(byte) = self.peek()? {
            self.layout = match (self.layout, byte) {
                (Layout::Unknown, b'[') => Layout::Array,
                (Layout::Array, b']') => Layout::Ended,
                (layout, byte)
                    if is_separator(byte) && (layout, byte) != (Layout::Unknown, b',') =>
                {
                    layout
                }
                (Layout::Unknown, b'{') => {
                    self.layout = Layout::Opened;
                    break;
                }
                (Layout::Unknown, _) => {
                    self.layout = Layout::Lines;
                    break;
                }
                (Layout::Ended, _) => return Err(after_the_array(self.next_line)),
                (Layout::Spread, b']') => return Err(without_start(self.next_line)),
                _ => break,
            };
            self.skip(byte);
        }
        Ok(())
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.reader.fill_buf()?.first().copied())
    }

    /// Skips a byte that [`peek`](Self::peek) returned.
    fn skip(&mut self, byte: u8) {
        self.next_line += u64::from(byte == b'\n');
        self.reader.consume(1);
    }

    /// Checks that nothing is open at the end of the text.
    fn check_end(&self, nesting: &Nesting) -> io::Result<()> {
        let missing = match self.layout {
            Layout::Spread | Layout::Array if nesting.is_open() => {
                format!("the object that starts in line {} has no end", self.line)
            }
            Layout::Array => "the array has no end; is the file complete?".into(),
            _ => return Ok(()),
        };
        Err(io::Error::new(io::ErrorKind::UnexpectedEof, missing))
    }
}

fn after_the_array(line: u64) -> io::Error {
    invalid(format!(
        "line {line} has text after the end of the array; a file has one array, or one object per line"
    ))
}

fn without_start(line: u64) -> io::Error {
    invalid(format!(
        "line {line} has the end of an array, but the file has no start of one"
    ))
}

fn too_long(line: u64) -> io::Error {
    invalid(format!(
        "the object that starts in line {line} has more than {LONGEST_RECORD} bytes; if the rows are in an inner array, \
         convert it to one object per line"
    ))
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

impl<R> fmt::Debug for JsonRecords<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = out.debug_struct("JsonRecords");
        text.field("layout", &self.layout)
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a byte at a time.
    struct Bytes<'a>(&'a [u8]);

    impl Read for Bytes<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.0.len().min(1);
            self.0
                .take(length as u64)
                .read(buffer)
                .inspect(|&read| self.0 = &self.0[read..])
        }
    }

    fn records(text: &str) -> std::result::Result<Vec<(u64, String)>, String> {
        let path = Path::new("a.json");
        let mut records =
            JsonRecords::new(Bytes(text.as_bytes()), &TableOptions::default()).unwrap();
        let mut found = Vec::new();
        loop {
            match records.next(path) {
                Ok(Some((line, record))) => {
                    found.push((line, String::from_utf8(record.to_vec()).unwrap()));
                }
                Ok(None) => return Ok(found),
                Err(Error::Read { source, .. }) => return Err(source.to_string()),
                Err(error) => panic!("{error}"),
            }
        }
    }

    #[test]
    fn each_layout_is_split_into_its_objects() {
        for (text, expected) in [
            ("", &[][..]),
            (" \n\n", &[]),
            ("[]", &[]),
            ("\u{feff}[ ]\n", &[]),
            (
                "{\"a\":1}\n\n{\"a\":2}",
                &[(1, "{\"a\":1}"), (3, "{\"a\":2}")],
            ),
            ("\n{\"a\":\nx", &[(2, "{\"a\":"), (3, "x")]),
            ("{}\n{", &[(1, "{}"), (2, "{")]),
            ("x\n{}", &[(1, "x"), (2, "{}")]),
            (",{}\n{}", &[(1, ",{}"), (2, "{}")]),
            (
                "[{\"a\":[1]},{\"b\":\"]},{\"}]",
                &[(1, "{\"a\":[1]}"), (1, "{\"b\":\"]},{\"}")],
            ),
            (
                "[\n {\n\"a\": \"\\\"\"},\n\n{}\n]\n",
                &[(2, "{\n\"a\": \"\\\"\"}"), (5, "{}")],
            ),
            ("[1, \"a,b\" ,[2]]", &[(1, "1"), (1, "\"a,b\""), (1, "[2]")]),
            (
                "{ \n\"a\": {}\n}\n{\n}\n",
                &[(1, "{ \n\"a\": {}\n}"), (4, "{\n}")],
            ),
        ] {
            let expected: Vec<_> = expected
                .iter()
                .map(|(line, it)| (*line, (*it).to_owned()))
                .collect();
            assert_eq!(records(text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn text_without_an_end_is_an_error() {
        for (text, expected) in [
            ("[{}", "the array has no end; is the file complete?"),
            (
                "[{},\n{\"a\": [",
                "the object that starts in line 2 has no end",
            ),
            (
                "{\n\"a\": 1\n",
                "the object that starts in line 1 has no end",
            ),
            ("[{}]\n{}", "line 2 has text after the end of the array"),
            ("[{}]]", "line 1 has text after the end of the array"),
            ("{\n},\n{\n}\n]", "line 5 has the end of an array"),
            ("{\n\"a\":2}]{}", "line 2 has the end of an array"),
        ] {
            let error = records(text).unwrap_err();
            assert!(error.starts_with(expected), "{text:?}: {error}");
        }
    }
}
