//! Hints for files that have another format than the options and the file name say. The first lines of the file tell
//! it.

use std::path::Path;

use super::super::format::Format;
use super::super::likely_format::{LikelyFormat, LikelyTable};
use super::error::hint_of_error;
use super::option_names::named;
use super::reading::Reading;
use crate::error::{Error, InvalidRow};

/// The most columns whose names a hint proposes.
const MOST_NAMES: usize = 4;

impl Reading<'_> {
    /// Returns a hint for an error that the contents of the file explain.
    pub(super) fn hint_of_contents(&self, error: &Error) -> Option<String> {
        match error {
            Error::NoInteractions {
                example: Some(example),
                ..
            } => {
                let of_contents = self.hint_of_contents(example);
                of_contents.or_else(|| hint_of_error(example)?.without_skipping())
            }
            Error::MissingColumn { path, column, .. } if self.has_text_table(path) => {
                match self.likely(path)? {
                    // Names that are given and do not contain the column.
                    LikelyFormat::Table(_) if self.options.columns.is_some() => None,
                    LikelyFormat::Table(table)
                        if table.has_item_columns
                            && self.options.item.is_none()
                            && column.starts_with("item") =>
                    {
                        Some(hint_of_item_columns(&table))
                    }
                    // Lines before the header that start with the same character.
                    LikelyFormat::Table(table)
                        if table.has_header != Some(false) && table.comment.is_none() =>
                    {
                        None
                    }
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
                        "{hint} to read a table, or `format=lightgcn` to read lists of items"
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
        LikelyFormat::of_file(path, self.options)
    }

    /// The format that reads a file with these options.
    fn likely_reader(&self, path: &Path) -> Option<Format> {
        let named = || self.options.format_of_name(path).ok();
        self.format.or_else(named)
    }

    /// Whether the rows of a table have as many fields as these options expect.
    fn has_fields_of(&self, path: &Path, table: &LikelyTable) -> bool {
        match self.likely_reader(path) {
            Some(Format::Csv | Format::Tsv) => {
                let names = self.options.columns.as_ref();
                names.is_none_or(|names| names.len() == table.names.len())
            }
            _ => false,
        }
    }

    /// Returns a hint that names the format of a file.
    fn hint_of_format(&self, path: &Path, likely: LikelyFormat) -> Option<String> {
        let reader = self.likely_reader(path);
        match likely {
            LikelyFormat::Other { conversion } => Some(conversion.into()),
            LikelyFormat::Table(table) => Some(self.hint_of_table(reader, &table)),
            LikelyFormat::MovieLens if reader != Some(Format::MovieLens) => {
                Some("use `format=movielens`".into())
            }
            LikelyFormat::JsonLines if reader != Some(Format::JsonLines) => {
                Some("use `format=jsonl`".into())
            }
            LikelyFormat::Lists { are_numbers }
                if reader != Some(Format::LightGcn) || !are_numbers =>
            {
                let or_user = match are_numbers {
                    true => "; if each line starts with its user instead, use `format=lightgcn`",
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

    /// Returns a hint with the options that read a table.
    fn hint_of_table(&self, reader: Option<Format>, table: &LikelyTable) -> String {
        // Only CSV has another delimiter.
        let format = match self.options.delimiter {
            Some(_) => Format::Csv,
            None => table.format,
        };
        let mut needed = Vec::new();
        if reader != Some(format) {
            needed.push(named("format", format.name()));
        }
        let delimiter = char::from(self.options.delimiter.unwrap_or(b','));
        if format == Format::Csv && table.delimiter != delimiter {
            needed.push(named("delimiter", table.delimiter));
        }
        if let Some(comment) = table.comment {
            needed.push(named("comment", comment));
        }
        let columns = self.columns_option(table);
        match table.has_header {
            Some(true) => needed.extend(self.id_options(table)),
            None if !needed.is_empty() => {
                let needed = needed.join(" ");
                return format!("use {needed}, and {columns} if the first line is an interaction");
            }
            _ => needed.push(columns),
        }
        format!("use {}", needed.join(" "))
    }

    /// Returns the option that names the columns of a table without a header.
    fn columns_option(&self, table: &LikelyTable) -> String {
        let names = self.names_of(table);
        match names.len() {
            0..=MOST_NAMES => format!(
                "{} (the names in the order of the columns)",
                named("columns", names.join(","))
            ),
            count => format!(
                "`columns` with the names of all {count} columns, two of them {} and {}",
                self.options.user.as_deref().unwrap_or("user"),
                self.options.item.as_deref().unwrap_or("item")
            ),
        }
    }

    /// Returns the proposed names of a table without a header; those that options name keep their names.
    fn names_of<'n>(&'n self, table: &'n LikelyTable) -> Vec<&'n str> {
        let options = self.options;
        let name = |name: &'n String| {
            let given = match name.as_str() {
                "user" => options.user.as_deref(),
                "item" => options.item.as_deref(),
                "time" => options.time.as_deref(),
                "rating" => options.rating.as_deref().or(options.weight.as_deref()),
                _ => None,
            };
            given.unwrap_or(name)
        };
        table.names.iter().map(name).collect()
    }

    /// Returns the options of the id columns of a table with a header, if they are needed. By default, the user is the
    /// first column and the item the second one.
    fn id_options(&self, table: &LikelyTable) -> Vec<String> {
        let names = &table.names;
        let (user, item) = self.options.id_columns(table.format.columns(), names);
        let is_known = |name: &str| names.iter().any(|it| it == name);
        let unknown = |other: &str| names.iter().find(|name| *name != other);
        let mut needed = Vec::new();
        let user = match is_known(user) {
            true => user,
            false => {
                let first = unknown(item).map_or("", String::as_str);
                needed.push(named("user", first));
                first
            }
        };
        if !is_known(item)
            && let Some(second) = unknown(user)
        {
            needed.push(named("item", second));
        }
        needed
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
         table.melt({user}, var_name=\"item\", value_name=\"weight\").dropna(), and use `weight=weight`; else \
         set the column with `item`",
        table.names.len() - 1
    )
}
