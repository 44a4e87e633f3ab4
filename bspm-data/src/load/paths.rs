//! Files, folders of part files, and patterns.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Folders in folders, as for `year=2026/month=01/day=31`; deeper ones are taken for a loop.
const DEEPEST: usize = 16;

/// The files that paths stand for, in order: a file for itself; a folder for the part files in it
/// and in its folders, as Spark, Delta and DuckDB write them; a pattern such as `views/*.parquet` for
/// the files that match it.
///
/// In folders, names that start with `_` or `.` are passed over. Of a Delta table only the files of
/// its latest version count.
///
/// # Errors
///
/// [`Error::Read`] for a path that is not there or cannot be read; [`Error::InvalidFile`] for a folder
/// or a pattern without files, for an Iceberg table, and for a Delta table whose log has
/// checkpoints.
pub fn expand_paths(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        let path = path.as_ref();
        let text = path.to_string_lossy();
        if !path.exists() && text.contains(['*', '?', '[']) {
            let mut found = matches(path, &text)?;
            found.sort_unstable();
            for path in found {
                add(&path, &mut files)?;
            }
        } else {
            add(path, &mut files)?;
        }
    }
    Ok(files)
}

fn matches(path: &Path, pattern: &str) -> Result<Vec<PathBuf>> {
    let bad = |found: String| Error::InvalidFile {
        path: path.into(),
        expected: "a file, a folder, or a pattern that matches files".into(),
        found,
    };
    let found = glob::glob(pattern).map_err(|error| bad(error.to_string()))?;
    let mut found: Vec<PathBuf> = found
        .collect::<Result<_, _>>()
        .map_err(|error| bad(error.to_string()))?;
    // As in folders, unless the pattern asks for such names.
    if !is_hidden(path) {
        found.retain(|path| !is_hidden(path));
    }
    match found.is_empty() {
        true => Err(bad("a pattern that matches nothing".into())),
        false => Ok(found),
    }
}

fn add(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !path.is_dir() {
        files.push(path.into());
        return Ok(());
    }
    let before = files.len();
    add_folder(path, files, DEEPEST)?;
    match files.len() == before {
        true => Err(Error::InvalidFile {
            path: path.into(),
            expected: "a folder with files of interactions".into(),
            found: "none".into(),
        }),
        false => Ok(()),
    }
}

/// The part files of a folder and of the folders in it, or those of the table that it is.
fn add_folder(folder: &Path, files: &mut Vec<PathBuf>, depth: usize) -> Result<()> {
    if folder.join("metadata").is_dir() && folder.join("data").is_dir() {
        return Err(Error::InvalidFile {
            path: folder.into(),
            expected: "a folder of part files".into(),
            found:
                "an Iceberg table, whose folder holds files of older versions too: export it as \
                    Parquet"
                    .into(),
        });
    }
    if folder.join("_delta_log").is_dir() {
        files.extend(delta_files(folder)?);
        return Ok(());
    }
    if depth == 0 {
        return Err(Error::InvalidFile {
            path: folder.into(),
            expected: format!("at most {DEEPEST} folders within each other"),
            found: "more".into(),
        });
    }
    for path in entries(folder)? {
        if is_hidden(&path) {
            continue;
        }
        match path.is_dir() {
            true => add_folder(&path, files, depth - 1)?,
            false => files.push(path),
        }
    }
    Ok(())
}

/// Whether a name is that of a file beside the data, such as `_SUCCESS` or `.part-0.crc`.
fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().map(|it| it.to_string_lossy().into_owned());
    name.is_none_or(|name| name.starts_with(['_', '.']))
}

/// Refuses a file that comes twice, under whatever name: its rows would count twice.
#[derive(Default)]
pub(super) struct DistinctFiles {
    seen: HashSet<(u64, u64, PathBuf)>,
}

impl DistinctFiles {
    pub(super) fn add(&mut self, path: &Path) -> Result<()> {
        // What cannot be looked at is left to the reading.
        let Ok(metadata) = path.metadata() else {
            return Ok(());
        };
        #[cfg(unix)]
        let key = {
            use std::os::unix::fs::MetadataExt;
            (metadata.dev(), metadata.ino(), PathBuf::new())
        };
        #[cfg(not(unix))]
        let key = (0, 0, path.canonicalize().unwrap_or_else(|_| path.into()));
        if metadata.is_file() && !self.seen.insert(key) {
            return Err(Error::InvalidFile {
                path: path.into(),
                expected: "each file once".into(),
                found: "a file that is given twice, possibly through a link".into(),
            });
        }
        Ok(())
    }
}

