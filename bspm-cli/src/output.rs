//! Tables for people, JSON lines for programs.

use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bspm::saved::replace_file;
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

/// Writes records as they come; `finish` writes the table, or puts the file in its place.
pub(crate) struct Writer(Form);

enum Form {
    Table(Option<Table>),
    Lines(Box<dyn Write>),
    File(FileWriter),
}

/// A file that is whole or not there.
struct FileWriter {
    path: PathBuf,
    bytes: Vec<u8>,
    is_csv: bool,
    has_header: bool,
}

impl Writer {
    pub(crate) fn new(arguments: &OutputArguments) -> Self {
        Self(match arguments.json {
            true => Form::Lines(Box::new(io::stdout())),
            false => Form::Table(None),
        })
    }

    /// Into a file, whose name ends in .csv, or in .jsonl for JSON lines.
    pub(crate) fn to(path: &Path) -> Self {
        Self(Form::File(FileWriter {
            path: path.into(),
            bytes: Vec::new(),
            is_csv: path.extension().is_some_and(|it| it == "csv"),
            has_header: false,
        }))
    }

    pub(crate) fn write<R: Record>(&mut self, record: &R) -> io::Result<()> {
        match &mut self.0 {
            Form::Lines(out) => write_line(out, record),
            Form::File(file) if !file.is_csv => write_line(&mut file.bytes, record),
            Form::File(file) => {
                let mut out = csv::Writer::from_writer(&mut file.bytes);
                if !file.has_header {
                    out.write_record(record.columns().iter().map(|it| it.0))?;
                    file.has_header = true;
                }
                for row in record.rows() {
                    out.write_record(row)?;
                }
                out.flush()
            }
            Form::Table(table) => {
                let table = table.get_or_insert_with(|| with_header(&record.columns()));
                for row in record.rows() {
                    table.add_row(row);
                }
                Ok(())
            }
        }
    }

    pub(crate) fn finish(self) -> Result<(), Box<dyn Error>> {
        match self.0 {
            Form::Table(Some(table)) => Ok(writeln!(io::stdout().lock(), "{}", table.trim_fmt())?),
            Form::Table(None) | Form::Lines(_) => Ok(()),
            Form::File(file) => {
                let path = &file.path;
                let failed = |source| bspm::Error::Write {
                    path: path.clone(),
                    source,
                };
                Ok(replace_file(path, |out| {
                    out.write_all(&file.bytes).map_err(failed)
                })?)
            }
        }
    }
}

fn write_line(out: &mut impl Write, record: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, record)?;
    out.write_all(b"\n")
}

fn with_header(columns: &[(&'static str, bool)]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(columns.iter().map(|(name, _)| name));
    for (column, (_, is_number)) in table.column_iter_mut().zip(columns) {
        if *is_number {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// A name that ends in .csv or .jsonl.
pub(crate) fn file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension().and_then(|it| it.to_str()) {
        Some("csv" | "jsonl") => Ok(path),
        _ => Err("expected a name that ends in .csv or .jsonl".into()),
    }
}
