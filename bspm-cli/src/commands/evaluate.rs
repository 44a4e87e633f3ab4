//! `bspm evaluate`: how well a model predicts what it has not seen.

use std::path::PathBuf;

use bspm::fitted::{CatalogueMetrics, Comparison, Evaluation, Interval};
use bspm::{Backend, EvaluateOptions, Evaluator, FitOptions, Metrics, UnknownIds};
use bspm_cli::{DeviceArguments, ProgressBars, tell, warn_of_svd};
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
    /// Add between what the metrics lie (95%, drawn from the users) and how varied the lists are:
    /// coverage, Gini's index, novelty, popularity, diversity
    #[arg(long)]
    detailed: bool,
    /// Compare with this saved model too, user by user
    #[arg(long, value_name = "MODEL", conflicts_with_all = ["last_out", "ratio"])]
    against: Option<PathBuf>,
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
    let mut writer = Writer::new(&arguments.output);
    if !arguments.detailed && arguments.against.is_none() {
        let evaluator = model.evaluate(&test, options)?;
        bars.clear();
        tell!("{}; {} users evaluated", shape(&model), evaluator.users());
        for (&k, metrics) in evaluator.cutoffs().iter().zip(evaluator.means()) {
            writer.write(&AtCutoff { k, metrics })?;
        }
        return Ok(writer.finish()?);
    }
    let evaluation = model.evaluate_users(&test, options.clone())?;
    tell!(
        "{}; {} users evaluated",
        shape(&model),
        evaluation.users().len()
    );
    for (place, metrics) in evaluation.means().into_iter().enumerate() {
        let found = Detailed::at(&evaluation, place, metrics)?;
        writer.write(&found)?;
    }
    if let Some(path) = &arguments.against {
        let other = TextModel::open(model.filter().backend().clone(), path)?;
        let other = other.evaluate_users(&test, options)?;
        writer.finish()?;
        writer = Writer::new(&arguments.output);
        for &k in &arguments.k {
            for metric in ["recall", "ndcg"] {
                writer.write(&Against {
                    k,
                    metric,
                    comparison: evaluation.compare(&other, metric, k)?,
                })?;
            }
        }
    }
    bars.clear();
    Ok(writer.finish()?)
}

/// The metrics at a cut-off, between what they lie, and what the lists are together.
#[derive(Serialize)]
struct Detailed {
    #[serde(flatten)]
    means: AtCutoff,
    recall_interval: Interval,
    ndcg_interval: Interval,
    catalogue: CatalogueMetrics,
}

impl Detailed {
    fn at(evaluation: &Evaluation, place: usize, metrics: Metrics) -> bspm::Result<Self> {
        let k = evaluation.cutoffs()[place];
        Ok(Self {
            means: AtCutoff { k, metrics },
            recall_interval: evaluation.interval("recall", k)?,
            ndcg_interval: evaluation.interval("ndcg", k)?,
            catalogue: evaluation.catalogue()[place],
        })
    }
}

impl Record for Detailed {
    fn columns(&self) -> Vec<(&'static str, bool)> {
        let more = [
            "recall 95%",
            "ndcg 95%",
            "coverage",
            "gini",
            "novelty",
            "popularity",
            "diversity",
        ];
        let mut columns = self.means.columns();
        columns.extend(more.map(|name| (name, true)));
        columns
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let mut rows = self.means.rows();
        let catalogue = &self.catalogue;
        rows[0].extend([between(self.recall_interval), between(self.ndcg_interval)]);
        rows[0].extend([
            format!("{:.4}", catalogue.coverage),
            format!("{:.4}", catalogue.gini),
            format!("{:.2} bits", catalogue.novelty),
            format!("{:.4}", catalogue.popularity),
            format!("{:.4}", catalogue.diversity),
        ]);
        rows
    }
}

fn between(interval: Interval) -> String {
    format!("{:.4} to {:.4}", interval.low, interval.high)
}

/// By how much the model is above the other one.
#[derive(Serialize)]
struct Against {
    k: usize,
    metric: &'static str,
    #[serde(flatten)]
    comparison: Comparison,
}

impl Record for Against {
    fn columns(&self) -> Vec<(&'static str, bool)> {
        let names = [
            "k",
            "metric",
            "difference",
            "95%",
            "better for",
            "worse for",
        ];
        names.map(|name| (name, name != "metric")).into()
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let comparison = &self.comparison;
        vec![vec![
            self.k.to_string(),
            self.metric.into(),
            format!("{:+.4}", comparison.difference.mean),
            between(comparison.difference),
            format!("{} users", comparison.wins),
            format!("{} users", comparison.losses),
        ]]
    }
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
