//! The command line arguments.

use std::path::PathBuf;

use bspm_args::{DeviceArguments, ProcessArguments};
use clap::Parser;

/// All settings of the model default to the published preset of the data set.
///
/// With --data, the data is read from this folder. Otherwise, it is read from the folder of the data set in
/// $BSPM_DATA or in the cache folder ($BSPM_CACHE, or bspm in the user's cache folder), if one of them
/// exists. Otherwise, curl downloads the public LightGCN copy from GitHub to the cache folder. If the
/// download fails, generated data of the same shape is used instead.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Folder with train.txt and test.txt
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Use generated data of the same shape; the results are not comparable with published results
    #[arg(long, conflicts_with_all = ["data", "require_real"])]
    pub(crate) synthetic: bool,
    /// Fail instead of using generated data
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
    /// Number of users that are scored together
    #[arg(long, value_name = "USERS", default_value_t = 2048)]
    pub(crate) batch: usize,
    /// Compare these filters, each with its published settings; "all" means all filters
    #[arg(
        long,
        value_name = "NAME,...",
        value_delimiter = ',',
        conflicts_with = "ProcessArguments"
    )]
    pub(crate) filters: Vec<String>,
    /// Print a JSON object instead of tables
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) process: ProcessArguments,
    #[command(flatten)]
    pub(crate) device: DeviceArguments,
}
