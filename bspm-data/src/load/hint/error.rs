//! Hints for errors, which name the option to use.

use std::fmt;

use super::super::time_format::likely_time_formats;
use super::option_names::named;
use crate::error::{Error, InvalidRow};

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
        const SKIP: &str = "use `skip_invalid` to skip invalid rows";
        match (&self.advice, self.may_skip) {
            (Some(advice), true) => write!(out, "{advice}, or {SKIP}"),
            (Some(advice), false) => out.write_str(advice),
            (None, _) => write!(out, "{SKIP} and report their number"),
        }
    }
}

/// Returns a hint for an error.
pub(super) fn hint_of_error(error: &Error) -> Option<Hint> {
    let advice = match error {
        Error::InvalidField {
            expected, found, ..
        } if expected == "user::item::rating::time" && !found.contains("::") => {
            "set the format with `format`, as in `format=tsv` or `format=csv`"
        }
        Error::InvalidField {
            reason,
            expected,
            found,
            ..
        } => return Some(of_field(*reason, expected, found)),
        Error::Quotes { problem, .. } if problem.contains("separated by") => {
            "set the delimiter with `delimiter`, as in `delimiter=;`, or the format with `format=csv` or \
             `format=tsv`"
        }
        Error::Quotes { .. } => {
            "use `quoting=off` to read quotes as ordinary characters, `quoting=trusted` to allow quoted \
             fields of several lines, or `quoting=backslash` to read \\\" as a quote"
        }
        Error::AmbiguousFormat {
            fields, delimiter, ..
        } => return Some(of_ambiguous_format(*fields, *delimiter)),
        Error::Syntax { .. } => {
            "a lightgcn file has lines of the form user item item ..., with ids that are numbers from 0; \
             set another format with `format`, as in `format=tsv`"
        }
        Error::Read { source, .. } if source.to_string().starts_with("malformed") => {
            "set the text encoding with `encoding`"
        }
        Error::InvalidParameter {
            parameter: "time", ..
        } => "set the unit of the times with `time_unit`",
        Error::UnusedOption {
            option: "rating", ..
        } => {
            "add `rating_threshold` to keep the interactions with a high rating, or use `weight` instead of \
             `rating` to use the ratings as weights"
        }
        Error::InvalidFile { found, .. } if found == "another name" => {
            "set the format with `format`, as in `format=csv`"
        }
        Error::InvalidFile { expected, .. } if expected.starts_with("consecutive") => {
            "use `format=tsv` `columns=user,item` for a table of ids that are not counted from 0"
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
                "use `decimal_comma` to read the comma as a decimal point (1,5 as 1.5, and 1,000 as 1)",
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
            Hint::only("set the encoding with `encoding`, as in `encoding=latin1`")
        }
        InvalidRow::MissingUser | InvalidRow::MissingItem if !found.is_empty() => {
            Hint::or_skip("use `null_values` to list the texts that mean a missing id")
        }
        _ => Hint::skip(),
    }
}

/// Returns a hint for a text file that may be a table or lists.
fn of_ambiguous_format(fields: usize, delimiter: char) -> Hint {
    let format = match delimiter {
        '\t' => "`format=tsv`",
        _ => "`format=csv` `delimiter= `",
    };
    let names = ["user", "item", "rating", "time"];
    let names = match names.get(..fields) {
        Some(names) => named("columns", names.join(",")),
        None => format!("`columns` with the names of the {fields} columns"),
    };
    Hint::only(format!(
        "use {format} {names} to read a table, or `format=lightgcn` to read lists of items"
    ))
}

/// Returns a hint for a time that has no known format or a year of two digits. It proposes a format.
fn of_time(reason: InvalidRow, expected: &str, found: &str) -> Hint {
    let formats = likely_time_formats(found);
    let first = formats.first().map(String::as_str);
    let has_long_year = first.is_some_and(|it| it.contains("%Y"));
    let of = |format: &str| named("time_format", format);
    let example = match formats.as_slice() {
        [day_first, month_first] => {
            let (day_first, month_first) = (of(day_first), of(month_first));
            format!("{day_first} if the day is first, or {month_first} if the month is first")
        }
        _ if reason == InvalidRow::ShortYear => of(first.unwrap_or("%d/%m/%y")),
        _ => of(first.unwrap_or("%d/%m/%Y %H:%M")),
    };
    match reason {
        InvalidRow::ShortYear => Hint::or_skip(format!(
            "if all years have two digits, read them with %y, as in {example}; else write all of them \
             with four digits"
        )),
        _ if has_long_year && expected.contains("%y") => {
            Hint::or_skip("write all years with four digits, and read them with %Y")
        }
        // The rows before this one may be misread.
        _ if first.is_some() && expected.starts_with("a time in the format") => Hint::only(
            format!("set the format of all times with `time_format`, as in {example}"),
        ),
        _ => Hint::or_skip(format!(
            "set the format of the times with `time_format`, as in {example}"
        )),
    }
}
