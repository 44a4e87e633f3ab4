//! Hints for columns that a table does not have.

use std::path::Path;

use super::super::format::Format;
use super::option_names::named;
use super::reading::Reading;

impl Reading<'_> {
    /// Returns a hint for a missing column, which names the option of that column. `found` is the list of the
    /// columns in the error.
    pub(super) fn hint_of_missing(&self, path: &Path, column: &str, found: &str) -> Option<String> {
        let options = self.options;
        let roles = [
            (&options.user, "user"),
            (&options.item, "item"),
            (&options.rating, "rating"),
            (&options.time, "time"),
            (&options.weight, "weight"),
        ];
        let is_it = |(name, role): &(&Option<String>, &str)| match name {
            Some(name) => name == column,
            None => ["user", "item"].contains(role) && column.starts_with(role),
        };
        let role = roles.into_iter().find(is_it).map(|(_, role)| role);
        let names: Vec<&str> = found.split(", ").collect();
        let is_other = |delimiter: &char| names.len() == 1 && found.contains(*delimiter);
        if let Some(delimiter) = [';', '\t', '|', ','].into_iter().find(is_other) {
            return Some(self.hint_of_delimiter(delimiter, path));
        }
        let role = role?;
        if found == "two columns with this name" {
            return Some("rename one of the columns in the header".into());
        }
        if has_partition(path, column) {
            return Some(format!(
                "the names of the folders contain {column}, but the files do not; write the files with this column"
            ));
        }
        if let Some(name) = names.iter().find(|name| name.eq_ignore_ascii_case(column)) {
            return Some(format!("use {}", named(role, name)));
        }
        let has_no_ids = options.user.is_none() && options.item.is_none();
        let advice = match role {
            "user" | "item" if has_no_ids => {
                "set the columns of the ids with `user` and `item`".into()
            }
            role => format!("set the column with `{role}`"),
        };
        Some(match self.has_text_table(path) {
            true => {
                format!("{advice}, or name all columns of a table without a header with `columns`")
            }
            false => advice,
        })
    }

    /// Returns a hint for a header that has one name, with a delimiter in it.
    fn hint_of_delimiter(&self, delimiter: char, path: &Path) -> String {
        match (
            delimiter,
            self.options.delimiter,
            self.format.or(Format::of(path).ok()),
        ) {
            ('\t', ..) => "use `format=tsv` for fields separated by tabs".into(),
            (',', None, Some(Format::Csv)) => {
                "if each line is enclosed in quotes, remove these quotes".into()
            }
            (',', None, _) => "use `format=csv` for fields separated by commas".into(),
            _ => format!(
                "set the delimiter of all files with {}, or of this file with a first line sep={delimiter}",
                named("delimiter", delimiter)
            ),
        }
    }
}

/// Whether a folder of a path is named `column=value`, as in a partitioned table.
fn has_partition(path: &Path, column: &str) -> bool {
    let prefix = format!("{column}=");
    let mut folders = path.iter().map(|name| name.to_string_lossy());
    folders.any(|name| name.starts_with(&prefix))
}
