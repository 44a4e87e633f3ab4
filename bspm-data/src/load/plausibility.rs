//! Warnings about data that are likely misread.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::id_text::NullValues;
use crate::dataset::Dataset;
use crate::error::Result;
use crate::ids::Ids;
use crate::shortened::shortened;

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

/// Returns warnings about ids that are likely wrong.
pub(super) fn warnings(dataset: &Dataset) -> Vec<String> {
    let interactions = dataset.interactions();
    let degrees = interactions.item_degrees();
    let source = IdSource::File;
    let mut warnings = warnings_of_users(source, dataset.users(), |user| {
        interactions.items_of(user).len()
    });
    warnings.extend(warnings_of_items(source, dataset.items(), |item| {
        degrees[item as usize] as usize
    }));
    warnings
}

/// Where ids come from, which determines the hints of their warnings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum IdSource {
    /// A file, which is read with [`TableOptions`](crate::TableOptions).
    File,
    /// Values in memory, which a program can change.
    Values,
}

/// Returns warnings about ids of users that are likely wrong. `interactions` returns the number of interactions of an
/// id by its index.
pub fn warnings_of_users(
    source: IdSource,
    ids: &Ids<String>,
    interactions: impl Fn(u32) -> usize,
) -> Vec<String> {
    of_ids("user", source, ids, interactions)
}

/// Like [`warnings_of_users`], for ids of items.
pub fn warnings_of_items(
    source: IdSource,
    ids: &Ids<String>,
    interactions: impl Fn(u32) -> usize,
) -> Vec<String> {
    let mut warnings = of_ids("item", source, ids, interactions);
    warnings.extend(joined_items(ids));
    warnings
}

/// Returns a warning if some of the ids `more` differ from another id of `more` or `known` only by spaces, case,
/// leading zeros, `.0`, notation or Unicode normalization. `kind` is `user` or `item`.
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

fn of_ids(
    kind: &str,
    source: IdSource,
    ids: &Ids<String>,
    interactions: impl Fn(u32) -> usize,
) -> Vec<String> {
    let mut warnings: Vec<String> = similar(kind, ids, 0).into_iter().collect();
    let found = |is_it: fn(&str) -> bool| {
        let mut all = ids.iter().filter(|id| is_it(id));
        let first = all.next();
        first.map(|first| (1 + all.count(), first))
    };
    if let Some((count, id)) = found(is_list) {
        warnings.push(format!(
            "{count} {kind} ids look like lists, such as {:?}; each is read as one {kind}; hint: write a row for \
             each element of a list",
            shortened(id.clone())
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
        let hint = match (id.trim() == id, source) {
            (true, _) => "",
            (false, IdSource::File) => {
                "; hint: `trim_ids` removes the spaces of ids in text tables"
            }
            (false, IdSource::Values) => "; hint: remove the spaces from the ids",
        };
        warnings.push(format!(
            "{count} of {} {kind} ids start or end with a space or a quote, such as {id:?}, which is part of \
             the id{hint}",
            ids.len()
        ));
    }
    // The usual texts are ids only if an option replaces the list.
    let texts = MAYBE_MISSING.iter().chain(&NullValues::USUAL);
    warnings.extend(texts.filter_map(|text| {
        let count = interactions(ids.index(*text)?);
        let remedy = match source {
            IdSource::File => {
                format!("set `null_values` to all texts that mean one, with {text}")
            }
            IdSource::Values => "leave out the rows with it".into(),
        };
        Some(format!(
            "the {kind} {text:?} has {count} interactions; hint: if it means a missing value, {remedy}"
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
        "{count} {kind} ids differ from another {kind} id only by spaces, case, leading zeros, .0, notation or \
         Unicode normalization, such as {id:?} and {other:?}; they are read as different {kind}s"
    ))
}

/// Returns an id without surrounding spaces and invisible characters, in Unicode's form NFC, and in lower case if
/// `ignores_case`. A whole number has neither leading zeros nor an exponent.
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
    let composed: Cow<'_, str> = match is_nfc(trimmed) {
        true => trimmed.into(),
        false => trimmed.nfc().collect::<String>().into(),
    };
    match ignores_case && composed.contains(char::is_uppercase) {
        true => composed.to_lowercase().into(),
        false => composed,
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
