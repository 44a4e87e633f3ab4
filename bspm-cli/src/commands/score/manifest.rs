//! The output folder: its manifest, and which parts are complete.

use std::cell::Cell;
use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bspm_args::tell;
use bspm_rules::ItemCondition;
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::commands::fingerprint::Fingerprint;
use crate::commands::parquet_file;
use crate::commands::text_rows::TextOptions;
use crate::lock::Lock;
use crate::output::write_file;

/// The manifest of an output folder: the inputs and options of its lists. Parts with different keys
/// are never mixed.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub(super) struct Key {
    format: u32,
    /// A hash of the model file.
    model: String,
    /// A hash of the table; `None` for the users of the model.
    table: Option<String>,
    part_rows: usize,
    #[serde(flatten)]
    text: TextOptions,
    #[serde(flatten)]
    lists: ListOptions,
}

/// Flags that choose the items of the lists and their form.
#[derive(Args, Clone, Debug, Serialize, Deserialize, PartialEq)]
pub(super) struct ListOptions {
    /// Number of items per list
    #[arg(short, default_value_t = 10, value_parser = count)]
    pub(super) k: usize,
    /// Write one row per item instead of one row per list
    #[arg(long)]
    pub(super) long: bool,
    /// Also recommend items of the history
    #[arg(long)]
    pub(super) keep_seen: bool,
    /// Recommend only items with a score of at least this value
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    pub(super) minimum_score: Option<f32>,
    /// Recommend only items whose row in the item table satisfies this condition in SQL syntax, such as
    /// "category = 'books' and price < 20 and in_stock"
    #[arg(long = "where", value_name = "CONDITION", value_parser = condition)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) condition: Option<String>,
    /// Ignore unknown items and give unknown users an empty history, instead of failing
    #[arg(long)]
    pub(super) skip_unknown: bool,
}

/// The maximum number of rows of a part, and of items of a list.
const LARGEST: usize = i32::MAX as usize;

pub(super) fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=LARGEST) => Ok(count),
        _ => Err(format!("expected a whole number from 1 to {LARGEST}")),
    }
}

/// Checks that a text is a condition.
fn condition(text: &str) -> bspm::Result<String> {
    text.parse::<ItemCondition>().map(|it| it.to_string())
}

impl Key {
    pub(super) fn new(
        model: &Path,
        table: Option<&Path>,
        part_rows: usize,
        text: &TextOptions,
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
            text: text.clone(),
            lists: lists.clone(),
        })
    }

    /// Describes the first difference, if there is one.
    fn difference(&self, other: &Self) -> Option<&'static str> {
        let checks = [
            (self.model == other.model, "another model"),
            (self.table == other.table, "another table"),
            (
                self.text == other.text,
                "a table that was read with another --delimiter or --encoding",
            ),
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
    key: Key,
    /// Whether the manifest exists.
    is_begun: Cell<bool>,
    /// Whether this run created the folder; it is then removed if nothing is written.
    is_new: bool,
    /// The lock of the shard, released before the folder is removed.
    lock: Option<Lock>,
}

const MANIFEST: &str = "manifest.json";

impl Output {
    /// Opens or creates the folder, and locks the shard against other processes.
    pub(super) fn open(
        folder: &Path,
        key: Key,
        index: usize,
        count: usize,
    ) -> Result<Self, Box<dyn Error>> {
        let is_new = !folder.exists();
        fs::create_dir_all(folder)
            .map_err(|error| format!("cannot write {}: {error}", folder.display()))?;
        let mut output = Self {
            folder: folder.into(),
            key,
            is_begun: Cell::new(false),
            is_new,
            lock: None,
        };
        output.lock = Some(Lock::of(&folder.join(format!("shard-{index}-of-{count}")))?);
        if !output.has_manifest()? && output.has_parts()? {
            return Err(format!(
                "{}: expected a {MANIFEST} in the folder of the part files, found none; hint: use another folder \
                 for --output",
                folder.display()
            )
            .into());
        }
        Ok(output)
    }

    /// Returns whether there is a manifest; it is an error if it belongs to other lists.
    fn has_manifest(&self) -> bspm::Result<bool> {
        let path = self.folder.join(MANIFEST);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(source) => return Err(bspm::Error::Read { path, source }),
        };
        let refused = |found: String| bspm::Error::InvalidFile {
            path: path.clone(),
            expected: "a manifest of the same model, table and options".into(),
            found: format!("{found}; hint: use another folder for --output"),
        };
        let found: Key =
            serde_json::from_slice(&text).map_err(|error| refused(error.to_string()))?;
        match found.difference(&self.key) {
            Some(difference) => Err(refused(format!("one of {difference}"))),
            None => {
                self.is_begun.set(true);
                Ok(true)
            }
        }
    }

    fn has_parts(&self) -> bspm::Result<bool> {
        let failed = |source| bspm::Error::Read {
            path: self.folder.clone(),
            source,
        };
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            if name.to_string_lossy().starts_with("part-") {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes the manifest, unless it exists already.
    pub(super) fn begin(&self) -> bspm::Result<()> {
        if self.is_begun.get() || self.has_manifest()? {
            return Ok(());
        }
        let path = self.folder.join(MANIFEST);
        let text = serde_json::to_vec_pretty(&self.key).map_err(|error| bspm::Error::Write {
            path: path.clone(),
            source: error.into(),
        })?;
        write_file(&path, &text)?;
        self.is_begun.set(true);
        Ok(())
    }

    pub(super) fn path(&self, part: usize) -> PathBuf {
        self.folder.join(name(part))
    }

    /// Returns whether a part is complete, with this number of rows if it is known.
    pub(super) fn has(&self, part: usize, rows: Option<usize>) -> bool {
        let path = self.path(part);
        let is_whole = parquet_file::is_whole(&path, rows);
        if !is_whole && path.exists() {
            tell!(
                "warning: {}: the file is damaged and is written again",
                path.display()
            );
        }
        is_whole
    }

    /// Locks a part, and removes the temporary files of interrupted runs.
    pub(super) fn lock(&self, part: usize) -> Result<Lock, Box<dyn Error>> {
        let lock = Lock::of(&self.path(part))?;
        let prefix = format!(".{}.", name(part));
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(&prefix) && name.ends_with(".partial") {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(lock)
    }

    /// Marks a shard as complete.
    pub(super) fn finish(&self, index: usize, count: usize) -> Result<(), Box<dyn Error>> {
        self.begin()?;
        self.remove_locks()?;
        let path = self.folder.join(format!("_SUCCESS-{index}-of-{count}"));
        Ok(write_file(&path, b"")?)
    }
}

impl Output {
    /// Removes the lock files of interrupted runs.
    fn remove_locks(&self) -> Result<(), Box<dyn Error>> {
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let name = name.to_string_lossy();
            let locked = name
                .strip_prefix('.')
                .and_then(|it| it.strip_suffix(".lock"));
            if let Some(part) = locked.filter(|it| it.starts_with("part-")) {
                // The lock file of a running process is kept.
                drop(Lock::of(&self.folder.join(part)));
            }
        }
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.lock = None;
        if self.is_new && !self.is_begun.get() {
            // Fails if the folder is not empty, because another shard has started.
            let _ = fs::remove_dir(&self.folder);
        }
    }
}

/// Returns whether `bspm score` writes files with this name.
pub(in crate::commands) fn is_name(name: &str) -> bool {
    name == MANIFEST || name.starts_with("part-") || name.starts_with("_SUCCESS-")
}

fn name(part: usize) -> String {
    format!("part-{part:06}.parquet")
}
