//! One experiment of the paper, from files to metrics: load -> fit -> score ->
//! rank -> evaluate, with the time of each stage.

mod arguments;
mod data;
mod device;
mod download;
mod report;

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bspm::{Backend, Bspm, BspmConfig, Evaluator, Preset, RankOptions};
use clap::{CommandFactory, FromArgMatches};
use indicatif::{ProgressBar, ProgressStyle};

use arguments::Arguments;
use device::Device;
use report::{Report, Stages};

/// Runs the experiment with the preset of its data set and the command line's changes.
pub(crate) fn main(preset: Preset) -> ExitCode {
    let command = Arguments::command().about(format!(
        "BSPM on {preset}: load, fit, score, rank, evaluate"
    ));
    let matches = command.get_matches();
    let arguments = match Arguments::from_arg_matches(&matches) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    match run(preset, &arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(preset: Preset, arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let config = arguments.config(preset)?;
    let evaluator = Evaluator::new(&arguments.k)?;
    match device::choose(arguments)? {
        Device::Cpu(backend) => run_on(backend, preset, config, evaluator, arguments),
        #[cfg(feature = "torch")]
        Device::Torch(backend) => run_on(backend, preset, config, evaluator, arguments),
    }
}

fn run_on<B: Backend>(
    backend: B,
    preset: Preset,
    config: BspmConfig,
    mut evaluator: Evaluator,
    arguments: &Arguments,
) -> Result<(), Box<dyn Error>> {
    let options = RankOptions::top(evaluator.largest_cutoff()).batch_size(arguments.batch);
    let dataset = data::load(preset, arguments)?;
    let start = Instant::now();
    let test_users = dataset.split.test_users();
    let test = dataset.split.test;
    let train_interactions = dataset.split.train.len();

    let spinner = spinner("fitting");
    let model = Bspm::fit(backend, dataset.split.train, config)?;
    spinner.finish_and_clear();
    let mut stages = Stages {
        load: dataset.load_time,
        fit: start.elapsed(),
        ..Stages::default()
    };

    let bar = progress_bar(test_users.len());
    for batch in test_users.chunks(arguments.batch.max(1)) {
        let ranking = model.rank(batch, &options)?;
        stages.score += ranking.score_time;
        stages.rank += ranking.rank_time;
        let evaluation = Instant::now();
        for (list, &user) in ranking.lists.iter().zip(batch) {
            evaluator.add(list.iter().map(|entry| entry.item), test.items_of(user));
        }
        stages.evaluate += evaluation.elapsed();
        bar.inc(batch.len() as u64);
    }
    bar.finish_and_clear();
    stages.total = dataset.load_time + start.elapsed();

    let report = Report {
        preset,
        origin: dataset.origin,
        model: &model,
        train_interactions,
        test_interactions: test.len(),
        cutoffs: &arguments.k,
        evaluator: &evaluator,
        stages,
    };
    if arguments.json {
        println!("{}", report.to_json());
    } else {
        print!("{report}");
    }
    Ok(())
}

fn spinner(message: &'static str) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message(message);
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

fn progress_bar(users: usize) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "scoring {wide_bar} {human_pos}/{human_len} users, {eta} left",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(users as u64).with_style(style)
}
