//! Errors while reading interactions, and the flags that their hints name.

use bspm::Error;
use bspm::data::hint;

/// Options of the library and their flags.
const FLAGS: [(&str, &str); 22] = [
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
    ("trim_ids", "--trim-ids"),
    ("skip_invalid", "--skip-invalid"),
    ("k_core", "--k-core"),
];

/// Returns the flag of an option of the library.
pub(super) fn flag_of(option: &str) -> Option<&'static str> {
    let known = FLAGS.iter().find(|(name, _)| *name == option);
    known.map(|(_, flag)| *flag)
}

/// Replaces the options that a hint or a warning names by their flags.
pub(crate) fn with_flags(text: &str) -> String {
    hint::with_options(text, " ", |option, value| {
        let flag = flag_of(option).unwrap_or(option);
        match value {
            Some(value) => format!("{flag} {}", argument(value)),
            None => flag.to_owned(),
        }
    })
}

/// Returns a value as an argument of a shell. Elements of lists are separated by commas.
fn argument(value: &str) -> String {
    let is_plain = |it: char| it.is_alphanumeric() || "_-.:,".contains(it);
    match value {
        "\t" => "tab".into(),
        _ if !value.is_empty() && value.chars().all(is_plain) => value.into(),
        _ => format!("'{}'", value.replace('\'', r"'\''")),
    }
}

/// An error while reading interactions, with a hint that names the flag to use.
#[derive(Debug, thiserror::Error)]
#[error("{}{}", self.message(), self.hint.as_deref().map(|hint| format!("; hint: {hint}")).unwrap_or_default())]
pub(crate) struct DataError {
    error: Box<Error>,
    hint: Option<String>,
}

impl DataError {
    /// Adds a hint that names options of the library.
    pub(super) fn new(error: Error, hint: Option<String>) -> Self {
        Self {
            error: Box::new(error),
            hint: hint.map(|hint| with_flags(&hint)),
        }
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
        let hint = hint::of_error(&error);
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
