//! Warnings about times that are likely misread.

use super::numeric_times::{NumericTimes, latest};
use super::time::TimeUnit;
use crate::date::date_of_seconds;

/// Returns warnings about times that are likely wrong. `unit` is the unit that numeric times were read in.
pub(super) fn warnings(
    times: &[f64],
    are_seconds: bool,
    unit: Option<TimeUnit>,
) -> impl Iterator<Item = String> {
    let numbers = match (are_seconds, unit) {
        (true, None) => None,
        (_, Some(unit)) => NumericTimes::of_numbers(times, |time| unit.number(time)),
        (false, None) => NumericTimes::of(times),
    };
    let are_likely_seconds =
        are_seconds || numbers == Some(NumericTimes::InUnit(TimeUnit::Seconds));
    let of_numbers = match numbers {
        Some(NumericTimes::Digits(format)) => Some(of_digits(times, format, unit)),
        _ => unit.and_then(|unit| of_wrong_unit(times, unit, numbers)),
    };
    let of_range = match (are_likely_seconds, &of_numbers, unit) {
        (true, None, None) => of_range(times).or_else(|| of_outliers(times)),
        (true, None, Some(_)) => of_outliers(times),
        _ => None,
    };
    let of_units = of_units(times, unit);
    of_numbers.into_iter().chain(of_range).chain(of_units)
}

/// Warns about times such as 20260131, which are dates and were read as numbers.
fn of_digits(times: &[f64], format: &'static str, unit: Option<TimeUnit>) -> String {
    let number = |time: f64| unit.map_or(time, |unit| unit.number(time));
    let mut dates = times
        .iter()
        .map(|&time| number(time))
        .filter(|&it| NumericTimes::Digits(format).fits(it, f64::INFINITY));
    let first = dates.next().unwrap_or_default().round();
    let count = 1 + dates.count();
    let which = match count == times.len() {
        true => "all times".into(),
        false => format!("{count} of {} times", times.len()),
    };
    let instead = match unit {
        Some(unit) => format!(" instead of the unit {unit}"),
        None => String::new(),
    };
    format!(
        "{which} look like dates, such as {first}, but are read as numbers; hint: set the time format {format}\
         {instead} to read them as dates"
    )
}

/// The start of 1970-02, in seconds since 1970.
const FEBRUARY_1970: f64 = 31.0 * 86_400.0;

/// Warns about a unit that most times do not have. `likely` is what the numbers likely are.
fn of_wrong_unit(times: &[f64], unit: TimeUnit, likely: Option<NumericTimes>) -> Option<String> {
    let latest = latest();
    let is_likely = |time: &&f64| (FEBRUARY_1970..latest).contains(*time);
    let wrong = times.len() - times.iter().filter(is_likely).count();
    if wrong * 2 <= times.len() {
        return None;
    }
    let hint = match likely {
        Some(NumericTimes::InUnit(likely)) => {
            format!(
                "the numbers look like {}; set the time unit {likely}",
                likely.meaning()
            )
        }
        _ => "set the unit of the numbers, or convert them to seconds since 1970".into(),
    };
    Some(format!(
        "the times are from {} in the unit {unit}; hint: {hint}",
        years(times)
    ))
}

/// Warns about dates most of which are before the year 1000 or in the distant future.
fn of_range(times: &[f64]) -> Option<String> {
    const YEAR_1000: f64 = -30_610_224_000.0;
    let latest = latest();
    let is_wrong = |time: &&f64| !(YEAR_1000..latest).contains(*time);
    let wrong = times.iter().filter(is_wrong).count();
    (wrong * 2 > times.len()).then(|| {
        format!(
            "the times are from {}; hint: check the dates and the time format",
            years(times)
        )
    })
}

