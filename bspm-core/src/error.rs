//! The one error type of the crate.

use std::path::PathBuf;

/// A `Result` whose error is [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong between a file and a ranking.
///
/// Errors of other libraries are kept as boxed sources, so none of their types
/// is part of this crate's interface.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
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

    /// A file is well formed but holds no interaction.
    #[error("{}: expected at least one interaction, found none", path.display())]
    NoInteractions {
        /// The file.
        path: PathBuf,
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

    /// The truncated SVD did not reach its tolerance.
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

    /// The device has too little memory for the work.
    #[error("{what} needs {needed} bytes of device memory, and the budget has {available}")]
    MemoryBudget {
        /// What does not fit.
        what: String,
        /// Bytes that it needs.
        needed: usize,
        /// Bytes of the budget that are left for it.
        available: usize,
    },

    /// A backend failed.
    #[error("{backend}: {operation} failed: {source}")]
    Backend {
        /// The backend's name.
        backend: &'static str,
        /// The operation.
        operation: &'static str,
        /// The backend's own error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
