//! Warnings about times that are likely misread.

use std::ops::Range;

use super::numeric_times::{EARLIEST, NumericTimes, latest};
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
    let are_likely_seconds = are_seconds || numbers.is_some_and(NumericTimes::are_seconds);
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

/// Returns warnings about times of a table that are likely wrong, which are seconds since 1970 or numbers in any unit.
pub fn warnings_of_times(times: &[f64]) -> Vec<String> {
    warnings(times, false, None).collect()
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

/// Warns about a unit that most times do not have: they are before 1970-02 or in the distant future, or only
/// another unit gives dates of the last decades. `likely` is what the numbers likely are.
fn of_wrong_unit(times: &[f64], unit: TimeUnit, likely: Option<NumericTimes>) -> Option<String> {
    let latest = latest();
    let fit = |range: Range<f64>| 2 * times.iter().filter(|it| range.contains(it)).count();
    let least = match likely {
        Some(NumericTimes::InUnit(other)) if other != unit => EARLIEST,
        _ => FEBRUARY_1970,
    };
    if fit(least..latest) >= times.len() {
        return None;
    }
    let hint = match likely {
        Some(NumericTimes::InUnit(other)) if other != unit => {
            format!(
                "the numbers look like {}; set the time unit {other}",
                other.meaning()
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

/// Warns about a few times that are far from the others, which often mean a missing time: those before 1970-02, or
/// in the distant future, if their distance from the others is above a quarter of the span of the others.
fn of_outliers(times: &[f64]) -> Option<String> {
    let latest = latest();
    let all = || times.iter().copied();
    let is_usual = |time: &f64| (FEBRUARY_1970..latest).contains(time);
    let first = all().filter(is_usual).fold(f64::INFINITY, f64::min);
    let last = all().filter(is_usual).fold(f64::NEG_INFINITY, f64::max);
    let before = all().filter(|&time| time < FEBRUARY_1970).reduce(f64::max);
    let after = all().filter(|&time| time >= latest).reduce(f64::min);
    let distance = (last - first) / 4.0;
    let before = before.filter(|before| first - before > distance);
    let after = after.filter(|after| after - last > distance);
    let is_far = |&time: &f64| {
        before.is_some_and(|before| time <= before) || after.is_some_and(|after| time >= after)
    };
    let count = all().filter(is_far).count();
    if count == 0 || count * 2 >= times.len() {
        return None;
    }
    let example = before.or(after)?;
    let example = date_of_seconds(example).unwrap_or_else(|| example.to_string());
    Some(format!(
        "{count} of {} times are far from the others, such as {example}; hint: if it means a missing time, remove \
         these rows",
        times.len()
    ))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// 2024-02-01.
    const FEBRUARY: f64 = 1_706_745_600.0;

    fn days(count: u32) -> Vec<f64> {
        (0..count)
            .map(|day| FEBRUARY + 86_400.0 * f64::from(day))
            .collect()
    }

    fn texts(times: &[f64], are_seconds: bool, unit: Option<TimeUnit>) -> Vec<String> {
        warnings(times, are_seconds, unit).collect()
    }

    #[test]
    fn usual_times_give_no_warning() {
        let steps: Vec<f64> = (0..100).map(f64::from).collect();
        for (times, are_seconds, unit) in [
            (days(28), true, None),
            (days(28), true, Some(TimeUnit::Milliseconds)),
            (days(28), false, None),
            (steps, false, None),
            (Vec::new(), false, None),
            (Vec::new(), true, Some(TimeUnit::Days)),
        ] {
            assert!(texts(&times, are_seconds, unit).is_empty(), "{unit:?}");
        }
    }

    #[test]
    fn a_unit_without_usual_dates_is_reported() {
        let unit = TimeUnit::Milliseconds;
        let times: Vec<f64> = days(28)
            .into_iter()
            .map(|time| unit.seconds(time))
            .collect();
        let found = texts(&times, true, Some(unit)).join("\n");
        let expected = "the times are from the year 1970 in the unit ms; hint: the numbers look like seconds since \
                        1970; set the time unit s";
        assert_eq!(found, expected);
        let future = vec![2e10; 3];
        let found = texts(&future, true, Some(TimeUnit::Seconds)).join("\n");
        assert!(
            found.starts_with("the times are from the year 2603 in the unit s"),
            "{found}"
        );
        let found = texts(&future, true, None).join("\n");
        assert!(
            found.starts_with("the times are from the year 2603; hint: check"),
            "{found}"
        );
    }

    #[test]
    fn only_separate_times_are_far_from_the_others() {
        let sentinel = [days(28), vec![0.0; 2]].concat();
        for (are_seconds, unit) in [(true, None), (false, None), (true, Some(TimeUnit::Seconds))] {
            let found = texts(&sentinel, are_seconds, unit).join("\n");
            assert!(
                found.starts_with("2 of 30 times are far"),
                "{unit:?}: {found}"
            );
        }
        let year = 365.25 * 86_400.0;
        let since_1955: Vec<f64> = (-15..50).map(|it| f64::from(it) * year).collect();
        assert!(texts(&since_1955, true, None).is_empty());
    }
}
