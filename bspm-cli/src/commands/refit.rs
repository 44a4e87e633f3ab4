//! `bspm refit`: a saved model's filter and settings, fitted to more interactions.

use std::path::PathBuf;

use bspm::Backend;
use bspm_args::{DeviceArguments, ProgressBars};
use clap::Args;

use super::{Outcome, TextModel, fitted, on_device, save};
use crate::data::DataArguments;
use crate::items::{ItemArguments, tell_coverage, with_items};
use crate::outputs::Files;

/// Fit the filter of a model anew, with its settings, to its interactions and to new ones
#[derive(Args)]
pub(crate) struct Arguments {
    /// Model file
    model: PathBuf,
    /// Files of further interactions, of known or new users and items. If the model already has a pair,
    /// the larger weight and the later time are kept
    #[arg(value_name = "DATA")]
    data: Vec<PathBuf>,
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
    items: ItemArguments,
    #[command(flatten)]
    device: DeviceArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    // The model may be replaced by the one that is fitted anew.
    Files::new()
        .reads_data(arguments.data.as_slice())
        .reads_data(arguments.items.files())
        .writes("--output", &arguments.output)
        .check()?;
    on_device!(arguments.device, refit, arguments)
}

impl Arguments {
    /// The first flag, if there is one, that has no effect without interactions.
    fn given(&self) -> Option<&'static str> {
        match self.items.files().is_empty() {
            true => self.interactions.given(),
            false => self.interactions.given_beside_items(),
        }
    }
}

fn refit<B: Backend>(backend: B, arguments: &Arguments) -> Outcome {
    let model = TextModel::open(backend.clone(), &arguments.model)?;
    let mut dataset = model.dataset().clone();
    let table = arguments.items.read(&arguments.interactions)?;
    if !arguments.data.is_empty() {
        let more = arguments.interactions.read_all(&arguments.data)?;
        if arguments.interactions.has_half_life() {
            return Err("--half-life has no effect on the interactions that the model has, so that old and \
                        new ones would not compare: fit all of them with it"
                .into());
        }
        if more.times().is_some() && dataset.times().is_none() {
            return Err(
                "times have no effect on a model without times: fit all interactions with times"
                    .into(),
            );
        }
        if arguments.keep_vectors {
            let mut model = model.with_dataset(&more)?;
            if let Some(table) = table {
                tell_coverage(&table, model.dataset());
                model = model.with_items(table)?;
            }
            return save(&model, &arguments.output);
        }
        dataset = dataset.with_dataset(&more)?;
    } else if let Some(flag) = arguments.given() {
        return Err(format!("{flag} has no effect without a file of interactions").into());
    }
    let users = arguments.forget_user.iter().map(String::as_str);
    let items = arguments.forget_item.iter().map(String::as_str);
    dataset = with_items(dataset.without(users, items)?, table)?;
    let config = model.filter().config().clone();
    let model = fitted(backend, dataset, config, &ProgressBars::default())?;
    save(&model, &arguments.output)
}
