//! A line of a log: the JSON object of a record, whose last member is a checksum of the bytes before it.

use std::hash::{BuildHasher, Hasher, RandomState};

use serde::Serialize;
use serde::de::DeserializeOwned;
use twox_hash::XxHash3_64;

use crate::error::Result;

/// A record of a log: an event or a list.
pub(crate) trait Record: Serialize + DeserializeOwned {
    /// The start of the names of the files.
    const PREFIX: &'static str;

    /// Checks the values.
    fn check(&self) -> Result<()>;
}

/// The start of the checksum.
const CHECKSUM: &[u8] = br#","xxh3":""#;

/// The length of the checksum and of what follows it in the object.
const SUFFIX: usize = CHECKSUM.len() + 16 + 2;

/// Why a line is not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// The line has no checksum.
    NoChecksum,
    /// The checksum differs from that of the line.
    Checksum,
    /// The bytes are as they were written, but they are not a record.
    NotARecord,
}

impl Damage {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::NoChecksum => "the line has no checksum",
            Self::Checksum => "checksum mismatch",
            Self::NotARecord => "not a record of this log",
        }
    }
}

/// Appends a record and a line break.
pub(crate) fn encode(record: &impl Record, out: &mut Vec<u8>) {
    let start = out.len();
    let object = serde_json::to_vec(record);
    let object = object.expect("records have string keys, and numbers that check() found finite");
    out.extend_from_slice(&object[..object.len() - 1]);
    let checksum = XxHash3_64::oneshot(&out[start..]);
    out.extend_from_slice(CHECKSUM);
    out.extend_from_slice(format!("{checksum:016x}\"}}\n").as_bytes());
}

/// Reads a line without its line break.
pub(crate) fn decode<T: Record>(line: &[u8]) -> std::result::Result<T, Damage> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let checked = line.len().checked_sub(SUFFIX).ok_or(Damage::NoChecksum)?;
    let (record, suffix) = line.split_at(checked);
    let digits = suffix
        .strip_prefix(CHECKSUM)
        .and_then(|rest| rest.strip_suffix(b"\"}"));
    let digits = digits.ok_or(Damage::NoChecksum)?;
    let digits = std::str::from_utf8(digits).map_err(|_| Damage::Checksum)?;
    let checksum = u64::from_str_radix(digits, 16).map_err(|_| Damage::Checksum)?;
    if checksum != XxHash3_64::oneshot(record) {
        return Err(Damage::Checksum);
    }
    let object = [record, b"}"].concat();
    let record: T = serde_json::from_slice(&object).map_err(|_| Damage::NotARecord)?;
    record.check().map_err(|_| Damage::NotARecord)?;
    Ok(record)
}

/// Hashes of the ids of events, with keys of this process, so that no client can make two ids collide.
#[derive(Debug, Default)]
pub(crate) struct IdHashes(RandomState, RandomState);

impl IdHashes {
    pub(crate) fn of(&self, id: &str) -> u128 {
        let hash = |state: &RandomState| {
            let mut hasher = state.build_hasher();
            hasher.write(id.as_bytes());
            u128::from(hasher.finish())
        };
        hash(&self.0) << 64 | hash(&self.1)
    }
}
