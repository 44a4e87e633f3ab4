//! How to read an item table.

use std::path::Path;

use super::format::Format;
use super::options::TableOptions;
use crate::error::{Error, Result};
use crate::parameter::{invalid, shortened};

/// How to read an [`ItemTable`](crate::ItemTable): which columns have the ids and the titles.
///
/// # Examples
///
/// ```
/// use bspm_data::{ItemTableOptions, TableOptions};
///
/// let movies = ItemTableOptions::new().title("movie_title");
/// let catalogue = ItemTableOptions::new()
///     .id("sku")
///     .text(TableOptions::default().delimiter(b';').encoding("latin1"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct ItemTableOptions {
    id: Option<String>,
    usual_id: Option<String>,
    title: Option<String>,
    pub(super) text: TableOptions,
}

/// Options of text that apply to item tables; the others are those of interactions.
const APPLIES: [&str; 7] = [
    "delimiter",
    "quoting",
    "comment",
    "encoding",
    "decimal_comma",
    "missing",
    "skip_invalid",
];

impl ItemTableOptions {
    /// The usual columns of ids and titles.
    pub fn new() -> Self {
        Self::default()
    }

    /// The column of ids. Default: that of [`item_column`](Self::item_column), `item` or `item_id`
    /// if the table has one of them, else the first column.
    pub fn id(mut self, column: impl Into<String>) -> Self {
        self.id = Some(column.into());
        self
    }

    /// The column of items of the interactions: the column of ids, if the table has one of this name.
    pub fn item_column(mut self, column: impl Into<String>) -> Self {
        self.usual_id = Some(column.into());
        self
    }

    /// The column of titles. Default: `title`, else `name`, in any case.
    pub fn title(mut self, column: impl Into<String>) -> Self {
        self.title = Some(column.into());
        self
    }

    /// How text is read: of these options the delimiter, quoting, comments, encoding, decimal comma,
    /// missing texts and the skipping of invalid rows, each if the format of the table uses it. Those
    /// of interactions, such as the column of users, have no effect on items.
    pub fn text(mut self, options: TableOptions) -> Self {
        self.text = options;
        self
    }

    /// The options of text that apply to item tables, by their names in
    /// [`TableOptions::option_uses`].
    pub fn text_options() -> &'static [&'static str] {
        &APPLIES
    }

    /// Of the options of text those that a format uses.
    pub(super) fn text_for(&self, format: Format) -> TableOptions {
        let mut text = TableOptions::default();
        let uses = |name: &str| {
            let option = TableOptions::option_uses()
                .iter()
                .find(|it| it.name == name);
            option.is_some_and(|it| it.formats.contains(&format))
        };
        let given = &self.text;
        for name in APPLIES.into_iter().filter(|name| uses(name)) {
            match name {
                "delimiter" => text.delimiter = given.delimiter,
                "quoting" => text.quoting = given.quoting,
                "comment" => text.comment = given.comment,
                "encoding" => text.encoding.clone_from(&given.encoding),
                "decimal_comma" => text.decimal_comma = given.decimal_comma,
                "missing" => text.missing.clone_from(&given.missing),
                _ => text.skip_invalid = given.skip_invalid,
            }
        }
        text
    }

    /// The place of the column of ids among `names`.
    pub(super) fn id_place(&self, path: &Path, names: &[String]) -> Result<usize> {
        if let Some(id) = &self.id {
            return find(path, names, id);
        }
        let usual = [self.usual_id.as_deref(), Some("item"), Some("item_id")];
        let place = |name: &str| names.iter().position(|it| it == name);
        let place = usual.into_iter().flatten().find_map(place);
        match names.is_empty() {
            true => find(path, names, self.usual_id.as_deref().unwrap_or("item")),
            false => Ok(place.unwrap_or(0)),
        }
    }

    /// The name of the column of titles among `names`.
    pub(super) fn title_name(&self, path: &Path, names: &[&str], id: &str) -> Result<String> {
        let owned: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let place = match &self.title {
            Some(title) => find(path, &owned, title)?,
            None => {
                let place =
                    |usual: &str| owned.iter().position(|it| it.eq_ignore_ascii_case(usual));
                let place = ["title", "name"].into_iter().find_map(place);
                place.map_or_else(|| find(path, &owned, "title"), Ok)?
            }
        };
        match owned[place] == id {
            true => Err(invalid(
                "title",
                "another column than that of the ids",
                format!("{id:?}"),
            )),
            false => Ok(owned[place].clone()),
        }
    }
}

/// The place of a column.
pub(super) fn find(path: &Path, names: &[String], column: &str) -> Result<usize> {
    let place = names.iter().position(|it| it == column.trim());
    place.ok_or_else(|| Error::MissingColumn {
        path: path.into(),
        column: column.into(),
        found: listed(names),
    })
}

/// The names of some columns, in short.
fn listed(names: &[String]) -> String {
    const MOST: usize = 20;
    let shown = names.iter().take(MOST).cloned().map(shortened);
    let shown = shown.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
