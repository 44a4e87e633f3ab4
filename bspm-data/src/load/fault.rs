//! The fault of an invalid row.

use std::path::Path;

use crate::error::{Error, InvalidRow};
use crate::parameter::shortened;

/// The reason why a row is invalid, with the column and its expected and actual value.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The kind of fault.
    pub reason: InvalidRow,
    /// The name of the column.
    pub column: String,
    /// The values that the column allows.
    pub expected: String,
    /// The value, shortened.
    pub found: String,
}

impl Fault {
    /// Returns a fault of a whole row.
    pub(super) fn of_row(reason: InvalidRow, expected: impl Into<String>, found: String) -> Self {
        Self {
            reason,
            column: "row".into(),
            expected: expected.into(),
            found: shortened(found),
        }
    }

    /// Returns the error for a row of a file, from 1, or of a record batch, from 0.
    pub(super) fn into_error(self, path: Option<&Path>, line: u64) -> Error {
        let Self {
            reason,
            column,
            expected,
            found,
        } = self;
        match path {
            Some(path) => Error::InvalidField {
                path: path.into(),
                line,
                column,
                expected,
                found,
                reason,
            },
            None => Error::InvalidColumn {
                column,
                row: Some(line as usize),
                expected,
                found,
            },
        }
    }
}
