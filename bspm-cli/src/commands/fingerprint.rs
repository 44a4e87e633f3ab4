//! Hashes that identify the run that a checkpoint belongs to.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use bspm::Interactions;
use serde::Serialize;
use twox_hash::XxHash3_128;

/// A hash of matrices and settings.
#[derive(Default)]
pub(super) struct Fingerprint(XxHash3_128);

impl Fingerprint {
    pub(super) fn add_matrix(&mut self, matrix: &Interactions) {
        for size in [matrix.users(), matrix.items(), matrix.len()] {
            self.0.write(&(size as u64).to_le_bytes());
        }
        for (user, item) in matrix.pairs() {
            self.0.write(&user.to_le_bytes());
            self.0.write(&item.to_le_bytes());
        }
        for weight in matrix.weights().unwrap_or_default() {
            self.0.write(&weight.to_le_bytes());
        }
    }

    /// Adds the bytes of a file and its length.
    pub(super) fn add_file(&mut self, path: &Path) -> io::Result<()> {
        let mut file = File::open(path)?;
        let mut bytes = vec![0; 1 << 20];
        let mut total = 0_u64;
        loop {
            let count = file.read(&mut bytes)?;
            if count == 0 {
                self.0.write(&total.to_le_bytes());
                return Ok(());
            }
            self.0.write(&bytes[..count]);
            total += count as u64;
        }
    }

    pub(super) fn add_json(&mut self, value: &impl Serialize) -> serde_json::Result<()> {
        self.0.write(&serde_json::to_vec(value)?);
        Ok(())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0.finish_128())
    }
}