/// Describes the years of times in seconds.
fn years(times: &[f64]) -> String {
    let year = |time: f64| (1970.0 + time / (365.2425 * 86_400.0)).floor();
    let first = year(times.iter().copied().fold(f64::INFINITY, f64::min));
    let last = year(times.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    match first == last {
        true => format!("the year {first}"),
        false => format!("the years {first} to {last}"),
    }
}

/// Warns about a few times that are far from the others, which often mean a missing time: before 1970-02 or in the
/// distant future, at a distance of a quarter of the span of the others.
fn of_outliers(times: &[f64]) -> Option<String> {
    let latest = latest();
    let is_usual = |time: &f64| (FEBRUARY_1970..latest).contains(time);
    let usual = || times.iter().copied().filter(is_usual);
    let first = usual().fold(f64::INFINITY, f64::min);
    let last = usual().fold(f64::NEG_INFINITY, f64::max);
    let distance = (last - first) / 4.0;
    let is_far =
        |time: &f64| !is_usual(time) && (first - time > distance || time - last > distance);
    let mut far = times.iter().copied().filter(is_far);
    let example = far.next()?;
    let count = 1 + far.count();
    let example = date_of_seconds(example).unwrap_or_else(|| example.to_string());
    (count * 2 < times.len()).then(|| {
        format!(
            "{count} of {} times are far from the others, such as {example}; hint: if it means a missing time, \
             remove these rows",
            times.len()
        )
    })
}

/// Returns a warning if only one of two groups of times, those of a model and new ones, has a unit with dates of the
/// last decades, or if their units differ.
///
/// # Examples
///
/// ```
/// use bspm_data::other_times;
///
/// let warning = other_times(&[1_704_067_200.0], &[1_704_067_200_000.0]).unwrap();
/// assert!(warning.contains("look like milliseconds since 1970, such as 1704067200000"));
/// assert_eq!(other_times(&[1_704_067_200.0], &[1_706_745_600.0]), None);
/// ```
pub fn other_times(known: &[f64], more: &[f64]) -> Option<String> {
    let of = |times: &[f64]| {
        let example = times.iter().copied().find(|&time| time != 0.0)?;
        let kind = NumericTimes::of(times);
        let text = match kind {
            Some(kind) => format!("look like {kind}, such as {example}"),
            None => format!("are other numbers, such as {example}"),
        };
        Some((kind, text))
    };
    let ((known, of_known), (more, of_more)) = (of(known)?, of(more)?);
    (known != more).then(|| {
        format!(
            "the times of the new interactions {of_more}, but those of the model {of_known}, so they cannot be \
             compared; hint: convert the new ones to the unit of the model"
        )
    })
}

/// Warns about times that are numbers in several units, such as seconds and milliseconds.
fn of_units(times: &[f64], unit: Option<TimeUnit>) -> Option<String> {
    let number = |time: f64| unit.map_or(time, |unit| unit.number(time));
    let found = [
        ("seconds", 1.0),
        ("milliseconds", 1e3),
        ("microseconds", 1e6),
        ("nanoseconds", 1e9),
    ];
    let found = found.map(|(name, per_second)| {
        // The years 1973 to 2286, which do not overlap with those of another unit.
        let is_it = |time: &&f64| (1e8..1e10).contains(&(number(**time) / per_second));
        let mut of_unit = times.iter().filter(is_it);
        let first = of_unit.next();
        (name, first, of_unit.count() + usize::from(first.is_some()))
    });
    // A time of 0 often means a missing time.
    let zeros = times.iter().filter(|&&time| number(time) == 0.0).count();
    let of_any: usize = found.iter().map(|it| it.2).sum();
    let texts = found.iter().filter_map(|(name, first, count)| {
        Some(format!(
            "{count} in {name}, such as {}",
            number(*(*first)?).round()
        ))
    });
    let texts: Vec<String> = texts.collect();
    (texts.len() > 1 && of_any + zeros == times.len()).then(|| {
        format!(
            "the times are in several units ({}), so they cannot be compared; hint: convert them to one unit",
            texts.join("; ")
        )
    })
}
