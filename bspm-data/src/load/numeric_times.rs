//! What numeric times mean: a unit, or dates that are written as numbers.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;

use super::time::TimeUnit;

/// What numeric times likely are, judged by the dates that they mean.
///
/// # Examples
///
/// ```
/// use bspm_data::{NumericTimes, TimeUnit};
///
/// let of = |time| NumericTimes::of(&[time]);
/// assert_eq!(of(1_704_067_200_000.0), Some(NumericTimes::InUnit(TimeUnit::Milliseconds)));
/// assert_eq!(of(20_240_131.0), Some(NumericTimes::Digits("%Y%m%d")));
/// assert_eq!(of(7.0), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NumericTimes {
    /// Numbers in a unit, which mean dates from 1990 to ten years from now.
    InUnit(TimeUnit),
    /// Dates without separators, such as 20260131, in this format.
    Digits(&'static str),
}

impl NumericTimes {
    /// The most times that are examined.
    const MOST_EXAMINED: usize = 1000;

    /// Determines what most times are: nine of ten, except times of 0, which often mean a missing time. Returns
    /// `None` for other numbers.
    pub fn of(times: &[f64]) -> Option<Self> {
        Self::of_numbers(times, |time| time)
    }

    /// Whether the times are seconds since 1970.
    pub fn are_seconds(self) -> bool {
        self == Self::InUnit(TimeUnit::Seconds)
    }

    /// Like [`of`](Self::of), for the numbers that `number` returns for times.
    pub(super) fn of_numbers(times: &[f64], number: impl Fn(f64) -> f64) -> Option<Self> {
        let latest = latest();
        let step = times.len() / Self::MOST_EXAMINED + 1;
        let numbers = times.iter().step_by(step).map(|&time| number(time));
        let numbers: Vec<f64> = numbers.filter(|&it| it != 0.0).collect();
        let is_most = |all: &Self| {
            let fitting = numbers.iter().filter(|&&it| all.fits(it, latest)).count();
            !numbers.is_empty() && fitting * 10 >= numbers.len() * 9
        };
        Self::all().find(is_most)
    }

    /// All values; where two fit a number, the likelier one is first.
    fn all() -> impl Iterator<Item = Self> {
        let digits = DIGITS.iter().map(|&(_, format)| Self::Digits(format));
        digits.chain(UNITS.map(Self::InUnit))
    }

    /// Whether a number means a date. In a unit, the date is from 1990 to `latest`.
    pub(super) fn fits(self, number: f64, latest: f64) -> bool {
        match self {
            Self::InUnit(unit) => (EARLIEST..latest).contains(&unit.seconds(number)),
            Self::Digits(format) => DIGITS
                .iter()
                .any(|&(count, it)| it == format && has_digits_of_date(number, count)),
        }
    }
}

impl fmt::Display for NumericTimes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUnit(unit) => formatter.write_str(unit.meaning()),
            Self::Digits(format) => write!(formatter, "dates in the format {format}"),
        }
    }
}

/// The numbers of digits of dates without separators, and their formats.
const DIGITS: [(u32, &str); 5] = [
    (8, "%Y%m%d"),
    (10, "%Y%m%d%H"),
    (12, "%Y%m%d%H%M"),
    (14, "%Y%m%d%H%M%S"),
    (6, "%Y%m"),
];

/// The units in the order in which they are tried. Ticks of this century are nanoseconds of early 1990.
const UNITS: [TimeUnit; 10] = [
    TimeUnit::Seconds,
    TimeUnit::Milliseconds,
    TimeUnit::Microseconds,
    TimeUnit::Ticks,
    TimeUnit::Nanoseconds,
    TimeUnit::FileTime,
    TimeUnit::Days,
    TimeUnit::ExcelDays,
    TimeUnit::Hours,
    TimeUnit::Minutes,
];

/// The start of 1990, in seconds since 1970.
pub(super) const EARLIEST: f64 = 631_152_000.0;

/// Ten years from now, in seconds since 1970.
pub(super) fn latest() -> f64 {
    Timestamp::now().as_second() as f64 + 10.0 * 365.25 * 86_400.0
}

/// Whether a number has this many digits, which are the year, the month, and optionally the day, hour,
/// minute and second of a time from 1900 to 2099.
fn has_digits_of_date(number: f64, count: u32) -> bool {
    let whole = number.round();
    let limit = 10_f64.powi(count as i32);
    // A number that was converted to seconds and back is rounded.
    if (number - whole).abs() > 0.01 || !(limit / 10.0..limit).contains(&whole) {
        return false;
    }
    let first_day = if count == 6 { 1_000_000 } else { 0 };
    let padded = whole as u64 * 10_u64.pow(14 - count) + first_day;
    let part = |place: u32| (padded / 10_u64.pow(place) % 100) as i8;
    let year = padded / 10_u64.pow(10);
    (1900..2100).contains(&year)
        && Date::new(year as i16, part(8), part(6)).is_ok()
        && part(4) < 24
        && part(2) < 60
        && part(0) < 60
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_of_times_is_the_one_with_dates_of_the_last_decades() {
        for (time, unit) in [
            (1_706_695_200.0, TimeUnit::Seconds),
            (1_706_695_200_000.0, TimeUnit::Milliseconds),
            (1_706_695_200_000_000.0, TimeUnit::Microseconds),
            (1_706_695_200_000_000_000.0, TimeUnit::Nanoseconds),
            (28_444_920.0, TimeUnit::Minutes),
            (474_082.0, TimeUnit::Hours),
            (19_753.0, TimeUnit::Days),
            (45_322.35, TimeUnit::ExcelDays),
            (638_423_000_000_000_000.0, TimeUnit::Ticks),
            (133_510_000_000_000_000.0, TimeUnit::FileTime),
        ] {
            assert_eq!(
                NumericTimes::of(&[time]),
                Some(NumericTimes::InUnit(unit)),
                "{time}"
            );
            let year = (unit.seconds(time) / (365.25 * 86_400.0)).floor() + 1970.0;
            assert_eq!(year, 2024.0, "{time}");
            let back = unit.number(unit.seconds(time));
            assert!((back - time).abs() <= 1e-12 * time, "{time}: {back}");
        }
        for time in [0.0, -5.0, 1.0, 2024.0, 1e11, 5e13, 1e300, f64::MAX] {
            assert_eq!(NumericTimes::of(&[time]), None, "{time}");
        }
        assert_eq!(NumericTimes::of(&[]), None);
    }

    #[test]
    fn dates_without_separators_are_recognised_among_a_few_other_numbers() {
        for (time, format) in [
            (202_401.0, "%Y%m"),
            (20_240_131.0, "%Y%m%d"),
            (2_024_013_110.0, "%Y%m%d%H"),
            (202_401_311_030.0, "%Y%m%d%H%M"),
            (20_240_131_103_000.0, "%Y%m%d%H%M%S"),
        ] {
            let expected = Some(NumericTimes::Digits(format));
            assert_eq!(NumericTimes::of(&[time]), expected, "{time}");
            let mut times = vec![time; 5000];
            times[0] = 0.0;
            times[1] = 99.0;
            assert_eq!(NumericTimes::of(&times), expected, "{time}");
            times[2000..].fill(99.0);
            assert_eq!(NumericTimes::of(&times), None, "{time}");
        }
        for time in [20_240_231.0, 20_241_301.0, 2_024_013_125.0, 20_240_131.5] {
            let found = NumericTimes::of(&[time]);
            assert!(!matches!(found, Some(NumericTimes::Digits(_))), "{time}");
        }
    }
}
