//! The reasons for invalid rows.

use std::fmt;

use serde::Serialize;

/// The reason why a row of a table is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum InvalidRow {
    /// The number of fields differs from the number of columns.
    FieldCount,
    /// The row repeats the header.
    RepeatedHeader,
    /// The row is a header with other columns than the first header. Such a row is never skipped.
    OtherHeader,
    /// The row only contains dashes, as below the header of a printed table.
    Dashes,
    /// The line is not a JSON object.
    NotAnObject,
    /// The user is empty, or one of the texts that mean a missing value.
    MissingUser,
    /// The item is empty, or one of the texts that mean a missing value.
    MissingItem,
    /// The user is not an id of the requested type.
    InvalidUser,
    /// The item is not an id of the requested type.
    InvalidItem,
    /// The rating is not a finite number.
    InvalidRating,
    /// The weight is not a finite number.
    InvalidWeight,
    /// The weight is negative.
    NegativeWeight,
    /// The time is neither a finite number nor a date in a known format.
    InvalidTime,
    /// The bytes are not valid text in the encoding of the file.
    Encoding,
    /// The item occurs in an earlier row of an item table.
    RepeatedItem,
}

impl fmt::Display for InvalidRow {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::FieldCount => "a wrong number of fields",
            Self::RepeatedHeader => "a repeated header",
            Self::OtherHeader => "a header with other columns",
            Self::Dashes => "only dashes",
            Self::NotAnObject => "not a JSON object",
            Self::MissingUser => "a missing user",
            Self::MissingItem => "a missing item",
            Self::InvalidUser => "an invalid user id",
            Self::InvalidItem => "an invalid item id",
            Self::InvalidRating => "an invalid rating",
            Self::InvalidWeight => "an invalid weight",
            Self::NegativeWeight => "a negative weight",
            Self::InvalidTime => "an invalid time",
            Self::Encoding => "invalid text encoding",
            Self::RepeatedItem => "a duplicate item",
        })
    }
}
