//! File formats.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::file::open_text;
use super::foreign;
use super::plain_text::{Lines, PlainText};
use crate::error::{Error, Result};
use crate::parameter::invalid;

/// The format of an interaction file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Comma-separated, with a header.
    Csv,
    /// Tab-separated, with a header.
    Tsv,
    /// `user::item::rating::time`, as in MovieLens 1M and 10M.
    MovieLens,
    /// An atomic file of RecBole.
    RecBole,
    /// JSON objects: one per line, or the elements of an array.
    JsonLines,
    /// `user item item ...`, as in LightGCN.
    LightGcn,
    /// A SciPy CSR matrix.
    Npz,
    /// Parquet.
    Parquet,
}

impl Format {
    /// Each format, its name, and its file extensions.
    const ALL: [(Self, &'static str, &'static [&'static str]); 8] = [
        (Self::Csv, "csv", &["csv"]),
        (Self::Tsv, "tsv", &["tsv", "tab"]),
        (Self::MovieLens, "movielens", &["dat"]),
        (Self::RecBole, "recbole", &["inter", "item"]),
        (Self::JsonLines, "jsonl", &["jsonl", "ndjson", "json"]),
        (Self::LightGcn, "lightgcn", &["txt"]),
        (Self::Npz, "npz", &["npz"]),
        (Self::Parquet, "parquet", &["parquet", "pq", "parq"]),
    ];

    /// The format that files with this name usually have. Case is ignored, and `.gz` or `.zst` may
    /// follow.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFile`] for an unknown extension.
    pub fn of(path: &Path) -> Result<Self> {
        let ending = |path: &Path| {
            let ending = path.extension()?.to_str()?;
            Some(ending.to_ascii_lowercase())
        };
        let ending = match ending(path).as_deref() {
            Some("gz" | "zst" | "zstd") => ending(&path.with_extension("")),
            _ => ending(path),
        };
        let is_it = |endings: &[&str]| endings.iter().any(|it| ending.as_deref() == Some(it));
        let known = Self::ALL.iter().find(|(.., endings)| is_it(endings));
        known.map(|it| it.0).ok_or_else(|| {
            let foreign = ending.as_deref().and_then(foreign::by_extension);
            let endings: Vec<&str> = Self::ALL.iter().flat_map(|it| it.2).copied().collect();
            Error::InvalidFile {
                path: path.into(),
                expected: format!(
                    "a file name that ends in .{}, or an explicit format",
                    endings.join(", .")
                ),
                found: foreign.unwrap_or("another name").into(),
            }
        })
    }

    /// Detects the format of a file from its name and its first lines.
    ///
    /// # Errors
    ///
    /// Those of [`of`](Self::of); [`Error::AmbiguousFormat`] for a text file in which most lines have the
    /// same number of fields, as in a table, and several lines have the same user or the third fields are
    /// ratings; [`Error::Read`].
    pub fn of_file(path: &Path) -> Result<Self> {
        let format = Self::of(path)?;
        if format == Self::LightGcn && path.is_file() {
            refuse_table(path)?;
        }
        Ok(format)
    }

    /// The name of the format, which [`FromStr`](std::str::FromStr) parses.
    pub fn name(self) -> &'static str {
        let known = Self::ALL.iter().find(|(format, ..)| *format == self);
        known.map_or("", |it| it.1)
    }

    /// Whether ids are numbers from 0, which are also the rows and columns.
    pub(super) fn has_numbers(self) -> bool {
        matches!(self, Self::LightGcn | Self::Npz)
    }

    /// The default names of the user column and the item column in this format.
    pub fn columns(self) -> (&'static str, &'static str) {
        match self {
            Self::RecBole => ("user_id", "item_id"),
            _ => ("user", "item"),
        }
    }
}

/// The number of bytes that are examined to distinguish a table from lists.
const LOOKED_AT: usize = 1 << 20;

/// Returns an error for a table whose lines would be read as a user and a list, and for lists that start
/// with their length.
fn refuse_table(path: &Path) -> Result<()> {
    let mut lines = Lines::new(PlainText::new(open_text(path)?, None));
    let (mut users, mut lengths) = (HashSet::new(), HashMap::new());
    let (mut bytes, mut count) = (0, 0);
    let (mut has_repeats, mut has_tabs, mut are_counted) = (false, false, true);
    let mut ratings = HashSet::new();
    while bytes < LOOKED_AT {
        // Errors are reported later, when the file is read.
        let Ok(Some((_, line))) = lines.next() else {
            break;
        };
        bytes += line.len() + 1;
        let text = String::from_utf8_lossy(line);
        let mut fields = text.split_whitespace();
        let Some(user) = fields.next() else { continue };
        if ratings.len() <= MOST_RATINGS {
            ratings.extend(fields.clone().nth(1).map(str::to_owned));
        }
        let rest = fields.count();
        *lengths.entry(1 + rest).or_insert(0_usize) += 1;
        count += 1;
        are_counted &= user.parse() == Ok(rest);
        has_tabs |= line.contains(&b'\t');
        has_repeats |= !users.insert(user.to_owned());
    }
    if count >= FEWEST_LISTS && are_counted {
        return Err(Error::InvalidFile {
            path: path.into(),
            expected: "lines of the form user item item ...".into(),
            found:
                "lines that start with the number of the fields that follow; hint: set the format to \
                    lightgcn if these numbers are users"
                    .into(),
        });
    }
    // Few values in the third field of many lines are ratings, not items.
    let has_few = count >= 2 * MOST_RATINGS && ratings.len() <= MOST_RATINGS;
    let usual = lengths.iter().max_by_key(|(_, lines)| **lines);
    match usual {
        Some((&fields, &lines))
            if fields >= 3
                && lines * 5 >= count * 4
                && (has_repeats || lines == count && has_few) =>
        {
            Err(Error::AmbiguousFormat {
                path: path.into(),
                fields,
                delimiter: if has_tabs { '\t' } else { ' ' },
            })
        }
        _ => Ok(()),
    }
}

/// The most different values of a column of ratings, usually.
const MOST_RATINGS: usize = 10;

/// With fewer lines, the first numbers may equal the lengths at random.
const FEWEST_LISTS: usize = 3;

/// The [`name`](Format::name).
impl std::fmt::Display for Format {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

impl std::str::FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let known = Self::ALL.iter().find(|(_, name, _)| *name == text);
        known.map(|it| it.0).ok_or_else(|| {
            let names = Self::ALL.map(|(_, name, _)| name).join(", ");
            invalid("format", names, format!("{text:?}"))
        })
    }
}
