//! Why rows of tables are left out.

use std::fmt;

use serde::Serialize;

/// Why a row is not an interaction, or not that of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum InvalidRow {
    /// It has more or fewer fields than the table has columns.
    FieldCount,
    /// It is the header again.
    RepeatedHeader,
    /// It is not a JSON object.
    NotAnObject,
    /// Its user is empty, or one of the texts that stand for a missing value.
    MissingUser,
    /// Its item is empty, or one of the texts that stand for a missing value.
    MissingItem,
    /// Its user is not an id of the type asked for.
    InvalidUser,
    /// Its item is not an id of the type asked for.
    InvalidItem,
    /// Its rating is not a finite number.
    InvalidRating,
    /// Its weight is not a finite number.
    InvalidWeight,
    /// Its weight is below 0.
    NegativeWeight,
    /// Its time is neither a finite number nor a date in a known form.
    InvalidTime,
    /// Its bytes are not text in the encoding of the file.
    Encoding,
    /// Its item is that of an earlier row, in a table with a row for each item.
    RepeatedItem,
}

impl fmt::Display for InvalidRow {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::FieldCount => "another number of fields",
            Self::RepeatedHeader => "the header again",
            Self::NotAnObject => "not a JSON object",
            Self::MissingUser => "no user",
            Self::MissingItem => "no item",
            Self::InvalidUser => "an invalid user id",
            Self::InvalidItem => "an invalid item id",
            Self::InvalidRating => "an invalid rating",
            Self::InvalidWeight => "an invalid weight",
            Self::NegativeWeight => "a weight below 0",
            Self::InvalidTime => "an invalid time",
            Self::Encoding => "bytes that are not text",
            Self::RepeatedItem => "an item of an earlier row",
        })
    }
}
