//! Locks for files that only one process may write at a time.

use std::error::Error;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use bspm_args::tell;

/// An exclusive lock to write a file, released on drop.
///
/// It locks `.NAME.lock` in the folder of the file. The operating system releases the lock when the process
/// ends, even if it is killed. On a file system without locks every request succeeds.
#[derive(Debug)]
#[must_use]
pub(crate) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Locks a file, which need not exist.
    ///
    /// # Errors
    ///
    /// If another process holds the lock, or if the lock file cannot be written.
    pub(crate) fn of(path: &Path) -> Result<Self, Box<dyn Error>> {
        // A file and the links to it share one lock.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.into());
        let mut name = OsString::from(".");
        name.push(target.file_name().unwrap_or_default());
        name.push(".lock");
        let lock = target.with_file_name(name);
        let failed = |error: io::Error| format!("cannot lock {}: {error}", lock.display());
        loop {
            let mut options = OpenOptions::new();
            let file = options.write(true).create(true).truncate(false).open(&lock);
            let file = file.map_err(failed)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(format!(
                        "{}: another bspm process writes to this file; hint: wait until it ends, or use \
                         another output",
                        path.display()
                    )
                    .into());
                }
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    tell!("warning: cannot lock {}: {error}", lock.display());
                }
                Err(TryLockError::Error(error)) => return Err(failed(error).into()),
            }
            // Another process may have ended in between and removed the lock file opened here.
            if is_at(&file, &lock).map_err(failed)? {
                let path = lock;
                return Ok(Self { path, _file: file });
            }
        }
    }
}

/// Returns whether the open file is still the file at this path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let opened = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((opened.dev(), opened.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> io::Result<bool> {
    path.try_exists()
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Remove the file before it is closed, which unlocks it.
        let _ = fs::remove_file(&self.path);
    }
}
