//! `bspm tune`: searches for the best filter and settings, and saves the fitted model.

mod journal;
mod plot;

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use bspm::tune::{Trial, TuneOptions, Tuner};
use bspm::{Backend, Dataset, FilterConfig, Metrics};
use bspm_args::{DeviceArguments, ProgressBars, tell};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::{Outcome, fitted, on_device, save};
use crate::data::DataArguments;
use crate::items::{ItemArguments, with_items};
use crate::lock::Lock;
use crate::output::{OutputArguments, Record, Writer, write_file};
use crate::outputs::Files;
use crate::tags::TagArguments;
use journal::Journal;

/// Search for the filter and settings with the best metric, and save the fitted model
///
/// A part of the interactions is held out for validation: the latest ones of each user if the data
/// have times, else a random sample. The saved model is fitted to all interactions. No test set is
/// used.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bspm tune ratings.csv --output best.bspm\n  \
                  bspm tune ratings.csv --filters bspm,ease-r --metric recall --time 1h --checkpoint trials.jsonl"
)]
pub(crate) struct Arguments {
    /// Interaction files
    #[arg(required = true, value_name = "DATA")]
    data: Vec<PathBuf>,
    /// Output file for the model. An existing file is replaced
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Time limit in minutes, or with a unit, such as 90s or 1h. No new trial starts after this time
    #[arg(long, value_name = "MINUTES", default_value = "10", value_parser = duration)]
    time: Duration,
    /// Maximum number of trials
    #[arg(long, value_name = "N", default_value_t = 300)]
    trials: usize,
    /// Metric to maximize
    #[arg(long, value_name = "NAME", default_value = "ndcg", value_parser = Metrics::NAMES.to_vec())]
    metric: String,
    /// Cut-off of the metric
    #[arg(short, value_name = "K", default_value_t = 20)]
    k: usize,
    /// Popularity penalty: subtract this weight times the mean popularity of a list from the metric. The
    /// most popular item has popularity 1
    #[arg(long, value_name = "WEIGHT", default_value_t = 0.0)]
    popularity_penalty: f64,
    /// Search only these filters; include mix to also search mixes of them
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', value_parser = FilterConfig::NAMES.to_vec())]
    filters: Vec<String>,
    /// Share of the interactions of each user to hold out
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    ratio: f64,
    /// Seed of the search and of the held-out sample
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Save every trial to this file, and resume from it if it exists
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Also write all trials to this CSV file
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Plot the metric of each trial against its time; the name must end in .svg or .png
    #[arg(long, value_name = "FILE", value_parser = super::plot::path)]
    plot: Option<PathBuf>,
    /// Number of trials to print
    #[arg(long, value_name = "N", default_value_t = 15)]
    top: usize,
    #[command(flatten)]
    format: OutputArguments,
    #[command(flatten)]
    interactions: DataArguments,
    #[command(flatten)]
    items: ItemArguments,
    #[command(flatten)]
    tags: TagArguments,
    #[command(flatten)]
    device: DeviceArguments,
}

/// Parses a number of minutes, or a number with a unit.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, seconds) = match text.char_indices().next_back() {
        Some((end, 's')) => (&text[..end], 1.0),
        Some((end, 'm')) => (&text[..end], 60.0),
        Some((end, 'h')) => (&text[..end], 3600.0),
        _ => (text, 60.0),
    };
    let number: Result<f64, _> = number.parse();
    match number.map(|number| Duration::try_from_secs_f64(number * seconds)) {
        Ok(Ok(duration)) => Ok(duration),
        _ => Err("expected a number of minutes, or a number with the unit s, m or h".into()),
    }
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    Files::new()
        .reads_data(&arguments.data)
        .reads_data(arguments.items.files())
        .reads_data(arguments.tags.files())
        .writes("--output", arguments.output.as_ref())
        .writes("--checkpoint", arguments.checkpoint.as_ref())
        .writes_stream("--csv", arguments.csv.as_ref())
        .writes_stream("--plot", arguments.plot.as_ref())
        .check()?;
    if arguments.output.is_none() && !arguments.items.files().is_empty() {
        return Err(
            "--items has no effect without --output, because only a saved model keeps the item table"
                .into(),
        );
    }
    on_device!(arguments.device, tune, arguments)
}

