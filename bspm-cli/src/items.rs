//! The item table: titles and other columns of items.

use std::path::PathBuf;

use bspm::Dataset;
use bspm::data::{ItemTable, ItemTableOptions, ReadReport, expand_paths};
use bspm_args::tell;
use clap::Args;

use crate::data::{DataArguments, DataError};
use crate::output::shown;

/// Flags that describe the item table.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Items")]
pub(crate) struct ItemArguments {
    /// Item table with one row per item: a CSV, TSV, JSON lines, Parquet or RecBole .item file, a folder
    /// of part files, or a glob pattern. Lists show its titles, and the model keeps all its columns.
    /// --delimiter, --quoting, --comment, --encoding, --decimal-comma, --null-values, --trim-ids and --skip-invalid
    /// also apply to it if its format uses them
    #[arg(long = "items", value_name = "FILE")]
    file: Option<PathBuf>,
    /// Id column of the item table. Default: the column of --item-column, item, item_id or a usual
    /// id such as movieId if the table has it, else the first column
    #[arg(long, value_name = "COLUMN", requires = "file")]
    item_id_column: Option<String>,
    /// Title column of the item table. Default: title, else name, else the only other column whose
    /// name ends with title or, without one, with name
    #[arg(long, value_name = "COLUMN", requires = "file")]
    title_column: Option<String>,
}

impl ItemArguments {
    /// Returns the item table file, if one is given.
    pub(crate) fn files(&self) -> &[PathBuf] {
        self.file.as_slice()
    }

    /// Reads the item table, if a file is given. A summary is written to standard error.
    pub(crate) fn read(&self, data: &DataArguments) -> Result<Option<ItemTable>, DataError> {
        let Some(path) = &self.file else {
            return Ok(None);
        };
        let mut options = ItemTableOptions::new().text(data.table());
        if let Some(column) = data.item_column() {
            options = options.item_column(column);
        }
        if let Some(column) = &self.item_id_column {
            options = options.id(column);
        }
        if let Some(column) = &self.title_column {
            options = options.title(column);
        }
        let paths = expand_paths([path])?;
        let read = bspm_arrow::read_items(&paths, None, &options);
        let (table, report) = read.map_err(DataError::of_items)?;
        for warning in &report.warnings {
            tell!("warning: items: {}", shown(warning));
        }
        tell!("{}", shown(&columns(&table, &report)));
        Ok(Some(table))
    }
}

/// Adds the item table to the data set, if there is one, and reports its coverage on standard error.
pub(crate) fn with_items(dataset: Dataset, table: Option<ItemTable>) -> bspm::Result<Dataset> {
    match table {
        None => Ok(dataset),
        Some(table) => {
            tell_coverage(&table, &dataset);
            dataset.with_items(table)
        }
    }
}

/// Reports how many items have no row, and how many rows are for items without interactions.
pub(crate) fn tell_coverage(table: &ItemTable, dataset: &Dataset) {
    let coverage = table.coverage(dataset.items());
    if coverage.items_without_row + coverage.rows_without_item > 0 {
        let warning = match coverage.items_with_row {
            0 => "warning: ",
            _ => "",
        };
        tell!(
            "{warning}items: {} of {} items with interactions have no row, and {} rows are for items \
             without interactions",
            coverage.items_without_row,
            dataset.items().len(),
            coverage.rows_without_item,
        );
    }
}

/// The most column names in a line.
const MOST_NAMES: usize = 20;

/// Returns a one-line summary of the item table.
fn columns(table: &ItemTable, report: &ReadReport) -> String {
    let read = report.columns.iter().filter_map(|column| {
        let role = column.role.as_ref()?;
        Some(match role.as_str() {
            "id" | "title" => format!("{role} = {}", column.name),
            kind => format!("{} ({kind})", column.name),
        })
    });
    let more = match report.columns.len().saturating_sub(MOST_NAMES) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let read = read.take(MOST_NAMES).collect::<Vec<_>>().join("; ");
    format!("items: read {} rows: {read}{more}", table.len())
}
