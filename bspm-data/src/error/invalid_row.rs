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
    /// The rating is empty or null.
    MissingRating,
    /// The rating is not a finite number.
    InvalidRating,
    /// The weight is empty or null.
    MissingWeight,
    /// The weight is not a finite number.
    InvalidWeight,
    /// The weight is negative.
    NegativeWeight,
    /// The time is empty or null.
    MissingTime,
    /// The time is neither a finite number nor a date in a known format.
    InvalidTime,
    /// The time is a date that does not exist or is out of range.
    ImpossibleDate,
    /// The year has two digits, and the time format has one of four digits.
    ShortYear,
    /// The bytes are not valid text in the encoding of the file.
    Encoding,
    /// The item occurs in an earlier row of an item table.
    RepeatedItem,
}

impl InvalidRow {
    /// Returns the reason for a number or a time that is missing, if `is_missing`.
    #[doc(hidden)]
    pub fn or_missing(self, is_missing: bool) -> Self {
        match self {
            Self::InvalidRating if is_missing => Self::MissingRating,
            Self::InvalidWeight if is_missing => Self::MissingWeight,
            Self::InvalidTime if is_missing => Self::MissingTime,
            _ => self,
        }
    }
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
            Self::MissingRating => "a missing rating",
            Self::InvalidRating => "an invalid rating",
            Self::MissingWeight => "a missing weight",
            Self::InvalidWeight => "an invalid weight",
            Self::NegativeWeight => "a negative weight",
            Self::MissingTime => "a missing time",
            Self::InvalidTime => "an invalid time",
            Self::ImpossibleDate => "a date that does not exist or is out of range",
            Self::ShortYear => "a year of two digits",
            Self::Encoding => "invalid text encoding",
            Self::RepeatedItem => "a duplicate item",
        })
    }
}
