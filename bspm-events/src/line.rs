//! A line of a log: the JSON object of an event, whose last member is a checksum of the bytes before it.

use std::hash::{BuildHasher, Hasher};

use twox_hash::XxHash3_64;

use crate::event::Event;

/// The start of the checksum.
const CHECKSUM: &[u8] = br#","xxh3":""#;

/// The length of the checksum and of what follows it in the object.
const SUFFIX: usize = CHECKSUM.len() + 16 + 2;

/// Why a line is not an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// The line has no checksum.
    NoChecksum,
    /// The checksum differs from that of the line.
    Checksum,
    /// The bytes are as they were written, but they are not an event.
    NotAnEvent,
}

impl Damage {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::NoChecksum => "the line has no checksum",
            Self::Checksum => "checksum mismatch",
            Self::NotAnEvent => "not an event",
        }
    }
}

/// Appends an event and a line break.
pub(crate) fn encode(event: &Event, out: &mut Vec<u8>) -> serde_json::Result<()> {
    let start = out.len();
    serde_json::to_writer(&mut *out, event)?;
    out.pop();
    let checksum = XxHash3_64::oneshot(&out[start..]);
    out.extend_from_slice(CHECKSUM);
    out.extend_from_slice(format!("{checksum:016x}\"}}\n").as_bytes());
    Ok(())
}

/// Reads a line without its line break.
pub(crate) fn decode(line: &[u8]) -> Result<Event, Damage> {
    let checked = line.len().checked_sub(SUFFIX).ok_or(Damage::NoChecksum)?;
    let (event, suffix) = line.split_at(checked);
    let digits = suffix
        .strip_prefix(CHECKSUM)
        .and_then(|rest| rest.strip_suffix(b"\"}"));
    let digits = digits.ok_or(Damage::NoChecksum)?;
    let digits = std::str::from_utf8(digits).map_err(|_| Damage::Checksum)?;
    let checksum = u64::from_str_radix(digits, 16).map_err(|_| Damage::Checksum)?;
    if checksum != XxHash3_64::oneshot(event) {
        return Err(Damage::Checksum);
    }
    let object = [event, b"}"].concat();
    let event: Event = serde_json::from_slice(&object).map_err(|_| Damage::NotAnEvent)?;
    event.check().map_err(|_| Damage::NotAnEvent)?;
    Ok(event)
}

/// Hashes of the ids of events, with keys of this process, so that no client can make two ids collide.
#[derive(Debug, Default)]
pub(crate) struct IdHashes(std::hash::RandomState, std::hash::RandomState);

impl IdHashes {
    pub(crate) fn of(&self, id: &str) -> u128 {
        let hash = |state: &std::hash::RandomState| {
            let mut hasher = state.build_hasher();
            hasher.write(id.as_bytes());
            u128::from(hasher.finish())
        };
        hash(&self.0) << 64 | hash(&self.1)
    }
}
