//! `bspm evaluate`: metrics of a model on held-out interactions.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bspm::fitted::{CatalogueMetrics, Comparison, Evaluation, Interval};
use bspm::{Backend, Dataset, EvaluateOptions, Evaluator, Metrics, UnknownIds};
use bspm_args::{DeviceArguments, ProgressBars, tell};
use clap::{ArgGroup, Args};
use serde::Serialize;

use super::evaluate_lists::{self, Request, WithCounts};
use super::rerank::DiversityArguments;
use super::{ConfigArguments, Outcome, TextModel, chosen, fitted, on_device, shape};
use crate::data::DataArguments;
use crate::held_out::HeldOutArguments;
use crate::output::{OutputArguments, Record, Writer};
use crate::tags::TagArguments;

/// Evaluate a model on held-out interactions: recall, NDCG and other ranking metrics
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bspm evaluate ratings.csv --filter bspm --folds 5\n  \
                  bspm evaluate --train train.csv --test test.csv -k 10,20 --detailed\n  \
                  bspm evaluate --model model.bspm --test test.csv --against other.bspm",
    group(ArgGroup::new("fitted").args(["data", "train", "model"])),
    group(ArgGroup::new("evaluated").required(true).multiple(true).args(["data", "train", "model", "lists"])),
    group(ArgGroup::new("held out"))
)]
pub(crate) struct Arguments {
    /// Interaction files, folders of part files, or glob patterns. A part of them is held out for the
    /// evaluation (default: 20% of the interactions of each user), and a model is fitted to the others
    data: Vec<PathBuf>,
    /// Interaction files to fit the model to
    #[arg(long, value_name = "FILE")]
    train: Vec<PathBuf>,
    /// Saved model to evaluate; requires --test
    #[arg(long, value_name = "FILE", conflicts_with_all = ["last_out", "ratio", "random", "ConfigArguments", "ProcessArguments", "TagArguments"])]
    model: Option<PathBuf>,
    /// Recommendation lists of any system to evaluate instead of a model: CSV, TSV, JSON lines or
    /// Parquet tables with the columns user, item, and rank or score, or with user and items. user_id and
    /// item_id are also names of these columns. Give the interactions that they were made from with --train
    #[arg(
        long,
        value_name = "FILE",
        requires = "test",
        conflicts_with_all = [
            "data", "model", "skip_unknown", "against", "filter", "preset", "config", "set", "ProcessArguments",
            "DeviceArguments", "DiversityArguments", "TagArguments",
        ]
    )]
    lists: Vec<PathBuf>,
    #[command(flatten)]
    held_out: HeldOutArguments,
    /// Skip users of the test file that the model does not know
    #[arg(long, requires = "test")]
    skip_unknown: bool,
    /// Run a k-fold cross-validation with N random folds of the interactions of each user, and report
    /// the mean and the standard deviation of each metric
    #[arg(long, value_name = "N", group = "held out", conflicts_with_all = ["model", "detailed", "against", "random"])]
    folds: Option<usize>,
    /// Cut-offs of the metrics: the lengths of the lists. With --diversity, lists are selected for the
    /// largest of them
    #[arg(
        short,
        value_name = "K,...",
        value_delimiter = ',',
        default_value = "20"
    )]
    k: Vec<usize>,
    /// Add 95% confidence intervals (bootstrap over users), and metrics of all lists together: coverage,
    /// Gini index, novelty, popularity and diversity
    #[arg(long)]
    detailed: bool,
    /// Compare with this saved model: mean difference with a 95% confidence interval (paired bootstrap
    /// over users)
    #[arg(long, value_name = "MODEL", conflicts_with_all = ["last_out", "ratio", "random"])]
    against: Option<PathBuf>,
    #[command(flatten)]
    diversity: DiversityArguments,
    #[command(flatten)]
    output: OutputArguments,
    #[command(flatten)]
    interactions: DataArguments,
    #[command(flatten)]
    tags: TagArguments,
    #[command(flatten)]
    config: ConfigArguments,
    #[command(flatten)]
    device: DeviceArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    // Check the cut-offs before any long computation.
    Evaluator::new(&arguments.k)?;
    arguments.diversity.rerank().check()?;
    if let (lists @ [_, ..], Some(test)) = (arguments.lists.as_slice(), &arguments.held_out.test) {
        let (evaluation, counts) = evaluate_lists::evaluate(&Request {
            lists,
            test,
            train: &arguments.train,
            interactions: &arguments.interactions,
            cutoffs: &arguments.k,
            detailed: arguments.detailed,
        })?;
        let (counts, k) = (&counts, evaluation.cutoffs());
        let mut writer = Writer::new(&arguments.output);
        for (place, metrics) in evaluation.means().into_iter().enumerate() {
            if arguments.detailed {
                let metrics = Detailed::at(&evaluation, place, metrics)?;
                writer.write(&WithCounts { metrics, counts })?;
            } else {
                let k = k[place];
                let metrics = AtCutoff { k, metrics };
                writer.write(&WithCounts { metrics, counts })?;
            }
        }
        return writer.finish();
    }
    on_device!(arguments.device, evaluate, arguments)
}

