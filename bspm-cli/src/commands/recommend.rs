//! `bspm recommend`: lists for users, or for the items of somebody unknown.

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

/// How many users are ranked before their lists are written.
const BATCH: usize = 2048;

/// Recommend items to users of a model, or for the items of somebody that it does not know
#[derive(Args)]
#[command(group(ArgGroup::new("whom").required(true)))]
pub(crate) struct Arguments {
    /// Model file
    model: PathBuf,
    /// Users
    #[arg(group = "whom")]
    users: Vec<String>,
    /// File with a user on each line, plain or compressed with gzip or Zstandard; - is standard input
    #[arg(long, value_name = "FILE", group = "whom")]
    users_from: Option<PathBuf>,
    /// All users of the model
    #[arg(long, group = "whom")]
    all: bool,
    /// An item of a history that belongs to no user; may be given more than once
    #[arg(long, value_name = "ITEM", group = "whom")]
    history: Vec<String>,
    #[command(flatten)]
    lists: ListArguments,
    /// What fills a list where too few items have a score
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "popularity",
        help_heading = "Lists"
    )]
    fallback: FallbackName,
    /// Write the lists to this file instead, which ends in .csv, or in .jsonl for JSON lines
    #[arg(short = 'o', long = "output", value_name = "FILE", value_parser = output::file)]
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

/// The lines of a file, or of standard input if the path is `-`; blank ones are passed over.
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
