//! Checks of parameters and memory budgets.

use crate::error::{Error, Result};
pub use crate::shortened::shortened;

/// Returns [`Error::InvalidParameter`] for an unexpected value.
pub fn invalid(
    parameter: &'static str,
    expected: impl Into<String>,
    found: impl ToString,
) -> Error {
    Error::InvalidParameter {
        parameter,
        expected: expected.into(),
        found: found.to_string(),
    }
}

/// Returns [`Error::InvalidParameter`] unless the number is finite and within `range`. A range that
/// starts at [`f64::MIN_POSITIVE`] contains all numbers above 0.
pub fn check_range(
    parameter: &'static str,
    value: f64,
    range: std::ops::RangeInclusive<f64>,
) -> Result<()> {
    if range.contains(&value) {
        return Ok(());
    }
    let expected = expected_number(*range.start(), *range.end());
    Err(invalid(parameter, expected, value))
}

/// Describes the numbers of a range. A range that starts at [`f64::MIN_POSITIVE`] contains all numbers
/// above 0, and a range that ends at [`f32::MAX`] or above contains all larger finite numbers.
pub fn expected_number(least: f64, most: f64) -> String {
    let is_bounded = most < f64::from(f32::MAX);
    match (least == f64::MIN_POSITIVE, is_bounded) {
        (true, true) => format!("a number above 0, at most {}", plain(most)),
        (true, false) => "a finite number above 0".into(),
        (false, true) => format!("a number from {} to {}", plain(least), plain(most)),
        (false, false) => format!("a finite number, {} or above", plain(least)),
    }
}

/// Formats a number without trailing zeros.
pub fn plain(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if !(1e-3..1e15).contains(&size) => format!("{value:e}"),
        _ => value.to_string(),
    }
}

/// Returns [`Error::InvalidParameter`] if the count is 0.
pub fn check_positive(parameter: &'static str, count: usize) -> Result<()> {
    if count > 0 {
        return Ok(());
    }
    Err(invalid(parameter, "at least 1", 0))
}

/// Returns [`Error::MemoryBudget`] if more bytes are needed than available.
pub fn check_memory(what: impl FnOnce() -> String, needed: usize, available: usize) -> Result<()> {
    if needed <= available {
        return Ok(());
    }
    Err(Error::MemoryBudget {
        what: what(),
        needed,
        available,
    })
}