fn tune<B: Backend>(backend: B, arguments: &Arguments) -> Outcome {
    let checkpoint = arguments.checkpoint.as_deref();
    let _lock = checkpoint.map(Lock::of).transpose()?;
    let dataset: Dataset = arguments.interactions.read_all(&arguments.data)?;
    let dataset = with_items(dataset, arguments.items.read(&arguments.interactions)?)?;
    let dataset = arguments.tags.add_to(dataset, &arguments.interactions)?;
    let bars = ProgressBars::default();
    let weights = &arguments.interactions;
    let dataset = weights.with_chosen_weighting(backend.clone(), dataset, &bars)?;
    let split = dataset.hold_out(arguments.ratio, arguments.seed)?;
    let (train, held_out) = (split.train.matrix_to_fit()?, split.test.interactions());
    let options = TuneOptions::new()
        .metric(&arguments.metric)
        .k(arguments.k)
        .popularity_penalty(arguments.popularity_penalty)
        .trials(arguments.trials)
        .time(arguments.time)
        .seed(arguments.seed)
        .filters(&arguments.filters);
    let (mut journal, mut before) = (None, Vec::new());
    if let Some(path) = &arguments.checkpoint {
        let (opened, trials) = Journal::open(path, &train, held_out, &options)?;
        tell!("{}: {} trials are done", path.display(), trials.len());
        (journal, before) = (Some(opened), trials);
    }
    let mut tuner = Tuner::new(backend.clone(), train, held_out, options)?;
    tuner.resume(before)?;
    search(&mut tuner, journal.as_mut(), arguments)?;
    arguments.report(&tuner)?;
    let best = tuner.best().ok_or("no trial could be evaluated")?;
    tell!(
        "best of {} trials: {}@{} {:.4} on held-out interactions of {} users\n{}",
        tuner.trials().len(),
        arguments.metric,
        arguments.k,
        best.value,
        best.users,
        serde_json::to_string(&best.config)?
    );
    if let Some(path) = &arguments.output {
        let config = best.config.clone();
        let trials: Vec<Trial> = tuner.leaderboard().into_iter().cloned().collect();
        // The fit needs their memory.
        drop((tuner, split));
        let tags = &arguments.tags;
        let dataset = tags.with_chosen_weight(backend.clone(), dataset, &config, &bars)?;
        let model = fitted(backend, dataset, config, &bars)?;
        save(&model.with_trials(trials), path)?;
    }
    Ok(())
}

/// Runs the trials with a progress bar that shows the best one so far.
fn search<B: Backend>(
    tuner: &mut Tuner<B>,
    mut journal: Option<&mut Journal>,
    arguments: &Arguments,
) -> Outcome {
    let bar = ProgressBar::new(arguments.trials as u64);
    bar.set_style(ProgressStyle::with_template(
        "{elapsed} {bar:30} {pos}/{len} trials  {msg}",
    )?);
    bar.set_position(tuner.trials().len() as u64);
    while let Some(trial) = tuner.advance()? {
        if let Some(journal) = &mut journal {
            journal.add(trial)?;
        }
        bar.inc(1);
        if let Some(best) = tuner.best() {
            let (name, value) = (best.config.name(), best.value);
            bar.set_message(format!("best: {name} {value:.4}"));
        }
    }
    bar.finish_and_clear();
    Ok(())
}

impl Arguments {
    fn report<B: Backend>(&self, tuner: &Tuner<B>) -> Outcome {
        let board = tuner.leaderboard();
        if let Some(path) = &self.csv {
            write_file(path, &csv_of(&board)?)?;
        }
        if let Some(path) = &self.plot {
            let metric = format!("{}@{}", self.metric, self.k);
            plot::draw(path, &metric, &board)?;
        }
        let mut writer = Writer::new(&self.format);
        for trial in board.into_iter().take(self.top) {
            writer.write(&Row(trial))?;
        }
        writer.finish()
    }
}

fn csv_of(trials: &[&Trial]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let metrics = Metrics::NAMES.iter().copied();
    let first = ["filter", "config", "value", "estimate"].into_iter();
    let last = ["users", "fit_seconds", "score_seconds", "outcome"];
    out.write_record(first.chain(metrics).chain(last))?;
    for trial in trials {
        let mut record = vec![
            trial.config.name().to_owned(),
            serde_json::to_string(&trial.config)?,
            trial.value.to_string(),
            trial.estimate.to_string(),
        ];
        record.extend(trial.metrics.values().iter().map(f64::to_string));
        record.extend([
            trial.users.to_string(),
            trial.fit_seconds.to_string(),
            trial.score_seconds.to_string(),
            trial.outcome.to_string(),
        ]);
        out.write_record(record)?;
    }
    Ok(out.into_inner()?)
}

/// A trial as a row of the leaderboard.
#[derive(Serialize)]
#[serde(transparent)]
struct Row<'a>(&'a Trial);

impl Record for Row<'_> {
    fn columns(&self) -> Vec<(&'static str, bool)> {
        let names = [
            "filter",
            "settings",
            "value",
            "recall",
            "ndcg",
            "users",
            "fit_seconds",
            "score_seconds",
        ];
        let mut columns: Vec<_> = names.into_iter().map(|name| (name, true)).collect();
        columns[0].1 = false;
        columns[1].1 = false;
        columns.push(("outcome", false));
        columns
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let trial = self.0;
        vec![vec![
            trial.config.name().into(),
            settings(&trial.config),
            format!("{:.4}", trial.estimate),
            format!("{:.4}", trial.metrics.recall),
            format!("{:.4}", trial.metrics.ndcg),
            trial.users.to_string(),
            format!("{:.1}", trial.fit_seconds),
            format!("{:.1}", trial.score_seconds),
            trial.outcome.to_string(),
        ]]
    }
}

/// Returns the settings that the search may change, as a short text.
fn settings(config: &FilterConfig) -> String {
    if let FilterConfig::Mix(mix) = config {
        let parts = mix.parts.iter().map(|part| {
            let (share, name) = (part.share, part.filter.name());
            format!("{share} {name} ({})", settings(&part.filter))
        });
        return parts.collect::<Vec<_>>().join(" + ");
    }
    let settings = config.settings().into_iter();
    let searched = settings.filter(|it| it.search != bspm::filters::Search::Fixed);
    let texts = searched.filter_map(|it| Some(format!("{} {}", it.name, it.value?)));
    texts.collect::<Vec<_>>().join(", ")
}
