//! Which format a file has.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::file::open_text;
use super::plain_text::{Lines, PlainText};
use crate::error::{Error, Result};
use crate::parameter::invalid;

/// How a file of interactions is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Comma-separated, with a header.
    Csv,
    /// Tab-separated, with a header.
    Tsv,
    /// `user::item::rating::time`, as MovieLens 1M and 10M.
    MovieLens,
    /// RecBole's atomic file.
    RecBole,
    /// A JSON object on each line.
    JsonLines,
    /// `user item item ...`, as LightGCN.
    LightGcn,
    /// A CSR matrix that SciPy saved.
    Npz,
    /// Parquet.
    Parquet,
}

impl Format {
    /// Each format, its name, and how the names of its files end.
    const ALL: [(Self, &'static str, &'static [&'static str]); 8] = [
        (Self::Csv, "csv", &["csv"]),
        (Self::Tsv, "tsv", &["tsv", "tab"]),
        (Self::MovieLens, "movielens", &["dat"]),
        (Self::RecBole, "recbole", &["inter", "item"]),
        (Self::JsonLines, "jsonl", &["jsonl", "ndjson", "json"]),
        (Self::LightGcn, "lightgcn", &["txt"]),
        (Self::Npz, "npz", &["npz"]),
        (Self::Parquet, "parquet", &["parquet", "pq"]),
    ];

    /// The format that files of this name usually have. Case does not matter, and `.gz` or `.zst`
    /// may follow.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFile`] for another name.
    pub fn of(path: &Path) -> Result<Self> {
        let ending = |path: &Path| {
            let ending = path.extension()?.to_str()?;
            Some(ending.to_ascii_lowercase())
        };
        let ending = match ending(path).as_deref() {
            Some("gz" | "zst" | "zstd") => ending(&path.with_extension("")),
            _ => ending(path),
        };
        let known = Self::ALL
            .iter()
            .find(|(.., endings)| endings.iter().any(|it| ending.as_deref() == Some(it)));
        known.map(|it| it.0).ok_or_else(|| {
            let endings: Vec<&str> = Self::ALL.iter().flat_map(|it| it.2).copied().collect();
            Error::InvalidFile {
                path: path.into(),
                expected: format!(
                    "a name that ends in .{}, or the format beside it",
                    endings.join(", .")
                ),
                found: "another name".into(),
            }
        })
    }

    /// The format of a file, by its name and its first lines.
    ///
    /// # Errors
    ///
    /// Those of [`of`](Self::of); [`Error::AmbiguousFormat`] for a text file with several lines of
    /// one user that all have as many fields: it is a table rather than a line for each user;
    /// [`Error::Read`].
    pub fn of_file(path: &Path) -> Result<Self> {
        let format = Self::of(path)?;
        if format == Self::LightGcn && path.is_file() {
            refuse_table(path)?;
        }
        Ok(format)
    }

    /// The name of the format, as [`FromStr`](std::str::FromStr) reads it.
    pub fn name(self) -> &'static str {
        let known = Self::ALL.iter().find(|(format, ..)| *format == self);
        known.map_or("", |it| it.1)
    }

    /// Whether ids are numbers from 0, which are rows and columns too.
    pub(super) fn has_numbers(self) -> bool {
        matches!(self, Self::LightGcn | Self::Npz)
    }

    /// The columns of users and items that tables in this format usually have.
    pub fn columns(self) -> (&'static str, &'static str) {
        match self {
            Self::RecBole => ("user_id", "item_id"),
            _ => ("user", "item"),
        }
    }
}

/// Bytes that are looked at to tell a table from lists.
const LOOKED_AT: usize = 1 << 20;

/// Refuses a table whose lines would be taken for a user and a list, and lists that start with their
/// length.
fn refuse_table(path: &Path) -> Result<()> {
    let mut lines = Lines::new(PlainText::new(open_text(path)?, None));
    let (mut users, mut lengths) = (HashSet::new(), HashMap::new());
    let (mut bytes, mut count) = (0, 0);
    let (mut has_repeats, mut has_tabs, mut are_counted) = (false, false, true);
    while bytes < LOOKED_AT {
        // Errors belong to the reading that follows.
        let Ok(Some((_, line))) = lines.next() else {
            break;
        };
        bytes += line.len() + 1;
        let text = String::from_utf8_lossy(line);
        let mut fields = text.split_whitespace();
        let Some(user) = fields.next() else { continue };
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
            expected: "a user and its items on each line".into(),
            found:
                "lines that start with the number of what follows (the format lightgcn, if it is \
                    named, reads the numbers as users)"
                    .into(),
        });
    }
    let usual = lengths.iter().max_by_key(|(_, lines)| **lines);
    match usual {
        Some((&fields, &lines)) if fields >= 3 && has_repeats && lines * 5 >= count * 4 => {
            Err(Error::AmbiguousFormat {
                path: path.into(),
                fields,
                delimiter: if has_tabs { '\t' } else { ' ' },
            })
        }
        _ => Ok(()),
    }
}

/// Fewer lines may start with the number of what follows by chance.
const FEWEST_LISTS: usize = 3;

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
