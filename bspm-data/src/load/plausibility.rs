//! Warnings about data that are likely misread.

use std::hash::Hash;

use super::time::TimeUnit;
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

/// Returns warnings about ids and times that are likely wrong. `unit` is the unit that numeric times were
/// read in.
pub(super) fn warnings(dataset: &Dataset, unit: Option<TimeUnit>) -> Vec<String> {
    let users = of_ids("user", dataset.users(), |user| {
        dataset.interactions().items_of(user).len()
    });
    let degrees = dataset.interactions().item_degrees();
    let items = of_ids("item", dataset.items(), |item| {
        degrees[item as usize] as usize
    });
    let times = dataset.times().unwrap_or_default();
    let of_times = of_dates(dataset).into_iter().chain(of_units(times, unit));
    users.chain(items).chain(of_times).collect()
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
