//! Builds an item table from rows, and checks them.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use super::fault::Fault;
use super::format::Format;
use super::id_text::NullValues;
use super::item_columns::{Cell, ColumnCells};
use super::item_options::{ItemTableOptions, find};
use super::options::TableOptions;
use super::report::{ColumnReason, ColumnUse, ReadReport};
use crate::error::{Error, InvalidRow, Result};
use crate::ids::Ids;
use crate::item_table::{ItemColumn, ItemTable, MOST_COLUMNS};
use crate::parameter::shortened;

/// Collects the rows of one item table, or of several with the same columns.
#[derive(Debug)]
pub struct ItemRows<'o> {
    options: &'o ItemTableOptions,
    /// The text options, for every format.
    text: &'o TableOptions,
    missing: NullValues<'o>,
    path: Option<PathBuf>,
    trim_ids: bool,
    ids: Ids<String>,
    /// The name of the id column, after the header is read.
    id_name: String,
    columns: IndexMap<String, ColumnCells>,
    report: ReadReport,
}

const ITEM: &str = "an item id";

impl<'o> ItemRows<'o> {
    /// Starts without rows.
    pub fn new(options: &'o ItemTableOptions) -> Self {
        Self {
            options,
            text: &options.text,
            missing: NullValues::new(&options.text),
            path: None,
            trim_ids: false,
            ids: Ids::default(),
            id_name: String::new(),
            columns: IndexMap::new(),
            report: ReadReport::default(),
        }
    }

    /// Sets the file of the rows that follow.
    pub fn start(&mut self, path: &Path, format: Format) {
        self.path = Some(path.into());
        self.trim_ids = self.text.trims_ids_of(format);
        self.report.files.push((path.into(), format));
    }

    fn path(&self) -> &Path {
        self.path.as_deref().unwrap_or_else(|| Path::new("items"))
    }

    /// Reads the complete header of a table. Returns the index of the id column, and the index of each
    /// other column in the item table.
    ///
    /// # Errors
    ///
    /// [`Error::MissingColumn`] if the id column or the title column of the options is missing, or if
    /// there is a single column; [`Error::InvalidFile`] for two columns with the same name.
    pub fn header(&mut self, names: &[String]) -> Result<(usize, Vec<Option<usize>>)> {
        let found = self.first_names(names)?;
        let all: Vec<&str> = names.iter().map(String::as_str).collect();
        self.options.title_name(self.path(), &all, &self.id_name)?;
        Ok(found)
    }

    /// Like [`header`](Self::header) for a header that may be incomplete: the title column may follow.
    pub(super) fn first_names(&mut self, names: &[String]) -> Result<(usize, Vec<Option<usize>>)> {
        if let Some(place) = (1..names.len()).find(|&it| names[..it].contains(&names[it])) {
            return Err(self.repeated(&names[place]));
        }
        let id = match self.id_name.is_empty() {
            true => self.options.id_place(self.path(), names)?,
            false => find(self.path(), names, &self.id_name)?,
        };
        self.id_name.clone_from(&names[id]);
        let column = |(place, name): (usize, &String)| match place == id {
            true => Ok(None),
            false => self.column(name).map(Some),
        };
        Ok((
            id,
            names
                .iter()
                .enumerate()
                .map(column)
                .collect::<Result<_>>()?,
        ))
    }

    /// Returns the error for two columns with the same name.
    pub(super) fn repeated(&self, name: &str) -> Error {
        Error::InvalidFile {
            path: self.path().into(),
            expected: "columns with different names".into(),
            found: format!("two columns {:?}", shortened(name.to_owned())),
        }
    }

    /// Returns the column with this name. A new column has missing values in earlier rows.
    pub(super) fn column(&mut self, name: &str) -> Result<usize> {
        if let Some(place) = self.columns.get_index_of(name) {
            return Ok(place);
        }
        if self.columns.len() == MOST_COLUMNS {
            return Err(Error::TooLarge {
                what: "columns of an item table",
                found: MOST_COLUMNS + 1,
                limit: MOST_COLUMNS,
            });
        }
        let cells = ColumnCells::of_missing(self.ids.len());
        Ok(self.columns.insert_full(name.into(), cells).0)
    }

    /// The name of the id column.
    pub(super) fn id_name(&self) -> &str {
        &self.id_name
    }

