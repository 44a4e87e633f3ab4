//! Checks of parameters and budgets, as every settings struct makes them.

use crate::error::{Error, Result};
pub use crate::shortened::shortened;

/// [`Error::InvalidParameter`] for a value that is not what is expected.
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

/// [`Error::InvalidParameter`] unless the number is finite and within `range`.
pub fn check_range(
    parameter: &'static str,
    value: f64,
    range: std::ops::RangeInclusive<f64>,
) -> Result<()> {
    if range.contains(&value) {
        return Ok(());
    }
    let least = plain(*range.start());
    let expected = match *range.end() {
        most if most >= f64::from(f32::MAX) => format!("a finite number, {least} or above"),
        most => format!("a number from {least} to {}", plain(most)),
    };
    Err(invalid(parameter, expected, value))
}

/// The number without a row of zeros.
pub fn plain(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if !(1e-3..1e15).contains(&size) => format!("{value:e}"),
        _ => value.to_string(),
    }
}

/// [`Error::InvalidParameter`] when the count is 0.
pub fn check_positive(parameter: &'static str, count: usize) -> Result<()> {
    if count > 0 {
        return Ok(());
    }
    Err(invalid(parameter, "at least 1", 0))
}

/// [`Error::MemoryBudget`] where more bytes are needed than available.
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
