//! The error type.

use std::io;
use std::path::{Path, PathBuf};

/// An error of the log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// A value of an event is invalid.
    #[error("{field}: expected {expected}, found {found}")]
    Invalid {
        /// The field of the event.
        field: &'static str,
        /// The expected values.
        expected: &'static str,
        /// The value.
        found: String,
    },
    /// A file or the folder cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A file or the folder cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The path.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Another process writes to the log.
    #[error("{}: another process writes to this log; hint: use one folder for each server", folder.display())]
    Locked {
        /// The folder of the log.
        folder: PathBuf,
    },
}

pub(crate) fn read_error(path: &Path, source: io::Error) -> EventError {
    EventError::Read {
        path: path.into(),
        source,
    }
}

pub(crate) fn write_error(path: &Path, source: io::Error) -> EventError {
    EventError::Write {
        path: path.into(),
        source,
    }
}

/// A result with an [`EventError`].
pub type Result<T> = std::result::Result<T, EventError>;
