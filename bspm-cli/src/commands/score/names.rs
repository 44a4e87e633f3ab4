//! The names of a table's columns, of which none is passed over by mistake.

use std::collections::HashSet;
use std::path::Path;

use bspm::{Error, Result};

/// The columns that are read, and words that may be meant for them.
const READ: [(&str, &[&str]); 5] = [
    ("user", &[]),
    ("history", &["histories"]),
    ("weights", &[]),
    ("deny", &["denied", "denies", "denylist"]),
    ("allow", &["allowed", "allows", "allowlist"]),
];

/// Refuses two columns of one name, one that the lists have (`reserved`), and one whose name is
/// almost that of a column that is read.
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
        let expected = "names of columns with a comma between them";
        let found = format!("{name:?}; hint: --delimiter {flag} separates the fields");
        return refused(expected.into(), found);
    }
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            let found = format!("two columns {name:?}; rename one");
            return refused("columns of different names".into(), found);
        }
        if reserved.contains(&name.as_str()) {
            let found = format!("the column {name:?}, a name that the lists need; rename it");
            return refused("other columns than those of the lists".into(), found);
        }
        if let Some(meant) = meant(name) {
            let expected = format!("a column that is not easily confused with {meant:?}");
            return refused(expected, format!("the column {name:?}; rename it"));
        }
    }
    Ok(())
}

/// The column that is read and whose name this one almost is.
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

/// Whether at most one letter is another, missing or too many, or two are swapped.
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
