//! Proposes a format for a date that is not read without one.

use std::iter;

use super::time::parse_with;

/// Returns a format in `strftime` syntax that reads a date such as `31/01/24 10:30`, for a hint. Returns `None`
/// for texts whose format is not evident. If the day and the month may be exchanged, the day is first.
///
/// # Examples
///
/// ```
/// use bspm_data::likely_time_format;
///
/// assert_eq!(likely_time_format("31/01/24").unwrap(), "%d/%m/%y");
/// assert_eq!(likely_time_format("1/31/2024 9:05 PM").unwrap(), "%m/%d/%Y %I:%M %p");
/// assert_eq!(likely_time_format("yesterday"), None);
/// ```
pub fn likely_time_format(text: &str) -> Option<String> {
    let runs = runs(text.trim());
    let mut words = runs.iter().copied().filter(|run| is_word(run));
    let date = date_directives(words.next()?, words.next()?, words.next()?)?;
    let is_half = words.clone().any(is_half_of_day);
    let hour = if is_half { "%I" } else { "%H" };
    let mut directives = date.into_iter().chain([hour, "%M", "%S"]);
    let mut format = String::new();
    for run in runs {
        format.push_str(match run {
            run if !is_word(run) => run,
            run if is_half_of_day(run) => "%p",
            _ => directives.next()?,
        });
    }
    parse_with(&format, text.trim()).is_ok().then_some(format)
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

/// The directives of the three parts of a date.
fn date_directives(first: &str, second: &str, third: &str) -> Option<[&'static str; 3]> {
    let name = |word: &str| if word.len() == 3 { "%b" } else { "%B" };
    let has_letters = |word: &str| word.starts_with(char::is_alphabetic);
    let is_day = |word: &str| word.parse::<u8>().is_ok_and(|number| number > 12);
    if first.len() == 4 && !has_letters(first) {
        return Some(match is_day(second) {
            true => ["%Y", "%d", "%m"],
            false => ["%Y", "%m", "%d"],
        });
    }
    let year = match third.len() {
        2 => "%y",
        4 => "%Y",
        _ => return None,
    };
    Some(match (has_letters(first), has_letters(second)) {
        (true, _) => [name(first), "%d", year],
        (_, true) => ["%d", name(second), year],
        _ if is_day(second) => ["%m", "%d", year],
        _ => ["%d", "%m", year],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proposed_format_reads_the_date() {
        for (text, expected) in [
            ("31/01/24", Some("%d/%m/%y")),
            ("31/01/24 10:30", Some("%d/%m/%y %H:%M")),
            ("31-JAN-24", Some("%d-%b-%y")),
            ("31 January 2024", Some("%d %B %Y")),
            ("Jan 31, 2024", Some("%b %d, %Y")),
            ("01/31/2024 9:05:07 am", Some("%m/%d/%Y %I:%M:%S %p")),
            (" 31.1.2024 ", Some("%d.%m.%Y")),
            ("2024-31-01", Some("%Y-%d-%m")),
            ("1/2/3", None),
            ("32/01/2024", None),
            ("31/01/2024 1:2:3:4", None),
            ("été", None),
            ("", None),
            ("12", None),
        ] {
            assert_eq!(likely_time_format(text).as_deref(), expected, "{text:?}");
        }
    }
}
