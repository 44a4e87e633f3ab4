//! Parses times in tables: numbers or dates.

use std::cell::Cell;

use jiff::civil::DateTime;
use jiff::fmt::{rfc2822, strtime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::HalfLife;

/// A description of valid times.
pub(super) const EXPECTED: &str =
    "a finite number, or a date such as 2026-01-31 or 2026-01-31T12:30:00Z";

/// The unit of numeric times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimeUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Nanoseconds.
    Nanoseconds,
    /// Days.
    Days,
}

impl TimeUnit {
    /// Converts a time in this unit to seconds.
    pub(super) fn seconds(self, time: f64) -> f64 {
        match self {
            Self::Seconds => time,
            Self::Milliseconds => time / 1e3,
            Self::Microseconds => time / 1e6,
            Self::Nanoseconds => time / 1e9,
            Self::Days => time * 86_400.0,
        }
    }
}

crate::names! {
    TimeUnit("time_unit"):
    Seconds = "s",
    Milliseconds = "ms",
    Microseconds = "us",
    Nanoseconds = "ns",
    Days = "d",
}

/// A parser of times.
#[derive(Debug)]
pub struct TimeReader<'o> {
    format: Option<&'o str>,
    unit: Option<TimeUnit>,
    read: Cell<TimesRead>,
}

/// Counts of times that were dates, numbers, and numbers that are likely not seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TimesRead {
    pub(super) dates: u64,
    pub(super) numbers: u64,
    pub(super) other_numbers: u64,
}

impl<'o> TimeReader<'o> {
    /// Creates a parser for texts in a format, or numbers in a unit.
    pub fn new(format: Option<&'o str>, unit: Option<TimeUnit>) -> Self {
        Self {
            format,
            unit,
            read: Cell::default(),
        }
    }

    /// Parses the time of a text; `None` if it is invalid.
    pub fn read(&self, text: &str) -> Option<f64> {
        match self.format {
            Some(format) => parse_with(format, text.trim()),
            None => match text.trim().parse::<f64>() {
                Ok(number) => {
                    let time = self.number(number)?;
                    let are_seconds = (1e8..HalfLife::LARGEST_SECONDS).contains(&time);
                    self.count(0, 1, u64::from(!are_seconds));
                    Some(time)
                }
                Err(_) => {
                    self.count(1, 0, 0);
                    parse_time(text)
                }
            },
        }
    }

    fn count(&self, dates: u64, numbers: u64, other_numbers: u64) {
        let read = self.read.get();
        self.read.set(TimesRead {
            dates: read.dates + dates,
            numbers: read.numbers + numbers,
            other_numbers: read.other_numbers + other_numbers,
        });
    }

    /// The counts so far.
    pub(super) fn times_read(&self) -> TimesRead {
        self.read.get()
    }

    /// Converts a number to a time; `None` if it is invalid.
    pub fn number(&self, number: f64) -> Option<f64> {
        let time = match self.unit {
            Some(unit) => unit.seconds(number),
            None => number,
        };
        (self.format.is_none() && time.is_finite()).then_some(time)
    }

    /// A description of valid times, for an error of a text.
    pub fn expected(&self, text: &str) -> String {
        match self.format {
            Some(format) => format!("a time in the format {format:?}"),
            None if text.starts_with(|letter: char| letter.is_ascii_digit())
                && text.contains('[') =>
            {
                "an offset such as +01:00 with the name of a time zone".into()
            }
            None => EXPECTED.into(),
        }
    }
}

