//! `bspm serve`: serves a saved model over HTTP.

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bspm_server::{ServerOptions, serve};
use clap::Args;
use clap::builder::RangedU64ValueParser;

use super::Outcome;

/// Serve a saved model over HTTP: recommendations, similar items, explanations, and a demo page
///
/// On SIGTERM and SIGINT, the server finishes the requests that have started and exits. On SIGHUP, or
/// when the model file is replaced, it reloads the model. Warnings are written to standard error;
/// BSPM_LOG=info also logs every request.
#[derive(Args)]
#[command(after_help = "Examples:\n  bspm serve model.bspm\n  \
                  bspm serve model.bspm --address 0.0.0.0:8080 --keys keys.txt --host shop.example")]
pub(crate) struct Arguments {
    /// Model file saved by `bspm fit` or `bspm tune`
    model: PathBuf,
    /// Address to listen on; port 0 selects a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    address: SocketAddr,
    /// Read the model into memory instead of mapping its file. The file may then be modified or
    /// truncated while the server runs
    #[arg(long)]
    copy: bool,
    /// Number of scoring threads, 1 to 1024. Default: one per core
    #[arg(long, value_name = "N", value_parser = up_to::<u16>(1024))]
    workers: Option<u16>,
    /// Maximum number of waiting requests for lists, and of other waiting requests, 1 to 65536.
    /// Further requests are answered with status 503
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = up_to::<u32>(65_536))]
    queue: u32,
    /// Maximum number of open connections, 1 to 1000000. A further connection closes the one that has
    /// been idle longest
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = up_to::<u32>(1_000_000))]
    connections: u32,
    /// Timeout in seconds, 1 to 86400: for the headers of a request, for the rest of the request, and for
    /// the client to read each part of the response
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = up_to::<u32>(86_400))]
    timeout: u32,
    /// File with API keys, one per line. Requests must have the header `Authorization: Bearer KEY` with
    /// one of the keys. Blank lines and lines that start with # are ignored
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Host name that requests may use, such as `shop.example`; may be repeated. Default: a server on a
    /// loopback address accepts only localhost and IP addresses
    #[arg(long, value_name = "NAME", value_parser = host)]
    host: Vec<String>,
    /// List no example users on the page. The path /users then returns an empty list
    #[arg(long)]
    no_example_users: bool,
}

/// Parses a host name without a scheme, a port or a path.
fn host(text: &str) -> Result<String, String> {
    let is_part = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'.' | b'_');
    match !text.is_empty() && text.bytes().all(is_part) {
        true => Ok(text.into()),
        false => Err(
            "expected a host name such as shop.example; hint: write a non-ASCII name in Punycode \
                      (xn--...)"
                .into(),
        ),
    }
}

/// The minimum length of an API key.
const SHORTEST_KEY: usize = 16;

/// Reads API keys from a file.
///
/// # Errors
///
/// If the file cannot be read or has no key, or if a key is too short or has characters that are not
/// allowed in a header.
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
                "{shown}:{line}: expected a key of at least {SHORTEST_KEY} visible ASCII characters; \
                 hint: make one with `openssl rand -hex 32`"
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

/// Parses a whole number from 1 to `largest`.
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
    options.example_users = !arguments.no_example_users;
    options.timeout = Duration::from_secs(arguments.timeout.into());
    Ok(serve(arguments.model, arguments.copy, &options, announce)?)
}

/// Prints the address when the server accepts connections.
pub(super) fn announce(address: SocketAddr) {
    // Standard output may be closed.
    let _ = writeln!(io::stdout(), "listening on http://{address}");
}
