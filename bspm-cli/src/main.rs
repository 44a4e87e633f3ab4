//! The command-line tool `bspm`: describe, fit, recommend, score, similar, explain, refit, evaluate,
//! sweep, tune, inspect, export, serve, mcp, demo and schema.

mod commands;
mod data;
mod events;
mod held_out;
mod items;
mod lock;
mod output;
mod outputs;
mod tags;

use bspm_args::tell;
use bspm_server::log;
use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use commands::{
    demo, describe, evaluate, evaluate_log, explain, export, fit, inspect, mcp, recommend,
    reference, refit, schema, score, serve, similar, sweep, tune,
};

/// Training-free recommendations with Blurring-Sharpening Process Models.
///
/// Results are written to standard output, as a table or as JSON lines. Progress, warnings and
/// errors are written to standard error. Set BSPM_LOG=debug, or another filter of the crate
/// tracing-subscriber, to log the stages.
#[derive(Parser)]
#[command(
    name = "bspm",
    version,
    after_help = "Examples:\n  bspm fit ratings.csv --output model.bspm\n  bspm recommend model.bspm ann\n  \
                  bspm evaluate ratings.csv\n  bspm tune ratings.csv --output best.bspm"
)]
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
    EvaluateLog(evaluate_log::Arguments),
    Sweep(Box<sweep::Arguments>),
    Tune(tune::Arguments),
    Inspect(inspect::Arguments),
    Export(export::Arguments),
    Serve(serve::Arguments),
    Mcp(mcp::Arguments),
    Demo(demo::Arguments),
    /// Print the JSON schema of the files that --config reads
    #[command(after_help = "Examples:\n  bspm schema > bspm.schema.json")]
    Schema,
    /// Print a shell completion script
    #[command(
        after_help = "Examples:\n  bspm completions bash > ~/.local/share/bash-completion/completions/bspm"
    )]
    Completions {
        /// Shell to complete for
        shell: Shell,
    },
    /// Write the reference of flags and settings, the schema, man pages and completion scripts
    #[command(hide = true)]
    Reference(reference::Arguments),
}

fn main() -> ExitCode {
    bspm_args::return_large_blocks();
    let arguments = Arguments::parse();
    let _log = match arguments.command {
        Command::Serve(_) | Command::Mcp(_) | Command::Demo(_) => Some(log::start_in_background()),
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
        Command::EvaluateLog(arguments) => evaluate_log::run(&arguments),
        Command::Sweep(arguments) => sweep::run(&arguments),
        Command::Tune(arguments) => tune::run(&arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Mcp(arguments) => mcp::run(arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Schema => schema::run(),
        Command::Reference(arguments) => reference::run(&arguments, Arguments::command()),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "bspm", &mut script);
            io::stdout().write_all(&script).map_err(Into::into)
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of the output has closed the pipe, as `head` does.
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
