//! `bspm serve`: serves a saved model over HTTP.

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bspm_server::{ApiKey, EventOptions, ModelFile, ModelOptions, ServerOptions, serve};
use clap::Args;
use clap::builder::RangedU64ValueParser;

use super::Outcome;
use crate::events::KindArguments;

/// Serve saved models over HTTP: recommendations, similar items, explanations, and a demo page
///
/// With --events, clients add interactions with POST /events. An interaction is on the disk before it is
/// acknowledged, and counts in the next list of its user. `bspm refit MODEL --events FOLDER` fits them.
///
/// On SIGTERM and SIGINT, the server finishes the requests that have started and exits. On SIGHUP, or
/// when the model file is replaced, it reloads the model. Warnings are written to standard error;
/// BSPM_LOG=info also logs every request.
#[derive(Args)]
#[command(after_help = "Examples:\n  bspm serve model.bspm\n  \
                  bspm serve model.bspm --address 0.0.0.0:8080 --keys keys.txt --host shop.example\n  \
                  bspm serve model.bspm --events log --log-lists\n  \
                  bspm serve old.bspm new.bspm --split 90:10")]
pub(crate) struct Arguments {
    /// Model files saved by `bspm fit` or `bspm tune`, as FILE or NAME=FILE. Default name: the file
    /// name without its extension
    #[arg(value_name = "MODEL", required = true, value_parser = model_file)]
    models: Vec<ModelFile>,
    /// Shares of the users that each model answers, such as 90:10. A hash of the user selects the model.
    /// Default: equal shares
    #[arg(long, value_name = "SHARES", value_parser = split)]
    split: Option<Split>,
    /// Also compute lists with this model, and log them without sending them
    #[arg(long, value_name = "MODEL", value_parser = model_file, requires = "log_lists")]
    shadow: Option<ModelFile>,
    /// Accept interactions with POST /events, and log them in this folder. The log is replayed at the
    /// start
    #[arg(long, value_name = "FOLDER")]
    events: Option<PathBuf>,
    #[command(flatten)]
    kinds: KindArguments,
    /// Interval in seconds at which new items of the event log are folded into the models, 0 to 86400.
    /// 0: only when a model is loaded. Default: 60
    #[arg(long, value_name = "SECONDS", requires = "events",
          value_parser = RangedU64ValueParser::<u32>::new().range(0..=86_400))]
    new_items: Option<u32>,
    /// Log the lists of /recommend and /similar in the folder of --events, for `bspm evaluate-log`
    #[arg(long, requires = "events")]
    log_lists: bool,
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
    /// Return a list that is bitwise identical, independent of other requests. Each list then takes the
    /// time of a complete tile of 32
    #[arg(long)]
    batch_invariant: bool,
    /// File with API keys, one per line. Requests must have the header `Authorization: Bearer KEY` with
    /// one of the keys. The words `read` and `write` after a key limit its rights, and `100/s` limits its
    /// requests per second. Blank lines and lines that start with # are ignored
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Host name that requests may use, such as `shop.example`; may be repeated. Default: a server on a
    /// loopback address accepts only localhost and IP addresses
    #[arg(long, value_name = "NAME", value_parser = host)]
    host: Vec<String>,
    /// Origin whose pages may read the responses (CORS), such as `https://shop.example`; may be repeated.
    /// Default: none
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    cors: Vec<String>,
    /// List no example users on the page. The path /users then returns an empty list
    #[arg(long)]
    no_example_users: bool,
    /// Serve the Model Context Protocol at /mcp (needs the mcp feature): tools for assistants that
    /// recommend, explain and search, with the same keys and hosts
    #[arg(long)]
    mcp: bool,
    /// Export an OpenTelemetry span of each request over OTLP (needs the otlp feature), to the collector at
    /// OTEL_EXPORTER_OTLP_ENDPOINT
    #[arg(long)]
    otlp: bool,
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

