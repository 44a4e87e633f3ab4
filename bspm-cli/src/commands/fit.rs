//! `bspm fit`: from interactions to a model file.

use std::path::PathBuf;

use bspm::{Backend, Dataset, FilterConfig};
use bspm_cli::{DeviceArguments, ProgressBars};
use clap::Args;

use super::{ConfigArguments, Outcome, fitted, on_device, save};
use crate::data::DataArguments;
use crate::outputs::Files;

/// Fit a model to interactions and save it
#[derive(Args)]
pub(crate) struct Arguments {
    /// File of interactions
    #[arg(required = true, value_name = "DATA")]
    data: Vec<PathBuf>,
    /// Where the model goes; a file that is there is replaced
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    interactions: DataArguments,
    #[command(flatten)]
    config: ConfigArguments,
    #[command(flatten)]
    device: DeviceArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    Files::new()
        .reads_data(&arguments.data)
        .reads(arguments.config.file())
        .writes("--output", &arguments.output)
        .check()?;
    arguments.config.config(None)?;
    let dataset = arguments.interactions.read_all(&arguments.data)?;
    let config = arguments.config.config(Some(&dataset))?;
    on_device!(arguments.device, fit, dataset, config, arguments)
}

fn fit<B: Backend>(
    backend: B,
    dataset: Dataset,
    config: FilterConfig,
    arguments: &Arguments,
) -> Outcome {
    let model = fitted(backend, dataset, config, &ProgressBars::default())?;
    save(&model, &arguments.output)
}
