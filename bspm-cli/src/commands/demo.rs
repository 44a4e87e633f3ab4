//! `bspm demo`: fits a generated shop and serves it.

mod shop;

use std::net::SocketAddr;
use std::path::PathBuf;

use bspm::tune::choose;
use bspm::{CpuBackend, FitOptions};
use bspm_args::{ProgressBars, tell};
use bspm_server::{ModelFile, ModelOptions, ServerOptions, serve};
use clap::Args;

use super::serve::announce;
use super::{Outcome, fitted, shape};
use crate::outputs::Files;

/// Fit a small generated shop and serve its page, to try bspm without data
///
/// The shop has 300 items with titles, categories, brands and prices, and 500 users. It is the same each
/// time. The command prints the address of the page. SIGINT (Ctrl+C) ends it.
#[derive(Args)]
#[command(after_help = "Examples:\n  bspm demo\n  \
                  bspm demo --address 127.0.0.1:0 --output shop.bspm")]
pub(crate) struct Arguments {
    /// Address to listen on; port 0 selects a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    address: SocketAddr,
    /// Output file for the model, to use it with other commands. Default: a temporary file, which is
    /// removed at the end
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    if let Some(output) = &arguments.output {
        Files::new().writes("--output", output).check()?;
    }
    let dataset = shop::dataset()?;
    let bars = ProgressBars::default();
    let options = FitOptions::new().observer(bars.observer());
    let choice = choose(CpuBackend::new(), &dataset, &options)?;
    bars.clear();
    let model = fitted(CpuBackend::new(), dataset, choice.config, &bars)?;
    tell!("{}", shape(&model));
    tell!(
        "filter: {}, selected from {} candidates",
        model.filter().config().label(),
        choice.trials.len()
    );
    let folder = tempfile::tempdir()?;
    let output = arguments.output.clone();
    let path = output.unwrap_or_else(|| folder.path().join("shop.bspm"));
    model.with_trials(choice.trials).save(&path)?;
    let options = ServerOptions::new(arguments.address);
    let models = ModelOptions::new([ModelFile::new(path)]);
    Ok(serve(models, &options, announce)?)
}
