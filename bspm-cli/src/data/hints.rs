//! Hints for errors, which name the flag to use.

use std::fmt;
use std::path::Path;

use bspm::Error;
use bspm::data::{Format, InvalidRow, NumericTimes, TimeUnit, likely_time_formats};

use super::DataArguments;

/// Whether a text is a number with a decimal comma.
fn has_decimal_comma(text: &str) -> bool {
    let number = text.replace('.', "").replace(',', ".");
    text.contains(',') && number.parse::<f64>().is_ok()
}

/// What to do about an error.
#[derive(Debug, Default)]
pub(super) struct Hint {
    advice: Option<String>,
    /// Whether the row may be skipped instead.
    may_skip: bool,
}

impl Hint {
    fn only(advice: impl Into<String>) -> Self {
        Self {
            advice: Some(advice.into()),
            may_skip: false,
        }
    }

    fn or_skip(advice: impl Into<String>) -> Self {
        Self {
            advice: Some(advice.into()),
            may_skip: true,
        }
    }

    fn skip() -> Self {
        Self {
            advice: None,
            may_skip: true,
        }
    }

    /// Returns the hint for rows that are skipped already.
    pub(super) fn without_skipping(self) -> Option<String> {
        self.advice
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SKIP: &str = "use --skip-invalid to skip invalid rows";
        match (&self.advice, self.may_skip) {
            (Some(advice), true) => write!(out, "{advice}, or {SKIP}"),
            (Some(advice), false) => out.write_str(advice),
            (None, _) => write!(out, "{SKIP} and report their number"),
        }
    }
}

/// Returns a hint for an error.
pub(super) fn hint(error: &Error) -> Option<Hint> {
    let advice = match error {
        Error::InvalidField {
            expected, found, ..
        } if expected == "user::item::rating::time" && !found.contains("::") => {
            "set the format with --format, as in --format tsv or --format csv"
        }
        Error::InvalidField {
            reason,
            expected,
            found,
            ..
        } => return Some(of_field(*reason, expected, found)),
        Error::Quotes { problem, .. } if problem.contains("separated by") => {
            "set the delimiter with --delimiter, as in --delimiter ';', or the format with --format csv or \
             --format tsv"
        }
        Error::Quotes { .. } => {
            "use --quoting off to read quotes as ordinary characters, --quoting trusted to allow quoted \
             fields of several lines, or --quoting backslash to read \\\" as a quote"
        }
        Error::AmbiguousFormat {
            fields, delimiter, ..
        } => return Some(of_ambiguous_format(*fields, *delimiter)),
        Error::Syntax { .. } => {
            "a lightgcn file has lines of the form user item item ..., with ids that are numbers from 0; \
             set another format with --format, as in --format tsv"
        }
        Error::Read { source, .. } if source.to_string().starts_with("malformed") => {
            "set the text encoding with --encoding"
        }
        Error::InvalidParameter {
            parameter: "time", ..
        } => "set the unit of the times with --time-unit",
        Error::UnusedOption {
            option: "rating", ..
        } => {
            "add --rating-threshold to keep the interactions with a high rating, or use --weight-column instead of \
             --rating-column to use the ratings as weights"
        }
        Error::InvalidFile { found, .. } if found == "another name" => {
            "set the format with --format, as in --format csv"
        }
        Error::InvalidFile { expected, .. } if expected.starts_with("consecutive") => {
            "use --format tsv --no-header user,item for a table of ids that are not counted from 0"
        }
        _ => return None,
    };
    Some(Hint::only(advice))
}

/// Returns a hint for an invalid field.
fn of_field(reason: InvalidRow, expected: &str, found: &str) -> Hint {
    match reason {
        InvalidRow::InvalidWeight | InvalidRow::InvalidRating if has_decimal_comma(found) => {
            Hint::or_skip(
                "use --decimal-comma to read the comma as a decimal point (1,5 as 1.5, and 1,000 as 1)",
            )
        }
        InvalidRow::InvalidWeight | InvalidRow::InvalidRating if found.contains(',') => {
            Hint::or_skip("remove the separators of thousands and the currency from the column")
        }
        InvalidRow::InvalidTime | InvalidRow::ShortYear => of_time(reason, expected, found),
        InvalidRow::ImpossibleDate => Hint::or_skip("correct the date"),
        InvalidRow::OtherHeader => Hint::only(
            "the columns may have another order below this line: split the file there, and give both parts; \
             if the line is an interaction, rename the columns of the header",
        ),
        InvalidRow::NotAnObject => {
            Hint::or_skip("write one JSON object per line, or one array of objects")
        }
        InvalidRow::Encoding => {
            Hint::only("set the encoding with --encoding, as in --encoding latin1")
        }
        InvalidRow::MissingUser | InvalidRow::MissingItem if !found.is_empty() => {
            Hint::or_skip("use --null-values to list the texts that mean a missing id")
        }
        _ => Hint::skip(),
    }
}

/// Returns a hint for a text file that may be a table or lists.
fn of_ambiguous_format(fields: usize, delimiter: char) -> Hint {
    let format = match delimiter {
        '\t' => "--format tsv",
        _ => "--format csv --delimiter ' '",
    };
    let names = ["user", "item", "rating", "time"];
    let names = match names.get(..fields) {
        Some(names) => names.join(","),
        None => format!("with the names of the {fields} columns"),
    };
    Hint::only(format!(
        "use {format} --no-header {names} to read a table, or --format lightgcn to read lists of items"
    ))
}