fn evaluate<B: Backend>(backend: B, arguments: &Arguments) -> Outcome {
    let bars = ProgressBars::default();
    let train = match arguments.train.is_empty() {
        true => arguments.data.as_slice(),
        false => arguments.train.as_slice(),
    };
    if let Some(folds) = arguments.folds {
        return cross_validate(&backend, train, folds, arguments, &bars);
    }
    let start = Instant::now();
    let (model, test) = arguments.model_and_test(backend, train, &bars)?;
    let coverage = model.test_coverage(&test);
    if coverage.unknown_users > 0 && !arguments.skip_unknown {
        return Err(format!(
            "{} of {} users of the test set are unknown to the model; hint: use --skip-unknown to skip \
             them",
            coverage.unknown_users, coverage.users
        )
        .into());
    }
    for warning in coverage.warnings() {
        tell!("warning: {warning}");
    }
    let ready = start.elapsed();
    let unknown_users = match arguments.skip_unknown {
        true => UnknownIds::Skip,
        false => UnknownIds::Error,
    };
    let options = EvaluateOptions::at(arguments.k.as_slice())
        .unknown_users(unknown_users)
        .rerank(arguments.diversity.rerank())
        .observer(bars.observer());
    let mut writer = Writer::new(&arguments.output);
    if !arguments.detailed && arguments.against.is_none() {
        let evaluator = model.evaluate(&test, options)?;
        bars.clear();
        report(&model, evaluator.users(), ready, start.elapsed());
        for (&k, metrics) in evaluator.cutoffs().iter().zip(evaluator.means()) {
            writer.write(&AtCutoff { k, metrics })?;
        }
        return writer.finish();
    }
    let evaluation = model.evaluate_users(&test, options.clone())?;
    report(&model, evaluation.users().len(), ready, start.elapsed());
    for (place, metrics) in evaluation.means().into_iter().enumerate() {
        let found = Detailed::at(&evaluation, place, metrics)?;
        writer.write(&found)?;
    }
    if let Some(path) = &arguments.against {
        let other = TextModel::open(model.filter().backend().clone(), path)?;
        for warning in other.test_coverage(&test).warnings() {
            tell!("warning: {}: {warning}", path.display());
        }
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
    writer.finish()
}

/// Reports the model, the number of evaluated users, and the times of fitting and evaluation.
fn report<B: Backend>(model: &TextModel<B>, users: usize, ready: Duration, whole: Duration) {
    tell!(
        "{}: {}; {users} users evaluated; model ready in {:.2} s, evaluated in {:.2} s",
        model.filter().config().name(),
        shape(model),
        ready.as_secs_f64(),
        (whole - ready).as_secs_f64()
    );
}

impl Arguments {
    /// Returns the saved model, or one fitted to the training set, and the test set.
    fn model_and_test<B: Backend>(
        &self,
        backend: B,
        train: &[PathBuf],
        bars: &ProgressBars,
    ) -> Result<(TextModel<B>, Dataset), Box<dyn Error>> {
        let Some(model) = &self.model else {
            self.config.config(None)?;
            let dataset = self.interactions.read_all(train)?;
            let dataset = self.tags.add_to(dataset, &self.interactions)?;
            let (train, test) = self.held_out.split(dataset, &self.interactions)?;
            return Ok((self.fit(backend, train, bars)?, test));
        };
        let test = self.held_out.test.as_ref();
        let test = test.ok_or("--model requires a test set; hint: name one with --test FILE")?;
        if let Some(flag) = self.interactions.changes_training() {
            return Err(format!("{flag} has no effect on a test set").into());
        }
        let test = self.interactions.read_test(test)?;
        Ok((TextModel::open(backend, model)?, test))
    }

    fn fit<B: Backend>(
        &self,
        backend: B,
        train: Dataset,
        bars: &ProgressBars,
    ) -> Result<TextModel<B>, Box<dyn Error>> {
        let weights = (&self.interactions, &self.tags);
        let (config, train, _) = chosen(backend.clone(), train, &self.config, weights, bars)?;
        Ok(fitted(backend, train, config, bars)?)
    }
}

/// Runs a k-fold cross-validation, and reports the mean and the standard deviation of each metric.
fn cross_validate<B: Backend>(
    backend: &B,
    paths: &[PathBuf],
    folds: usize,
    arguments: &Arguments,
    bars: &ProgressBars,
) -> Outcome {
    arguments.config.config(None)?;
    let dataset = arguments.interactions.read_all(paths)?;
    let dataset = arguments.tags.add_to(dataset, &arguments.interactions)?;
    let mut writer = Writer::new(&arguments.output);
    let mut found: Vec<Vec<Metrics>> = Vec::new();
    for fold in 0..folds.max(1) {
        let start = Instant::now();
        let split = dataset.fold(fold, folds, arguments.held_out.seed())?;
        let model = arguments.fit(backend.clone(), split.train, bars)?;
        let ready = start.elapsed();
        let options = EvaluateOptions::at(arguments.k.as_slice())
            .rerank(arguments.diversity.rerank())
            .observer(bars.observer());
        let evaluator = model.evaluate(&split.test, options)?;
        bars.clear();
        report(&model, evaluator.users(), ready, start.elapsed());
        found.push(evaluator.means());
    }
    for (place, &k) in arguments.k.iter().enumerate() {
        let values = |metric: usize| found.iter().map(move |fold| fold[place].values()[metric]);
        let mean = |metric: usize| values(metric).sum::<f64>() / folds as f64;
        let deviation = |metric: usize| {
            let squares = values(metric).map(|it| (it - mean(metric)).powi(2));
            (squares.sum::<f64>() / (folds - 1) as f64).sqrt()
        };
        let metrics = || 0..Metrics::NAMES.len();
        writer.write(&OfFolds {
            k,
            folds,
            mean: by_name(metrics().map(mean)),
            standard_deviation: by_name(metrics().map(deviation)),
        })?;
    }
    writer.finish()
}

type ByName = BTreeMap<&'static str, f64>;

fn by_name(values: impl Iterator<Item = f64>) -> ByName {
    Metrics::NAMES.iter().copied().zip(values).collect()
}

/// The mean and the standard deviation of each metric over the folds.
#[derive(Serialize)]
struct OfFolds {
    k: usize,
    folds: usize,
    mean: ByName,
    standard_deviation: ByName,
}

impl Record for OfFolds {
    fn columns(&self) -> Vec<(&'static str, bool)> {
        columns_of_metrics()
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let cell = |name| {
            format!(
                "{:.4} ±{:.4}",
                self.mean[name], self.standard_deviation[name]
            )
        };
        let metrics = Metrics::NAMES.iter().map(|name| cell(*name));
        vec![[self.k.to_string()].into_iter().chain(metrics).collect()]
    }
}

/// The metrics at a cut-off, their confidence intervals, and the metrics of all lists together.
#[derive(Serialize)]
struct Detailed {
    #[serde(flatten)]
    means: AtCutoff,
    recall_interval: Interval,
    ndcg_interval: Interval,
    catalogue: CatalogueMetrics,
}

impl Detailed {
    pub(super) fn at(
        evaluation: &Evaluation,
        place: usize,
        metrics: Metrics,
    ) -> bspm::Result<Self> {
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
            decimals(catalogue.coverage),
            decimals(catalogue.gini),
            format!("{:.2} bits", catalogue.novelty),
            decimals(catalogue.popularity),
            decimals(catalogue.diversity),
        ]);
        rows
    }
}

