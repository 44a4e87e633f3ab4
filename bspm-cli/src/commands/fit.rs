//! `bspm fit`: fits a model to interactions.

use std::path::PathBuf;

use bspm::{Backend, Dataset};
use bspm_args::{DeviceArguments, ProgressBars, tell};
use clap::Args;

use super::describe::Description;
use super::{ConfigArguments, Outcome, chosen, fitted, on_device, save};
use crate::data::DataArguments;
use crate::items::{ItemArguments, with_items};
use crate::output::shown;
use crate::outputs::Files;
use crate::tags::TagArguments;

/// Fit a model to interactions and save it
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bspm fit ratings.csv --output model.bspm\n  \
                  bspm fit ratings.csv --user-column userId --item-column movieId --filter gf-cf \
                  --output model.bspm"
)]
pub(crate) struct Arguments {
    /// Interaction files, folders of part files, or glob patterns such as '2026-*.csv'
    #[arg(required = true, value_name = "DATA")]
    data: Vec<PathBuf>,
    /// Output file for the model. An existing file is replaced
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    interactions: DataArguments,
    #[command(flatten)]
    items: ItemArguments,
    #[command(flatten)]
    tags: TagArguments,
    #[command(flatten)]
    config: ConfigArguments,
    #[command(flatten)]
    device: DeviceArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    Files::new()
        .reads_data(&arguments.data)
        .reads_data(arguments.items.files())
        .reads_data(arguments.tags.files())
        .reads(arguments.config.file())
        .writes("--output", &arguments.output)
        .check()?;
    arguments.config.config(None)?;
    let (dataset, report) = arguments.interactions.load(&arguments.data)?;
    let description = Description::of(&dataset, report);
    for warning in description.warnings() {
        tell!("warning: {}", shown(warning));
    }
    for line in description.lines() {
        tell!("{}", shown(&line));
    }
    let table = arguments.items.read(&arguments.interactions)?;
    let dataset = with_items(dataset, table)?;
    let dataset = arguments.tags.add_to(dataset, &arguments.interactions)?;
    on_device!(arguments.device, fit, dataset, arguments)
}

fn fit<B: Backend>(backend: B, dataset: Dataset, arguments: &Arguments) -> Outcome {
    let bars = ProgressBars::default();
    let (options, weights) = (
        &arguments.config,
        (&arguments.interactions, &arguments.tags),
    );
    let (config, dataset, trials) = chosen(backend.clone(), dataset, options, weights, &bars)?;
    let model = fitted(backend, dataset, config, &bars)?;
    save(&model.with_trials(trials), &arguments.output)
}
