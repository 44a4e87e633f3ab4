//! Times in tables: numbers, or dates as ISO 8601 has them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// What a time may be.
pub(super) const EXPECTED: &str =
    "a finite number, or a date as in 2026-01-31 or 2026-01-31T12:30:00Z";

/// A time as tables have it: a number as it is, a date (ISO 8601) in seconds from 1970 on; one
/// without an offset is that of UTC. None for what is neither.
///
/// # Examples
///
/// ```
/// use bspm_core::data::parse_time;
///
/// assert_eq!(parse_time("881250949"), Some(881_250_949.0));
/// assert_eq!(parse_time("1970-01-02T01:00:00+01:00"), Some(86_400.0));
/// assert_eq!(parse_time("yesterday"), None);
/// ```
pub fn parse_time(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return number.is_finite().then_some(number);
    }
    let date = || {
        let date = text.parse::<DateTime>().ok()?;
        TimeZone::UTC.to_timestamp(date).ok()
    };
    let time = text.parse::<Timestamp>().ok().or_else(date)?;
    Some(time.as_duration().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_dates_are_times() {
        for (text, expected) in [
            ("881250949", Some(881_250_949.0)),
            (" -1.5e3 ", Some(-1500.0)),
            ("1970-01-02", Some(86_400.0)),
            ("1970-01-01 00:01", Some(60.0)),
            ("1970-01-01T00:00:01.25", Some(1.25)),
            ("1970-01-01T02:00:00+02:00", Some(0.0)),
            ("1970-01-01T00:00:00Z", Some(0.0)),
            ("2026-02-30", None),
            ("yesterday", None),
            ("nan", None),
            ("inf", None),
            ("", None),
        ] {
            assert_eq!(parse_time(text), expected, "{text:?}");
        }
    }
}