/// The paths in a folder, sorted by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |source| Error::Read {
        path: folder.into(),
        source,
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort_unstable();
    Ok(paths)
}

/// The files of the latest version of a Delta table: those that its log adds and does not remove.
fn delta_files(table: &Path) -> Result<Vec<PathBuf>> {
    let log = table.join("_delta_log");
    let wrong = |found: String| Error::InvalidFile {
        path: log.clone(),
        expected: "the log of a Delta table from its first version on".into(),
        found,
    };
    let versions: Vec<PathBuf> = entries(&log)?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|it| it == "json"))
        .collect();
    let is_first = |path: &PathBuf| {
        let stem = path.file_stem().and_then(|it| it.to_str());
        stem.and_then(|it| it.parse::<u64>().ok()) == Some(0)
    };
    if !versions.first().is_some_and(is_first) {
        let found = "a log that starts later: export the table as Parquet";
        return Err(wrong(found.into()));
    }
    let mut files = BTreeSet::new();
    for version in versions {
        let text = std::fs::read_to_string(&version).map_err(|source| Error::Read {
            path: version.clone(),
            source,
        })?;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let action: serde_json::Value =
                serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
            let file = |kind: &str| {
                let path = action.get(kind)?.get("path")?.as_str()?;
                Some(table.join(decoded(path)))
            };
            if let Some(path) = file("add") {
                if action["add"]["deletionVector"].is_object() {
                    let found = "rows deleted in place: export the table as Parquet";
                    return Err(wrong(found.into()));
                }
                files.insert(path);
            }
            if let Some(path) = file("remove") {
                files.remove(&path);
            }
        }
    }
    Ok(files.into_iter().collect())
}

/// A path of a Delta log, which is written as in a URL.
fn decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = after
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (byte, code) {
            (b'%', Some(code)) => {
                bytes.push(code);
                rest = &after[2..];
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }

    #[test]
    fn folders_and_patterns_stand_for_their_files_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in [
            "v/month=02/b.csv",
            "v/month=01/a.csv",
            "v/_SUCCESS",
            "v/.a.crc",
        ] {
            touch(&at(name));
        }
        let both = [at("v/month=01/a.csv"), at("v/month=02/b.csv")];
        assert_eq!(expand_paths([at("v")]).unwrap(), both);
        assert_eq!(expand_paths([at("v/*/*.csv")]).unwrap(), both);
        assert_eq!(
            expand_paths([&both[1], &both[0]]).unwrap(),
            [both[1].clone(), both[0].clone()]
        );
        for (path, found) in [("w/*.csv", "matches nothing"), ("v/_x", "")] {
            let error = expand_paths([at(path)]).map(|files| files[0].exists());
            match found {
                "" => assert!(!error.unwrap()),
                found => assert!(error.unwrap_err().to_string().contains(found)),
            }
        }
        std::fs::create_dir(at("empty")).unwrap();
        assert!(expand_paths([at("empty")]).is_err());
    }

    #[test]
    fn of_a_delta_table_the_latest_version_counts() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        touch(&at("old.parquet"));
        touch(&at("day=a b/new.parquet"));
        std::fs::create_dir(at("_delta_log")).unwrap();
        let log = |version: u64, text: &str| {
            std::fs::write(at(&format!("_delta_log/{version:020}.json")), text).unwrap();
        };
        log(
            0,
            "{\"protocol\":{}}\n{\"add\":{\"path\":\"old.parquet\"}}\n",
        );
        log(
            1,
            "{\"remove\":{\"path\":\"old.parquet\"}}\n{\"add\":{\"path\":\"day=a%20b/new.parquet\"}}\n",
        );
        let files = expand_paths([folder.path()]).unwrap();
        assert_eq!(files, [at("day=a b/new.parquet")]);
        // Below another folder too.
        let outer = tempfile::tempdir().unwrap();
        let table = outer.path().join("table");
        std::fs::rename(folder.path(), &table).unwrap();
        let files = expand_paths([outer.path()]).unwrap();
        assert_eq!(files, [table.join("day=a b/new.parquet")]);
        std::fs::rename(&table, folder.path()).unwrap();
        std::fs::remove_file(at(&format!("_delta_log/{:020}.json", 0))).unwrap();
        assert!(expand_paths([folder.path()]).is_err());
    }
}
