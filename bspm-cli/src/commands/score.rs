//! `bspm score`: batch scoring of many users or histories to part files, in shards.

mod input;
mod manifest;
mod names;

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Instant;

use bspm::Backend;
use bspm::data::InvalidRow;
use bspm_args::{DeviceArguments, tell};
use bspm_arrow::RecommendBatch;
use clap::Args;

use super::lists::{options as list_options, with_condition};
use super::text_rows::TextOptions;
use super::{Outcome, TextModel, on_device, parquet_file};
use crate::outputs::Files;
use input::{Input, Places};
use manifest::{Key, ListOptions, Output, is_name};

/// Batch scoring: write lists for the rows of a table, or for all users, to Parquet files
///
/// The table is a Parquet, CSV, TSV or JSON lines file. Text files may be compressed with gzip or
/// Zstandard. It has a column user or a column history, and optionally the columns weights, deny,
/// allow and where. The columns history, weights, deny and allow contain lists; in CSV and TSV files,
/// the values of a list are separated by spaces. The column where contains a condition on the item
/// table for the list of the row. Other columns are copied to the output. Each part of the table
/// becomes one file in the folder OUT, and an incomplete file is never visible. If a run is
/// interrupted, run the same command again to continue. Several shards of a table can write to the
/// same folder.
#[derive(Args)]
#[command(after_help = "Examples:\n  bspm score model.bspm --output lists\n  \
                  bspm score model.bspm users.csv -k 20 --shard 0/4 --output shards")]
pub(crate) struct Arguments {
    /// Model file
    model: PathBuf,
    /// Table of users or histories; the name must end in .parquet, .csv, .tsv or .jsonl. Default: all
    /// users of the model
    table: Option<PathBuf>,
    /// Output folder for the part files
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// Write only every Nth part, starting with part I; I is from 0 to N - 1
    #[arg(long, value_name = "I/N", default_value = "0/1")]
    shard: Shard,
    /// Number of rows of the table per part
    #[arg(long, value_name = "ROWS", default_value_t = 65_536, value_parser = manifest::count)]
    part_rows: usize,
    #[command(flatten)]
    text: TextOptions,
    #[command(flatten)]
    lists: ListOptions,
    #[command(flatten)]
    device: DeviceArguments,
}

/// The parts that this run writes.
#[derive(Clone, Copy, Debug)]
struct Shard {
    index: usize,
    count: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (index, count) = text.split_once('/')?;
            let (index, count) = (index.parse().ok()?, count.parse().ok()?);
            (index < count).then_some(Self { index, count })
        };
        parse().ok_or_else(|| "expected I/N with I from 0 to N - 1, as in 0/4".into())
    }
}

/// The number of rows that are scored together.
const BATCH: usize = 4096;

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    Files::new()
        .reads(&arguments.model)
        .reads(arguments.table.as_ref())
        .writes_folder("--output", &arguments.output, is_name)
        .check()?;
    on_device!(arguments.device, score, arguments)
}

