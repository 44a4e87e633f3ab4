//! What is predicted: a file of its own, or a part of the interactions.

use std::error::Error;
use std::path::PathBuf;

use bspm::Dataset;
use clap::Args;

use crate::data::DataArguments;

/// Which interactions are held out of the data; one of three ways must be chosen.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Held out")]
#[group(skip)]
pub(crate) struct HeldOutArguments {
    /// Predict the interactions of this file. A test set is for the one setting that was
    /// chosen without it
    #[arg(long, value_name = "FILE", group = "held out")]
    pub(crate) test: Option<PathBuf>,
    /// Predict each user's latest interaction; needs times
    #[arg(long, group = "held out")]
    last_out: bool,
    /// Predict this share of each user's interactions, drawn at random
    #[arg(long, value_name = "SHARE", group = "held out")]
    ratio: Option<f64>,
    /// Seed of the draw
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

impl HeldOutArguments {
    /// What the model sees, and what it is asked to predict.
    pub(crate) fn split(
        &self,
        dataset: Dataset,
        interactions: &DataArguments,
    ) -> Result<(Dataset, Dataset), Box<dyn Error>> {
        if let Some(test) = &self.test {
            return Ok((dataset, interactions.read(test)?));
        }
        let split = match self.ratio {
            Some(ratio) => dataset.random_split(ratio, self.seed)?,
            None => dataset.leave_last_out()?,
        };
        Ok((split.train, split.test))
    }
}
