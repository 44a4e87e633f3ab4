//! Files that one run at a time may write.

use std::error::Error;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use bspm_args::tell;

/// The right to write a file, until this is dropped.
///
/// It is a lock on `.NAME.lock` beside the file, which the operating system releases whatever ends
/// the process. A file system without locks grants every request.
#[derive(Debug)]
#[must_use]
pub(crate) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// The lock of a file, which need not exist.
    ///
    /// # Errors
    ///
    /// If another run has it, or the lock file cannot be written.
    pub(crate) fn of(path: &Path) -> Result<Self, Box<dyn Error>> {
        // One lock for a file and the links to it.
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
                        "{}: another run of bspm writes to it; wait until that run ends or name \
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
            // A run that ended in between has removed the lock file that was opened here.
            if is_at(&file, &lock).map_err(failed)? {
                let path = lock;
                return Ok(Self { path, _file: file });
            }
        }
    }
}

/// Whether this open file is the one of this name.
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
        // Before the file is closed, and with it unlocked.
        let _ = fs::remove_file(&self.path);
    }
}
