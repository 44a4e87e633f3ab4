//! The files of a log, of which the last one is written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::error::{Result, write_error};
use crate::line::Record;
use crate::read::{LogFile, LogReport, deleted_before, files, path_of, read_file};

/// The size at which the next file begins, in bytes.
pub(crate) const LARGEST_FILE: u64 = 64 << 20;

/// The age at which the next file begins.
const LONGEST_AGE: Duration = Duration::from_secs(86_400);

/// Whether written lines are on the disk before a call returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sync {
    /// The lines survive a crash of the system.
    Disk,
    /// The lines survive the end of the process.
    Process,
}

/// The files of a log that this process writes to.
#[derive(Debug)]
pub(crate) struct Segments {
    folder: PathBuf,
    prefix: &'static str,
    number: u64,
    path: PathBuf,
    file: File,
    /// The length of the complete lines. What follows them was not acknowledged.
    pub(crate) length: u64,
    begun: SystemTime,
    /// Whether the file may have bytes after its complete lines.
    is_dirty: bool,
}

impl Segments {
    /// Opens the files in a folder, and calls `each` with each record. Removes an incomplete last line.
    pub(crate) fn open<T: Record>(
        folder: &Path,
        report: &mut LogReport,
        each: impl FnMut(T),
    ) -> Result<Self> {
        let files = files(folder, T::PREFIX)?;
        Self::of(folder, &files, &files, report, each)
    }

    /// Like [`open`](Self::open), but reads only the last file.
    pub(crate) fn open_last<T: Record>(folder: &Path, report: &mut LogReport) -> Result<Self> {
        let files = files(folder, T::PREFIX)?;
        let last = &files[files.len().saturating_sub(1)..];
        Self::of(folder, &files, last, report, |_: T| {})
    }

    fn of<T: Record>(
        folder: &Path,
        files: &[LogFile],
        to_read: &[LogFile],
        report: &mut LogReport,
        mut each: impl FnMut(T),
    ) -> Result<Self> {
        report.deleted_files = deleted_before(files);
        let mut length = 0;
        for LogFile { path, .. } in to_read {
            length = read_file(path, report, &mut each)?;
        }
        match files.last() {
            Some(LogFile { number, path }) => {
                Self::continued(folder, T::PREFIX, *number, path, length)
            }
            None => Self::created(folder, T::PREFIX, 1),
        }
    }

    /// Begins the file with this number, or with the next one if there is a file with contents.
    fn created(folder: &Path, prefix: &'static str, mut number: u64) -> Result<Self> {
        let mut path = path_of(folder, prefix, number);
        while fs::metadata(&path).is_ok_and(|it| !it.is_file() || it.len() > 0) {
            number += 1;
            path = path_of(folder, prefix, number);
        }
        let failed = |source| write_error(&path, source);
        let mut options = OpenOptions::new();
        let options = options.append(true).create(true);
        let file = options.open(&path).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        sync_folder(folder).map_err(|source| write_error(folder, source))?;
        Ok(Self {
            folder: folder.into(),
            prefix,
            number,
            file,
            length: 0,
            begun: SystemTime::now(),
            is_dirty: false,
            path,
        })
    }

    /// Opens an existing file with complete lines of this length.
    fn continued(
        folder: &Path,
        prefix: &'static str,
        number: u64,
        path: &Path,
        length: u64,
    ) -> Result<Self> {
        let failed = |source| write_error(path, source);
        let file = OpenOptions::new().append(true).open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let begun = metadata.created().or_else(|_| metadata.modified());
        let mut segments = Self {
            folder: folder.into(),
            prefix,
            number,
            path: path.into(),
            file,
            length,
            begun: begun.unwrap_or_else(|_| SystemTime::now()),
            is_dirty: metadata.len() > length,
        };
        segments.clean()?;
        Ok(segments)
    }

    /// Removes the bytes after the complete lines, if there may be some.
    fn clean(&mut self) -> Result<()> {
        if self.is_dirty {
            // Windows does not cut a file that is open to append.
            let file = OpenOptions::new().write(true).open(&self.path);
            let cut = file.and_then(|file| {
                file.set_len(self.length)?;
                file.sync_all()
            });
            cut.map_err(|source| write_error(&self.path, source))?;
            self.is_dirty = false;
        }
        Ok(())
    }

    /// Begins the next file if the current one is large or old, or is no longer in the folder.
    fn begin_next(&mut self) -> Result<()> {
        if !is_at(&self.file, &self.path).unwrap_or(false) {
            *self = Self::created(&self.folder, self.prefix, self.number + 1)?;
            return Ok(());
        }
        let age = self.begun.elapsed().unwrap_or_default();
        let is_full = self.length >= LARGEST_FILE;
        if is_full || (self.length > 0 && age >= LONGEST_AGE) {
            *self = Self::created(&self.folder, self.prefix, self.number + 1)?;
        }
        Ok(())
    }

    /// Appends complete lines. If that fails, the next call removes what was written of them.
    pub(crate) fn append(&mut self, lines: &[u8], sync: Sync) -> Result<()> {
        self.begin_next()?;
        self.clean()?;
        if lines.is_empty() {
            return Ok(());
        }
        self.is_dirty = true;
        let written = self.file.write_all(lines);
        let written = written.and_then(|()| match sync {
            Sync::Disk => self.file.sync_data(),
            Sync::Process => Ok(()),
        });
        written.map_err(|source| write_error(&self.path, source))?;
        self.length += lines.len() as u64;
        self.is_dirty = false;
        Ok(())
    }
}

/// Whether the open file is still the file at this path.
#[cfg(unix)]
pub(crate) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (opened, there) = (file.metadata()?, fs::metadata(path)?);
    Ok((opened.dev(), opened.ino()) == (there.dev(), there.ino()))
}

#[cfg(not(unix))]
pub(crate) fn is_at(_: &File, path: &Path) -> io::Result<bool> {
    path.try_exists()
}

/// Flushes a folder, so that a new file in it survives a power failure, if the system supports it.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    match cfg!(unix) {
        true => File::open(folder)?.sync_all(),
        false => Ok(()),
    }
}
