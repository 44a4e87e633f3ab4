//! Times as dates, in messages.

use jiff::Timestamp;

/// Returns the date of a time in seconds since 1970, such as `2026-01-31T12:30:00Z`, if it is between
/// the years 1973 and 5138. Returns `None` for other times, which are likely in another unit.
///
/// # Examples
///
/// ```
/// use bspm_data::date_of;
///
/// assert_eq!(date_of(1_769_862_600.0).unwrap(), "2026-01-31T12:30:00Z");
/// assert_eq!(date_of(1_769_862_600_000.0), None); // Milliseconds.
/// ```
pub fn date_of(time: f64) -> Option<String> {
    let is_likely = (1e8..1e11).contains(&time);
    is_likely.then(|| date_of_seconds(time))?
}

/// Returns the date of a time that is known to be in seconds since 1970. Returns `None` for a time outside the years
/// -9999 to 9999.
///
/// # Examples
///
/// ```
/// use bspm_data::date_of_seconds;
///
/// assert_eq!(date_of_seconds(0.0).unwrap(), "1970-01-01T00:00:00Z");
/// assert_eq!(date_of_seconds(1e12), None);
/// ```
pub fn date_of_seconds(time: f64) -> Option<String> {
    let date = Timestamp::from_second(time.floor() as i64).ok()?;
    Some(date.to_string())
}
