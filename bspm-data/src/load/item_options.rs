//! Options to read an item table.

use std::path::Path;

use super::column_names::{DEFAULT_ITEMS, listed, usual_item_id};
use super::options::TableOptions;
use crate::error::{Error, Result};
use crate::parameter::invalid;

/// Options to read an [`ItemTable`](crate::ItemTable), such as the id column and the title column.
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

impl ItemTableOptions {
    /// Returns the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the id column. Default: the column of [`item_column`](Self::item_column), `item`, `item_id` or the
    /// only other usual id of an item, such as `movieId`, if the table has it, else the first column. A first
    /// column `id` comes before other usual ids.
    pub fn id(mut self, column: impl Into<String>) -> Self {
        self.id = Some(column.into());
        self
    }

    /// Sets the item column of the interactions, which is used as the id column if the table has it.
    pub fn item_column(mut self, column: impl Into<String>) -> Self {
        self.usual_id = Some(column.into());
        self
    }

    /// Sets the title column. Default: `title`, else `name`, else the only other column whose name ends with `title`
    /// or, without one, with `name`, such as `movie_title` (case-insensitive). Without any of them, items have no
    /// titles.
    pub fn title(mut self, column: impl Into<String>) -> Self {
        self.title = Some(column.into());
        self
    }

    /// Sets the text options: delimiter, quoting, comments, encoding, decimal comma, null values,
    /// trimming of ids, and skipping of invalid rows. Each applies only if the format of the table uses it. Options of
    /// interactions, such as the user column, have no effect on item tables.
    pub fn text(mut self, options: TableOptions) -> Self {
        self.text = options;
        self
    }

    /// The names of the text options that apply to item tables, as in [`TableOptions::option_uses`].
    pub fn text_options() -> &'static [&'static str] {
        TableOptions::TEXT_OPTIONS
    }

    /// Returns the index of the id column in `names`.
    pub(super) fn id_place(&self, path: &Path, names: &[String]) -> Result<usize> {
        if let Some(id) = &self.id {
            return find(path, names, id);
        }
        let has_id_first = names
            .first()
            .is_some_and(|name| name.eq_ignore_ascii_case("id"));
        let usual = match has_id_first {
            true => None,
            false => usual_item_id(names),
        };
        let defaults = self.usual_id.as_deref().into_iter().chain(DEFAULT_ITEMS);
        let place = |name: &str| names.iter().position(|it| it == name);
        let place = defaults.chain(usual).find_map(place);
        match names.is_empty() {
            true => find(path, names, self.usual_id.as_deref().unwrap_or("item")),
            false => Ok(place.unwrap_or(0)),
        }
    }

    /// Returns the name of the title column in `names`; `None` without one.
    pub(super) fn title_name(
        &self,
        path: &Path,
        names: &[&str],
        id: &str,
    ) -> Result<Option<String>> {
        let owned: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let title = match &self.title {
            Some(title) => Some(owned[find(path, &owned, title)?].as_str()),
            // A single column likely has another delimiter.
            None if names.len() == 1 => Some(owned[find(path, &owned, "title")?].as_str()),
            None => usual_title(&owned, id),
        };
        match title {
            Some(title) if title == id => {
                let expected = "a column other than the id column";
                Err(invalid("title", expected, format!("{id:?}")))
            }
            title => Ok(title.map(str::to_owned)),
        }
    }
}

/// Returns the default title column. If it is the id column, the id column must be set.
fn usual_title<'n>(names: &'n [String], id: &str) -> Option<&'n str> {
    let all = || names.iter().map(String::as_str);
    let exact = |usual: &str| all().find(|name| name.eq_ignore_ascii_case(usual));
    let ending = |end: &str| {
        let is_it = |name: &&str| *name != id && name.to_ascii_lowercase().ends_with(end);
        let mut found = all().filter(is_it);
        found.next().filter(|_| found.next().is_none())
    };
    let exact = ["title", "name"].into_iter().find_map(exact);
    exact.or_else(|| ["title", "name"].into_iter().find_map(ending))
}

/// Returns the index of a column.
pub(super) fn find(path: &Path, names: &[String], column: &str) -> Result<usize> {
    let place = names.iter().position(|it| it == column.trim());
    place.ok_or_else(|| Error::MissingColumn {
        path: path.into(),
        column: column.into(),
        found: listed(names),
    })
}