fn between(interval: Interval) -> String {
    format!("{} to {}", decimals(interval.low), decimals(interval.high))
}

/// Formats a number with four decimals; a number that rounds to 0 has no sign.
fn decimals(number: f64) -> String {
    without_sign_of_zero(format!("{number:.4}"))
}

/// As [`decimals`], with the sign of positive numbers.
fn signed_decimals(number: f64) -> String {
    without_sign_of_zero(format!("{number:+.4}"))
}

fn without_sign_of_zero(text: String) -> String {
    match text.as_str() {
        "-0.0000" | "+0.0000" => "0.0000".into(),
        _ => text,
    }
}

/// The difference between the model and the other one.
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
            signed_decimals(comparison.difference.mean),
            between(comparison.difference),
            format!("{} users", comparison.wins),
            format!("{} users", comparison.losses),
        ]]
    }
}

/// Returns the columns of the cut-off and the metrics, all numeric.
fn columns_of_metrics() -> Vec<(&'static str, bool)> {
    let metrics = Metrics::NAMES.iter().map(|name| (*name, true));
    [("k", true)].into_iter().chain(metrics).collect()
}

#[derive(Serialize)]
struct AtCutoff {
    k: usize,
    #[serde(flatten)]
    metrics: Metrics,
}

impl Record for AtCutoff {
    fn columns(&self) -> Vec<(&'static str, bool)> {
        columns_of_metrics()
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let metrics = self.metrics.values();
        let mut row = vec![self.k.to_string()];
        row.extend(metrics.iter().copied().map(decimals));
        vec![row]
    }
}
