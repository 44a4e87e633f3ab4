//! The subcommands, a file each.

pub(crate) mod evaluate;
pub(crate) mod fit;
pub(crate) mod inspect;
pub(crate) mod lists;
pub(crate) mod recommend;
pub(crate) mod similar;

use std::error::Error;
use std::path::PathBuf;

use bspm::{Backend, BspmConfig, Model, Preset};
use bspm_cli::ProcessArguments;
use clap::Args;

/// What a subcommand ends with.
pub(crate) type Outcome = Result<(), Box<dyn Error>>;

/// Models of the command line have text for ids.
pub(crate) type TextModel<B> = Model<B, String, String>;

/// Where the configuration comes from; the flags of the model change it.
#[derive(Args, Clone, Debug)]
pub(crate) struct ConfigArguments {
    /// Start from the published settings for this data set: gowalla, yelp2018, amazon-book
    #[arg(long, default_value_t = Preset::Gowalla)]
    preset: Preset,
    /// Start from a configuration in JSON instead
    #[arg(long, value_name = "FILE", conflicts_with = "preset")]
    config: Option<PathBuf>,
    #[command(flatten)]
    process: ProcessArguments,
}

impl ConfigArguments {
    pub(crate) fn config(&self) -> Result<BspmConfig, Box<dyn Error>> {
        let base = match &self.config {
            Some(path) => {
                let in_file = |error: &dyn Error| format!("{}: {error}", path.display());
                let text = std::fs::read_to_string(path).map_err(|error| in_file(&error))?;
                serde_json::from_str(&text).map_err(|error| in_file(&error))?
            }
            None => self.preset.config(),
        };
        Ok(self.process.apply(&base)?)
    }
}

/// Runs a function of a backend on the chosen device.
macro_rules! on_device {
    ($arguments:expr, $function:expr, $($rest:expr),*) => {
        match $arguments.choose()? {
            bspm_cli::Device::Cpu(backend) => $function(backend, $($rest),*),
            #[cfg(feature = "torch")]
            bspm_cli::Device::Torch(backend) => $function(backend, $($rest),*),
        }
    };
}
pub(crate) use on_device;

/// What is known of a fitted model, for a line of a report.
pub(crate) fn shape<B: Backend>(model: &TextModel<B>) -> String {
    format!(
        "{} users x {} items, {} interactions",
        model.dataset().users().len(),
        model.dataset().items().len(),
        model.dataset().len()
    )
}
