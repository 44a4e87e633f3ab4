//! Hints for files that have another format than the flags and the file name say. The first lines of the file tell it.

use std::path::Path;

use bspm::Error;
use bspm::data::reader::{LikelyFormat, LikelyTable};
use bspm::data::{Format, InvalidRow};

use super::DataArguments;
use super::hints::hint;

/// The most columns whose names a hint proposes.
const MOST_NAMES: usize = 4;

impl DataArguments {
    /// Returns a hint for an error that the contents of the file explain.
    pub(super) fn hint_of_contents(&self, error: &Error) -> Option<String> {
        match error {
            Error::NoInteractions {
                example: Some(example),
                ..
            } => {
                let of_contents = self.hint_of_contents(example);
                of_contents.or_else(|| hint(example)?.without_skipping())
            }
            Error::MissingColumn { path, column, .. } if self.has_text_table(path) => {
                match self.likely(path)? {
                    // Names that are given and do not contain the column.
                    LikelyFormat::Table(_) if self.no_header.is_some() => None,
                    LikelyFormat::Table(table)
                        if table.has_item_columns
                            && self.item_column.is_none()
                            && column.starts_with("item") =>
                    {
                        Some(hint_of_item_columns(&table))
                    }
                    LikelyFormat::Table(table) if table.has_header != Some(false) => None,
                    likely => self.hint_of_format(path, likely),
                }
            }
            Error::InvalidField {
                path,
                reason: InvalidRow::FieldCount | InvalidRow::NotAnObject,
                ..
            } => match self.likely(path)? {
                LikelyFormat::Table(table) if self.has_fields_of(path, &table) => None,
                likely => self.hint_of_format(path, likely),
            },
            Error::Quotes { path, .. } => match self.likely(path)? {
                json @ LikelyFormat::JsonLines => self.hint_of_format(path, json),
                _ => None,
            },
            Error::InvalidFile { path, found, .. } if found == "another name" => {
                self.hint_of_format(path, self.likely(path)?)
            }
            Error::InvalidFile { path, expected, .. } if expected.starts_with("consecutive") => {
                let hint = self.hint_of_format(path, self.likely(path)?)?;
                Some(format!(
                    "{hint} for a table of ids that are not counted from 0"
                ))
            }
            Error::AmbiguousFormat { path, .. } => {
                let likely = self.likely(path)?;
                let has_header = matches!(&likely, LikelyFormat::Table(table) if table.has_header != Some(false));
                let hint = self.hint_of_format(path, likely)?;
                Some(match has_header {
                    true => hint,
                    false => format!(
                        "{hint} to read a table, or --format lightgcn to read lists of items"
                    ),
                })
            }
            Error::Syntax { path, .. } if self.likely_reader(path) == Some(Format::LightGcn) => {
                let likely = self.likely(path)?;
                let is_table = matches!(likely, LikelyFormat::Table(_));
                let hint = self.hint_of_format(path, likely)?;
                Some(match is_table {
                    true => format!(
                        "a lightgcn file has lines of the form user item item ..., with ids that are numbers from \
                         0; {hint}"
                    ),
                    false => hint,
                })
            }
            _ => None,
        }
    }

    fn likely(&self, path: &Path) -> Option<LikelyFormat> {
        LikelyFormat::of_file(path, &self.table())
    }

    /// The format that reads a file with these flags.
    fn likely_reader(&self, path: &Path) -> Option<Format> {
        let of_delimiter = self.delimiter.and_then(|_| self.delimited(path));
        let format = self.format.or(of_delimiter);
        format.or_else(|| Format::of(path).ok())
    }

    /// Whether the rows of a table have as many fields as these flags expect.
    fn has_fields_of(&self, path: &Path, table: &LikelyTable) -> bool {
        match self.likely_reader(path) {
            Some(Format::Csv | Format::Tsv) => {
                let names = self.no_header.as_ref();
                names.is_none_or(|names| names.len() == table.names.len())
            }
            _ => false,
        }
    }