/// Reads API keys from a file.
///
/// # Errors
///
/// If the file cannot be read or has no key, or if a line is invalid.
fn keys(path: &Path) -> Result<Vec<ApiKey>, String> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read {shown}: {error}"))?;
    let mut keys = Vec::new();
    for (line, key) in (1..).zip(text.lines().map(str::trim)) {
        if !key.is_empty() && !key.starts_with('#') {
            let key: ApiKey = key
                .parse()
                .map_err(|error| format!("{shown}:{line}: {error}"))?;
            if keys.iter().any(|other: &ApiKey| other.key == key.key) {
                return Err(format!(
                    "{shown}:{line}: expected each key once, found a key twice"
                ));
            }
            keys.push(key);
        }
    }
    match keys.is_empty() {
        true => Err(format!(
            "{shown}: expected at least one API key, found none"
        )),
        false => Ok(keys),
    }
}

/// Parses a model, `FILE` or `NAME=FILE`.
fn model_file(text: &str) -> Result<ModelFile, String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !name.contains(['/', '\\']) => {
            Ok(ModelFile::new(path).name(name))
        }
        _ => Ok(ModelFile::new(text)),
    }
}

/// The shares of models.
#[derive(Clone)]
struct Split(Vec<u32>);

/// Parses shares such as `90:10`.
fn split(text: &str) -> Result<Split, String> {
    let shares: Result<Vec<u32>, _> = text.split(':').map(str::parse).collect();
    shares.map(Split).map_err(|_| {
        format!("expected whole numbers separated by colons, such as 90:10; found {text:?}")
    })
}

/// Parses an origin, such as `https://shop.example`.
fn origin(text: &str) -> Result<String, String> {
    let expected = || {
        format!("expected an origin without a path, such as https://shop.example; found {text:?}")
    };
    let (scheme, host) = text.split_once("://").ok_or_else(expected)?;
    let is_origin = matches!(scheme, "http" | "https")
        && !host.is_empty()
        && host
            .bytes()
            .all(|it| it.is_ascii_graphic() && it != b'/' && it != b'*');
    is_origin.then(|| text.to_owned()).ok_or_else(expected)
}

/// Parses a whole number from 1 to `largest`.
fn up_to<T: TryFrom<u64> + Clone + Send + Sync + 'static>(largest: u64) -> RangedU64ValueParser<T> {
    RangedU64ValueParser::new().range(1..=largest)
}

impl Arguments {
    /// Returns the options of the models.
    ///
    /// # Errors
    ///
    /// If a flag has no effect.
    fn models(&self) -> Result<ModelOptions, String> {
        let mut models = ModelOptions::new(self.models.iter().cloned());
        models.copy = self.copy;
        models.shadow.clone_from(&self.shadow);
        if let Some(Split(split)) = &self.split {
            models.split.clone_from(split);
        }
        match &self.events {
            Some(folder) => {
                let mut events = EventOptions::new(folder);
                events.weights = self.kinds.weights()?;
                events.new_items = match self.new_items {
                    Some(0) => None,
                    Some(seconds) => Some(Duration::from_secs(seconds.into())),
                    None => events.new_items,
                };
                events.log_lists = self.log_lists;
                models.events = Some(events);
            }
            None if self.kinds.is_given() => {
                return Err("--kind has no effect without --events FOLDER".into());
            }
            None => {}
        }
        Ok(models)
    }
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
    let models = arguments.models()?;
    options.hosts = arguments.host;
    options.origins = arguments.cors;
    options.example_users = !arguments.no_example_users;
    options.batch_invariant = arguments.batch_invariant;
    options.timeout = Duration::from_secs(arguments.timeout.into());
    if arguments.mcp {
        super::mcp::enable(&mut options)?;
    }
    if arguments.otlp {
        export_spans(&mut options)?;
    }
    Ok(serve(models, &options, announce)?)
}

#[cfg(feature = "otlp")]
fn export_spans(options: &mut ServerOptions) -> Outcome {
    options.otlp = Some(bspm_server::Otlp::from_environment()?);
    Ok(())
}

#[cfg(not(feature = "otlp"))]
fn export_spans(_options: &mut ServerOptions) -> Outcome {
    Err("--otlp: this program has no OpenTelemetry; hint: build with --features otlp".into())
}

/// Prints the address when the server accepts connections.
pub(super) fn announce(address: SocketAddr) {
    // Standard output may be closed.
    let _ = writeln!(io::stdout(), "listening on http://{address}");
}
