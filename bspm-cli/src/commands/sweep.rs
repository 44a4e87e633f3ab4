//! `bspm sweep`: a grid of settings of BSPM, compared in one pass.

mod checkpoint;
mod plot;
mod values;

use std::error::Error;
use std::path::PathBuf;

use bspm::filters::{Setting, SettingKind};
use bspm::sweep::{Sweep, SweepGrid, SweepRow};
use bspm::{Backend, BspmConfig, Dataset, Evaluator, FitOptions, Interactions, Metrics};
use bspm_args::{DeviceArguments, ProgressBars, argument, flag, switched_off, tell, with_switches};
use clap::{ArgGroup, ArgMatches, Args, Command, FromArgMatches};
use serde::Serialize;

use super::{Outcome, on_device};
use crate::data::DataArguments;
use crate::held_out::HeldOutArguments;
use crate::lock::Lock;
use crate::output::{OutputArguments, Record, Writer, write_file};
use crate::outputs::Files;
use checkpoint::Checkpoint;

/// How many users are evaluated between two checkpoints.
const BATCH: usize = 2048;

/// Compare a grid of settings of BSPM on interactions held out of the data, in one pass
///
/// Numbers are lists, as in 0.5,1,2, or ranges, as in 0.5:2.5:0.25 (both ends belong to it). What is
/// not named is what `fit` has without flags for data of this shape, but for T_s and beta, which are
/// varied.
#[derive(Args)]
#[command(group(ArgGroup::new("held out")))]
pub(crate) struct Arguments {
    /// File of interactions, of which a fifth of each user's is held out unless told otherwise:
    /// the latest with --time-column, else some at random
    #[arg(required = true, value_name = "DATA")]
    data: Vec<PathBuf>,
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
    #[arg(long, value_name = "FILE", value_parser = super::plot::path)]
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

/// The values of each setting; their combinations are the grid.
#[derive(Clone, Debug)]
struct GridArguments {
    values: Vec<(&'static str, Vec<String>)>,
}

/// The values of the settings that are varied unless told.
const VARIED: [(&str, &str); 2] = [("sharpen_time", "0.5:3:0.25"), ("beta", "0.1:0.3:0.1")];

impl GridArguments {
    /// The grid around a setting, which has the values of what is not varied.
    fn configs(&self, base: BspmConfig) -> bspm::Result<Vec<BspmConfig>> {
        let mut grid = SweepGrid::around(base);
        for (name, values) in &self.values {
            grid = grid.vary(name, values)?;
        }
        grid.configs()
    }
}

impl Args for GridArguments {
    fn augment_args(mut command: Command) -> Command {
        command = command.next_help_heading("Grid");
        for setting in BspmConfig::SETTINGS {
            let varied = VARIED.iter().find(|(name, _)| *name == setting.name);
            let mut argument = argument(setting).value_name("VALUE,...");
            if let Some((_, values)) = varied {
                argument = argument.default_value(*values);
            }
            command = command.arg(argument);
        }
        with_switches(command, |switch| match switch {
            "factor_dim" => vec!["beta"],
            _ => Vec::new(),
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for GridArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut arguments = Self { values: Vec::new() };
        arguments.update_from_arg_matches(matches)?;
        Ok(arguments)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for setting in BspmConfig::SETTINGS {
            if let Some(text) = matches.get_one::<String>(setting.name) {
                let values = values::read(setting, text).map_err(|error| {
                    let message = format!("--{}: {error}\n", flag(setting));
                    clap::Error::raw(clap::error::ErrorKind::ValueValidation, message)
                })?;
                self.values.push((setting.name, values));
            }
        }
        for switch in switched_off(matches) {
            self.values.retain(|(name, _)| *name != switch);
            self.values.push((switch, vec!["off".into()]));
        }
        Ok(())
    }
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    Evaluator::new(&arguments.k)?;
    arguments.grid.configs(BspmConfig::default())?;
    Files::new()
        .reads_data(&arguments.data)
        .reads(arguments.held_out.test.as_ref())
        .writes("--checkpoint", arguments.checkpoint.as_ref())
        .writes_stream("--csv", arguments.csv.as_ref())
        .writes_stream("--plot", arguments.plot.as_ref())
        .check()?;
    on_device!(arguments.device, sweep, arguments)
}

fn sweep<B: Backend>(backend: B, arguments: &Arguments) -> Outcome {
    let checkpoint = arguments.checkpoint.as_deref();
    let _lock = checkpoint.map(Lock::of).transpose()?;
    let (train, held_out) = arguments.matrices()?;
    let base = BspmConfig::for_shape(train.users(), train.items());
    let configs = arguments.grid.configs(base)?;
    let bars = ProgressBars::default();
    let key = Checkpoint::key(&train, &held_out, &configs, &arguments.k)?;
    let options = FitOptions::new().observer(bars.observer());
    let mut sweep = Sweep::new_with(backend, train, held_out, configs, &arguments.k, &options)?;
    bars.clear();
    if let Some(path) = &arguments.checkpoint
        && let Some(state) = Checkpoint::read(path, &key)?
    {
        sweep.resume(state)?;
        tell!("{}: {} users are done", path.display(), sweep.users_done());
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
        let dataset = self.interactions.read_all(&self.data)?;
        let (train, test) = self.held_out.split(dataset, &self.interactions)?;
        let (train, test) = train.aligned(&test)?;
        let matrix = |dataset: &Dataset| Interactions::clone(dataset.interactions());
        Ok((matrix(&train), matrix(&test)))
    }

    /// Says where the best row lies at the edge of the grid, beyond which better ones may be.
    fn warn_of_edges(&self, rows: &[SweepRow]) {
        let Some(best) = rows.first() else { return };
        for setting in BspmConfig::SETTINGS {
            let number = |row: &SweepRow| setting.get(&row.config)?.parse::<f64>().ok();
            let Some(value) = number(best) else { continue };
            let values = || rows.iter().filter_map(number);
            let edge = match () {
                () if values().all(|it| it == value) => continue,
                () if values().all(|it| it <= value) => "largest",
                () if values().all(|it| it >= value) => "smallest",
                () => continue,
            };
            tell!(
                "warning: the best row has the {edge} {} of the grid, {value}: there may be better \
                 ones beyond it",
                setting.name
            );
        }
    }

    fn report(&self, rows: &[SweepRow]) -> Outcome {
        self.warn_of_edges(rows);
        if let Some(path) = &self.csv {
            write_file(path, &csv_of(&self.k, rows)?)?;
        }
        if let Some(path) = &self.plot {
            plot::draw(path, self.k[0], rows)?;
        }
        let mut writer = Writer::new(&self.output);
        let varied: Vec<&Setting<BspmConfig>> = BspmConfig::SETTINGS
            .iter()
            .filter(|setting| {
                let value = |row: &SweepRow| setting.get(&row.config);
                rows.iter().any(|row| value(row) != value(&rows[0]))
            })
            .collect();
        for row in rows {
            for (&k, metrics) in self.k.iter().zip(&row.metrics) {
                let config = &row.config;
                writer.write(&SettingAtCutoff {
                    varied: &varied,
                    config,
                    k,
                    metrics: *metrics,
                })?;
            }
        }
        writer.finish()
    }
}

#[derive(Serialize)]
struct SettingAtCutoff<'a> {
    /// The settings that the rows differ in.
    #[serde(skip)]
    varied: &'a [&'a Setting<BspmConfig>],
    config: &'a BspmConfig,
    k: usize,
    #[serde(flatten)]
    metrics: Metrics,
}

impl Record for SettingAtCutoff<'_> {
    fn columns(&self) -> Vec<(&'static str, bool)> {
        let settings = self.varied.iter().map(|setting| {
            let is_number = setting.kind != SettingKind::Word;
            (setting.name, is_number)
        });
        let results = ["k", "recall", "ndcg"].map(|name| (name, true));
        settings.chain(results).collect()
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let mut row = values_of(self.varied, self.config);
        row.push(self.k.to_string());
        row.extend([self.metrics.recall, self.metrics.ndcg].map(|value| format!("{value:.4}")));
        vec![row]
    }
}

/// The values of the settings, empty for those of a process that is off.
fn values_of(settings: &[&Setting<BspmConfig>], config: &BspmConfig) -> Vec<String> {
    settings
        .iter()
        .map(|setting| setting.get(config).unwrap_or_default())
        .collect()
}

/// One record per setting and cut-off.
fn csv_of(cutoffs: &[usize], rows: &[SweepRow]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let all: Vec<&Setting<BspmConfig>> = BspmConfig::SETTINGS.iter().collect();
    let settings = all.iter().map(|setting| setting.name);
    let header = settings.chain(["k"]).chain(Metrics::NAMES.iter().copied());
    out.write_record(header)?;
    for row in rows {
        for (&k, metrics) in cutoffs.iter().zip(&row.metrics) {
            let mut record = values_of(&all, &row.config);
            record.push(k.to_string());
            record.extend(metrics.values().iter().map(f64::to_string));
            out.write_record(record)?;
        }
    }
    Ok(out.into_inner()?)
}
