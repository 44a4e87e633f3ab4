//! Warnings about data that are likely misread.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

use foldhash::fast::RandomState;

use super::id_text::USUAL;
use super::time::TimeUnit;
use crate::dataset::Dataset;
use crate::error::Result;
use crate::ids::Ids;

/// Texts that mean a missing value in some programs, and are valid ids in others.
const MAYBE_MISSING: [&str; 9] = [
    "NA",
    "N/A",
    "#N/A",
    "n/a",
    "Null",
    "NaT",
    "nil",
    "undefined",
    "none",
];

/// Returns warnings about ids and times that are likely wrong. `unit` is the unit that numeric times were
/// read in.
pub(super) fn warnings(dataset: &Dataset, unit: Option<TimeUnit>) -> Vec<String> {
    let interactions = dataset.interactions();
    let degrees = interactions.item_degrees();
    let users = of_ids("user", dataset.users(), |user| {
        interactions.items_of(user).len()
    });
    let items = of_ids("item", dataset.items(), |item| {
        degrees[item as usize] as usize
    });
    let joined = joined_items(dataset.items());
    let times = dataset.times().unwrap_or_default();
    let of_times = of_dates(dataset).into_iter().chain(of_units(times, unit));
    let ids = users.into_iter().chain(items).chain(joined);
    ids.chain(of_times).collect()
}

/// Returns a warning if some of the ids `more` differ from another id of `more` or `known` only by spaces, case,
/// leading zeros, `.0` or notation. `kind` is `user` or `item`.
///
/// # Errors
///
/// [`Error::TooLarge`](crate::Error::TooLarge) for too many ids.
///
/// # Examples
///
/// ```
/// use bspm_data::{Ids, similar_ids};
///
/// let known: Ids<String> = ["ann".to_string()].into_iter().collect();
/// let more = ["Ann".to_string()].into_iter().collect();
/// let warning = similar_ids("user", &known, &more)?.unwrap();
/// assert!(warning.contains("\"Ann\" and \"ann\""));
/// # Ok::<(), bspm_data::Error>(())
/// ```
pub fn similar_ids(kind: &str, known: &Ids<String>, more: &Ids<String>) -> Result<Option<String>> {
    let mut ids = known.clone();
    for id in more.iter() {
        ids.index_or_insert(id.clone(), "ids")?;
    }
    Ok(similar(kind, &ids, known.len()))
}

fn of_ids(kind: &str, ids: &Ids<String>, interactions: impl Fn(u32) -> usize) -> Vec<String> {
    let mut warnings: Vec<String> = similar(kind, ids, 0).into_iter().collect();
    let found = |is_it: fn(&str) -> bool| {
        let mut all = ids.iter().filter(|id| is_it(id));
        let first = all.next();
        first.map(|first| (1 + all.count(), first))
    };
    if let Some((count, id)) = found(is_list) {
        warnings.push(format!(
            "{count} {kind} ids look like lists, such as {id:?}; each is read as one {kind}"
        ));
    }
    if let Some((count, id)) = found(is_rounded) {
        warnings.push(format!(
            "{count} {kind} ids are numbers in scientific notation, such as {id:?}, which may have lost digits; \
             hint: export the column as text"
        ));
    }
    if let Some((count, id)) = found(has_zero_fraction)
        && 2 * count > ids.len()
    {
        warnings.push(format!(
            "{count} of {} {kind} ids are whole numbers with .0, such as {id:?}, as programs write a column with \
             missing values; they differ from the ids without it in other files",
            ids.len()
        ));
    }
    if let Some((count, id)) = found(is_enclosed)
        && 2 * count > ids.len()
    {
        warnings.push(format!(
            "{count} of {} {kind} ids start or end with a space or a quote, such as {id:?}, which is part of \
             the id",
            ids.len()
        ));
    }
    // The usual texts are ids only if an option replaces the list.
    warnings.extend(MAYBE_MISSING.iter().chain(&USUAL).filter_map(|text| {
        let count = interactions(ids.index(*text)?);
        Some(format!(
            "the {kind} {text:?} has {count} interactions; hint: if it means a missing value, set null_values \
             to all texts that mean one, with {text}"
        ))
    }));
    warnings
}

fn is_list(id: &str) -> bool {
    let is_in = |start, end| id.starts_with(start) && id.ends_with(end);
    is_in('[', ']')
        || is_in('(', ')') && id.contains(',')
        || is_in('{', '}') && id.contains([',', ':'])
}

/// Whether an id is a number such as `5.9E+12` or `5,9E+12`, as spreadsheets write long numbers.
fn is_rounded(id: &str) -> bool {
    id.contains(['.', ','])
        && id.contains(['e', 'E'])
        && scientific(&id.replace(',', ".")).is_some()
}

