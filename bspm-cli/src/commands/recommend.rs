//! `bspm recommend`: lists for users, or for the history of a new user.

use std::path::{Path, PathBuf};

use bspm::Backend;
use bspm::data::{TableOptions, TextLines};
use bspm_args::{DeviceArguments, ProgressBars};
use clap::{ArgGroup, Args};

use super::lists::{FallbackName, ItemList, ListArguments, UserList};
use super::{Outcome, TextModel, on_device};
use crate::data::STANDARD_INPUT;
use crate::output::{self, OutputArguments, Writer};
use crate::outputs::Files;

/// The number of users that are ranked before their lists are written.
const BATCH: usize = 2048;

/// Recommend items to users of a model, or to a new user with a given history (fold-in)
#[derive(Args)]
#[command(
    group(ArgGroup::new("whom").required(true)),
    after_help = "Examples:\n  bspm recommend model.bspm ann bob -k 5\n  \
                  bspm recommend model.bspm --history espresso --history milk\n  \
                  bspm recommend model.bspm --all --output lists.csv"
)]
pub(crate) struct Arguments {
    /// Model file
    model: PathBuf,
    /// User ids
    #[arg(group = "whom")]
    users: Vec<String>,
    /// Read user ids from this file, one per line, plain or compressed with gzip or Zstandard; - is
    /// standard input
    #[arg(long, value_name = "FILE", group = "whom")]
    users_from: Option<PathBuf>,
    /// Recommend to all users of the model
    #[arg(long, group = "whom")]
    all: bool,
    /// Item of the history of a new user (fold-in); may be repeated
    #[arg(long, value_name = "ITEM", group = "whom")]
    history: Vec<String>,
    #[command(flatten)]
    lists: ListArguments,
    /// How to fill a list if too few items have a score
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "popularity",
        help_heading = "Lists"
    )]
    fallback: FallbackName,
    /// Write the lists to this file instead of standard output; the name must end in .csv or .jsonl
    #[arg(short = 'o', long = "output", value_name = "FILE", value_parser = output::file, help_heading = "Output")]
    file: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArguments,
    #[command(flatten)]
    device: DeviceArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    Files::new()
        .reads(&arguments.model)
        .reads(arguments.users_from.as_ref())
        .writes_stream("--output", arguments.file.as_ref())
        .check()?;
    on_device!(arguments.device, recommend, arguments)
}

fn recommend<B: Backend>(backend: B, arguments: &Arguments) -> Outcome {
    let model = TextModel::open(backend, &arguments.model)?;
    let has_titles = model.dataset().item_table().is_some();
    let fallback = arguments.fallback.into();
    let options = arguments.lists.options(model.dataset())?;
    let options = options.fallback(fallback);
    let mut writer = match &arguments.file {
        Some(path) => Writer::to(path),
        None => Writer::new(&arguments.output),
    };
    if !arguments.history.is_empty() {
        let items = model.recommend_for_items(&arguments.history, options)?;
        let history = &arguments.history;
        writer.write(&ItemList {
            history,
            items,
            has_titles,
        })?;
        return writer.finish();
    }
    let users: Vec<String> = match &arguments.users_from {
        Some(path) => users_of(path)?,
        None if arguments.all => model.dataset().users().iter().cloned().collect(),
        None => arguments.users.clone(),
    };
    let bars = ProgressBars::default();
    let options = options.observer(bars.observer());
    for batch in users.chunks(BATCH) {
        let lists = model.recommend_many(batch, options.clone())?;
        bars.clear();
        for (user, items) in batch.iter().zip(lists) {
            writer.write(&UserList {
                user,
                items,
                has_titles,
            })?;
        }
    }
    writer.finish()
}

/// Reads the lines of a file, or of standard input if the path is `-`. Skips blank lines.
fn users_of(path: &Path) -> bspm::Result<Vec<String>> {
    let path = match path.as_os_str() == "-" {
        true => Path::new(STANDARD_INPUT),
        false => path,
    };
    let mut lines = TextLines::open(path, &TableOptions::default())?;
    let mut users = Vec::new();
    while let Some((_, user)) = lines.next_line()? {
        if !user.trim().is_empty() {
            users.push(user.to_owned());
        }
    }
    Ok(users)
}