/// Parses a time: a number, which is not converted, or a date, which is converted to seconds since 1970.
/// A date without an offset is in UTC. Returns `None` for other texts, such as a date with the name of a time
/// zone and without an offset.
///
/// Accepted dates are those of ISO 8601, and other unambiguous formats: the year first, with `-` or `/`
/// between the parts; an offset after a space, or `UTC`, `GMT` or `Z`; and dates of mails and HTTP
/// (RFC 2822).
///
/// # Examples
///
/// ```
/// use bspm_data::parse_time;
///
/// assert_eq!(parse_time("881250949"), Some(881_250_949.0));
/// assert_eq!(parse_time("1970-01-02T01:00:00+01:00"), Some(86_400.0));
/// assert_eq!(parse_time("1970-01-02 00:00:00 UTC"), Some(86_400.0));
/// assert_eq!(parse_time("1/2/1970"), None); // The day first, or the month?
/// ```
pub fn parse_time(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return number.is_finite().then_some(number);
    }
    iso(text).or_else(|| unambiguous(text))
}

fn iso(text: &str) -> Option<f64> {
    let date = || {
        // A name of a time zone in brackets would be ignored.
        let text = Some(text).filter(|text| !text.contains('['))?;
        TimeZone::UTC
            .to_timestamp(text.parse::<DateTime>().ok()?)
            .ok()
    };
    let time = text.parse::<Timestamp>().ok().or_else(date)?;
    Some(seconds(time.as_duration()))
}

/// Converts a duration to seconds with a fraction. All readers use this function.
pub fn seconds(duration: SignedDuration) -> f64 {
    duration.as_secs_f64()
}

/// Parses unambiguous formats other than ISO 8601.
fn unambiguous(text: &str) -> Option<f64> {
    const DATES: [&str; 2] = ["%Y-%m-%d", "%Y/%m/%d"];
    const TIMES: [&str; 4] = ["", " %H:%M", " %H:%M:%S%.f", "T%H:%M:%S%.f"];
    let is_year = |text: &str| text.len() > 4 && text.bytes().take(4).all(|it| it.is_ascii_digit());
    if !is_year(text) {
        let mail = rfc2822::parse(text).ok()?;
        return Some(seconds(mail.timestamp().as_duration()));
    }
    let mut zones = ["UTC", "GMT", "Z"].iter();
    let without_zone = zones.find_map(|zone| text.strip_suffix(zone));
    let without_zone = without_zone.map(str::trim_end);
    let usual = match (without_zone, text.rsplit_once(' ')) {
        (Some(text), _) => iso(text),
        (None, Some((time, offset))) if offset.starts_with(['+', '-']) => {
            iso(&format!("{time}{offset}"))
        }
        (None, _) => None,
    };
    if usual.is_some() {
        return usual;
    }
    for date in DATES {
        for time in TIMES {
            let format = format!("{date}{time}");
            if let Some(time) = parse_with(&format, without_zone.unwrap_or(text)) {
                return Some(time);
            }
            if without_zone.is_none() && !time.is_empty() {
                for offset in ["%z", " %z", "%:z", " %:z"] {
                    if let Some(time) = parse_with(&format!("{format}{offset}"), text) {
                        return Some(time);
                    }
                }
            }
        }
    }
    None
}

/// Whether a time format can parse its own output.
pub(super) fn is_readable(pattern: &str) -> bool {
    let time = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    let written = strtime::format(pattern, &time);
    written.is_ok_and(|text| parse_with(pattern, &text).is_some())
}

