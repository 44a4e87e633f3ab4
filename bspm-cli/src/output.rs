//! Tables for people, JSON lines for programs.

use std::io::{self, Write};

use clap::Args;
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

/// How results are written.
#[derive(Args, Clone, Debug)]
pub(crate) struct OutputArguments {
    /// Print one JSON object a line instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

/// One record of a result: a JSON object, or some rows of a table.
pub(crate) trait Record: Serialize {
    /// The names of the columns, and which of them are numbers.
    fn columns(&self) -> Vec<(&'static str, bool)>;

    fn rows(&self) -> Vec<Vec<String>>;
}

/// Writes records as they come; `finish` writes the table.
pub(crate) struct Writer {
    json: bool,
    table: Option<Table>,
}

impl Writer {
    pub(crate) fn new(arguments: &OutputArguments) -> Self {
        Self {
            json: arguments.json,
            table: None,
        }
    }

    pub(crate) fn write<R: Record>(&mut self, record: &R) -> io::Result<()> {
        if self.json {
            let mut out = io::stdout().lock();
            serde_json::to_writer(&mut out, record)?;
            return out.write_all(b"\n");
        }
        let table = self.table.get_or_insert_with(|| {
            let mut table = Table::new();
            table.load_preset(presets::NOTHING);
            let columns = record.columns();
            table.set_header(columns.iter().map(|(name, _)| name));
            for (column, (_, is_number)) in table.column_iter_mut().zip(columns) {
                if is_number {
                    column.set_cell_alignment(CellAlignment::Right);
                }
            }
            table
        });
        for row in record.rows() {
            table.add_row(row);
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> io::Result<()> {
        match self.table {
            Some(table) => writeln!(io::stdout().lock(), "{}", table.trim_fmt()),
            None => Ok(()),
        }
    }
}
