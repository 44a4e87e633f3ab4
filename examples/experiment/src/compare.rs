//! Compares filters, each with its published settings. Prints one row of a table, or one JSON object, as
//! soon as a filter is evaluated.

use std::error::Error;
use std::time::Instant;

use bspm::data::TrainTest;
use bspm::engine::SvdReport;
use bspm::{Backend, EvaluateOptions, Evaluator, FilterConfig, FitOptions, FittedFilter, Preset};
use bspm_args::{ProgressBars, warn_of_svd};
use serde_json::json;

use crate::arguments::Arguments;
use crate::data;

pub(crate) fn run<B: Backend + Clone>(
    backend: B,
    preset: Preset,
    evaluator: &Evaluator,
    arguments: &Arguments,
) -> Result<(), Box<dyn Error>> {
    let configs = configs(preset, &arguments.filters)?;
    let dataset = data::load(preset, arguments)?;
    if !arguments.json {
        println!("{preset} from {}", dataset.origin);
        println!(
            "{:>11}{:>6}{:>10}{:>9}{:>10}{:>10}  settings",
            "filter", "k", "recall", "ndcg", "fit", "score"
        );
    }
    let mut failed = Vec::new();
    for config in configs {
        let name = config.name();
        let backend = backend.clone();
        match evaluate(backend, &dataset.split, config, evaluator, arguments) {
            Ok(row) => row.print(&dataset.split, arguments.json)?,
            Err(error) => {
                print_failure(name, error.as_ref(), arguments.json);
                failed.push(name);
            }
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!("failed: {}", failed.join(", ")).into()),
    }
}

fn print_failure(filter: &str, error: &(dyn Error + 'static), as_json: bool) {
    if as_json {
        println!(
            "{}",
            json!({ "filter": filter, "error": bspm::with_sources(error) })
        );
    } else {
        println!("{filter:>11}  {}", bspm::with_sources(error));
    }
}

fn configs(preset: Preset, names: &[String]) -> bspm::Result<Vec<FilterConfig>> {
    names
        .iter()
        .flat_map(|name| match name.as_str() {
            "all" => FilterConfig::NAMES.to_vec(),
            name => vec![name],
        })
        .map(|name| FilterConfig::published(name, preset))
        .collect()
}

/// The results of a filter.
struct Row {
    config: FilterConfig,
    svd: Option<SvdReport>,
    evaluator: Evaluator,
    fit_seconds: f64,
    score_seconds: f64,
}

fn evaluate<B: Backend>(
    backend: B,
    split: &TrainTest,
    config: FilterConfig,
    evaluator: &Evaluator,
    arguments: &Arguments,
) -> Result<Row, Box<dyn Error>> {
    let bars = ProgressBars::default();
    let start = Instant::now();
    let options = FitOptions::new().observer(bars.observer());
    let train = split.train.clone();
    let fitted = FittedFilter::fit_with(backend, train, config.clone(), &options)?;
    bars.clear();
    warn_of_svd(&fitted);
    let fit_seconds = start.elapsed().as_secs_f64();

    let start = Instant::now();
    let options = EvaluateOptions::at(evaluator.cutoffs())
        .batch_size(arguments.batch)
        .observer(bars.observer());
    let evaluator = fitted.evaluate(&split.test, options)?;
    Ok(Row {
        svd: fitted.svd_report().cloned(),
        config,
        evaluator,
        fit_seconds,
        score_seconds: start.elapsed().as_secs_f64(),
    })
}

impl Row {
    fn print(&self, split: &TrainTest, as_json: bool) -> serde_json::Result<()> {
        let means = self.evaluator.means();
        let cutoffs = self.evaluator.cutoffs();
        if as_json {
            let metrics: serde_json::Map<_, _> = cutoffs
                .iter()
                .zip(&means)
                .map(|(k, metrics)| (k.to_string(), json!(metrics)))
                .collect();
            let row = json!({
                "config": self.config,
                "truncated_svd": self.svd,
                "metrics": metrics,
                "users": self.evaluator.users(),
                "items": split.train.items(),
                "fit_s": self.fit_seconds,
                "score_s": self.score_seconds,
            });
            println!("{row}");
            return Ok(());
        }
        let settings = serde_json::to_value(&self.config)?;
        for (k, metrics) in cutoffs.iter().zip(&means) {
            println!(
                "{:>11}{k:>6}{:>10.4}{:>9.4}{:>8.1} s{:>8.1} s  {}",
                self.config.name(),
                metrics.recall,
                metrics.ndcg,
                self.fit_seconds,
                self.score_seconds,
                settings[self.config.name()],
            );
        }
        Ok(())
    }
}
