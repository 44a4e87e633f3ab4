//! The command line.

use std::path::PathBuf;

use bspm_args::{DeviceArguments, ProcessArguments};
use clap::Parser;

/// Every knob of the model starts from the data set's published preset.
///
/// The data comes from --data, else from the data set's folder in $BSPM_DATA, else
/// from the cache folder ($BSPM_CACHE, or bspm in the user's cache folder), else
/// from the public LightGCN copy on GitHub, which curl downloads and which is then cached. Where none of
/// them is to be had, generated data of the same shape stands in.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Folder with train.txt and test.txt
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Use generated data of the data set's shape; results are not comparable
    #[arg(long, conflicts_with_all = ["data", "require_real"])]
    pub(crate) synthetic: bool,
    /// Fail rather than use generated data
    #[arg(long)]
    pub(crate) require_real: bool,

    /// Cut-offs of the metrics
    #[arg(
        long,
        value_name = "K,...",
        value_delimiter = ',',
        default_value = "20"
    )]
    pub(crate) k: Vec<usize>,
    /// Users scored together
    #[arg(long, value_name = "USERS", default_value_t = 2048)]
    pub(crate) batch: usize,
    /// Compare these filters, each with its published settings, instead; all for all of them
    #[arg(
        long,
        value_name = "NAME,...",
        value_delimiter = ',',
        conflicts_with = "ProcessArguments"
    )]
    pub(crate) filters: Vec<String>,
    /// Print one JSON object instead of tables
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) process: ProcessArguments,
    #[command(flatten)]
    pub(crate) device: DeviceArguments,
}
