//! `bspm score`: lists for many users or histories, in part files, shard by shard.

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

/// Lists for the rows of a table, or for all users of a model, in Parquet files
///
/// The table is Parquet, CSV or TSV with spaces between the items of lists, or JSON lines; text may be
/// compressed with gzip or Zstandard. Its columns: user, history (lists of items), weights, deny and
/// allow (likewise); one of the first two is needed, the others may be missing, and other columns are
/// copied. OUT gets a file for each
/// part of the rows, whole or not at all: a run that was killed goes on where it stopped when
/// it is started again, and shards of one table may write into one folder.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The saved model
    model: PathBuf,
    /// Who gets lists: a table whose name ends in .parquet, .csv, .tsv or .jsonl. Default: all users
    /// of the model
    table: Option<PathBuf>,
    /// The folder for the part files
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// Only every Nth part, from the Ith of 0 to N - 1
    #[arg(long, value_name = "I/N", default_value = "0/1")]
    shard: Shard,
    /// Rows of the table in each part
    #[arg(long, value_name = "ROWS", default_value_t = 65_536, value_parser = manifest::count)]
    part_rows: usize,
    #[command(flatten)]
    text: TextOptions,
    #[command(flatten)]
    lists: ListOptions,
    #[command(flatten)]
    device: DeviceArguments,
}

/// Which of the parts are done here.
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

/// Rows that are scored together.
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
            let message = "--delimiter and --encoding have no effect without a table of users";
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

/// What is wrong with a row of a batch, as one of the table.
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
            expected: format!("column {column:?} to be {expected}"),
            found,
        },
        (error, _) => error,
    }
}

/// What is told on standard error.
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
            "{}: {rows} rows, {:.0} a second; at row {}{all}",
            path.display(),
            rows as f64 / start.elapsed().as_secs_f64(),
            self.done,
        );
    }

    fn end(&self, folder: &Path) {
        let seconds = self.start.elapsed().as_secs_f64();
        tell!(
            "{}: {} rows in {seconds:.1} s, {:.0} a second; {} were there",
            folder.display(),
            self.written,
            self.written as f64 / seconds,
            self.there,
        );
    }
}
