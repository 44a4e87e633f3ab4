//! `bspm`: describe, fit, recommend, score, evaluate, sweep, tune, similar, serve, inspect.

mod commands;
mod data;
mod held_out;
mod items;
mod lock;
mod output;
mod outputs;

use bspm_args::tell;
use bspm_server::log;
use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use commands::{
    describe, evaluate, explain, export, fit, inspect, recommend, refit, score, serve, similar,
    sweep, tune,
};

/// Training-free recommendations with Blurring-Sharpening Process Models.
///
/// Results go to standard output, as a table or as JSON lines; progress and errors go to
/// standard error. BSPM_LOG=debug, or another filter of the crate tracing-subscriber,
/// logs the stages.
#[derive(Parser)]
#[command(name = "bspm", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Describe(describe::Arguments),
    Fit(fit::Arguments),
    Recommend(recommend::Arguments),
    Score(score::Arguments),
    Similar(similar::Arguments),
    Explain(explain::Arguments),
    Refit(refit::Arguments),
    Evaluate(evaluate::Arguments),
    Sweep(Box<sweep::Arguments>),
    Tune(tune::Arguments),
    Inspect(inspect::Arguments),
    Export(export::Arguments),
    Serve(serve::Arguments),
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

fn main() -> ExitCode {
    bspm_args::return_large_blocks();
    let arguments = Arguments::parse();
    let _log = match arguments.command {
        Command::Serve(_) => Some(log::start_in_background()),
        _ => {
            log::start();
            None
        }
    };
    let result = match arguments.command {
        Command::Describe(arguments) => describe::run(&arguments),
        Command::Fit(arguments) => fit::run(&arguments),
        Command::Recommend(arguments) => recommend::run(&arguments),
        Command::Score(arguments) => score::run(&arguments),
        Command::Similar(arguments) => similar::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Refit(arguments) => refit::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(&arguments),
        Command::Sweep(arguments) => sweep::run(&arguments),
        Command::Tune(arguments) => tune::run(&arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "bspm", &mut script);
            io::stdout().write_all(&script).map_err(Into::into)
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the output has seen enough, as `head` does.
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            tell!("error: {}", output::shown(&bspm::with_sources(&*error)));
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