    /// Adds a row, or skips it if it is invalid. `line` is the line on which it starts, from 1. Columns
    /// without a cell have a missing value.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidField`] for an invalid or a duplicate id; [`Error::TooLarge`].
    pub fn push<'c>(
        &mut self,
        line: u64,
        id: &str,
        cells: impl IntoIterator<Item = (usize, Cell<'c>)>,
    ) -> Result<()> {
        self.report.rows += 1;
        if let Some((reason, expected)) = self.fault_of(id) {
            return self.refuse_id(line, reason, expected, id);
        }
        let id = match self.trim_ids {
            true => id.trim(),
            false => id,
        };
        let row = self.ids.len();
        self.ids.index_or_insert(id.to_owned(), "items")?;
        if self.ids.len() == row {
            let expected = "an item that does not occur in an earlier row";
            return self.refuse_id(line, InvalidRow::RepeatedItem, expected, id);
        }
        for (column, cell) in cells {
            let decimal_comma = self.text.decimal_comma;
            if let Some((_, column)) = self.columns.get_index_mut(column) {
                column.push(cell, &self.missing, decimal_comma);
            }
        }
        for column in self.columns.values_mut() {
            if column.len() == row {
                column.push(Cell::Missing, &self.missing, false);
            }
        }
        Ok(())
    }

    fn fault_of(&self, id: &str) -> Option<(InvalidRow, &'static str)> {
        if self.missing.contains(id) {
            return Some((InvalidRow::MissingItem, ITEM));
        }
        let expected = "an item id without a line break";
        id.contains(['\n', '\r'])
            .then_some((InvalidRow::InvalidItem, expected))
    }

    fn refuse_id(&mut self, line: u64, reason: InvalidRow, expected: &str, id: &str) -> Result<()> {
        let fault = Fault {
            reason,
            column: self.id_name.clone(),
            expected: expected.into(),
            found: shortened(id.into()),
        };
        self.refuse(line, fault)
    }

    /// Counts an invalid row that was not split into fields.
    pub fn refuse_row(&mut self, line: u64, fault: Fault) -> Result<()> {
        self.report.rows += 1;
        self.refuse(line, fault)
    }

    /// Counts an invalid row, or returns an error that names it.
    fn refuse(&mut self, line: u64, fault: Fault) -> Result<()> {
        if self.text.skip_invalid {
            self.report.count_invalid(self.path.as_deref(), line, fault);
            return Ok(());
        }
        Err(fault.into_error(self.path.as_deref(), line))
    }

    /// Returns the table and a report.
    ///
    /// # Errors
    ///
    /// [`Error::MissingColumn`] without the title column of the options; [`Error::InvalidFile`] for a table without
    /// rows.
    pub fn finish(mut self) -> Result<(ItemTable, ReadReport)> {
        let names: Vec<&str> = self.columns.keys().map(String::as_str).collect();
        let mut all = vec![self.id_name.as_str()];
        all.extend(&names);
        let title = self.options.title_name(self.path(), &all, &self.id_name)?;
        if self.ids.is_empty() {
            return Err(Error::InvalidFile {
                path: self.path().into(),
                expected: "at least one item".into(),
                found: match self.report.exclusions().as_str() {
                    "" => format!("none in {} rows", self.report.rows),
                    reasons => format!("none in {} rows: {reasons}", self.report.rows),
                },
            });
        }
        let mut columns = Vec::with_capacity(self.columns.len());
        for (name, cells) in std::mem::take(&mut self.columns) {
            let is_title = title.as_ref() == Some(&name);
            columns.push(cells.finish(name, is_title, &self.missing, self.text.decimal_comma)?);
        }
        let of_column = |name: &str, role: &str, reason| ColumnUse {
            name: name.into(),
            role: Some(role.into()),
            reason,
        };
        self.report.columns = vec![of_column(&self.id_name, "id", ColumnReason::ItemIds)];
        self.report.columns.extend(columns.iter().map(|column| {
            let role = match title.as_deref() == Some(column.name()) {
                true => "title",
                false => column.kind().name(),
            };
            of_column(column.name(), role, ColumnReason::Values)
        }));
        let title = title.unwrap_or_else(|| {
            let warning = "no column has the titles of the items (title, name, or a name that ends with one of them), \
                           so lists show only ids";
            self.report.warnings.push(warning.into());
            columns.push(ItemColumn::texts("title", vec![None::<&str>; self.ids.len()]));
            "title".into()
        });
        self.report.warn_of_skipped();
        Ok((ItemTable::new(self.ids, &title, columns)?, self.report))
    }
}
