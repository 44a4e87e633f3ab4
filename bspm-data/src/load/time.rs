//! Parses times in tables: numbers or dates.

use std::cell::Cell;

use jiff::civil::{Date, DateTime};
use jiff::fmt::{rfc2822, strtime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::HalfLife;
use crate::error::InvalidRow;

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
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Days.
    Days,
    /// Days since 1899-12-30, which are the serial numbers of dates in spreadsheets.
    ExcelDays,
    /// Ticks of .NET: 100 nanoseconds each, since the year 1.
    Ticks,
    /// File times of Windows: 100 nanoseconds each, since the year 1601.
    FileTime,
}

/// The serial number of 1970-01-01 in spreadsheets.
const EXCEL_1970: f64 = 25_569.0;
/// 1970-01-01 in ticks of .NET.
const TICKS_1970: f64 = 621_355_968_000_000_000.0;
/// 1970-01-01 as a file time of Windows.
const FILE_TIME_1970: f64 = 116_444_736_000_000_000.0;

impl TimeUnit {
    /// Converts a time in this unit to seconds since 1970.
    pub(super) fn seconds(self, time: f64) -> f64 {
        match self {
            Self::Seconds => time,
            Self::Milliseconds => time / 1e3,
            Self::Microseconds => time / 1e6,
            Self::Nanoseconds => time / 1e9,
            Self::Minutes => time * 60.0,
            Self::Hours => time * 3_600.0,
            Self::Days => time * 86_400.0,
            Self::ExcelDays => (time - EXCEL_1970) * 86_400.0,
            Self::Ticks => (time - TICKS_1970) / 1e7,
            Self::FileTime => (time - FILE_TIME_1970) / 1e7,
        }
    }

    /// Converts seconds since 1970 to this unit.
    pub(super) fn number(self, seconds: f64) -> f64 {
        match self {
            Self::Seconds => seconds,
            Self::Milliseconds => seconds * 1e3,
            Self::Microseconds => seconds * 1e6,
            Self::Nanoseconds => seconds * 1e9,
            Self::Minutes => seconds / 60.0,
            Self::Hours => seconds / 3_600.0,
            Self::Days => seconds / 86_400.0,
            Self::ExcelDays => seconds / 86_400.0 + EXCEL_1970,
            Self::Ticks => seconds * 1e7 + TICKS_1970,
            Self::FileTime => seconds * 1e7 + FILE_TIME_1970,
        }
    }

    /// Describes times in this unit.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::Seconds => "seconds since 1970",
            Self::Milliseconds => "milliseconds since 1970",
            Self::Microseconds => "microseconds since 1970",
            Self::Nanoseconds => "nanoseconds since 1970",
            Self::Minutes => "minutes since 1970",
            Self::Hours => "hours since 1970",
            Self::Days => "days since 1970",
            Self::ExcelDays => "serial numbers of dates in spreadsheets",
            Self::Ticks => "ticks of .NET",
            Self::FileTime => "file times of Windows",
        }
    }
}

