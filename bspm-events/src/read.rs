//! Reading a log: its files, and what is wrong with them.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::error::{Result, read_error, write_error};
use crate::event::Event;
use crate::line::{Record, decode};
use crate::list::LoggedList;

/// The number of damaged lines that a report describes.
const MOST_DESCRIBED: usize = 10;

/// What a log contains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogReport {
    /// The number of files.
    pub files: usize,
    /// The number of files before the first one. They have been deleted, for example by [`delete_before`].
    pub deleted_files: u64,
    /// The number of events or lists.
    pub records: u64,
    /// The number of damaged lines, which are skipped.
    pub damaged: u64,
    /// The first ten damaged lines, as `file:line: reason`.
    pub damaged_lines: Vec<String>,
    /// The files whose last line is incomplete, with the number of its bytes. It is a line that another
    /// process is writing, or that was being written when the process ended.
    pub incomplete: Vec<(PathBuf, u64)>,
}

impl LogReport {
    /// Returns a warning for each problem.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.damaged > 0 {
            warnings.push(format!(
                "skipped {} damaged lines of the log: {}",
                self.damaged,
                self.damaged_lines.join("; ")
            ));
        }
        let incomplete = self.incomplete.iter();
        warnings.extend(incomplete.map(|(path, bytes)| {
            format!(
                "{}: skipped an incomplete last line of {bytes} bytes, which no client got an answer for",
                path.display()
            )
        }));
        warnings
    }
}

/// A file of a log.
#[derive(Clone, Debug)]
pub(crate) struct LogFile {
    pub(crate) number: u64,
    pub(crate) path: PathBuf,
}

pub(crate) fn path_of(folder: &Path, prefix: &str, number: u64) -> PathBuf {
    folder.join(format!("{prefix}-{number:06}.jsonl"))
}

/// Returns the files of a log in order. Other files in the folder are ignored.
pub(crate) fn files(folder: &Path, prefix: &str) -> Result<Vec<LogFile>> {
    let failed = |source| read_error(folder, source);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let number = name.and_then(|name| {
            let digits = name.strip_prefix(prefix)?.strip_prefix('-')?;
            let digits = digits.strip_suffix(".jsonl")?;
            let is_number =
                (6..=12).contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit());
            digits.parse().ok().filter(|_| is_number)
        });
        if let Some(number) = number {
            found.push(LogFile { number, path });
        }
    }
    found.sort_by_key(|file| file.number);
    Ok(found)
}

/// The number of files before the first one: the first file of a log has the number 1.
pub(crate) fn deleted_before(files: &[LogFile]) -> u64 {
    files
        .first()
        .map_or(0, |file| file.number.saturating_sub(1))
}

/// Calls `each` with each event of a log, in the order of the log.
///
/// Another process may write to the log at the same time. Damaged lines are skipped and reported.
///
/// # Errors
///
/// [`EventError::Read`](crate::EventError::Read).
pub fn read(folder: &Path, each: impl FnMut(Event)) -> Result<LogReport> {
    read_records(folder, each)
}

/// Like [`read`], for the lists that a server has logged.
///
/// # Errors
///
/// [`EventError::Read`](crate::EventError::Read).
pub fn read_lists(folder: &Path, each: impl FnMut(LoggedList)) -> Result<LogReport> {
    read_records(folder, each)
}

fn read_records<T: Record>(folder: &Path, mut each: impl FnMut(T)) -> Result<LogReport> {
    let files = files(folder, T::PREFIX)?;
    let mut report = LogReport {
        deleted_files: deleted_before(&files),
        ..LogReport::default()
    };
    for file in files {
        read_file(&file.path, &mut report, &mut each)?;
    }
    Ok(report)
}

/// Reads a file, and returns the length of its complete lines in bytes.
pub(crate) fn read_file<T: Record>(
    path: &Path,
    report: &mut LogReport,
    each: &mut impl FnMut(T),
) -> Result<u64> {
    let failed = |source| read_error(path, source);
    // Opening a pipe would block.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        let kind = io::ErrorKind::InvalidInput;
        return Err(failed(io::Error::new(kind, "expected a regular file")));
    }
    let mut input = BufReader::new(File::open(path).map_err(failed)?);
    let (mut line, mut complete) = (Vec::new(), 0);
    report.files += 1;
    for number in 1_u64.. {
        line.clear();
        let length = input.read_until(b'\n', &mut line).map_err(failed)? as u64;
        if length == 0 {
            break;
        }
        if line.pop() != Some(b'\n') {
            report.incomplete.push((path.into(), length));
            break;
        }
        complete += length;
        match decode(&line) {
            Ok(record) => {
                report.records += 1;
                each(record);
            }
            Err(damage) => {
                report.damaged += 1;
                if report.damaged_lines.len() < MOST_DESCRIBED {
                    let reason = damage.text();
                    let description = format!("{}:{number}: {reason}", path.display());
                    report.damaged_lines.push(description);
                }
            }
        }
    }
    Ok(complete)
}

/// Deletes the files of events that were last written before `time`, except for the file that a process may
/// be writing. Files of lists are kept. Returns the number of deleted files.
///
/// Delete files only if a model contains their events. The ids of the deleted events are forgotten when the
/// process that writes the log ends.
///
/// # Errors
///
/// [`EventError::Read`](crate::EventError::Read), [`EventError::Write`](crate::EventError::Write).
pub fn delete_before(folder: &Path, time: SystemTime) -> Result<usize> {
    let mut deleted = 0;
    let mut files = files(folder, Event::PREFIX)?;
    files.pop();
    for LogFile { path, .. } in files {
        let written = fs::metadata(&path).and_then(|metadata| metadata.modified());
        if written.map_err(|source| read_error(&path, source))? < time {
            fs::remove_file(&path).map_err(|source| write_error(&path, source))?;
            deleted += 1;
        }
    }
    Ok(deleted)
}
