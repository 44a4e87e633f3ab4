//! Output of results: tables for people, JSON lines for programs.

use std::borrow::Cow;
use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bspm::saved::replace_file;
use clap::Args;
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

/// Flags that choose the output format.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArguments {
    /// Print one JSON object per line instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

/// A record of a result: one JSON object, or one or more rows of a table.
pub(crate) trait Record: Serialize {
    /// Returns the names of the columns, and whether each is numeric.
    fn columns(&self) -> Vec<(&'static str, bool)>;

    fn rows(&self) -> Vec<Vec<String>>;
}

/// The name of the title column; a table truncates long titles.
pub(crate) const TITLE: &str = "title";

/// The maximum number of characters of a title in a table.
const LONGEST_TITLE: usize = 60;

/// Writes records. JSON lines are written at once; `finish` writes a table or a file.
pub(crate) struct Writer(Form);

enum Form {
    Table(Option<Table>),
    Lines,
    /// The contents of a file that is written when it is complete.
    CsvFile(PathBuf, Box<Rows>),
    LinesFile(PathBuf, Vec<u8>),
}

/// Records of a CSV file with a header.
struct Rows {
    out: csv::Writer<Vec<u8>>,
    has_header: bool,
}

impl Writer {
    pub(crate) fn new(arguments: &OutputArguments) -> Self {
        Self(match arguments.json {
            true => Form::Lines,
            false => Form::Table(None),
        })
    }

    /// Writes to a file: CSV if the name ends in .csv, else JSON lines.
    pub(crate) fn to(path: &Path) -> Self {
        Self(match path.extension().is_some_and(|it| it == "csv") {
            true => {
                let out = csv::Writer::from_writer(Vec::new());
                let has_header = false;
                Form::CsvFile(path.into(), Box::new(Rows { out, has_header }))
            }
            false => Form::LinesFile(path.into(), Vec::new()),
        })
    }

    pub(crate) fn write<R: Record>(&mut self, record: &R) -> io::Result<()> {
        match &mut self.0 {
            Form::Lines => write_line(&mut io::stdout().lock(), record),
            Form::LinesFile(_, bytes) => write_line(bytes, record),
            Form::CsvFile(_, rows) => rows.write(record),
            Form::Table(table) => {
                let columns = record.columns();
                let table = table.get_or_insert_with(|| with_header(&columns));
                for row in record.rows() {
                    let cells = row.iter().zip(&columns);
                    table.add_row(cells.map(|(cell, (name, _))| match *name {
                        TITLE => shown_title(cell),
                        _ => shown(cell).into_owned(),
                    }));
                }
                Ok(())
            }
        }
    }

    pub(crate) fn finish(self) -> Result<(), Box<dyn Error>> {
        let (path, bytes) = match self.0 {
            Form::Table(Some(table)) => {
                return Ok(writeln!(io::stdout().lock(), "{}", table.trim_fmt())?);
            }
            Form::Table(None) | Form::Lines => return Ok(()),
            Form::CsvFile(path, rows) => (path, rows.out.into_inner()?),
            Form::LinesFile(path, bytes) => (path, bytes),
        };
        Ok(write_file(&path, &bytes)?)
    }
}

/// Replaces a file atomically; writes directly to a device or a pipe.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> bspm::Result<()> {
    let failed = |source| bspm::Error::Write {
        path: path.into(),
        source,
    };
    if fs::metadata(path).is_ok_and(|it| !it.is_file() && !it.is_dir()) {
        return fs::write(path, bytes).map_err(failed);
    }
    replace_file(path, |out| out.write_all(bytes).map_err(failed))
}

impl Rows {
    fn write<R: Record>(&mut self, record: &R) -> io::Result<()> {
        if !self.has_header {
            self.out
                .write_record(record.columns().iter().map(|it| it.0))?;
            self.has_header = true;
        }
        for row in record.rows() {
            self.out.write_record(row)?;
        }
        Ok(())
    }
}

fn write_line(out: &mut impl Write, record: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, record)?;
    out.write_all(b"\n")
}

/// Escapes a text for a terminal: characters that move the cursor, or change the terminal or the
/// direction of the text, are shown as `\n` or `\u{1b}`.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    let is_unsafe = |it: char| {
        let is_break = matches!(it, '\u{2028}' | '\u{2029}');
        let is_direction = matches!(
            it,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        );
        it.is_control() || is_break || is_direction
    };
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match is_unsafe(character) {
            true => escaped.extend(character.escape_default()),
            false => escaped.push(character),
        }
    }
    Cow::Owned(escaped)
}

/// Truncates a title, and escapes it for a terminal.
fn shown_title(title: &str) -> String {
    match title.char_indices().nth(LONGEST_TITLE) {
        Some((end, _)) => format!("{}…", shown(&title[..end])),
        None => shown(title).into_owned(),
    }
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

/// Parses a file name that ends in .csv or .jsonl.
pub(crate) fn file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension().and_then(|it| it.to_str()) {
        Some("csv" | "jsonl") => Ok(path),
        _ => Err("expected a file name that ends in .csv or .jsonl".into()),
    }
}
