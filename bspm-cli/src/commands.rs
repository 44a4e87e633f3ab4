//! The subcommands, one module each.

pub(crate) mod demo;
pub(crate) mod describe;
pub(crate) mod evaluate;
mod evaluate_lists;
pub(crate) mod evaluate_log;
pub(crate) mod explain;
pub(crate) mod export;
mod fingerprint;
pub(crate) mod fit;
pub(crate) mod inspect;
pub(crate) mod lists;
pub(crate) mod mcp;
mod parquet_file;
mod plot;
pub(crate) mod recommend;
pub(crate) mod reference;
pub(crate) mod refit;
mod rerank;
pub(crate) mod schema;
pub(crate) mod score;
pub(crate) mod serve;
pub(crate) mod similar;
pub(crate) mod sweep;
mod text_rows;
pub(crate) mod tune;

use std::error::Error;
use std::path::{Path, PathBuf};

use bspm::tune::{Choice, Trial, TrialOutcome, choose};
use bspm::{Backend, BspmConfig, Dataset, FilterConfig, FitOptions, Model, Preset};
use bspm_args::{ProcessArguments, ProgressBars, tell, warn_of_svd};
use clap::Args;

use crate::data::DataArguments;
use crate::tags::TagArguments;

/// The result of a subcommand.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// A model whose ids are strings, as all models of the command line.
pub(crate) type TextModel<B> = Model<B, String, String>;

/// Flags that choose the filter and its settings.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Model")]
pub(crate) struct ConfigArguments {
    /// Filter to fit. auto compares several filters on interactions held out from the data, and
    /// selects the best one with its settings. Default: auto, or bspm if a preset or a setting is given
    #[arg(long, value_name = "NAME", value_parser = [&["auto"], FilterConfig::NAMES].concat())]
    filter: Option<String>,
    /// Start from the published settings for this data set: gowalla, yelp2018 or amazon-book.
    /// Default: settings for the size of the data
    #[arg(long)]
    preset: Option<Preset>,
    /// Read the filter and its settings from a JSON file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["filter", "preset"])]
    config: Option<PathBuf>,
    /// Change a setting of the filter, as in --set alpha=0.4; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    process: ProcessArguments,
}

impl ConfigArguments {
    /// Returns the configuration file, if one is given.
    pub(crate) fn file(&self) -> Option<&PathBuf> {
        self.config.as_ref()
    }

    /// Returns whether the filter and its settings are selected automatically.
    fn is_auto(&self) -> bool {
        let has_settings = self.preset.is_some()
            || self.config.is_some()
            || !self.set.is_empty()
            || !self.process.is_empty();
        self.filter
            .as_deref()
            .map_or(!has_settings, |it| it == "auto")
    }

    /// Returns the configuration for the data. With `--filter auto`, also returns the trials that it
    /// was selected from.
    fn chosen<B: Backend>(
        &self,
        backend: B,
        dataset: &Dataset,
        bars: &ProgressBars,
    ) -> Result<(FilterConfig, Vec<Trial>), Box<dyn Error>> {
        if !self.is_auto() {
            return Ok((self.config(Some(dataset))?, Vec::new()));
        }
        let options = FitOptions::new().observer(bars.observer());
        let choice = choose(backend, dataset, &options)?;
        bars.clear();
        tell!("{}", report_of(&choice));
        Ok((choice.config, choice.trials))
    }

    /// Returns the configuration for the data. Without data, checks the flags before the data are
    /// read.
    pub(crate) fn config(&self, dataset: Option<&Dataset>) -> Result<FilterConfig, Box<dyn Error>> {
        let filter = match self.filter.as_deref() {
            Some("auto")
                if !self.set.is_empty() || self.preset.is_some() || !self.process.is_empty() =>
            {
                return Err(
                    "--filter auto: expected no settings or preset, because auto selects them; \
                            hint: name the filter, as in --filter bspm"
                        .into(),
                );
            }
            None | Some("auto") => "bspm",
            Some(name) => name,
        };
        let base = match &self.config {
            Some(path) => {
                let in_file = |error: &dyn Error| format!("{}: {error}", path.display());
                let text = std::fs::read_to_string(path).map_err(|error| in_file(&error))?;
                stored_config(&text).map_err(|error| in_file(&error))?
            }
            None => {
                let shape = dataset.map_or((1, 1), |it| it.interactions().shape());
                let config = match self.preset {
                    Some(preset) => FilterConfig::published(filter, preset)?,
                    None => FilterConfig::for_shape(filter, shape)?,
                };
                if let (Some(dataset), Some(preset)) = (dataset, self.preset) {
                    warn_of_shape(preset, dataset);
                }
                config
            }
        };
        let mut config = base.clone();
        for change in &self.set {
            let (name, value) = change
                .split_once('=')
                .ok_or_else(|| format!("--set {change}: expected NAME=VALUE"))?;
            config
                .set(name, value)
                .map_err(|error| format!("--set {change}: {error}"))?;
        }
        config.check()?;
        let used = config.check_used(&base);
        used.map_err(|error| format!("--set: {error}"))?;
        match &config {
            FilterConfig::Bspm(config) => Ok(self.process.apply(config)?.into()),
            _ if self.process.is_empty() => Ok(config),
            _ => Err(format!(
                "BSPM settings do not apply to the filter {}; hint: use --set NAME=VALUE",
                config.name()
            )
            .into()),
        }
    }
}

