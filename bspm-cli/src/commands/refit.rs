//! `bspm refit`: a saved model's filter and settings, fitted to more interactions.

use std::path::PathBuf;

use bspm::Backend;
use bspm_cli::{DeviceArguments, ProgressBars};
use clap::Args;

use super::{Outcome, TextModel, fitted, on_device, save};
use crate::data::DataArguments;
use crate::outputs::Files;

/// Fit the filter of a model anew, with its settings, to its interactions and to new ones
#[derive(Args)]
pub(crate) struct Arguments {
    /// Model file
    model: PathBuf,
    /// File of further interactions, of known or new users and items; each counts 1, or as much
    /// as it did where that is more
    data: Option<PathBuf>,
    /// Where the model goes; a file that is there is replaced
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Leave out a user, with all interactions; may be given more than once
    #[arg(long, value_name = "USER")]
    forget_user: Vec<String>,
    /// Leave out an item, with all interactions; may be given more than once
    #[arg(long, value_name = "ITEM")]
    forget_item: Vec<String>,
    /// Keep the singular vectors: new users and items join in a moment, new items by what their
    /// users interacted with
    #[arg(long, requires = "data", conflicts_with_all = ["forget_user", "forget_item"])]
    keep_vectors: bool,
    #[command(flatten)]
    interactions: DataArguments,
    #[command(flatten)]
    device: DeviceArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    // The model may be replaced by the one that is fitted anew.
    Files::new()
        .reads_data(arguments.data.as_slice())
        .writes("--output", &arguments.output)
        .check()?;
    on_device!(arguments.device, refit, arguments)
}

fn refit<B: Backend>(backend: B, arguments: &Arguments) -> Outcome {
    let model = TextModel::open(backend.clone(), &arguments.model)?;
    let mut dataset = model.dataset().clone();
    if let Some(path) = &arguments.data {
        let more = arguments.interactions.read(path)?;
        if arguments.keep_vectors {
            return save(&model.with_dataset(&more)?, &arguments.output);
        }
        dataset = dataset.with_dataset(&more)?;
    } else if let Some(flag) = arguments.interactions.given() {
        return Err(format!("{flag} has no effect without a file of interactions").into());
    }
    let users = arguments.forget_user.iter().map(String::as_str);
    let items = arguments.forget_item.iter().map(String::as_str);
    dataset = dataset.without(users, items)?;
    let config = model.filter().config().clone();
    let model = fitted(backend, dataset, config, &ProgressBars::default())?;
    save(&model, &arguments.output)
}
