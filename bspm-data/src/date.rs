//! Times as dates, in messages.

use jiff::Timestamp;

/// The date of a time that may be seconds since 1970, as in `2026-01-31T12:30:00Z`: one between 1973
/// and 5138. None for another time, which is likely in another unit.
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