/// The number of other candidates in a report.
const SHOWN: usize = 3;

/// Describes the selected filter and the candidates that it was compared with.
fn report_of(choice: &Choice) -> String {
    let chosen = choice.trials.iter().find(|it| it.config == choice.config);
    let Some(best) = chosen else {
        return format!(
            "filter: {}; filters were not compared, because no user has two interactions to learn from, so none \
             could be held out",
            choice.config.name()
        );
    };
    if best.value == 0.0 {
        return format!(
            "filter: {}; filters cannot be compared, because none of {} candidates has a hit on the held-out \
             interactions of {} users",
            best.config.label(),
            choice.trials.len(),
            best.users
        );
    }
    let others = choice.trials.iter().filter(|it| it.config != choice.config);
    let others = others.map(|trial| {
        let name = trial.config.label();
        match &trial.outcome {
            TrialOutcome::Failed(reason) => format!("{name} failed: {reason}"),
            _ => format!("{name} {:.4}", trial.estimate),
        }
    });
    let mut others: Vec<String> = others.collect();
    let more = others.len().saturating_sub(SHOWN);
    others.truncate(SHOWN);
    if more > 0 {
        others.push(format!("and {more} more in the model"));
    }
    format!(
        "filter: {}, selected from {} candidates by NDCG@20 on held-out interactions of {} users: {:.4} \
         (others: {}); a mix is selected only if it is better by one percent; hint: `bspm tune` searches \
         further",
        best.config.label(),
        choice.trials.len(),
        best.users,
        best.value,
        others.join(", ")
    )
}

/// Warns if the published settings are for data of a different size.
fn warn_of_shape(preset: Preset, dataset: &Dataset) {
    let (users, items) = (dataset.users().len(), dataset.items().len());
    if preset.is_far_from(users, items) {
        let (preset_users, preset_items) = preset.shape();
        tell!(
            "warning: the settings were published for {preset} ({preset_users} users x {preset_items} \
             items), and these data have {users} users x {items} items; hint: `bspm tune` searches for \
             better settings"
        );
    }
}

/// Parses a stored configuration: a filter under its name, a BSPM configuration without a name, or
/// a line of `sweep --json`, `tune --json` or `inspect --json`.
fn stored_config(text: &str) -> serde_json::Result<FilterConfig> {
    let mut json: serde_json::Value = serde_json::from_str(text)?;
    if let Some(config) = json.get_mut("config") {
        json = config.take();
    }
    let is_bspm = json.get("blur").is_some();
    if is_bspm {
        return serde_json::from_value::<BspmConfig>(json).map(Into::into);
    }
    serde_json::from_value(json)
}

/// Returns the configuration for the data, the data with their chosen weights, and the trials that
/// the configuration was chosen from.
pub(crate) fn chosen<B: Backend>(
    backend: B,
    dataset: Dataset,
    options: &ConfigArguments,
    (data, tags): (&DataArguments, &TagArguments),
    bars: &ProgressBars,
) -> Result<(FilterConfig, Dataset, Vec<Trial>), Box<dyn Error>> {
    let dataset = match options.is_auto() {
        true => data.with_chosen_weighting(backend.clone(), dataset, bars)?,
        false => dataset,
    };
    let (config, trials) = options.chosen(backend.clone(), &dataset, bars)?;
    let dataset = match options.is_auto() {
        true => tags.with_chosen_weight(backend, dataset, &config, bars)?,
        false => dataset,
    };
    Ok((config, dataset, trials))
}

/// Calls a function with the backend of the chosen device.
macro_rules! on_device {
    ($arguments:expr, $function:expr, $($rest:expr),*) => {
        match $arguments.choose()? {
            bspm_args::Device::Cpu(backend) => $function(backend, $($rest),*),
            #[cfg(feature = "torch")]
            bspm_args::Device::Torch(backend) => $function(backend, $($rest),*),
        }
    };
}
pub(crate) use on_device;

/// Fits a model with a progress bar, and warns if the fit did not reach the requested accuracy.
pub(crate) fn fitted<B: Backend>(
    backend: B,
    dataset: Dataset,
    config: FilterConfig,
    bars: &ProgressBars,
) -> bspm::Result<TextModel<B>> {
    let options = FitOptions::new().observer(bars.observer());
    let model = TextModel::fit_with(backend, dataset, config, &options)?;
    bars.clear();
    warn_of_svd(model.filter());
    Ok(model)
}

/// Saves a model, and reports its size.
pub(crate) fn save<B: Backend>(model: &TextModel<B>, path: &Path) -> Outcome {
    model.save(path)?;
    tell!("{}: {}", path.display(), shape(model));
    Ok(())
}

/// Returns the numbers of users, items and interactions of a model, for a report.
pub(crate) fn shape<B: Backend>(model: &TextModel<B>) -> String {
    format!(
        "{} users x {} items, {} interactions",
        model.dataset().users().len(),
        model.dataset().items().len(),
        model.dataset().len()
    )
}
