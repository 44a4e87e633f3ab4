//! Checkpoint files of a sweep.

use std::error::Error;
use std::io;
use std::path::Path;

use bspm::sweep::SweepState;
use bspm::{BspmConfig, Interactions};
use serde::{Deserialize, Serialize};

use crate::commands::fingerprint::Fingerprint;
use crate::output::write_file;

/// The state of a sweep, and a key that identifies the sweep.
#[derive(Serialize, Deserialize)]
pub(super) struct Checkpoint {
    key: String,
    state: SweepState,
}

impl Checkpoint {
    /// Returns a hash of the data, the settings and the cut-offs of a sweep.
    pub(super) fn key(
        train: &Interactions,
        held_out: &Interactions,
        configs: &[BspmConfig],
        cutoffs: &[usize],
    ) -> serde_json::Result<String> {
        let mut key = Fingerprint::default();
        key.add_matrix(train);
        key.add_matrix(held_out);
        key.add_json(&(configs, cutoffs))?;
        Ok(key.to_string())
    }

    /// Reads the state from the file; `None` if the file does not exist.
    pub(super) fn read(path: &Path, key: &str) -> Result<Option<SweepState>, Box<dyn Error>> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("cannot read {}: {error}", path.display()).into()),
        };
        let checkpoint: Self = serde_json::from_str(&text).map_err(|error| {
            format!(
                "{}: expected a checkpoint of a sweep, found another file: {error}",
                path.display()
            )
        })?;
        if checkpoint.key != key {
            return Err(format!(
                "{}: expected a checkpoint of this sweep, found one of other data, settings or \
                 cut-offs; hint: use another file for --checkpoint",
                path.display()
            )
            .into());
        }
        Ok(Some(checkpoint.state))
    }

    /// Replaces the file atomically.
    pub(super) fn write(path: &Path, key: &str, state: &SweepState) -> Result<(), Box<dyn Error>> {
        let checkpoint = Self {
            key: key.to_owned(),
            state: state.clone(),
        };
        let text = serde_json::to_vec(&checkpoint)?;
        Ok(write_file(path, &text)?)
    }
}
