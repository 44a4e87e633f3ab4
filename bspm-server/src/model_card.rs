//! `/model`: the filter of the model, its data, and what it was selected from.

use std::sync::Arc;

use bspm::data::{ItemColumn, ItemColumnKind, ItemTable};
use bspm::fitted::Metrics;
use bspm::tune::Trial;
use bspm::{CpuModel, FilterConfig};
use serde::Serialize;

use super::facets::{Facet, facets};
use super::page::image_column;
use super::work::Work;

/// The maximum number of trials.
const MOST_TRIALS: usize = 100;

/// The description of a model.
#[derive(Serialize)]
pub(super) struct ModelCard<'a> {
    /// The name of the model.
    name: &'a str,
    filter: &'static str,
    /// The filter and the settings that differ from the default.
    label: String,
    settings: Vec<SettingOfModel>,
    users: usize,
    items: usize,
    interactions: usize,
    /// How the weights were scaled in the fit, if they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    weight_scale: Option<String>,
    /// The half-life of the weights in the unit of the times, if they decay.
    #[serde(skip_serializing_if = "Option::is_none")]
    half_life: Option<f64>,
    /// The metrics of these settings on held-out interactions, if they were selected by them.
    #[serde(skip_serializing_if = "Option::is_none")]
    held_out: Option<HeldOut<'a>>,
    /// The number of settings that were compared.
    compared: usize,
    /// The best of them.
    trials: Vec<TrialOfModel<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_column: Option<&'a str>,
    /// The columns of the item table, without its titles.
    columns: Vec<ColumnOfModel<'a>>,
    /// Whether there is an item table.
    has_item_table: bool,
    facets: Vec<Facet<'a>>,
}

#[derive(Serialize)]
struct SettingOfModel {
    name: &'static str,
    value: Option<String>,
    description: &'static str,
}

#[derive(Serialize)]
struct ColumnOfModel<'a> {
    name: &'a str,
    kind: ItemColumnKind,
}

#[derive(Serialize)]
struct HeldOut<'a> {
    users: usize,
    metrics: &'a Metrics,
}

#[derive(Serialize)]
struct TrialOfModel<'a> {
    filter: &'static str,
    label: String,
    outcome: String,
    /// The metric that the trials are compared by, estimated for all users.
    estimate: f64,
    users: usize,
    metrics: &'a Metrics,
    is_selected: bool,
}

impl ModelCard<'_> {
    /// Returns the work of describing a model.
    pub(super) fn work(name: Arc<str>) -> Work {
        Work::Other(Box::new(move |model| {
            Ok(serde_json::to_string(&ModelCard::of(model, &name))?)
        }))
    }
}

impl<'a> ModelCard<'a> {
    fn of(model: &'a CpuModel, name: &'a str) -> Self {
        let dataset = model.dataset();
        let config = model.filter().config();
        let is_selected = |trial: &&Trial| trial.config == *config;
        let settings = config.settings().into_iter();
        let settings = settings.map(|it| SettingOfModel {
            name: it.name,
            value: it.value,
            description: it.doc,
        });
        let selected = model.trials().iter().find(is_selected);
        let trials = model.trials().iter().take(MOST_TRIALS);
        Self {
            name,
            filter: config.name(),
            label: config.label(),
            settings: settings.collect(),
            users: dataset.users().len(),
            items: dataset.items().len(),
            interactions: dataset.len(),
            weight_scale: dataset.weight_scale().map(|scale| scale.to_string()),
            half_life: dataset.decay().map(|decay| decay.half_life),
            held_out: selected.map(|trial| HeldOut {
                users: trial.users,
                metrics: &trial.metrics,
            }),
            compared: model.trials().len(),
            trials: trials
                .map(|trial| TrialOfModel::of(trial, config))
                .collect(),
            image_column: image_column(model).map(ItemColumn::name),
            columns: dataset.item_table().map_or_else(Vec::new, |it| columns(it)),
            has_item_table: dataset.item_table().is_some(),
            facets: facets(model),
        }
    }
}

impl<'a> TrialOfModel<'a> {
    fn of(trial: &'a Trial, config: &FilterConfig) -> Self {
        Self {
            filter: trial.config.name(),
            label: trial.config.label(),
            outcome: trial.outcome.to_string(),
            estimate: trial.estimate,
            users: trial.users,
            metrics: &trial.metrics,
            is_selected: trial.config == *config,
        }
    }
}

fn columns(table: &ItemTable) -> Vec<ColumnOfModel<'_>> {
    let columns = table.other_columns().map(|it| ColumnOfModel {
        name: it.name(),
        kind: it.kind(),
    });
    columns.collect()
}
