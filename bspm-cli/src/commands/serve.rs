//! `bspm serve`: a saved model over HTTP.

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bspm_server::{ServerOptions, serve};
use clap::Args;
use clap::builder::RangedU64ValueParser;

use super::Outcome;

/// Serve a saved model over HTTP: lists, similar items, explanations, and a page to try them
///
/// SIGTERM and SIGINT answer what has begun and end; SIGHUP, or a new file in the model's
/// place, reloads it. Warnings go to standard error; BSPM_LOG=info also logs every request.
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
    #[arg(long, value_name = "N", value_parser = up_to::<u16>(1024))]
    workers: Option<u16>,
    /// Requests for lists that may wait, and as many others, 1 to 65536; the next one is answered 503
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = up_to::<u32>(65_536))]
    queue: u32,
    /// Connections that may be open, 1 to 1000000; for the next one, the one that has been idle
    /// longest is closed
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = up_to::<u32>(1_000_000))]
    connections: u32,
    /// Seconds that a request may take, its headers apart, and that a client may take to read a
    /// part of the answer; 1 to 86400
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = up_to::<u32>(86_400))]
    timeout: u32,
    /// A file of API keys, one a line: requests must have the header `Authorization: Bearer KEY`
    /// with one of them. Blank lines and lines that start with # are skipped
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// A name by which requests may call the server, as in `shop.example`; more than one can be
    /// given. Without it, a server on a loopback address takes only localhost and IP addresses
    #[arg(long, value_name = "NAME", value_parser = host)]
    host: Vec<String>,
}

/// A host name without a scheme, a port or a path.
fn host(text: &str) -> Result<String, String> {
    let is_part = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'.' | b'_');
    match !text.is_empty() && text.bytes().all(is_part) {
        true => Ok(text.into()),
        false => Err(
            "expected a host name, as in shop.example; one with other letters than ASCII as \
                      xn--..."
                .into(),
        ),
    }
}

/// What API keys are made of at least.
const SHORTEST_KEY: usize = 16;

/// # Errors
///
/// For a file that cannot be read, has no key, or one that is too short or has other characters than
/// a header may have.
fn keys(path: &Path) -> Result<Vec<String>, String> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read {shown}: {error}"))?;
    let mut keys = Vec::new();
    for (line, key) in (1..).zip(text.lines().map(str::trim)) {
        if key.is_empty() || key.starts_with('#') {
            continue;
        }
        if key.len() < SHORTEST_KEY || !key.bytes().all(|it| it.is_ascii_graphic()) {
            return Err(format!(
                "{shown}, line {line}: expected a key of at least {SHORTEST_KEY} visible ASCII \
                 characters, such as `openssl rand -hex 32` prints"
            ));
        }
        keys.push(key.to_owned());
    }
    match keys.is_empty() {
        true => Err(format!(
            "{shown}: expected at least one API key, found none"
        )),
        false => Ok(keys),
    }
}

/// Whole numbers from 1 to the largest.
fn up_to<T: TryFrom<u64> + Clone + Send + Sync + 'static>(largest: u64) -> RangedU64ValueParser<T> {
    RangedU64ValueParser::new().range(1..=largest)
}

pub(crate) fn run(arguments: Arguments) -> Outcome {
    let mut options = ServerOptions::new(arguments.address);
    if let Some(workers) = arguments.workers {
        options.workers = workers.into();
    }
    options.queue = arguments.queue as usize;
    options.connections = arguments.connections as usize;
    if let Some(path) = &arguments.keys {
        options.keys = keys(path)?;
    }
    options.hosts = arguments.host;
    options.timeout = Duration::from_secs(arguments.timeout.into());
    Ok(serve(
        arguments.model,
        arguments.copy,
        &options,
        |address| {
            // Whoever started the server need not read this.
            let _ = writeln!(io::stdout(), "listening on http://{address}");
        },
    )?)
}
