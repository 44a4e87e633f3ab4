//! `bspm refit`: fits a saved model's filter and settings to more interactions.

use std::path::PathBuf;

use bspm::{Backend, Dataset};
use bspm_args::{DeviceArguments, ProgressBars, tell};
use clap::Args;

use super::{Outcome, TextModel, fitted, on_device, save};
use crate::data::DataArguments;
use crate::items::{ItemArguments, tell_coverage, with_items};
use crate::outputs::Files;
use crate::tags::TagArguments;

/// Refit a model, with the same filter and settings, to its interactions and new ones
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bspm refit model.bspm today.csv --output model.bspm\n  \
                  bspm refit model.bspm --forget-user ann --output model.bspm"
)]
pub(crate) struct Arguments {
    /// Model file
    model: PathBuf,
    /// Files with further interactions, of known or new users and items. If the model already has an
    /// interaction of the same user and item, the larger weight and the later time are kept
    #[arg(value_name = "DATA")]
    data: Vec<PathBuf>,
    /// Output file for the model. An existing file is replaced
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Remove this user and all interactions of this user; may be repeated
    #[arg(long, value_name = "USER")]
    forget_user: Vec<String>,
    /// Remove this item and all interactions with it; may be repeated
    #[arg(long, value_name = "ITEM")]
    forget_item: Vec<String>,
    /// Keep the singular vectors and fold in new users and items, which is much faster than a fit. New
    /// items are folded in from the interactions of their users
    #[arg(long, requires = "data", conflicts_with_all = ["forget_user", "forget_item", "TagArguments"])]
    keep_vectors: bool,
    #[command(flatten)]
    interactions: DataArguments,
    #[command(flatten)]
    items: ItemArguments,
    #[command(flatten)]
    tags: TagArguments,
    #[command(flatten)]
    device: DeviceArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    // The output may replace the model itself.
    Files::new()
        .reads_data(arguments.data.as_slice())
        .reads_data(arguments.items.files())
        .reads_data(arguments.tags.files())
        .writes("--output", &arguments.output)
        .check()?;
    on_device!(arguments.device, refit, arguments)
}

impl Arguments {
    /// Returns the first given flag that has no effect without interaction files.
    fn given(&self) -> Option<&'static str> {
        match self.items.files().is_empty() && self.tags.files().is_empty() {
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
            return Err(
                "--half-life would apply only to the new interactions, and not to those of the \
                        model; hint: fit all interactions together with `bspm fit --half-life`"
                    .into(),
            );
        }
        let is_weighted = |data: &Dataset| data.interactions().weights().is_some();
        if is_weighted(&dataset) && !arguments.interactions.has_weight_scale() {
            let which = match is_weighted(&more) {
                true => "the weights of the new interactions are unchanged",
                false => "the new interactions have weight 1",
            };
            tell!(
                "warning: {which}; hint: if the model was fitted with --weight, or `bspm fit` selected a \
                 scale, give the same --weight-column and --weight here"
            );
        }
        if more.times().is_some() && dataset.times().is_none() {
            return Err(
                "the new interactions have times, but the model has none; hint: fit all interactions \
                 together with `bspm fit`"
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
        return Err(format!("{flag} has no effect without interaction files").into());
    }
    let users = arguments.forget_user.iter().map(String::as_str);
    let items = arguments.forget_item.iter().map(String::as_str);
    dataset = with_items(dataset.without(users, items)?, table)?;
    dataset = arguments.tags.add_to(dataset, &arguments.interactions)?;
    let config = model.filter().config().clone();
    let model = fitted(backend, dataset, config, &ProgressBars::default())?;
    save(&model, &arguments.output)
}
