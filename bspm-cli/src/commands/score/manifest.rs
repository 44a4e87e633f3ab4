//! The folder of part files: what it holds the lists of, and which parts are there.

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::commands::fingerprint::Fingerprint;
use crate::output::write_file;

/// What the lists of a folder are of; parts of different ones are never mixed.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub(super) struct Key {
    format: u32,
    /// A hash of the model file.
    model: String,
    /// A hash of the table; none for the users of the model.
    table: Option<String>,
    part_rows: usize,
    #[serde(flatten)]
    lists: ListOptions,
}

/// What the lists may hold, and their form.
#[derive(Args, Clone, Debug, Serialize, Deserialize, PartialEq)]
pub(super) struct ListOptions {
    /// Items in each list
    #[arg(short, default_value_t = 10, value_parser = at_least_one)]
    pub(super) k: usize,
    /// A row for each item of a list, in place of lists
    #[arg(long)]
    pub(super) long: bool,
    /// Recommend the items of the history too
    #[arg(long)]
    pub(super) keep_seen: bool,
    /// Recommend only items with at least this score
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    pub(super) minimum_score: Option<f32>,
    /// Pass over unknown items, and give unknown users empty lists
    #[arg(long)]
    pub(super) skip_unknown: bool,
}

pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err("expected a whole number, 1 or above".into()),
    }
}

impl Key {
    pub(super) fn new(
        model: &Path,
        table: Option<&Path>,
        part_rows: usize,
        lists: &ListOptions,
    ) -> Result<Self, Box<dyn Error>> {
        let hash = |path: &Path| -> Result<String, Box<dyn Error>> {
            let mut hash = Fingerprint::default();
            hash.add_file(path)
                .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            Ok(hash.to_string())
        };
        Ok(Self {
            format: 1,
            model: hash(model)?,
            table: table.map(hash).transpose()?,
            part_rows,
            lists: lists.clone(),
        })
    }

    /// What differs, in words.
    fn difference(&self, other: &Self) -> Option<&'static str> {
        let checks = [
            (self.model == other.model, "another model"),
            (self.table == other.table, "another table"),
            (self.part_rows == other.part_rows, "another --part-rows"),
        ];
        match checks.iter().find(|(is_same, _)| !is_same) {
            Some((_, what)) => Some(what),
            None => (self != other).then_some("other options of the lists"),
        }
    }
}

/// A folder of part files.
#[derive(Debug)]
pub(super) struct Output {
    folder: PathBuf,
}

const MANIFEST: &str = "manifest.json";

impl Output {
    /// The folder, which is made where there is none; it must be of this key if it has one.
    pub(super) fn open(folder: &Path, key: &Key) -> Result<Self, Box<dyn Error>> {
        fs::create_dir_all(folder)
            .map_err(|error| format!("cannot write {}: {error}", folder.display()))?;
        let path = folder.join(MANIFEST);
        match fs::read(&path) {
            Ok(text) => {
                let found: Key = serde_json::from_slice(&text)
                    .map_err(|error| format!("{}: no manifest: {error}", path.display()))?;
                if let Some(difference) = found.difference(key) {
                    return Err(format!(
                        "{}: the lists that are there are of {difference}; use another folder",
                        folder.display()
                    )
                    .into());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                write(&path, &serde_json::to_vec_pretty(key)?)?;
            }
            Err(error) => return Err(format!("cannot read {}: {error}", path.display()).into()),
        }
        Ok(Self {
            folder: folder.into(),
        })
    }

    pub(super) fn path(&self, part: usize) -> PathBuf {
        self.folder.join(name(part))
    }

    /// Whether a part is there, and then it is whole.
    pub(super) fn has(&self, part: usize) -> bool {
        self.path(part).exists()
    }

    /// Removes what a run that was killed has left of a part.
    pub(super) fn clear(&self, part: usize) -> io::Result<()> {
        let prefix = format!(".{}.", name(part));
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Says that all parts of a shard are there.
    pub(super) fn finish(&self, index: usize, count: usize) -> Result<(), Box<dyn Error>> {
        let path = self.folder.join(format!("_SUCCESS-{index}-of-{count}"));
        write(&path, b"")
    }
}

/// Whether a run writes files of this name.
pub(in crate::commands) fn is_name(name: &str) -> bool {
    name == MANIFEST || name.starts_with("part-") || name.starts_with("_SUCCESS-")
}

fn name(part: usize) -> String {
    format!("part-{part:06}.parquet")
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    Ok(write_file(path, bytes)?)
}
