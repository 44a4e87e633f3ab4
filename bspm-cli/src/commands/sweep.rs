//! `bspm sweep`: a grid of settings of BSPM, compared in one pass.

mod checkpoint;
mod plot;
mod values;

use std::error::Error;
use std::fs::File;
use std::path::{Path, PathBuf};

use bspm::filters::Integration;
use bspm::sweep::{Sweep, SweepGrid, SweepRow};
use bspm::{
    Backend, BspmConfig, Dataset, Evaluator, FitOptions, Interactions, Merge, Metrics, Solver,
};
use bspm_cli::{DeviceArguments, ProgressBars};
use clap::{ArgAction, ArgGroup, Args};
use serde::Serialize;

use super::{Outcome, on_device};
use crate::data::DataArguments;
use crate::held_out::HeldOutArguments;
use crate::output::{OutputArguments, Record, Writer};
use checkpoint::Checkpoint;
use values::Numbers;

/// How many users are evaluated between two checkpoints.
const BATCH: usize = 2048;

/// Compare a grid of settings of BSPM on interactions held out of the data, in one pass
///
/// Numbers are lists, as in 0.5,1,2, or ranges, as in 0.5:2.5:0.25 (both ends belong to it).
#[derive(Args)]
#[command(group(ArgGroup::new("held out").required(true)))]
pub(crate) struct Arguments {
    /// File of interactions
    data: PathBuf,
    #[command(flatten)]
    held_out: HeldOutArguments,
    /// Cut-offs; the first is the one that rows are sorted by
    #[arg(
        short,
        value_name = "K,...",
        value_delimiter = ',',
        default_value = "20"
    )]
    k: Vec<usize>,
    /// Keep what is done in this file, and go on from it where it is there
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Write the rows to a CSV file too
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Plot NDCG against T_s, a line for each beta; the name ends in .svg or .png
    #[arg(long, value_name = "FILE", value_parser = plot::path)]
    plot: Option<PathBuf>,
    #[command(flatten)]
    grid: GridArguments,
    #[command(flatten)]
    output: OutputArguments,
    #[command(flatten)]
    interactions: DataArguments,
    #[command(flatten)]
    device: DeviceArguments,
}

/// The values of each parameter; their combinations are the settings.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Grid")]
struct GridArguments {
    /// T_s; empty turns sharpening off
    #[arg(long, value_name = "T,...", default_value = "0.5:3:0.25")]
    sharpen_time: Numbers,
    /// K_s
    #[arg(long, value_name = "K,...", value_delimiter = ',', default_value = "1")]
    sharpen_steps: Vec<usize>,
    /// Solvers of the sharpening process: euler, rk4, dormand-prince, exact
    #[arg(
        long,
        value_name = "SOLVER,...",
        value_delimiter = ',',
        default_value = "rk4"
    )]
    sharpen_solver: Vec<Solver>,
    /// Numbers of singular vectors; empty turns the ideal low-pass filter off
    #[arg(
        long,
        value_name = "N,...",
        value_delimiter = ',',
        default_value = "256"
    )]
    factor_dim: Vec<usize>,
    /// Weights of the ideal low-pass filter
    #[arg(long, value_name = "BETA,...", default_value = "0.1:0.3:0.1")]
    beta: Numbers,
    /// Where the ideal low-pass part joins: early, late
    #[arg(
        long,
        value_name = "MERGE,...",
        value_delimiter = ',',
        default_value = "early"
    )]
    merge: Vec<Merge>,
    /// Whether the mean of all recorded points replaces the last: true, false
    #[arg(
        long,
        value_name = "BOOL,...",
        value_delimiter = ',',
        action = ArgAction::Set,
        default_value = "false"
    )]
    t_point_combination: Vec<bool>,
    /// T_b
    #[arg(long, value_name = "T,...", default_value = "1")]
    blur_time: Numbers,
    /// K_b
    #[arg(long, value_name = "K,...", value_delimiter = ',', default_value = "1")]
    blur_steps: Vec<usize>,
    /// Solvers of the blurring process
    #[arg(
        long,
        value_name = "SOLVER,...",
        value_delimiter = ',',
        default_value = "euler"
    )]
    blur_solver: Vec<Solver>,
    /// T_idl
    #[arg(long, value_name = "T,...", default_value = "1")]
    idl_time: Numbers,
    /// K_idl
    #[arg(long, value_name = "K,...", value_delimiter = ',', default_value = "1")]
    idl_steps: Vec<usize>,
    /// Solvers of the ideal low-pass filter
    #[arg(
        long,
        value_name = "SOLVER,...",
        value_delimiter = ',',
        default_value = "euler"
    )]
    idl_solver: Vec<Solver>,
    /// Turn the ideal low-pass filter off
    #[arg(long, conflicts_with_all = ["factor_dim", "beta"])]
    no_idl: bool,
    /// Turn sharpening off
    #[arg(long, conflicts_with = "sharpen_time")]
    no_sharpen: bool,
}

