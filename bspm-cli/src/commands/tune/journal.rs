//! A file of trials: a header that identifies the search, then one line per trial.

use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bspm::Interactions;
use bspm::tune::{Trial, TuneOptions};

use crate::commands::fingerprint::Fingerprint;

/// An open file of trials.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Opens or creates the file, and returns the trials in it. Removes an incomplete last line.
    pub(super) fn open(
        path: &Path,
        train: &Interactions,
        held_out: &Interactions,
        options: &TuneOptions,
    ) -> Result<(Self, Vec<Trial>), Box<dyn Error>> {
        let failed = |error: io::Error| format!("cannot open {}: {error}", path.display());
        let mut key = Fingerprint::default();
        key.add_matrix(train);
        key.add_matrix(held_out);
        key.add_json(&(
            &options.metric,
            options.k,
            options.popularity_penalty,
            options.seed,
            &options.filters,
        ))?;
        let header = format!("{{\"bspm_tune\":\"{key}\"}}\n");
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed(error).into()),
        };
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        // A file that ends within its first line must be a prefix of this header.
        let is_begun = whole.is_empty() && header.starts_with(&text);
        if !is_begun && !whole.starts_with(&header) {
            return Err(format!(
                "{}: expected trials of a search with the same data and options, found others; hint: use \
                 another file for --checkpoint",
                path.display()
            )
            .into());
        }
        let trials = whole.lines().enumerate().skip(1).map(|(line, text)| {
            serde_json::from_str(text)
                .map_err(|error| format!("{}:{}: {error}", path.display(), line + 1).into())
        });
        let trials = trials.collect::<Result<Vec<Trial>, Box<dyn Error>>>()?;
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .and_then(|file| file.set_len(whole.len() as u64).map(|()| file))
            .map_err(failed)?;
        let mut journal = Self {
            path: path.into(),
            file,
        };
        if whole.is_empty() {
            journal.write(&header)?;
        }
        Ok((journal, trials))
    }

    /// Adds a trial, and syncs the file.
    pub(super) fn add(&mut self, trial: &Trial) -> Result<(), Box<dyn Error>> {
        self.write(&format!("{}\n", serde_json::to_string(trial)?))
    }

    fn write(&mut self, text: &str) -> Result<(), Box<dyn Error>> {
        self.file
            .write_all(text.as_bytes())
            .and_then(|()| self.file.sync_data())
            .map_err(|error| format!("cannot write {}: {error}", self.path.display()).into())
    }
}