/// Returns a hint for a time that has no known format or a year of two digits. It proposes a format.
fn of_time(reason: InvalidRow, expected: &str, found: &str) -> Hint {
    let formats = likely_time_formats(found);
    let first = formats.first().map(String::as_str);
    let has_long_year = first.is_some_and(|it| it.contains("%Y"));
    let example = match formats.as_slice() {
        [day_first, month_first] => {
            format!("'{day_first}' if the day is first, or '{month_first}' if the month is first")
        }
        _ if reason == InvalidRow::ShortYear => format!("'{}'", first.unwrap_or("%d/%m/%y")),
        _ => format!("'{}'", first.unwrap_or("%d/%m/%Y %H:%M")),
    };
    match reason {
        InvalidRow::ShortYear => Hint::or_skip(format!(
            "if all years have two digits, read them with %y, as in --time-format {example}; else write all of them \
             with four digits"
        )),
        _ if has_long_year && expected.contains("%y") => {
            Hint::or_skip("write all years with four digits, and read them with %Y")
        }
        // The rows before this one may be misread.
        _ if first.is_some() && expected.starts_with("a time in the format") => {
            Hint::only(format!(
                "set the format of all times with --time-format, as in --time-format {example}"
            ))
        }
        _ => Hint::or_skip(format!(
            "set the format of the times with --time-format, as in --time-format {example}"
        )),
    }
}

/// Returns what times likely are, unless they are seconds or no dates.
pub(crate) fn other_than_seconds(times: &[f64]) -> Option<NumericTimes> {
    NumericTimes::of(times).filter(|kind| *kind != NumericTimes::InUnit(TimeUnit::Seconds))
}

/// Returns a hint for times that are not seconds, which names the flag to use.
pub(crate) fn hint_of_times(times: &[f64]) -> String {
    match NumericTimes::of(times) {
        Some(NumericTimes::InUnit(unit)) => {
            format!("set the unit of the times with --time-unit {unit}")
        }
        Some(NumericTimes::Digits(format)) => {
            format!("set the format of the times with --time-format '{format}'")
        }
        _ => "set the unit of the times with --time-unit, or convert them to seconds since 1970"
            .into(),
    }
}

impl DataArguments {
    /// Returns a hint for an error; for a missing column, it names the flag of that column.
    pub(super) fn hint_of(&self, error: &Error) -> Option<String> {
        let Error::MissingColumn {
            path,
            column,
            found,
        } = error
        else {
            return hint(error).map(|hint| hint.to_string());
        };
        let named = [
            (&self.user_column, "user", "--user-column"),
            (&self.item_column, "item", "--item-column"),
            (&self.rating_column, "", "--rating-column"),
            (&self.time_column, "", "--time-column"),
            (&self.weight_column, "", "--weight-column"),
        ];
        let is_it = |(name, default, _): &(&Option<String>, &str, _)| match name {
            Some(name) => name == column,
            None => !default.is_empty() && column.starts_with(default),
        };
        let flag = named.into_iter().find(is_it).map(|(.., flag)| flag);
        let names: Vec<&str> = found.split(", ").collect();
        let is_other = |delimiter: &char| names.len() == 1 && found.contains(*delimiter);
        let other = [';', '\t', '|', ','].into_iter().find(is_other);
        let in_case = names.iter().find(|name| name.eq_ignore_ascii_case(column));
        let has_no_ids = self.user_column.is_none() && self.item_column.is_none();
        let flags = match flag {
            Some("--user-column" | "--item-column") if has_no_ids => {
                "set the columns of the ids with --user-column and --item-column".to_owned()
            }
            flag => format!("set the column with {}", flag.unwrap_or_default()),
        };
        match (other, flag) {
            (Some(delimiter), _) => Some(self.hint_of_delimiter(delimiter, path)),
            (None, _) if found == "two columns with this name" => {
                Some("rename one of the columns in the header".to_owned())
            }
            (None, Some(_)) if has_partition(path, column) => Some(format!(
                "the names of the folders contain {column}, but the files do not; write the files with this \
                 column"
            )),
            (None, Some(flag)) => Some(match in_case {
                Some(name) => format!("use {flag} {name}"),
                None if self.has_text_table(path) => format!(
                    "{flags}, or name all columns of a table without a header with --no-header"
                ),
                None => flags,
            }),
            (None, None) => None,
        }
    }

    /// Returns a hint for a header that has one name, with a delimiter in it.
    fn hint_of_delimiter(&self, delimiter: char, path: &Path) -> String {
        match (
            delimiter,
            self.delimiter,
            self.format.or(Format::of(path).ok()),
        ) {
            ('\t', ..) => "use --format tsv for fields separated by tabs".into(),
            (',', None, Some(Format::Csv)) => {
                "if each line is enclosed in quotes, remove these quotes".into()
            }
            (',', None, _) => "use --format csv for fields separated by commas".into(),
            _ => format!(
                "set the delimiter of all files with --delimiter '{delimiter}', or of this file with a first line \
                 sep={delimiter}"
            ),
        }
    }
}

/// Whether a folder of a path is named `column=value`, as in a partitioned table.
fn has_partition(path: &Path, column: &str) -> bool {
    let prefix = format!("{column}=");
    let mut folders = path.iter().map(|name| name.to_string_lossy());
    folders.any(|name| name.starts_with(&prefix))
}
