//! The error type of the crate.

mod invalid_row;

use std::path::PathBuf;

pub use invalid_row::InvalidRow;

use crate::shortened::shortened;
use crate::stage::Stage;

/// A `Result` whose error is [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Joins the message of an error and those of its sources with colons, in one line.
///
/// # Examples
///
/// ```
/// use bspm_data::{Interactions, read_lightgcn, with_sources};
///
/// let error = read_lightgcn("/nowhere").unwrap_err();
/// assert_eq!(error.to_string(), "cannot read /nowhere");
/// assert!(with_sources(&error).starts_with("cannot read /nowhere: "));
/// ```
pub fn with_sources(error: &(dyn std::error::Error + 'static)) -> String {
    let sources = std::iter::successors(error.source(), |error| error.source());
    sources.fold(error.to_string(), |text, source| {
        format!("{text}: {source}")
    })
}

/// The error of all operations, from reading a file to ranking items.
///
/// A message does not include the message of the source; [`with_sources`] joins them.
///
/// Errors of other libraries are boxed sources, so that their types are not part of the interface of
/// this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be opened or read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },

    /// A file could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },

    /// A saved model has an unsupported format version.
    #[error("{}: expected a model format up to {supported}, found format {found}; hint: update bspm, or save the model with this version", path.display())]
    ModelVersion {
        /// The file.
        path: PathBuf,
        /// The format version of the file.
        found: u64,
        /// The latest format version that this version of bspm reads.
        supported: u64,
    },

    /// A text file does not follow its format.
    #[error("{}:{line}:{column}: expected {expected}, found {found:?}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The byte within the line, from 1, at which the invalid text starts.
        column: usize,
        /// The text that the format allows.
        expected: String,
        /// The invalid text, shortened if it is long.
        found: String,
    },

    /// A table lacks a column.
    #[error("{}: expected a column {column:?}, found {found}", path.display())]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The requested column.
        column: String,
        /// The columns of the table.
        found: String,
    },

    /// A field of a table has an invalid value.
    #[error("{}:{line}: {column}: expected {expected}, found {}", path.display(), shown(*reason, expected, found))]
    InvalidField {
        /// The file.
        path: PathBuf,
        /// The line on which the record starts, from 1; in binary tables the row, from 1.
        line: u64,
        /// The name of the column.
        column: String,
        /// The values that the column allows.
        expected: String,
        /// The field, shortened if it is long.
        found: String,
        /// Why the row is not an interaction.
        reason: InvalidRow,
    },

    /// The quotes of a text table do not match.
    #[error("{}:{line}: {problem}", path.display())]
    Quotes {
        /// The file.
        path: PathBuf,
        /// The line on which the quote opens, from 1.
        line: u64,
        /// The problem.
        problem: &'static str,
    },

    /// An option has no effect on the input.
    #[error("{option}: has no effect on {context}; it requires {needed}")]
    UnusedOption {
        /// The option, named as the method of `TableOptions` that sets it.
        option: &'static str,
        /// The input: a format, or the other options.
        context: String,
        /// The requirement of the option.
        needed: String,
    },

    /// A text file may be a table or lists of items; the file name does not tell them apart.
    #[error("{}: expected lists of items or an explicit format, found {fields} fields on most lines, as in a table", path.display())]
    AmbiguousFormat {
        /// The file.
        path: PathBuf,
        /// The number of fields of most lines.
        fields: usize,
        /// The delimiter of the fields: a tab or a space.
        delimiter: char,
    },

    /// A column of a record batch has an invalid type or value.
    #[error("column {column:?}{}: expected {expected}, found {found}", row.map(|row| format!(", row {row}")).unwrap_or_default())]
    InvalidColumn {
        /// The name of the column.
        column: String,
        /// The row of the batch, from 0; `None` if the whole column is invalid.
        row: Option<usize>,
        /// The types or values that the column allows.
        expected: String,
        /// The type or value, shortened if it is long.
        found: String,
    },

    /// A file has invalid contents.
    #[error("{}: expected {expected}, found {found}", path.display())]
    InvalidFile {
        /// The file.
        path: PathBuf,
        /// The contents that the format requires.
        expected: String,
        /// The contents of the file.
        found: String,
    },

    /// The input has no interactions.
    #[error("{}: expected at least one interaction, found none{}", path.display(), excluded_text(*rows, reasons))]
    NoInteractions {
        /// The file, or the last of several.
        path: PathBuf,
        /// The number of rows.
        rows: u64,
        /// The numbers of excluded rows by reason, as text; empty if there are none.
        reasons: String,
        /// The error of the first invalid row that was skipped for the most frequent reason.
        example: Option<Box<Error>>,
    },

    /// There are no users to evaluate.
    #[error("nothing to evaluate: {reason}")]
    NothingToEvaluate {
        /// The reason.
        reason: String,
    },

    /// An interaction is outside the matrix.
    #[error(
        "interaction (user {user}, item {item}) is outside the matrix of {users} users x {items} items"
    )]
    InteractionOutOfRange {
        /// The user's row.
        user: u32,
        /// The item's column.
        item: u32,
        /// Rows of the matrix.
        users: usize,
        /// Columns of the matrix.
        items: usize,
    },

    /// A matrix or a table has too many rows, columns or interactions.
    #[error("{what}: expected at most {limit}, found {found}")]
    TooLarge {
        /// The name of the number that is too large.
        what: &'static str,
        /// The number that was found.
        found: usize,
        /// The largest supported number.
        limit: usize,
    },

    /// A user index is not a row of the matrix.
    #[error("user {user} is not one of the {users} users (0 to {last})", last = users.saturating_sub(1))]
    UnknownUser {
        /// The index of the user.
        user: u32,
        /// Rows of the matrix.
        users: usize,
    },

    /// An item index is not a column of the matrix.
    #[error("item {item} is not one of the {items} items (0 to {last})", last = items.saturating_sub(1))]
    UnknownItem {
        /// The index of the item.
        item: u32,
        /// Columns of the matrix.
        items: usize,
    },

    /// An external id is not an id of the data set or the model.
    #[error("{kind} {id} is unknown")]
    UnknownId {
        /// `user` or `item`.
        kind: &'static str,
        /// The id, as formatted by `Debug`, shortened if it is long.
        id: String,
    },

    /// A parameter has a value outside its range.
    #[error("{parameter}: expected {expected}, found {found}")]
    InvalidParameter {
        /// The name of the parameter, as in the configuration.
        parameter: &'static str,
        /// The allowed range.
        expected: String,
        /// The given value.
        found: String,
    },

    /// The shapes of the operands of a matrix operation do not match.
    #[error(
        "{operation}: shapes {}x{} and {}x{} do not match",
        left.0, left.1, right.0, right.1
    )]
    ShapeMismatch {
        /// The operation.
        operation: &'static str,
        /// Rows and columns of one operand.
        left: (usize, usize),
        /// Rows and columns of the other.
        right: (usize, usize),
    },

    /// An operation needs more memory than the device or the memory budget has.
    #[error(
        "{what} needs {needed} bytes of memory, but the memory budget has {available} bytes left"
    )]
    MemoryBudget {
        /// The operation or the array.
        what: String,
        /// The number of bytes that it needs.
        needed: usize,
        /// The number of bytes of the budget that are left.
        available: usize,
    },

    /// The `Observer` cancelled the operation.
    #[error("cancelled: {stage} had done {done} of {total}")]
    Cancelled {
        /// The stage that was running.
        stage: Stage,
        /// The number of units that were done.
        done: usize,
        /// The total number of units.
        total: usize,
    },

    /// A backend failed.
    #[error("{backend}: {operation} failed")]
    Backend {
        /// The name of the backend.
        backend: &'static str,
        /// The operation.
        operation: &'static str,
        /// The error of the backend.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// Returns the error for an input without rows.
    #[cfg(feature = "load")]
    pub(crate) fn no_interactions(path: &std::path::Path) -> Self {
        Self::NoInteractions {
            path: path.into(),
            rows: 0,
            reasons: String::new(),
            example: None,
        }
    }

    /// Returns [`UnknownId`](Self::UnknownId) with the id as formatted by `Debug`, shortened if it is
    /// long.
    pub fn unknown_id(kind: &'static str, id: &(impl std::fmt::Debug + ?Sized)) -> Self {
        Self::UnknownId {
            kind,
            id: shortened(format!("{id:?}")),
        }
    }
}

/// Returns the text of an invalid field; a number of fields has no quotes.
fn shown(reason: InvalidRow, expected: &str, found: &str) -> String {
    match reason {
        InvalidRow::FieldCount if expected.ends_with(" fields") => found.to_owned(),
        _ => format!("{found:?}"),
    }
}

fn excluded_text(rows: u64, reasons: &str) -> String {
    match rows {
        0 => String::new(),
        rows => format!(" in {rows} rows: {reasons}"),
    }
}
