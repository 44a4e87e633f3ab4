//! `bspm similar`: items similar to an item.

use std::path::PathBuf;

use bspm::Backend;
use bspm_args::DeviceArguments;
use clap::Args;

use super::lists::{ItemList, ListArguments, SimilarList};
use super::{Outcome, TextModel, on_device};
use crate::output::{self, OutputArguments, Writer};
use crate::outputs::Files;

/// List the items most similar to an item: the recommendations for a history of only this item
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bspm similar model.bspm espresso\n  bspm similar model.bspm espresso tea -k 5 --json"
)]
pub(crate) struct Arguments {
    /// Model file
    model: PathBuf,
    /// Item ids; one list is made per item
    #[arg(required = true)]
    items: Vec<String>,
    #[command(flatten)]
    lists: ListArguments,
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
        .writes_stream("--output", arguments.file.as_ref())
        .check()?;
    on_device!(arguments.device, similar, arguments)
}

fn similar<B: Backend>(backend: B, arguments: &Arguments) -> Outcome {
    let model = TextModel::open(backend, &arguments.model)?;
    let has_titles = model.dataset().item_table().is_some();
    let options = arguments.lists.options(model.dataset())?;
    let mut writer = match &arguments.file {
        Some(path) => Writer::to(path),
        None => Writer::new(&arguments.output),
    };
    for history in arguments.items.chunks(1) {
        let items = model.similar_items(&history[0], options.clone())?;
        writer.write(&SimilarList(ItemList {
            history,
            items,
            has_titles,
        }))?;
    }
    writer.finish()
}