/// Whether an id is a whole number such as `12.0`.
fn has_zero_fraction(id: &str) -> bool {
    let whole = id.strip_suffix(".0").unwrap_or_default();
    !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_enclosed(id: &str) -> bool {
    let is_part = |letter: char| letter.is_whitespace() || letter == '"' || letter == '\'';
    id.starts_with(is_part) || id.ends_with(is_part)
}

/// Warns about items that are several items with a separator. Commas before spaces are those of titles.
fn joined_items(items: &Ids<String>) -> Option<String> {
    ["|", ";", ","].into_iter().find_map(|separator| {
        let is_joined = |id: &&String| id.contains(separator) && !id.contains(", ");
        let mut joined = items.iter().filter(is_joined);
        let example = joined.next()?;
        let count = 1 + joined.count();
        (items.len() > 1 && 2 * count > items.len()).then(|| {
            format!(
                "{count} of {} item ids contain {separator:?}, such as {example:?}; each is read as one item",
                items.len()
            )
        })
    })
}

/// Warns about ids from index `first` that equal another one in plain form.
fn similar(kind: &str, ids: &Ids<String>, first: usize) -> Option<String> {
    // Without lower case, case does not distinguish ids.
    let has_lower_case = ids.iter().any(|id| id.contains(char::is_lowercase));
    let hasher = RandomState::default();
    let mut others = HashMap::with_hasher(RandomState::default());
    let (mut count, mut example) = (0, None);
    for (index, id) in ids.iter().enumerate() {
        let plain = plain(id, has_lower_case);
        if plain == *id {
            continue;
        }
        let plain_one = ids.index(&*plain);
        let other = plain_one.or_else(|| others.insert(hasher.hash_one(&*plain), index as u32));
        if let Some(other) = other
            && index.max(other as usize) >= first
        {
            count += 1;
            example.get_or_insert((id, other));
        }
    }
    let (id, other) = example?;
    let other = ids.id(other)?;
    Some(format!(
        "{count} {kind} ids differ from another {kind} id only by spaces, case, leading zeros, .0 or notation, \
         such as {id:?} and {other:?}; they are read as different {kind}s"
    ))
}

/// Returns an id without surrounding spaces and invisible characters, and in lower case if `ignores_case`. A
/// whole number has neither leading zeros nor an exponent.
fn plain(id: &str, ignores_case: bool) -> Cow<'_, str> {
    let is_invisible = |letter: char| {
        letter.is_whitespace() || matches!(letter, '\0' | '\u{200b}'..='\u{200d}' | '\u{feff}')
    };
    let trimmed = id.trim_matches(is_invisible);
    let whole = trimmed.strip_suffix(".0").unwrap_or(trimmed);
    if !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit()) {
        let plain = whole.trim_start_matches('0');
        return if plain.is_empty() { "0" } else { plain }.into();
    }
    if let Some(number) = scientific(trimmed) {
        return number.to_string().into();
    }
    match ignores_case && trimmed.contains(char::is_uppercase) {
        true => trimmed.to_lowercase().into(),
        false => trimmed.into(),
    }
}

/// Parses a whole number in scientific notation, such as `1e+05` and `1.5E6`. `1e5` may be hexadecimal.
fn scientific(text: &str) -> Option<f64> {
    let is_part = |byte: u8| byte.is_ascii_digit() || b".eE+".contains(&byte);
    let is_number = text.starts_with(|letter: char| letter.is_ascii_digit())
        && text.contains(['e', 'E'])
        && text.contains(['.', '+'])
        && text.bytes().all(is_part);
    let number = is_number.then(|| text.parse::<f64>().ok()).flatten()?;
    (number.fract() == 0.0 && number.is_finite()).then_some(number)
}

/// Warns about times such as 20260131, which are dates and were read as numbers.
fn of_dates<U: Eq + Hash + Clone, I: Eq + Hash + Clone>(dataset: &Dataset<U, I>) -> Option<String> {
    let times = dataset.times()?;
    let is_date = |&time: &f64| {
        let number = time as u64;
        let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
        time.fract() == 0.0
            && (1900..2100).contains(&year)
            && (1..=12).contains(&month)
            && (1..=31).contains(&day)
    };
    let first = times.first().filter(|_| times.iter().all(is_date))?;
    Some(format!(
        "all times look like dates, such as {first}, but are read as numbers; hint: set the time format \
         %Y%m%d to read them as dates"
    ))
}

/// Warns about times that are numbers in several units, such as seconds and milliseconds.
fn of_units(times: &[f64], unit: Option<TimeUnit>) -> Option<String> {
    let unit = unit.map_or(1.0, |unit| unit.seconds(1.0));
    let found = [
        ("seconds", 1.0),
        ("milliseconds", 1e3),
        ("microseconds", 1e6),
        ("nanoseconds", 1e9),
    ];
    let found = found.map(|(name, per_second)| {
        // The years 1973 to 2286, which do not overlap with those of another unit.
        let is_it = |time: &&f64| (1e8..1e10).contains(&(**time / unit / per_second));
        let mut of_unit = times.iter().filter(is_it);
        let first = of_unit.next();
        (name, first, of_unit.count() + usize::from(first.is_some()))
    });
    // A time of 0 often means a missing time.
    let zeros = times.iter().filter(|&&time| time == 0.0).count();
    let of_any: usize = found.iter().map(|it| it.2).sum();
    let texts = found.iter().filter_map(|(name, first, count)| {
        Some(format!(
            "{count} in {name}, such as {}",
            ((*first)? / unit).round()
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
