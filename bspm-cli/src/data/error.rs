//! Errors while reading interactions, and the flags that their hints name.

use bspm::Error;

use super::hints::hint;

/// Options of the library and their flags.
const FLAGS: [(&str, &str); 21] = [
    ("format", "--format"),
    ("user", "--user-column"),
    ("item", "--item-column"),
    ("rating", "--rating-column"),
    ("time", "--time-column"),
    ("weight", "--weight-column"),
    ("rating_threshold", "--rating-threshold"),
    ("weight_scale", "--weight"),
    ("half_life", "--half-life"),
    ("duplicates", "--duplicates"),
    ("delimiter", "--delimiter"),
    ("columns", "--no-header"),
    ("quoting", "--quoting"),
    ("comment", "--comment"),
    ("encoding", "--encoding"),
    ("decimal_comma", "--decimal-comma"),
    ("time_format", "--time-format"),
    ("time_unit", "--time-unit"),
    ("null_values", "--null-values"),
    ("skip_invalid", "--skip-invalid"),
    ("k_core", "--k-core"),
];

/// Returns the flag of an option of the library.
pub(super) fn flag_of(option: &str) -> Option<&'static str> {
    let known = FLAGS.iter().find(|(name, _)| *name == option);
    known.map(|(_, flag)| *flag)
}

/// Replaces the options that a warning names by their flags.
pub(super) fn with_flags(warning: &str) -> String {
    FLAGS
        .iter()
        .fold(warning.to_owned(), |text, (option, flag)| {
            text.replace(&format!("`{option}`"), flag)
        })
}

/// An error while reading interactions, with a hint that names the flag to use.
#[derive(Debug, thiserror::Error)]
#[error("{}{}", self.message(), self.hint.as_deref().map(|hint| format!("; hint: {hint}")).unwrap_or_default())]
pub(crate) struct DataError {
    error: Box<Error>,
    hint: Option<String>,
}

impl DataError {
    pub(super) fn new(error: Error, hint: Option<String>) -> Self {
        let error = Box::new(error);
        Self { error, hint }
    }

    /// Returns the message; an option without effect or with an invalid value is shown as its flag.
    fn message(&self) -> String {
        match &*self.error {
            Error::UnusedOption {
                option,
                context,
                needed,
            } => {
                let flag = flag_of(option).unwrap_or(option);
                format!("{flag} has no effect on {context}; it requires {needed}")
            }
            Error::InvalidParameter {
                parameter,
                expected,
                found,
            } => {
                let flag = flag_of(parameter).unwrap_or(parameter);
                format!("{flag}: expected {expected}, found {found}")
            }
            error => bspm::with_sources(error),
        }
    }
}

impl From<Error> for DataError {
    fn from(error: Error) -> Self {
        let hint = hint(&error).map(|hint| hint.to_string());
        Self::new(error, hint)
    }
}

impl DataError {
    /// Adds a hint to an error.
    pub(crate) fn with_hint(error: Error, hint: &str) -> Self {
        Self::new(error, Some(hint.into()))
    }

    /// Converts an error of an item table.
    pub(crate) fn of_items(error: Error) -> Self {
        let text = match &error {
            Error::MissingColumn { found, .. } if found.contains([';', '\t', '|']) => {
                "set the delimiter of .csv files with --delimiter, as in --delimiter ';', or of this file \
                 only with a first line sep=;"
            }
            Error::MissingColumn { .. } => {
                "set the title column with --title-column, and the id column with --item-id-column"
            }
            Error::InvalidParameter {
                parameter: "title", ..
            } => "set the id column with --item-id-column",
            Error::InvalidFile { found, .. } if found == "another name" => {
                "use an item table whose name ends in .csv, .tsv, .jsonl, .parquet or .item"
            }
            _ => return error.into(),
        };
        Self::with_hint(error, text)
    }
}
