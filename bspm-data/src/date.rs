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
    let date = is_likely.then(|| Timestamp::from_second(time as i64).ok())??;
    Some(date.to_string())
}