impl GridArguments {
    fn configs(&self) -> bspm::Result<Vec<BspmConfig>> {
        let grid = SweepGrid {
            blur_solvers: self.blur_solver.clone(),
            blur_times: self.blur_time.0.clone(),
            blur_steps: self.blur_steps.clone(),
            sharpen_solvers: self.sharpen_solver.clone(),
            sharpen_times: match self.no_sharpen {
                true => Vec::new(),
                false => self.sharpen_time.0.clone(),
            },
            sharpen_steps: self.sharpen_steps.clone(),
            factor_dims: match self.no_idl {
                true => Vec::new(),
                false => self.factor_dim.clone(),
            },
            betas: self.beta.0.clone(),
            idl_solvers: self.idl_solver.clone(),
            idl_times: self.idl_time.0.clone(),
            idl_steps: self.idl_steps.clone(),
            merges: self.merge.clone(),
            t_point_combinations: self.t_point_combination.clone(),
        };
        grid.configs()
    }
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    Evaluator::new(&arguments.k)?;
    let configs = arguments.grid.configs()?;
    on_device!(arguments.device, sweep, configs, arguments)
}

fn sweep<B: Backend>(backend: B, configs: Vec<BspmConfig>, arguments: &Arguments) -> Outcome {
    let (train, held_out) = arguments.matrices()?;
    let bars = ProgressBars::default();
    let key = Checkpoint::key(&train, &held_out, &configs, &arguments.k);
    let options = FitOptions::new().observer(bars.observer());
    let mut sweep = Sweep::new_with(backend, train, &held_out, configs, &arguments.k, &options)?;
    bars.clear();
    if let Some(path) = &arguments.checkpoint
        && let Some(state) = Checkpoint::read(path, &key)?
    {
        sweep.resume(state)?;
        eprintln!("{}: {} users are done", path.display(), sweep.users_done());
    }
    while sweep.users_done() < sweep.users() {
        sweep.advance(BATCH)?;
        if let Some(path) = &arguments.checkpoint {
            Checkpoint::write(path, &key, sweep.state())?;
        }
    }
    bars.clear();
    arguments.report(&sweep.rows_by_ndcg())
}

impl Arguments {
    /// The interactions to fit and those held out, of one shape.
    fn matrices(&self) -> Result<(Interactions, Interactions), Box<dyn Error>> {
        let dataset = self.interactions.read(&self.data)?;
        let (train, test) = self.held_out.split(dataset, &self.interactions)?;
        Ok(aligned(&train, &test)?)
    }

    fn report(&self, rows: &[SweepRow]) -> Outcome {
        if let Some(path) = &self.csv {
            write_csv(path, &self.k, rows)?;
        }
        if let Some(path) = &self.plot {
            plot::draw(path, self.k[0], rows)?;
        }
        let mut writer = Writer::new(&self.output);
        for row in rows {
            for (&k, metrics) in self.k.iter().zip(&row.metrics) {
                let config = &row.config;
                writer.write(&SettingAtCutoff {
                    config,
                    k,
                    metrics: *metrics,
                })?;
            }
        }
        Ok(writer.finish()?)
    }
}

/// Both matrices with the users and items of either.
fn aligned(train: &Dataset, test: &Dataset) -> bspm::Result<(Interactions, Interactions)> {
    if train.users() == test.users() && train.items() == test.items() {
        let matrix = |dataset: &Dataset| Interactions::clone(dataset.interactions());
        return Ok((matrix(train), matrix(test)));
    }
    let both = |first: &Dataset| -> bspm::Result<Interactions> {
        let mut builder = Dataset::builder();
        builder.add_ids(train.users().iter().cloned(), train.items().iter().cloned())?;
        builder.add_ids(test.users().iter().cloned(), test.items().iter().cloned())?;
        for (user, item) in first.interactions().pairs() {
            if let (Some(user), Some(item)) = (first.users().id(user), first.items().id(item)) {
                builder.push(bspm::data::Event::new(user.clone(), item.clone()))?;
            }
        }
        Ok(Interactions::clone(builder.finish()?.interactions()))
    };
    Ok((both(train)?, both(test)?))
}