crate::names! {
    TimeUnit("time_unit"):
    Seconds = "s",
    Milliseconds = "ms",
    Microseconds = "us",
    Nanoseconds = "ns",
    Minutes = "min",
    Hours = "h",
    Days = "d",
    ExcelDays = "excel",
    Ticks = "ticks",
    FileTime = "filetime",
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
pub struct TimesRead {
    /// The number of dates.
    pub dates: u64,
    /// The number of numbers.
    pub numbers: u64,
    /// The number of numbers that are likely not seconds since 1970.
    pub other_numbers: u64,
}

impl TimesRead {
    /// Counts dates.
    pub fn of_dates(dates: usize) -> Self {
        Self {
            dates: dates as u64,
            ..Self::default()
        }
    }

    /// Adds the counts of other times.
    pub(super) fn add(&mut self, other: Self) {
        self.dates += other.dates;
        self.numbers += other.numbers;
        self.other_numbers += other.other_numbers;
    }
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
        let text = text.trim();
        match (self.format, text.parse::<f64>()) {
            (None, Ok(number)) => self.number(number),
            (None, Err(_)) => {
                self.count(TimesRead::of_dates(1));
                parse_time(text)
            }
            (Some(format), _) => {
                self.count(TimesRead::of_dates(1));
                parse_text(format, text).ok()
            }
        }
    }

    fn count(&self, times: TimesRead) {
        let mut read = self.read.get();
        read.add(times);
        self.read.set(read);
    }

    /// The counts so far.
    pub fn times_read(&self) -> TimesRead {
        self.read.get()
    }

    /// Converts a number to a time; `None` if it is invalid.
    pub fn number(&self, number: f64) -> Option<f64> {
        let time = match self.unit {
            Some(unit) => unit.seconds(number),
            None => number,
        };
        if !time.is_finite() {
            return None;
        }
        let are_seconds = (1e8..HalfLife::LARGEST_SECONDS).contains(&time);
        self.count(TimesRead {
            dates: 0,
            numbers: 1,
            other_numbers: u64::from(!are_seconds),
        });
        Some(time)
    }

    /// The reason why a text is invalid, and a description of valid times.
    pub fn fault(&self, text: &str) -> (InvalidRow, String) {
        let text = text.trim();
        let has_zone_name =
            text.starts_with(|letter: char| letter.is_ascii_digit()) && text.contains('[');
        let problem = match self.format {
            Some(format) => parse_text(format, text).err(),
            None => None,
        };
        match (problem, self.format) {
            (Some(DateProblem::ShortYear), Some(format)) => {
                let expected = format!(
                    "a time in the format {format:?} with a year of four digits (%y reads a year of two digits)"
                );
                (InvalidRow::ShortYear, expected)
            }
            (Some(DateProblem::Impossible), _) => (InvalidRow::ImpossibleDate, EXISTING.into()),
            _ if is_impossible_date(text) => (InvalidRow::ImpossibleDate, EXISTING.into()),
            (_, Some(format)) => {
                let expected = format!("a time in the format {format:?}");
                (InvalidRow::InvalidTime, expected)
            }
            (_, None) if has_zone_name => {
                let expected = "an offset such as +01:00 with the name of a time zone";
                (InvalidRow::InvalidTime, expected.into())
            }
            (_, None) => (InvalidRow::InvalidTime, EXPECTED.into()),
        }
    }
}

/// The reason why a text is not a date in a format.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum DateProblem {
    /// The text does not have the format.
    OtherFormat,
    /// The date does not exist, or is not before 9999-12-30.
    Impossible,
    /// The year has two digits, and the format has one of four digits.
    ShortYear,
}

/// A description of dates that exist.
const EXISTING: &str = "a date that exists and is before 9999-12-30";

