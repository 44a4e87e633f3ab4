//! `bspm mcp`: a saved model as tools for assistants.

use std::path::PathBuf;

use bspm_server::ServerOptions;
#[cfg(feature = "mcp")]
use bspm_server::{ModelFile, ModelOptions};
use clap::Args;

use super::Outcome;

/// Serve a saved model to an assistant over the Model Context Protocol (needs the mcp feature)
///
/// Reads requests from standard input and writes responses to standard output, as JSON-RPC. The tools are
/// recommend, similar, explain, search and describe. They answer as the server of `bspm serve` does, and
/// `bspm serve --mcp` offers them over HTTP. When the model file is replaced, the model is reloaded.
#[derive(Args)]
#[command(after_help = "Examples:\n  bspm mcp model.bspm")]
pub(crate) struct Arguments {
    /// Model file saved by `bspm fit` or `bspm tune`
    model: PathBuf,
}

#[cfg(feature = "mcp")]
pub(crate) fn run(arguments: Arguments) -> Outcome {
    let options = ServerOptions::new(([127, 0, 0, 1], 0).into());
    let models = ModelOptions::new([ModelFile::new(arguments.model)]);
    Ok(bspm_server::serve_mcp(models, &options)?)
}

#[cfg(not(feature = "mcp"))]
pub(crate) fn run(arguments: Arguments) -> Outcome {
    Err(missing(&format!("bspm mcp {}", arguments.model.display())).into())
}

/// Enables the route `/mcp`.
#[cfg(feature = "mcp")]
#[expect(clippy::unnecessary_wraps, reason = "an error without the feature")]
pub(super) fn enable(options: &mut ServerOptions) -> Outcome {
    options.mcp = true;
    Ok(())
}

#[cfg(not(feature = "mcp"))]
pub(super) fn enable(_options: &mut ServerOptions) -> Outcome {
    Err(missing("--mcp").into())
}

#[cfg(not(feature = "mcp"))]
fn missing(what: &str) -> String {
    format!("{what}: this program has no Model Context Protocol; hint: build with --features mcp")
}
