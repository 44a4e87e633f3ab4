//! Expands files, folders of part files, and glob patterns.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The maximum depth of folders, as in `year=2026/month=01/day=31`; deeper folders are likely a loop.
const DEEPEST: usize = 16;

/// Expands paths to files, in order. A folder is replaced by the part files in it and its subfolders, as
/// written by Spark, Delta and DuckDB. A glob pattern such as `views/*.parquet` is replaced by the files
/// that match it.
///
/// In folders, names that start with `_` or `.` are ignored. Of a Delta table, only the files of the
/// latest version are returned.
///
/// # Errors
///
/// [`Error::Read`] for a path that does not exist or cannot be read; [`Error::InvalidFile`] for a folder
/// or a pattern without files, for an Iceberg or a Hudi table, and for a Delta table whose log does not start at
/// its first version.
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
        expected: "a file, a folder, or a glob pattern that matches files".into(),
        found,
    };
    let found = glob::glob(pattern).map_err(|error| bad(error.to_string()))?;
    let mut found: Vec<PathBuf> = found
        .collect::<Result<_, _>>()
        .map_err(|error| bad(error.to_string()))?;
    // As in folders, hidden names are ignored, unless the pattern itself has one.
    if !is_hidden(path) {
        found.retain(|path| !is_hidden(path));
    }
    match found.is_empty() {
        true => Err(bad("a pattern that matches no files".into())),
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
            expected: "a folder with interaction files".into(),
            found: "no files".into(),
        }),
        false => Ok(()),
    }
}

/// Adds the part files of a folder and its subfolders, or the files of the Delta table that it contains.
fn add_folder(folder: &Path, files: &mut Vec<PathBuf>, depth: usize) -> Result<()> {
    let is_iceberg = folder.join("metadata").is_dir() && folder.join("data").is_dir();
    if is_iceberg || folder.join(".hoodie").is_dir() {
        let kind = if is_iceberg { "an Iceberg" } else { "a Hudi" };
        return Err(Error::InvalidFile {
            path: folder.into(),
            expected: "a folder of part files".into(),
            found: format!(
                "{kind} table, which also contains files of older versions; hint: export it as Parquet"
            ),
        });
    }
    if folder.join("_delta_log").is_dir() {
        files.extend(delta_files(folder)?);
        return Ok(());
    }
    if depth == 0 {
        return Err(Error::InvalidFile {
            path: folder.into(),
            expected: format!("at most {DEEPEST} levels of folders"),
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

/// Whether a file name is hidden, such as `_SUCCESS` or `.part-0.crc`.
fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().map(|it| it.to_string_lossy().into_owned());
    name.is_none_or(|name| name.starts_with(['_', '.']))
}

/// Detects a file that is given twice, even under different names, because its rows would count twice.
#[derive(Default)]
pub(super) struct DistinctFiles {
    seen: HashSet<(u64, u64, PathBuf)>,
}

impl DistinctFiles {
    pub(super) fn add(&mut self, path: &Path) -> Result<()> {
        // Errors are reported later, when the file is read.
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
                expected: "distinct files".into(),
                found: "a file that is given twice, possibly through a link".into(),
            });
        }
        Ok(())
    }
}

/// Returns the paths in a folder, sorted by name.
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

/// Returns the files of the latest version of a Delta table: those that its log adds and does not
/// remove.
fn delta_files(table: &Path) -> Result<Vec<PathBuf>> {
    let log = table.join("_delta_log");
    let wrong = |found: String| Error::InvalidFile {
        path: log.clone(),
        expected: "a Delta table log that starts at the first version".into(),
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
        let found = "a log that starts later; hint: export the table as Parquet";
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
                    let found = "deletion vectors; hint: export the table as Parquet";
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

/// Decodes a path of a Delta log, which is percent-encoded.
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
        for (path, found) in [("w/*.csv", "matches no files"), ("v/_x", "")] {
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
        // Also in a subfolder.
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
