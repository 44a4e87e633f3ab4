//! Checks the column names of a table, so that a misspelled column is not ignored.

use std::collections::HashSet;
use std::path::Path;

use bspm::{Error, Result};

/// The columns that are read, and similar words that are likely mistakes.
const READ: [(&str, &[&str]); 6] = [
    ("user", &[]),
    ("history", &["histories"]),
    ("weights", &[]),
    ("deny", &["denied", "denies", "denylist"]),
    ("allow", &["allowed", "allows", "allowlist"]),
    ("where", &["condition"]),
];

/// Returns an error for two columns with the same name, for a column of the output (`reserved`), and
/// for a name that looks like a misspelling of a column that is read.
pub(super) fn check_names(path: &Path, names: &[String], reserved: &[&str]) -> Result<()> {
    let refused = |expected: String, found: String| {
        Err(Error::InvalidFile {
            path: path.into(),
            expected,
            found,
        })
    };
    if let [name] = names
        && let Some(delimiter) = [',', ';', '\t', '|']
            .into_iter()
            .find(|&it| name.contains(it))
    {
        let flag = match delimiter {
            '\t' => "tab".to_owned(),
            other => format!("'{other}'"),
        };
        let expected = "column names separated by commas";
        let found = format!("{name:?}; hint: set the delimiter with --delimiter {flag}");
        return refused(expected.into(), found);
    }
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            let found = format!("two columns {name:?}; hint: rename one");
            return refused("columns with different names".into(), found);
        }
        if reserved.contains(&name.as_str()) {
            let found = format!("the column {name:?}; hint: rename it");
            return refused("no column with the name of an output column".into(), found);
        }
        if let Some(meant) = meant(name) {
            let expected = format!("a column {meant:?} or a name that is not similar to it");
            return refused(expected, format!("the column {name:?}; hint: rename it"));
        }
    }
    Ok(())
}

/// Returns the column that this name is a likely misspelling of.
fn meant(name: &str) -> Option<&'static str> {
    if READ.iter().any(|(read, _)| *read == name) {
        return None;
    }
    let letters = name.chars().filter(|it| !it.is_whitespace());
    let plain: String = letters.flat_map(char::to_lowercase).collect();
    let is_like = |(read, words): &&(&str, &[&str])| {
        let is_close = plain.len() > 3 && plain.as_bytes()[0] == read.as_bytes()[0];
        words.contains(&plain.as_str()) || is_close && is_one_edit_away(&plain, read)
    };
    READ.iter().find(is_like).map(|(read, _)| *read)
}

/// Returns whether the texts differ by at most one substitution, insertion, deletion or transposition.
fn is_one_edit_away(left: &str, right: &str) -> bool {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let start = left.iter().zip(&right).take_while(|(a, b)| a == b).count();
    let (left, right) = (&left[start..], &right[start..]);
    let ends = left.iter().rev().zip(right.iter().rev());
    let end = ends.take_while(|(a, b)| a == b).count();
    match (&left[..left.len() - end], &right[..right.len() - end]) {
        ([a, b], [c, d]) => a == d && b == c,
        (left, right) => left.len() <= 1 && right.len() <= 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_almost_others() {
        for (name, expected) in [
            ("user", None),
            ("deny", None),
            ("User", Some("user")),
            ("users", Some("user")),
            (" deny", Some("deny")),
            ("denied", Some("deny")),
            ("dney", Some("deny")),
            ("weight", Some("weights")),
            ("Histories", Some("history")),
            ("hist", None),
            ("allowed", Some("allow")),
            ("user_id", None),
            ("name", None),
            ("", None),
        ] {
            assert_eq!(meant(name), expected, "{name:?}");
        }
    }
}
