//! `bspm sweep`: a grid search over settings of BSPM, in one pass.

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

/// The number of users that are evaluated between two checkpoints.
const BATCH: usize = 2048;

/// Grid search: evaluate all combinations of BSPM settings on held-out interactions, in one pass
///
/// Give the values of a setting as a list, such as 0.5,1,2, or as a range START:END:STEP, such as
/// 0.5:2.5:0.25 (END is included). Settings without a flag have the values that `bspm fit --filter
/// bspm` uses for data of this size, except T_s and beta, which are varied by default.
#[derive(Args)]
#[command(
    group(ArgGroup::new("held out")),
    after_help = "Examples:\n  bspm sweep ratings.csv\n  \
                  bspm sweep ratings.csv --sharpen-time 1:3:0.5 --beta 0.1,0.2 --csv grid.csv --plot grid.svg"
)]
pub(crate) struct Arguments {
    /// Interaction files. A part of them is held out (default: 20% of the interactions of each user),
    /// and the settings are fitted to the others
    #[arg(required = true, value_name = "DATA")]
    data: Vec<PathBuf>,
    #[command(flatten)]
    held_out: HeldOutArguments,
    /// Cut-offs of the metrics; rows are sorted by NDCG at the first one
    #[arg(
        short,
        value_name = "K,...",
        value_delimiter = ',',
        default_value = "20"
    )]
    k: Vec<usize>,
    /// Save the progress to this file, and resume from it if it exists
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Also write the rows to this CSV file
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Plot NDCG against T_s with one line per beta; the name must end in .svg or .png
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

/// The settings that are varied by default, and their values.
const VARIED: [(&str, &str); 2] = [("sharpen_time", "0.5:3:0.25"), ("beta", "0.1:0.3:0.1")];

impl GridArguments {
    /// Returns the grid around a base configuration, which has the values of the other settings.
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
    /// Returns the interactions to fit and the held-out ones, as matrices of the same shape.
    fn matrices(&self) -> Result<(Interactions, Interactions), Box<dyn Error>> {
        let dataset = self.interactions.read_all(&self.data)?;
        let (train, test) = self.held_out.split(dataset, &self.interactions)?;
        let (train, test) = train.aligned(&test)?;
        let matrix = |dataset: &Dataset| Interactions::clone(dataset.interactions());
        Ok((matrix(&train), matrix(&test)))
    }

    /// Warns if the best row is at an edge of the grid.
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
                "warning: the best row has the {edge} {} of the grid ({value}); hint: extend the grid \
                 with --{}",
                setting.name,
                flag(setting)
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
    /// The settings that vary between the rows.
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

/// Returns the values of the settings; empty for the settings of a process that is off.
fn values_of(settings: &[&Setting<BspmConfig>], config: &BspmConfig) -> Vec<String> {
    settings
        .iter()
        .map(|setting| setting.get(config).unwrap_or_default())
        .collect()
}

/// Writes one CSV record per configuration and cut-off.
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
