//! Proposes formats for a date that is not read without one.

use std::iter;

use super::time::parse_with;

/// Returns the formats in `strftime` syntax that read a date such as `31/01/24 10:30`, for a hint: none for a text
/// whose format is not evident, and two if the day and the month may be exchanged, first that with the day first.
///
/// # Examples
///
/// ```
/// use bspm_data::likely_time_formats;
///
/// assert_eq!(likely_time_formats("31/01/24"), ["%d/%m/%y"]);
/// assert_eq!(likely_time_formats("1/31/2024 9:05 PM"), ["%m/%d/%Y %I:%M %p"]);
/// assert_eq!(likely_time_formats("12/1/2024"), ["%d/%m/%Y", "%m/%d/%Y"]);
/// assert!(likely_time_formats("yesterday").is_empty());
/// ```
pub fn likely_time_formats(text: &str) -> Vec<String> {
    let text = text.trim();
    let runs = runs(text);
    let mut words = runs.iter().copied().filter(|run| is_word(run));
    let (Some(first), Some(second), Some(third)) = (words.next(), words.next(), words.next())
    else {
        return Vec::new();
    };
    let orders = orders(first, second, third);
    let formats = orders
        .into_iter()
        .filter_map(|order| format_of(&runs, order));
    formats.filter(|it| parse_with(it, text).is_ok()).collect()
}

/// Returns a format for a text whose date has these directives.
fn format_of(runs: &[&str], date: [&'static str; 3]) -> Option<String> {
    let is_half = runs.iter().copied().any(is_half_of_day);
    let hour = if is_half { "%I" } else { "%H" };
    let mut directives = date.into_iter().chain([hour, "%M", "%S"]);
    let mut format = String::new();
    for run in runs {
        format.push_str(match *run {
            run if !is_word(run) => run,
            run if is_half_of_day(run) => "%p",
            _ => directives.next()?,
        });
    }
    Some(format)
}

/// Splits a text into digits, letters and others.
fn runs(mut text: &str) -> Vec<&str> {
    let kind = |letter: char| (letter.is_ascii_digit(), letter.is_alphabetic());
    let next = || {
        let first = kind(text.chars().next()?);
        let end = text.find(|letter| kind(letter) != first);
        let (run, rest) = text.split_at(end.unwrap_or(text.len()));
        text = rest;
        Some(run)
    };
    iter::from_fn(next).collect()
}

fn is_word(run: &str) -> bool {
    run.starts_with(char::is_alphanumeric)
}

fn is_half_of_day(run: &str) -> bool {
    run.eq_ignore_ascii_case("am") || run.eq_ignore_ascii_case("pm")
}

/// The orders that the three parts of a date may have, as directives.
fn orders(first: &str, second: &str, third: &str) -> Vec<[&'static str; 3]> {
    let name = |word: &str| if word.len() == 3 { "%b" } else { "%B" };
    let has_letters = |word: &str| word.starts_with(char::is_alphabetic);
    if first.len() == 4 && !has_letters(first) {
        // A date with the year first has the month next, unless there is no such month.
        let is_month = second.parse::<u8>().is_ok_and(|number| number <= 12);
        return vec![match is_month {
            true => ["%Y", "%m", "%d"],
            false => ["%Y", "%d", "%m"],
        }];
    }
    let year = match third.len() {
        2 => "%y",
        4 => "%Y",
        _ => return Vec::new(),
    };
    match (has_letters(first), has_letters(second)) {
        (true, _) => vec![[name(first), "%d", year]],
        (_, true) => vec![["%d", name(second), year]],
        _ => vec![["%d", "%m", year], ["%m", "%d", year]],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proposed_formats_read_the_date() {
        for (text, expected) in [
            ("31/01/24", &["%d/%m/%y"][..]),
            ("31/01/24 10:30", &["%d/%m/%y %H:%M"]),
            ("31-JAN-24", &["%d-%b-%y"]),
            ("31 January 2024", &["%d %B %Y"]),
            ("Jan 31, 2024", &["%b %d, %Y"]),
            ("01/31/2024 9:05:07 am", &["%m/%d/%Y %I:%M:%S %p"]),
            ("12/1/2010 8:26", &["%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"]),
            (" 31.1.2024 ", &["%d.%m.%Y"]),
            ("2024-31-01", &["%Y-%d-%m"]),
            ("1/2/3", &[]),
            ("32/01/2024", &[]),
            ("31/01/2024 1:2:3:4", &[]),
            ("été", &[]),
            ("", &[]),
            ("12", &[]),
        ] {
            assert_eq!(likely_time_formats(text), expected, "{text:?}");
        }
    }
}
