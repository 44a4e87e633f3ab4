//! `bspm serve`: a saved model over HTTP.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bspm_cli::server::{ServerOptions, serve};
use clap::Args;

use super::Outcome;

/// Serve a saved model over HTTP: lists, similar items, explanations, and a page to try them
///
/// SIGTERM and SIGINT answer what has begun and end; SIGHUP, or a new file in the model's
/// place, reloads it.
#[derive(Args)]
pub(crate) struct Arguments {
    /// A model that `bspm fit` or `bspm tune` saved
    model: PathBuf,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    address: SocketAddr,
    /// Read the model into memory instead of mapping its file, which may then be changed in
    /// place or cut off without harm
    #[arg(long)]
    copy: bool,
    /// Threads that score, 1 to 1024; without it, one for each core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,
    /// Requests that may wait; the next one is answered 503
    #[arg(long, value_name = "N", default_value_t = 256)]
    queue: usize,
    /// Connections that may be open; the next one waits
    #[arg(long, value_name = "N", default_value_t = 1000)]
    connections: usize,
    /// Seconds that a request may take, its headers apart
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    timeout: u64,
}

pub(crate) fn run(arguments: Arguments) -> Outcome {
    let mut options = ServerOptions::new(arguments.address);
    if let Some(workers) = arguments.workers {
        options.workers = workers.into();
    }
    options.queue = arguments.queue;
    options.connections = arguments.connections;
    options.timeout = Duration::from_secs(arguments.timeout.max(1));
    Ok(serve(
        arguments.model,
        arguments.copy,
        &options,
        |address| {
            println!("listening on http://{address}");
        },
    )?)
}
