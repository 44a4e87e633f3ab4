//! Hints: what to do about an error or a warning of reading.
//!
//! A hint names the options of [`TableOptions`](crate::TableOptions) between backticks. [`with_options`] replaces them
//! by the names that a program uses.

mod contents;
mod error;
mod missing_column;
mod option_names;
mod reading;

use error::hint_of_error;
pub use option_names::with_options;
use reading::Reading;

use super::format::Format;
use super::numeric_times::NumericTimes;
use super::options::TableOptions;
use crate::error::Error;

/// Returns a hint for an error of reading that does not depend on the contents of the file, or `None` if there is
/// nothing else to say.
pub fn of_error(error: &Error) -> Option<String> {
    hint_of_error(error).map(|hint| hint.to_string())
}

/// Returns a hint for an error of [`Dataset::read_files`](crate::Dataset::read_files) with these options. It reads the
/// first lines of the file again, and proposes the options that read it.
///
/// # Examples
///
/// ```
/// use bspm_data::{Dataset, TableOptions, hint};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("ratings.csv");
/// std::fs::write(&path, "user;item\nann;tea\nbob;milk\n")?;
/// let options = TableOptions::default();
/// let error = Dataset::read_files([&path], None, &options).unwrap_err();
/// assert!(hint::of_file(&error, None, &options).unwrap().contains("`delimiter=;`"));
/// # Ok(())
/// # }
/// ```
pub fn of_file(error: &Error, format: Option<Format>, options: &TableOptions) -> Option<String> {
    let reading = Reading { options, format };
    let of_contents = reading.hint_of_contents(error);
    of_contents.or_else(|| match error {
        Error::MissingColumn {
            path,
            column,
            found,
        } => reading.hint_of_missing(path, column, found),
        error => of_error(error),
    })
}

/// Returns a hint for times that are not seconds, from what they likely are.
pub fn of_times(likely: Option<NumericTimes>) -> String {
    match likely {
        Some(NumericTimes::InUnit(unit)) => {
            format!("set the unit of the times with `time_unit={unit}`")
        }
        Some(NumericTimes::Digits(format)) => {
            format!("set the format of the times with `time_format={format}`")
        }
        None => "set the unit of the times with `time_unit`, or convert them to seconds since 1970"
            .into(),
    }
}
