//! `bspm evaluate`: how well a model predicts what it has not seen.

use std::path::PathBuf;

use bspm::{Backend, EvaluateOptions, Evaluator, FitOptions, Metrics, UnknownIds};
use bspm_cli::{DeviceArguments, ProgressBars, warn_of_svd};
use clap::{ArgGroup, Args};
use serde::Serialize;

use super::{ConfigArguments, Outcome, TextModel, on_device, shape};
use crate::data::DataArguments;
use crate::held_out::HeldOutArguments;
use crate::output::{OutputArguments, Record, Writer};

/// Measure recall, NDCG and more: of a saved model, or of one that is fitted for it
#[derive(Args)]
#[command(
    group(ArgGroup::new("fitted").required(true).args(["train", "model"])),
    group(ArgGroup::new("held out").required(true))
)]
pub(crate) struct Arguments {
    /// File of interactions to fit a model to
    #[arg(long, value_name = "FILE")]
    train: Option<PathBuf>,
    /// A saved model
    #[arg(long, value_name = "FILE", conflicts_with_all = ["last_out", "ratio", "ConfigArguments", "ProcessArguments"])]
    model: Option<PathBuf>,
    #[command(flatten)]
    held_out: HeldOutArguments,
    /// Pass over users of the test file that the model does not know
    #[arg(long)]
    skip_unknown: bool,
    /// Cut-offs
    #[arg(
        short,
        value_name = "K,...",
        value_delimiter = ',',
        default_value = "20"
    )]
    k: Vec<usize>,
    #[command(flatten)]
    output: OutputArguments,
    #[command(flatten)]
    interactions: DataArguments,
    #[command(flatten)]
    config: ConfigArguments,
    #[command(flatten)]
    device: DeviceArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    // Impossible cut-offs are refused before anything long begins.
    Evaluator::new(&arguments.k)?;
    on_device!(arguments.device, evaluate, arguments)
}

fn evaluate<B: Backend>(backend: B, arguments: &Arguments) -> Outcome {
    let bars = ProgressBars::default();
    let (model, test) = match (&arguments.model, &arguments.train) {
        (None, Some(train)) => {
            arguments.config.config(None)?;
            let (train, test) = arguments
                .held_out
                .split(arguments.interactions.read(train)?, &arguments.interactions)?;
            let config = arguments.config.config(Some(&train))?;
            let options = FitOptions::new().observer(bars.observer());
            let model = TextModel::fit_with(backend, train, config, &options)?;
            bars.clear();
            warn_of_svd(model.filter());
            (model, test)
        }
        (Some(model), _) => {
            let test = arguments
                .held_out
                .test
                .as_ref()
                .ok_or("a model needs --test")?;
            let test = arguments.interactions.read(test)?;
            (TextModel::open(backend, model)?, test)
        }
        (None, None) => return Err("either --train or --model is needed".into()),
    };
    let unknown_users = match arguments.skip_unknown {
        true => UnknownIds::Skip,
        false => UnknownIds::Error,
    };
    let options = EvaluateOptions::at(arguments.k.as_slice())
        .unknown_users(unknown_users)
        .observer(bars.observer());
    let evaluator = model.evaluate(&test, options)?;
    bars.clear();
    eprintln!("{}; {} users evaluated", shape(&model), evaluator.users());
    let mut writer = Writer::new(&arguments.output);
    for (&k, metrics) in evaluator.cutoffs().iter().zip(evaluator.means()) {
        writer.write(&AtCutoff { k, metrics })?;
    }
    Ok(writer.finish()?)
}

#[derive(Serialize)]
struct AtCutoff {
    k: usize,
    #[serde(flatten)]
    metrics: Metrics,
}

impl Record for AtCutoff {
    fn columns(&self) -> Vec<(&'static str, bool)> {
        let metrics = Metrics::NAMES.iter().map(|name| (*name, true));
        [("k", true)].into_iter().chain(metrics).collect()
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let metrics = self.metrics.values();
        let mut row = vec![self.k.to_string()];
        row.extend(metrics.iter().map(|value| format!("{value:.4}")));
        vec![row]
    }
}