fn score<B: Backend>(backend: B, arguments: &Arguments) -> Outcome {
    let model = TextModel::open(backend, &arguments.model)?;
    let lists = &arguments.lists;
    let options = list_options(
        lists.k,
        lists.keep_seen,
        lists.minimum_score,
        lists.skip_unknown,
    );
    let condition = lists.condition.as_deref().map(str::parse).transpose()?;
    let options = with_condition(options, model.dataset(), condition.as_ref())?;
    let mut input = match &arguments.table {
        Some(path) => {
            let mut reserved = vec!["items", "scores"];
            if lists.long {
                reserved.extend(["rank", "item", "score"]);
            }
            if model.dataset().item_table().is_some() {
                reserved.extend(match lists.long {
                    true => &["titles", "title"][..],
                    false => &["titles"],
                });
            }
            Input::open(path, &arguments.text, &reserved)?
        }
        None if arguments.text != TextOptions::default() => {
            let message = "--delimiter and --encoding have no effect without a table";
            return Err(message.into());
        }
        None => Input::of_users(model.dataset().users()),
    };
    let key = Key::new(
        &arguments.model,
        arguments.table.as_deref(),
        arguments.part_rows,
        &arguments.text,
        &arguments.lists,
    )?;
    let Shard { index, count } = arguments.shard;
    let output = Output::open(&arguments.output, key, index, count)?;
    let mut progress = Progress::new(input.rows());
    for part in 0.. {
        let rows = part * arguments.part_rows..(part + 1) * arguments.part_rows;
        let is_mine = part % count == index;
        let written = input.rows().filter(|_| !arguments.lists.long);
        let written = written.map(|all| rows.end.min(all).saturating_sub(rows.start));
        if !is_mine || output.has(part, written) {
            match input.skip(rows)? {
                0 => break,
                found => progress.passed(found, is_mine),
            }
            continue;
        }
        let path = output.path(part);
        let mut batches = input.read(rows, BATCH)?.peekable();
        if batches.peek().is_none() {
            break;
        }
        let _lock = output.lock(part)?;
        let start = Instant::now();
        let mut found = 0;
        let lists = batches.map(|batch| {
            let (places, batch) = batch?;
            found += batch.num_rows();
            let lists = model.recommend_batch(&batch, options.clone());
            let lists = match arguments.lists.long {
                true => lists.and_then(|lists| bspm_arrow::long_form(&lists)),
                false => lists,
            };
            lists.map_err(|error| in_table(error, arguments.table.as_deref(), &places))
        });
        parquet_file::write_after(&path, Some(arguments.part_rows), lists, || output.begin())?;
        progress.written(&path, found, start);
    }
    output.finish(index, count)?;
    progress.end(&arguments.output);
    Ok(())
}

/// Converts an error in a row of a batch to an error in a row of the table.
fn in_table(error: bspm::Error, table: Option<&Path>, places: &Places) -> bspm::Error {
    match (error, table) {
        (
            bspm::Error::InvalidColumn {
                column,
                row: Some(row),
                expected,
                found,
            },
            Some(path),
        ) => bspm::Error::InvalidField {
            path: path.into(),
            line: places.at(row),
            column,
            expected,
            found,
            reason: InvalidRow::InvalidItem,
        },
        (
            bspm::Error::InvalidColumn {
                column,
                expected,
                found,
                ..
            },
            Some(path),
        ) => bspm::Error::InvalidFile {
            path: path.into(),
            expected: format!("{expected} (column {column:?})"),
            found,
        },
        (error, _) => error,
    }
}

/// The progress report on standard error.
struct Progress {
    rows: Option<usize>,
    written: usize,
    there: usize,
    done: usize,
    start: Instant,
}

impl Progress {
    fn new(rows: Option<usize>) -> Self {
        Self {
            rows,
            written: 0,
            there: 0,
            done: 0,
            start: Instant::now(),
        }
    }

    fn passed(&mut self, rows: usize, is_mine: bool) {
        self.done += rows;
        if is_mine {
            self.there += rows;
        }
    }

    fn written(&mut self, path: &Path, rows: usize, start: Instant) {
        self.done += rows;
        self.written += rows;
        let all = self
            .rows
            .map(|all| format!(" of {all}"))
            .unwrap_or_default();
        tell!(
            "{}: {rows} rows, {:.0} rows per second; at row {}{all}",
            path.display(),
            rows as f64 / start.elapsed().as_secs_f64(),
            self.done,
        );
    }

    fn end(&self, folder: &Path) {
        let seconds = self.start.elapsed().as_secs_f64();
        tell!(
            "{}: {} rows in {seconds:.1} s, {:.0} rows per second; {} rows were already complete",
            folder.display(),
            self.written,
            self.written as f64 / seconds,
            self.there,
        );
    }
}
