//! From the bytes of a text in any encoding to UTF-8.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// Passes UTF-8 on as it is, without its byte order mark, and decodes other encodings.
///
/// The encoding is that of the byte order mark, else the one that is asked for, else UTF-16 if the
/// first character has a zero byte, else UTF-8. Bytes that are not UTF-8 are passed on, for the
/// errors that name their fields. Bytes that another encoding does not
/// know are an error of the kind [`io::ErrorKind::InvalidData`].
pub(super) struct Utf8<R> {
    reader: R,
    encoding: Option<&'static Encoding>,
    decoder: Option<Decoder>,
    /// Bytes that are read and not yet passed on.
    bytes: Vec<u8>,
    start: usize,
    is_started: bool,
    is_ended: bool,
    /// How many bytes were decoded, for errors.
    decoded: usize,
}

impl<R: Read> Utf8<R> {
    pub(super) fn new(reader: R, encoding: Option<&'static Encoding>) -> Self {
        Self {
            reader,
            encoding,
            decoder: None,
            bytes: Vec::new(),
            start: 0,
            is_started: false,
            is_ended: false,
            decoded: 0,
        }
    }

    /// Reads more, unless the text has ended.
    fn fill(&mut self) -> io::Result<()> {
        self.bytes.drain(..self.start);
        self.start = 0;
        let length = self.bytes.len();
        self.bytes.resize(length + (1 << 16), 0);
        let read = loop {
            match self.reader.read(&mut self.bytes[length..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.bytes
            .truncate(length + read.as_ref().map_or(0, |&read| read));
        self.is_ended = read? == 0;
        Ok(())
    }

    /// Looks for a byte order mark, and chooses the decoder.
    fn begin(&mut self) -> io::Result<()> {
        while self.bytes.len() < 3 && !self.is_ended {
            self.fill()?;
        }
        let (found, length) = match Encoding::for_bom(&self.bytes) {
            Some((encoding, length)) => (Some(encoding), length),
            None => (None, 0),
        };
        self.start = length;
        self.decoded = length;
        let guessed = || looks_like_utf16(&self.bytes);
        let encoding = found.or(self.encoding).or_else(guessed).unwrap_or(UTF_8);
        if encoding != UTF_8 {
            self.decoder = Some(encoding.new_decoder_without_bom_handling());
        }
        self.is_started = true;
        Ok(())
    }

    fn pass_on(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.start < self.bytes.len() {
            let count = (&self.bytes[self.start..]).read(buffer)?;
            self.start += count;
            return Ok(count);
        }
        self.reader.read(buffer)
    }
}

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.is_started {
            self.begin()?;
        }
        // A character may need four bytes of UTF-8.
        if buffer.len() < 4 && self.decoder.is_some() && !buffer.is_empty() {
            let text = "a buffer of at least four bytes is needed";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        loop {
            let is_last = self.is_ended;
            let Some(decoder) = &mut self.decoder else {
                return self.pass_on(buffer);
            };
            let rest = &self.bytes[self.start..];
            let (result, read, written) =
                decoder.decode_to_utf8_without_replacement(rest, buffer, is_last);
            self.start += read;
            self.decoded += read;
            match result {
                DecoderResult::Malformed(..) => {
                    let name = decoder.encoding().name();
                    let text = format!("malformed {name} before byte {}", self.decoded);
                    return Err(io::Error::new(io::ErrorKind::InvalidData, text));
                }
                _ if written > 0 || buffer.is_empty() => return Ok(written),
                DecoderResult::OutputFull => return Ok(0),
                DecoderResult::InputEmpty if is_last => return Ok(0),
                DecoderResult::InputEmpty => self.fill()?,
            }
        }
    }
}

/// UTF-16 without a byte order mark: one half of its first character is zero.
fn looks_like_utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [0, byte, ..] if *byte != 0 => Some(UTF_16BE),
        [byte, 0, ..] if *byte != 0 => Some(UTF_16LE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], encoding: Option<&str>) -> io::Result<Vec<u8>> {
        let encoding = encoding.and_then(|label| Encoding::for_label(label.as_bytes()));
        let mut text = Vec::new();
        Utf8::new(bytes, encoding)
            .read_to_end(&mut text)
            .map(|_| text)
    }

    #[test]
    fn encodings_are_decoded_and_marks_dropped() {
        for (bytes, encoding, expected) in [
            (&b"\xef\xbb\xbfa\n"[..], None, &b"a\n"[..]),
            (b"\xef\xbb\xbf", None, b""),
            (b"\xef\xbbx", None, b"\xef\xbbx"),
            (b"\xff\xfea\0\n\0", None, b"a\n"),
            (b"\xfe\xff\0a\0\n", None, b"a\n"),
            (b"a\0\n\0", None, b"a\n"),
            (b"\0a\0\n", None, b"a\n"),
            (b"caf\xe9", Some("latin1"), "café".as_bytes()),
            (b"caf\xe9", None, b"caf\xe9"),
            (b"a", None, b"a"),
            (b"", None, b""),
        ] {
            assert_eq!(decoded(bytes, encoding).unwrap(), expected, "{bytes:?}");
        }
    }

    #[test]
    fn half_a_surrogate_pair_is_an_error_and_not_another_id() {
        for bytes in [
            &b"\xff\xfea\0\x00\xd8b\0"[..],
            b"\xff\xfea\0\x00\xdc",
            b"\xff\xfea\0b",
        ] {
            let error = decoded(bytes, None).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{bytes:?}");
        }
    }
}