/// Parses a text in a format to seconds since 1970.
fn parse_with(format: &str, text: &str) -> Option<f64> {
    let mut parts = strtime::parse(format, text).ok()?;
    if parts.offset().is_some() || parts.timestamp().is_some() {
        return Some(seconds(parts.to_timestamp().ok()?.as_duration()));
    }
    if parts.iana_time_zone().is_some() {
        return None;
    }
    let weeks = [
        parts.iso_week(),
        parts.sunday_based_week(),
        parts.monday_based_week(),
    ];
    let has_week = weeks.iter().any(Option::is_some);
    if !has_week && parts.day_of_year().is_none() {
        parts.set_month(parts.month().or(Some(1))).ok()?;
        parts.set_day(parts.day().or(Some(1))).ok()?;
    }
    let date = match parts.to_datetime() {
        Ok(date) => date,
        Err(_) if parts.hour().is_none() => parts.to_date().ok()?.into(),
        Err(_) => return None,
    };
    let time = TimeZone::UTC.to_timestamp(date).ok()?;
    Some(seconds(time.as_duration()))
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
            ("1970-01-02 00:00:00 UTC", Some(86_400.0)),
            ("1970-01-02 00:00:00.5 UTC", Some(86_400.5)),
            ("1970-01-02 00:00 GMT", Some(86_400.0)),
            ("1970-01-02 01:00:00 +0100", Some(86_400.0)),
            ("1970-01-02 01:00:00+0100", Some(86_400.0)),
            ("1970-01-02 01:00:00 +01:00", Some(86_400.0)),
            ("1970-01-02T01:00:00+0100", Some(86_400.0)),
            ("1970-01-02T01:00:00+01:00[Europe/Berlin]", Some(86_400.0)),
            ("1970-01-02T01:00:00[Europe/Berlin]", None),
            ("1970-01-02 01:00 [Europe/Berlin]", None),
            ("1970/01/02", Some(86_400.0)),
            ("1970/1/2 0:01", Some(86_460.0)),
            ("1970-1-2", Some(86_400.0)),
            ("Fri, 02 Jan 1970 00:00:00 +0000", Some(86_400.0)),
            ("Fri, 02 Jan 1970 00:00:00 GMT", Some(86_400.0)),
            ("1/2/1970", None),
            ("01.02.1970", None),
            ("2026-02-30", None),
            ("2026/02/30", None),
            ("1970-01-02 25:00", None),
            ("yesterday", None),
            ("nan", None),
            ("inf", None),
            ("", None),
        ] {
            assert_eq!(parse_time(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_pattern_reads_dates_that_are_ambiguous() {
        for (pattern, text, expected) in [
            ("%m/%d/%Y %H:%M", "1/2/1970 0:01", Some(86_460.0)),
            ("%d/%m/%Y", "02/01/1970", Some(86_400.0)),
            ("%d.%m.%Y %H:%M:%S", "02.01.1970 00:00:01", Some(86_401.0)),
            ("%d %b %Y", "2 Jan 1970", Some(86_400.0)),
            ("%Y%m%d", "19700102", Some(86_400.0)),
            ("%m/%d/%Y %I:%M %p", "01/02/1970 01:00 AM", Some(90_000.0)),
            (
                "%Y-%m-%d %H:%M:%S %z",
                "1970-01-02 01:00:00 +0100",
                Some(86_400.0),
            ),
            (
                "%Y-%m-%dT%H:%M:%S%:z[%Q]",
                "1970-01-02T01:00:00+01:00[Europe/Berlin]",
                Some(86_400.0),
            ),
            ("%Y-%m-%d %H:%M %Q", "1970-01-02 01:00 Europe/Berlin", None),
            ("%Y", "1971", Some(365.0 * 86_400.0)),
            ("%Y-%m", "1970-02", Some(31.0 * 86_400.0)),
            ("%Y-%j", "1970-032", Some(31.0 * 86_400.0)),
            ("%G-W%V-%u", "1970-W02-1", Some(4.0 * 86_400.0)),
            ("%Y-%U-%w", "1970-01-0", Some(3.0 * 86_400.0)),
            ("%Y-%m-%d W%V", "1970-01-02 W01", Some(86_400.0)),
            ("%Y-W%V", "1970-W02", None),
            ("%Y-%U", "1970-02", None),
            ("%Y-W%W", "1970-W02", None),
            ("%G-W%V", "1970-W02", None),
            ("%Y-W%V-%u", "1970-W02-1", None),
            ("%m/%d/%Y", "31/01/1970", None),
            ("%m/%d/%Y", "12", None),
        ] {
            assert_eq!(parse_with(pattern, text), expected, "{pattern:?} {text:?}");
            let is_readable = expected.is_some() || pattern == "%m/%d/%Y";
            assert_eq!(super::is_readable(pattern), is_readable, "{pattern:?}");
        }
    }
}
