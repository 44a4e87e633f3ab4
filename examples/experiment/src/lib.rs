//! An experiment of the paper, from files to metrics, with the time of each stage: load, fit, score, rank,
//! evaluate.

mod arguments;
mod compare;
mod data;
mod download;
mod report;

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bspm::fitted::RankOptions;
use bspm::{Backend, BspmConfig, Evaluator, FitOptions, FittedFilter, Preset};
use bspm_args::{Device, ProgressBars, warn_of_svd};
use clap::{CommandFactory, FromArgMatches};

use arguments::Arguments;
use report::{Report, StageTimes};

/// Runs the experiment with the preset of its data set and the settings of the command line.
pub fn main(preset: Preset) -> ExitCode {
    bspm_args::return_large_blocks();
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
            eprintln!("error: {}", bspm::with_sources(&*error));
            ExitCode::FAILURE
        }
    }
}

fn run(preset: Preset, arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let config = arguments.process.apply(&preset.config())?;
    let evaluator = Evaluator::new(&arguments.k)?;
    if !arguments.filters.is_empty() {
        return match arguments.device.choose()? {
            Device::Cpu(backend) => compare::run(backend, preset, &evaluator, arguments),
            #[cfg(feature = "torch")]
            Device::Torch(backend) => compare::run(backend, preset, &evaluator, arguments),
        };
    }
    let start = Instant::now();
    let device = arguments.device.choose()?;
    let experiment = Experiment {
        preset,
        config,
        evaluator,
        arguments,
        open_device: start.elapsed(),
    };
    match device {
        Device::Cpu(backend) => experiment.run_on(backend),
        #[cfg(feature = "torch")]
        Device::Torch(backend) => experiment.run_on(backend),
    }
}

struct Experiment<'a> {
    preset: Preset,
    config: BspmConfig,
    evaluator: Evaluator,
    arguments: &'a Arguments,
    open_device: Duration,
}

impl Experiment<'_> {
    fn run_on<B: Backend>(self, backend: B) -> Result<(), Box<dyn Error>> {
        let Self {
            preset,
            config,
            mut evaluator,
            arguments,
            open_device,
        } = self;
        let options = RankOptions::top(evaluator.largest_cutoff()).batch_size(arguments.batch);
        let dataset = data::load(preset, arguments)?;
        let start = Instant::now();
        let test_users = dataset.split.test_users();
        let test = dataset.split.test;
        let train_interactions = dataset.split.train.len();

        let bars = ProgressBars::default();
        let fit_options = FitOptions::new().observer(bars.observer());
        let train = dataset.split.train;
        let model = FittedFilter::fit_with(backend, train, config.clone(), &fit_options)?;
        bars.clear();
        warn_of_svd(&model);
        let mut stages = StageTimes {
            load: dataset.load_time,
            fit: start.elapsed(),
            open_device,
            ..StageTimes::default()
        };

        let histories: Vec<&[u32]> = test_users
            .iter()
            .map(|&user| model.interactions().items_of(user))
            .collect();
        let options = options.observer(bars.observer());
        let ranking = model.rank_histories(&histories, &options)?;
        bars.clear();
        stages.score = ranking.score_time;
        stages.rank = ranking.rank_time;
        let evaluation = Instant::now();
        for (list, &user) in ranking.lists.iter().zip(&test_users) {
            evaluator.add(list.iter().map(|entry| entry.item), test.items_of(user));
        }
        stages.evaluate = evaluation.elapsed();
        stages.total = open_device + dataset.load_time + start.elapsed();

        let report = Report {
            preset,
            origin: dataset.origin,
            config: &config,
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
}
