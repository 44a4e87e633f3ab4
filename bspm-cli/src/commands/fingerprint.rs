//! What tells the checkpoints of one run from those of another.

use std::fmt;

use bspm::Interactions;
use serde::Serialize;
use xxhash_rust::xxh3::Xxh3;

/// A hash of matrices and settings.
#[derive(Default)]
pub(super) struct Fingerprint(Xxh3);

impl Fingerprint {
    pub(super) fn add_matrix(&mut self, matrix: &Interactions) {
        for size in [matrix.users(), matrix.items(), matrix.len()] {
            self.0.update(&(size as u64).to_le_bytes());
        }
        for (user, item) in matrix.pairs() {
            self.0.update(&user.to_le_bytes());
            self.0.update(&item.to_le_bytes());
        }
        for weight in matrix.weights().unwrap_or_default() {
            self.0.update(&weight.to_le_bytes());
        }
    }

    pub(super) fn add_json(&mut self, value: &impl Serialize) -> serde_json::Result<()> {
        self.0.update(&serde_json::to_vec(value)?);
        Ok(())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0.digest128())
    }
}