/// Whether a text starts with a date, the year first, that does not exist or is too late. If the day and the month
/// may be exchanged, it is not such a date.
fn is_impossible_date(text: &str) -> bool {
    let mut parts = text.split(|letter: char| !letter.is_ascii_digit());
    let mut part = |digits: std::ops::RangeInclusive<usize>| {
        let part = parts.next().filter(|it| digits.contains(&it.len()))?;
        part.parse::<i16>().ok()
    };
    let (Some(year), Some(month), Some(day)) = (part(4..=4), part(1..=2), part(1..=2)) else {
        return false;
    };
    let is_exchanged = month > 12 && (1..=12).contains(&day);
    let date = Date::new(year, month as i8, day as i8).ok();
    let end = date.and_then(|date| TimeZone::UTC.to_timestamp(date.at(23, 59, 59, 0)).ok());
    !is_exchanged && end.is_none()
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
            if let Ok(time) = parse_with(&format, without_zone.unwrap_or(text)) {
                return Some(time);
            }
            if without_zone.is_none() && !time.is_empty() {
                for offset in ["%z", " %z", "%:z", " %:z"] {
                    if let Ok(time) = parse_with(&format!("{format}{offset}"), text) {
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
    written.is_ok_and(|text| parse_with(pattern, &text).is_ok())
}

/// Parses a text in a format to seconds since 1970. A whole number may have a fraction of zero, such as `20260131.0`.
fn parse_text(format: &str, text: &str) -> Result<f64, DateProblem> {
    let found = parse_with(format, text);
    match (found, text.split_once('.')) {
        (Err(DateProblem::OtherFormat), Some((whole, fraction)))
            if whole.bytes().all(|byte| byte.is_ascii_digit())
                && fraction.bytes().all(|byte| byte == b'0') =>
        {
            parse_with(format, whole)
        }
        _ => found,
    }
}

/// Parses a text in a format to seconds since 1970.
pub(super) fn parse_with(format: &str, text: &str) -> Result<f64, DateProblem> {
    use DateProblem::{Impossible, OtherFormat, ShortYear};

    let mut parts = strtime::parse(format, text).map_err(|_| OtherFormat)?;
    let year = parts.year().or(parts.iso_week_year());
    if year.is_some_and(|year| year < 1000 && !text.contains(&format!("{year:04}"))) {
        return Err(ShortYear);
    }
    if parts.offset().is_some() || parts.timestamp().is_some() {
        let time = parts.to_timestamp().map_err(|_| Impossible)?;
        return Ok(seconds(time.as_duration()));
    }
    if parts.iana_time_zone().is_some() {
        return Err(OtherFormat);
    }
    let weeks = [
        parts.iso_week(),
        parts.sunday_based_week(),
        parts.monday_based_week(),
    ];
    let has_week = weeks.iter().any(Option::is_some);
    if !has_week && parts.day_of_year().is_none() {
        let month = parts.month().or(Some(1));
        let day = parts.day().or(Some(1));
        parts.set_month(month).map_err(|_| Impossible)?;
        parts.set_day(day).map_err(|_| Impossible)?;
    }
    let date = match parts.to_datetime() {
        Ok(date) => date,
        Err(_) if parts.hour().is_none() => parts.to_date().map_err(|_| Impossible)?.into(),
        Err(_) => return Err(Impossible),
    };
    let time = TimeZone::UTC.to_timestamp(date);
    Ok(seconds(time.map_err(|_| Impossible)?.as_duration()))
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
            ("%Y%m%d", "19700102.0", Some(86_400.0)),
            ("%Y%m%d", "19700102.5", None),
            ("%Y%m", "197002", Some(31.0 * 86_400.0)),
            ("%Y%m%d%H", "1970010201", Some(90_000.0)),
            ("%Y%m%d%H%M", "197001020101", Some(90_060.0)),
            ("%Y%m%d%H%M%S", "19700102010101.00", Some(90_061.0)),
            ("%d/%m/%y", "02/01/70", Some(86_400.0)),
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
            assert_eq!(
                parse_text(pattern, text).ok(),
                expected,
                "{pattern:?} {text:?}"
            );
            let is_readable = expected.is_some() || ["%m/%d/%Y", "%Y%m%d"].contains(&pattern);
            assert_eq!(super::is_readable(pattern), is_readable, "{pattern:?}");
        }
    }

    #[test]
    fn a_year_of_two_digits_and_a_date_that_does_not_exist_are_told_apart() {
        use InvalidRow::{ImpossibleDate, InvalidTime, ShortYear};
        for (format, text, expected) in [
            (Some("%d/%m/%Y %H:%M"), "31/01/24 10:30", ShortYear),
            (Some("%d-%b-%Y"), "31-JAN-24", ShortYear),
            (Some("%d/%m/%Y"), "31/01/202", ShortYear),
            (Some("%d/%m/%Y %z"), "31/01/24 +0100", ShortYear),
            (Some("%d/%m/%y"), "31/01/2024", InvalidTime),
            (Some("%d/%m/%Y"), "31/02/2024", ImpossibleDate),
            (Some("%d/%m/%Y"), "01/31/2024", InvalidTime),
            (Some("%Y%m%d"), "20240230.0", ImpossibleDate),
            (Some("%Y-%m-%d"), "0000-00-00", ImpossibleDate),
            (Some("%Y-%m-%d"), "9999-12-31", ImpossibleDate),
            (None, "9999-12-31", ImpossibleDate),
            (None, "9999-12-31T23:59:59Z", ImpossibleDate),
            (None, "2024-02-30", ImpossibleDate),
            (None, " 2024/02/30 10:00", ImpossibleDate),
            (None, "0000-00-00 00:00:00", ImpossibleDate),
            (None, "2024-13-32", ImpossibleDate),
            (None, "2024-31-01", InvalidTime),
            (None, "2024-01-31 25:00", InvalidTime),
            (None, "31/01/24", InvalidTime),
            (None, "yesterday", InvalidTime),
            (None, "", InvalidTime),
        ] {
            let reader = TimeReader::new(format, None);
            assert_eq!(reader.read(text), None, "{text:?}");
            assert_eq!(reader.fault(text).0, expected, "{format:?} {text:?}");
        }
        let reader = TimeReader::new(Some("%Y-%m-%d"), None);
        assert_eq!(reader.read("0001-01-01"), Some(-62_135_596_800.0));
    }
}
