//! Warnings about data that are likely misread.

use std::hash::Hash;

use crate::dataset::Dataset;
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

/// Returns warnings about ids and times that are likely wrong.
pub(super) fn warnings(dataset: &Dataset) -> Vec<String> {
    let users = of_ids("user", dataset.users(), |user| {
        dataset.interactions().items_of(user).len()
    });
    let degrees = dataset.interactions().item_degrees();
    let items = of_ids("item", dataset.items(), |item| {
        degrees[item as usize] as usize
    });
    users.chain(items).chain(of_dates(dataset)).collect()
}

fn of_ids<'d>(
    kind: &'d str,
    ids: &'d Ids<String>,
    interactions: impl Fn(u32) -> usize + 'd,
) -> impl Iterator<Item = String> + 'd {
    let (mut twins, mut example) = (0, None);
    let (mut lists, mut list) = (0, None);
    for id in ids.iter() {
        let plain = plain(id);
        if plain != id && ids.index(plain).is_some() {
            twins += 1;
            example.get_or_insert((id, plain));
        }
        if id.starts_with('[') && id.ends_with(']') {
            lists += 1;
            list.get_or_insert(id);
        }
    }
    let twins = example.map(|(id, plain)| {
        format!(
            "{twins} {kind} ids differ from another {kind} id only by spaces, leading zeros or .0, such as \
             {id:?} and {plain:?}; they are read as different {kind}s"
        )
    });
    let lists = list.map(|id| {
        format!("{lists} {kind} ids look like lists, such as {id:?}; each is read as one {kind}")
    });
    let missing = MAYBE_MISSING.iter().filter_map(move |text| {
        let count = interactions(ids.index(*text)?);
        Some(format!(
            "the {kind} {text:?} has {count} interactions; hint: if it means a missing value, add it to \
             null_values"
        ))
    });
    twins.into_iter().chain(lists).chain(missing)
}

/// Removes surrounding spaces, leading zeros and a trailing `.0` from an id.
fn plain(id: &str) -> &str {
    let trimmed = id.trim();
    let whole = trimmed.strip_suffix(".0").unwrap_or(trimmed);
    if !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit()) {
        let plain = whole.trim_start_matches('0');
        return if plain.is_empty() { "0" } else { plain };
    }
    trimmed
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
