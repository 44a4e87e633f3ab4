//! Decodes text in any encoding to UTF-8.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// A reader that decodes text to UTF-8 and removes a byte order mark.
///
/// The encoding is that of the byte order mark, else the requested one, else UTF-16 if the first
/// character has a zero byte, else UTF-8. Invalid UTF-8 is passed through, so that later errors can
/// name the field. Invalid bytes in another encoding are an error of the kind
/// [`io::ErrorKind::InvalidData`].
pub(super) struct Utf8<R> {
    reader: R,
    encoding: Option<&'static Encoding>,
    /// `None` for UTF-8, and after the end of the text.
    decoder: Option<Decoder>,
    /// Bytes that are read but not yet decoded.
    bytes: Pending,
    /// Text that is decoded but not yet returned.
    text: Pending,
    is_started: bool,
    is_ended: bool,
    /// The number of decoded bytes, for errors.
    decoded: usize,
}

/// A buffer of pending bytes.
#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    start: usize,
}

impl Pending {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    fn take(&mut self, buffer: &mut [u8]) -> usize {
        let count = self.rest().len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.rest()[..count]);
        self.start += count;
        count
    }
}

/// The number of bytes that are decoded at a time; each becomes at most three bytes of UTF-8.
const CHUNK: usize = 1 << 14;

impl<R: Read> Utf8<R> {
    pub(super) fn new(reader: R, encoding: Option<&'static Encoding>) -> Self {
        Self {
            reader,
            encoding,
            decoder: None,
            bytes: Pending::default(),
            text: Pending::default(),
            is_started: false,
            is_ended: false,
            decoded: 0,
        }
    }

    /// Reads more bytes, unless the text has ended.
    fn fill(&mut self) -> io::Result<()> {
        let Pending { bytes, start } = &mut self.bytes;
        bytes.drain(..std::mem::take(start));
        let length = bytes.len();
        bytes.resize(length + CHUNK, 0);
        let read = loop {
            match self.reader.read(&mut bytes[length..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        bytes.truncate(length + read.as_ref().map_or(0, |&read| read));
        self.is_ended = read? == 0;
        Ok(())
    }

    /// Looks for a byte order mark, and chooses the decoder.
    fn begin(&mut self) -> io::Result<()> {
        while self.bytes.rest().len() < 3 && !self.is_ended {
            self.fill()?;
        }
        let start = self.bytes.rest();
        let (found, length) = match Encoding::for_bom(start) {
            Some((encoding, length)) => (Some(encoding), length),
            None => (None, 0),
        };
        let guessed = || looks_like_utf16(start);
        let encoding = found.or(self.encoding).or_else(guessed).unwrap_or(UTF_8);
        if encoding != UTF_8 {
            self.decoder = Some(encoding.new_decoder_without_bom_handling());
        }
        self.bytes.start = length;
        self.decoded = length;
        self.is_started = true;
        Ok(())
    }

    /// Decodes the pending bytes; at the end of the text, all of them.
    fn decode(&mut self, mut decoder: Decoder) -> io::Result<()> {
        self.text.start = 0;
        self.text.bytes.resize(3 * CHUNK + 16, 0);
        let rest = self.bytes.rest();
        let (result, read, written) =
            decoder.decode_to_utf8_without_replacement(rest, &mut self.text.bytes, self.is_ended);
        self.text.bytes.truncate(written);
        self.bytes.start += read;
        self.decoded += read;
        match result {
            DecoderResult::Malformed(..) => {
                let name = decoder.encoding().name();
                let text = format!("malformed {name} before byte {}", self.decoded);
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
            DecoderResult::InputEmpty if self.is_ended => return Ok(()),
            DecoderResult::InputEmpty => self.fill()?,
            DecoderResult::OutputFull => {}
        }
        self.decoder = Some(decoder);
        Ok(())
    }
}

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.is_started {
            self.begin()?;
        }
        while self.text.rest().is_empty() {
            match self.decoder.take() {
                Some(decoder) => self.decode(decoder)?,
                None if !self.bytes.rest().is_empty() => return Ok(self.bytes.take(buffer)),
                None if self.is_ended => return Ok(0),
                None => return self.reader.read(buffer),
            }
        }
        Ok(self.text.take(buffer))
    }
}

/// Detects UTF-16 without a byte order mark: one byte of the first character is zero.
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
