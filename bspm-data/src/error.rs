//! The one error type of the crate.

mod invalid_row;

use std::path::PathBuf;

pub use invalid_row::InvalidRow;

use crate::shortened::shortened;
use crate::stage::Stage;

/// A `Result` whose error is [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The message of an error and those of its sources, joined by colons, for a place that shows one
/// line.
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

/// Everything that can go wrong between a file and a ranking.
///
/// A message does not repeat that of its source; [`with_sources`] joins them.
///
/// Errors of other libraries are kept as boxed sources, so none of their types
/// is part of this crate's interface.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be opened or read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },

    /// A file could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },

    /// A saved model is of another format.
    #[error("{}: expected a model of a format up to {supported}, found format {found}, which another version of bspm wrote", path.display())]
    ModelVersion {
        /// The file.
        path: PathBuf,
        /// The format of the file.
        found: u64,
        /// The latest format that this version reads.
        supported: u64,
    },

    /// A text file does not follow its format.
    #[error("{}:{line}:{column}: expected {expected}, found {found:?}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Byte within the line, from 1, where the offending text starts.
        column: usize,
        /// What the format allows there.
        expected: String,
        /// The offending text, shortened when long.
        found: String,
    },

    /// A table lacks a column.
    #[error("{}: expected a column {column:?}, found {found}", path.display())]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column asked for.
        column: String,
        /// What the header has instead.
        found: String,
    },

    /// A field of a table does not hold what its column should.
    #[error("{}:{line}: {column}: expected {expected}, found {found:?}", path.display())]
    InvalidField {
        /// The file.
        path: PathBuf,
        /// The line on which the record starts, from 1; in binary tables the row, from 1.
        line: u64,
        /// The name of the column.
        column: String,
        /// What the column may hold.
        expected: String,
        /// The field, shortened when long.
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
        /// What is wrong with it.
        problem: &'static str,
    },

    /// An option has no effect on what is read.
    #[error("{option}: has no effect on {context}; it needs {needed}")]
    UnusedOption {
        /// The option, as the method of `TableOptions` that sets it.
        option: &'static str,
        /// The format or the other options.
        context: String,
        /// What the option needs.
        needed: String,
    },

    /// A text file may be a table or lists of items, and its name does not say which.
    #[error("{}: several lines have the same user, and most lines have {fields} fields: this looks like a table, and not like a line for each user; name the format", path.display())]
    AmbiguousFormat {
        /// The file.
        path: PathBuf,
        /// How many fields most lines have.
        fields: usize,
        /// What separates them: a tab or a space.
        delimiter: char,
    },

    /// A column of a record batch does not hold what it should.
    #[error("column {column:?}{}: expected {expected}, found {found}", row.map(|row| format!(", row {row}")).unwrap_or_default())]
    InvalidColumn {
        /// The name of the column.
        column: String,
        /// The row of the batch, from 0; none where it is the column as a whole.
        row: Option<usize>,
        /// What the column may hold.
        expected: String,
        /// What is there, shortened when long.
        found: String,
    },

    /// A binary file does not hold what its format asks for.
    #[error("{}: expected {expected}, found {found}", path.display())]
    InvalidFile {
        /// The file.
        path: PathBuf,
        /// What the format asks for.
        expected: String,
        /// What is there.
        found: String,
    },

    /// What is read holds no interaction.
    #[error("{}: expected at least one interaction, found none{}", path.display(), left_out_text(*rows, *left_out))]
    NoInteractions {
        /// The file, or the last of several.
        path: PathBuf,
        /// How many rows there are.
        rows: u64,
        /// How many of them are left out: invalid, below the rating threshold, or of weight 0.
        left_out: u64,
    },

    /// Nobody is left to evaluate, so that there is no mean.
    #[error("nothing to evaluate: {reason}")]
    NothingToEvaluate {
        /// Why.
        reason: String,
    },

    /// An interaction lies outside the matrix.
    #[error(
        "interaction (user {user}, item {item}) lies outside the {users} users x {items} items matrix"
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

    /// A matrix has more rows, columns or interactions than 32-bit indices are used for.
    #[error("{what}: expected at most {limit}, found {found}")]
    TooLarge {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many are supported.
        limit: usize,
    },

    /// A user asked for is not a row of the matrix.
    #[error("user {user} is not one of the {users} users (0 to {last})", last = users.saturating_sub(1))]
    UnknownUser {
        /// The user asked for.
        user: u32,
        /// Rows of the matrix.
        users: usize,
    },

    /// An item given is not a column of the matrix.
    #[error("item {item} is not one of the {items} items (0 to {last})", last = items.saturating_sub(1))]
    UnknownItem {
        /// The item given.
        item: u32,
        /// Columns of the matrix.
        items: usize,
    },

    /// An external id is not one of the model's.
    #[error("{kind} {id} is unknown")]
    UnknownId {
        /// `user` or `item`.
        kind: &'static str,
        /// The id, as `Debug` writes it, shortened when long.
        id: String,
    },

    /// A parameter has a value outside its range.
    #[error("{parameter}: expected {expected}, found {found}")]
    InvalidParameter {
        /// The parameter's name, as the configuration spells it.
        parameter: &'static str,
        /// The range.
        expected: String,
        /// The value given.
        found: String,
    },

    /// Operands of a matrix operation do not fit each other.
    #[error(
        "{operation}: shapes {}x{} and {}x{} do not fit",
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

    /// The truncated SVD did not reach its tolerance, where
    /// `FitOptions::is_strict` asks for that.
    #[error(
        "the truncated SVD stopped after {rounds} rounds with a residual of {residual:e}, \
         above the tolerance of {tolerance:e}"
    )]
    SvdNotConverged {
        /// Rounds done.
        rounds: usize,
        /// Largest residual `||P v - lambda v||` among the vectors asked for.
        residual: f64,
        /// The residual asked for.
        tolerance: f64,
    },

    /// The work needs more memory than the device, or a budget, has.
    #[error("{what} needs {needed} bytes of memory, and the budget has {available}")]
    MemoryBudget {
        /// What does not fit.
        what: String,
        /// Bytes that it needs.
        needed: usize,
        /// Bytes of the budget that are left for it.
        available: usize,
    },

    /// The `Observer` ended the operation.
    #[error("cancelled: {stage} had done {done} of {total}")]
    Cancelled {
        /// What was being done.
        stage: Stage,
        /// How much of it was done.
        done: usize,
        /// How much was asked for.
        total: usize,
    },

    /// A backend failed.
    #[error("{backend}: {operation} failed")]
    Backend {
        /// The backend's name.
        backend: &'static str,
        /// The operation.
        operation: &'static str,
        /// The backend's own error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// A source without rows.
    #[cfg(feature = "load")]
    pub(crate) fn no_interactions(path: &std::path::Path) -> Self {
        Self::NoInteractions {
            path: path.into(),
            rows: 0,
            left_out: 0,
        }
    }

    /// [`UnknownId`](Self::UnknownId), with the id as it is debugged, or its beginning if it is too long
    /// for a message.
    pub fn unknown_id(kind: &'static str, id: &(impl std::fmt::Debug + ?Sized)) -> Self {
        Self::UnknownId {
            kind,
            id: shortened(format!("{id:?}")),
        }
    }
}

fn left_out_text(rows: u64, left_out: u64) -> String {
    match rows {
        0 => String::new(),
        rows => format!(" among {rows} rows, {left_out} of which are left out"),
    }
}