    /// Returns a hint that names the format of a file.
    fn hint_of_format(&self, path: &Path, likely: LikelyFormat) -> Option<String> {
        let reader = self.likely_reader(path);
        match likely {
            LikelyFormat::Table(table) => Some(self.hint_of_table(reader, &table)),
            LikelyFormat::MovieLens if reader != Some(Format::MovieLens) => {
                Some("use --format movielens".into())
            }
            LikelyFormat::JsonLines if reader != Some(Format::JsonLines) => {
                Some("use --format jsonl".into())
            }
            LikelyFormat::Lists { are_numbers }
                if reader != Some(Format::LightGcn) || !are_numbers =>
            {
                let or_user = match are_numbers {
                    true => "; if each line starts with its user instead, use --format lightgcn",
                    false => "",
                };
                Some(format!(
                    "the lines look like lists of items without a user; write a row for each item, with the number of \
                     the line as the user{or_user}"
                ))
            }
            _ => None,
        }
    }

    /// Returns a hint with the flags that read a table.
    fn hint_of_table(&self, reader: Option<Format>, table: &LikelyTable) -> String {
        // Only CSV has another delimiter.
        let format = match self.delimiter {
            Some(_) => Format::Csv,
            None => table.format,
        };
        let mut flags = Vec::new();
        if reader != Some(format) {
            flags.push(format!("--format {}", format.name()));
        }
        let delimiter = char::from(self.delimiter.unwrap_or(b','));
        if format == Format::Csv && table.delimiter != delimiter {
            flags.push(match table.delimiter {
                '\t' => "--delimiter tab".into(),
                delimiter => format!("--delimiter '{delimiter}'"),
            });
        }
        if let Some(comment) = table.comment {
            flags.push(format!("--comment '{comment}'"));
        }
        let no_header = self.names_flag(table);
        match table.has_header {
            Some(true) => flags.extend(self.flags_of_ids(table)),
            None if !flags.is_empty() => {
                let flags = flags.join(" ");
                return format!("use {flags}, and {no_header} if the first line is an interaction");
            }
            _ => flags.push(no_header),
        }
        format!("use {}", flags.join(" "))
    }

    /// Returns the flag that names the columns of a table without a header.
    fn names_flag(&self, table: &LikelyTable) -> String {
        let names = self.names_of(table);
        match names.len() {
            0..=MOST_NAMES => format!(
                "--no-header {} (the names in the order of the columns)",
                names.join(",")
            ),
            count => format!(
                "--no-header with the names of all {count} columns, two of them {} and {}",
                names[0], names[1]
            ),
        }
    }

    /// Returns the proposed names of a table without a header; those that flags name keep their names.
    fn names_of<'n>(&'n self, table: &'n LikelyTable) -> Vec<&'n str> {
        let name = |name: &'n String| {
            let given = match name.as_str() {
                "user" => self.user_column.as_deref(),
                "item" => self.item_column.as_deref(),
                "time" => self.time_column.as_deref(),
                "rating" => (self.rating_column.as_deref()).or(self.weight_column.as_deref()),
                _ => None,
            };
            given.unwrap_or(name)
        };
        table.names.iter().map(name).collect()
    }

    /// Returns the flags of the id columns of a table with a header, if they are needed. By default, the user is the
    /// first column and the item the second one.
    fn flags_of_ids(&self, table: &LikelyTable) -> Vec<String> {
        let names = &table.names;
        let options = self.table();
        let (user, item) = options.id_columns(table.format.columns(), names);
        let is_known = |name: &str| names.iter().any(|it| it == name);
        let unknown = |other: &str| names.iter().find(|name| *name != other);
        let mut flags = Vec::new();
        let user = match is_known(user) {
            true => user,
            false => {
                let first = unknown(item).map_or("", String::as_str);
                flags.push(format!("--user-column {}", quoted(first)));
                first
            }
        };
        if !is_known(item)
            && let Some(second) = unknown(user)
        {
            flags.push(format!("--item-column {}", quoted(second)));
        }
        flags
    }
}

/// Returns a hint for a table that has a column for each item.
fn hint_of_item_columns(table: &LikelyTable) -> String {
    let user = match table.names[0].as_str() {
        "" => "table.columns[0]".to_owned(),
        name => format!("{name:?}"),
    };
    format!(
        "if each of the {} columns is an item, write a row for each user and item, as with pandas: \
         table.melt({user}, var_name=\"item\", value_name=\"weight\").dropna(), and use --weight-column weight; else \
         set the column with --item-column",
        table.names.len() - 1
    )
}

/// Returns the name of a column as an argument of a shell.
fn quoted(name: &str) -> String {
    let is_plain = |it: char| it.is_alphanumeric() || "_-.:".contains(it);
    match !name.is_empty() && name.chars().all(is_plain) {
        true => name.to_owned(),
        false => format!("'{}'", name.replace('\'', r"'\''")),
    }
}