#[derive(Serialize)]
struct SettingAtCutoff<'a> {
    config: &'a BspmConfig,
    k: usize,
    #[serde(flatten)]
    metrics: Metrics,
}

fn process(it: Integration) -> String {
    format!("{} T {} K {}", it.solver, it.time, it.steps)
}

impl Record for SettingAtCutoff<'_> {
    const COLUMNS: &'static [(&'static str, bool)] = &[
        ("blur", false),
        ("sharpen", false),
        ("factors", true),
        ("beta", true),
        ("ideal low-pass", false),
        ("merge", false),
        ("mean", false),
        ("k", true),
        ("recall", true),
        ("ndcg", true),
    ];

    fn rows(&self) -> Vec<Vec<String>> {
        let filter = self.config.ideal_low_pass();
        let off = || "off".to_owned();
        vec![vec![
            process(self.config.blur()),
            self.config.sharpening().map_or_else(off, process),
            filter.map_or_else(off, |it| it.factor_dim.to_string()),
            filter.map_or_else(off, |it| it.beta.to_string()),
            filter.map_or_else(off, |it| process(it.integration)),
            filter.map_or_else(off, |_| self.config.merge().to_string()),
            if self.config.t_point_combination() {
                "all"
            } else {
                "last"
            }
            .to_owned(),
            self.k.to_string(),
            format!("{:.4}", self.metrics.recall),
            format!("{:.4}", self.metrics.ndcg),
        ]]
    }
}

/// One record per setting and cut-off.
fn write_csv(path: &Path, cutoffs: &[usize], rows: &[SweepRow]) -> Outcome {
    let failed = |error: &dyn Error| format!("cannot write {}: {error}", path.display());
    let file = File::create(path).map_err(|error| failed(&error))?;
    let mut out = csv::Writer::from_writer(file);
    for row in rows {
        for (&k, metrics) in cutoffs.iter().zip(&row.metrics) {
            let record = CsvRecord::new(&row.config, k, metrics);
            out.serialize(record).map_err(|error| failed(&error))?;
        }
    }
    out.flush().map_err(|error| failed(&error).into())
}

#[derive(Serialize)]
struct CsvRecord {
    blur_solver: String,
    blur_time: f32,
    blur_steps: usize,
    sharpen_solver: Option<String>,
    sharpen_time: Option<f32>,
    sharpen_steps: Option<usize>,
    factor_dim: Option<usize>,
    beta: Option<f32>,
    idl_solver: Option<String>,
    idl_time: Option<f32>,
    idl_steps: Option<usize>,
    merge: &'static str,
    t_point_combination: bool,
    k: usize,
    recall: f64,
    precision: f64,
    ndcg: f64,
    hit_rate: f64,
    mrr: f64,
    map: f64,
}

impl CsvRecord {
    fn new(config: &BspmConfig, k: usize, metrics: &Metrics) -> Self {
        let blur = config.blur();
        let sharpening = config.sharpening();
        let filter = config.ideal_low_pass();
        Self {
            blur_solver: blur.solver.to_string(),
            blur_time: blur.time,
            blur_steps: blur.steps,
            sharpen_solver: sharpening.map(|it| it.solver.to_string()),
            sharpen_time: sharpening.map(|it| it.time),
            sharpen_steps: sharpening.map(|it| it.steps),
            factor_dim: filter.map(|it| it.factor_dim),
            beta: filter.map(|it| it.beta),
            idl_solver: filter.map(|it| it.integration.solver.to_string()),
            idl_time: filter.map(|it| it.integration.time),
            idl_steps: filter.map(|it| it.integration.steps),
            merge: config.merge().name(),
            t_point_combination: config.t_point_combination(),
            k,
            recall: metrics.recall,
            precision: metrics.precision,
            ndcg: metrics.ndcg,
            hit_rate: metrics.hit_rate,
            mrr: metrics.mrr,
            map: metrics.map,
        }
    }
}
