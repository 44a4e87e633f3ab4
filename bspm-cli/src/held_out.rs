//! What is predicted: a file of its own, or a part of the interactions.

use std::error::Error;
use std::path::PathBuf;

use bspm::Dataset;
use bspm::data::HalfLife;
use clap::Args;

use crate::data::DataArguments;

/// What is held out of each user's interactions where nothing is said.
const SHARE: f64 = 0.2;

/// Which interactions are held out of the data.
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
    /// Predict what happened from this time on, by what was before; a number in the unit of the
    /// times, or a date as in 2026-01-31
    #[arg(long, value_name = "TIME", group = "held out", value_parser = from)]
    from: Option<From>,
    /// Predict this share of each user's interactions: the latest if the data have times, otherwise
    /// drawn at random. Default: 0.2
    #[arg(long, value_name = "SHARE", group = "held out")]
    ratio: Option<f64>,
    /// Draw the share at random even if the data have times
    #[arg(long, conflicts_with_all = ["test", "last_out", "from"])]
    random: bool,
    /// Seed of the random draw. Default: 0
    #[arg(long, conflicts_with_all = ["test", "last_out", "from"])]
    seed: Option<u64>,
}

impl HeldOutArguments {
    /// The seed of the random draw.
    pub(crate) fn seed(&self) -> u64 {
        self.seed.unwrap_or(0)
    }

    /// What the model sees, and what it is asked to predict.
    pub(crate) fn split(
        &self,
        dataset: Dataset,
        interactions: &DataArguments,
    ) -> Result<(Dataset, Dataset), Box<dyn Error>> {
        if let Some(test) = &self.test {
            return Ok((dataset, interactions.read(test)?));
        }
        let ratio = self.ratio.unwrap_or(SHARE);
        let split = match self.from {
            Some(from) => {
                from.check(&dataset)?;
                dataset.split_at(from.time)?
            }
            None if self.last_out => dataset.leave_last_out()?,
            None if self.random => dataset.hold_out_at_random(ratio, self.seed())?,
            None if self.seed.is_some() && dataset.times().is_some() => {
                return Err(
                    "--seed has no effect on interactions with times: the latest are held out; \
                            hint: --random draws at random"
                        .into(),
                );
            }
            None => dataset.hold_out(ratio, self.seed())?,
        };
        Ok((split.train, split.test))
    }
}

/// From when on interactions are held out.
#[derive(Clone, Copy, Debug)]
struct From {
    time: f64,
    is_date: bool,
}

impl From {
    /// Refuses a date beside times that are not seconds.
    fn check(self, dataset: &Dataset) -> Result<(), String> {
        let times = dataset.times().unwrap_or_default().iter().copied();
        match times.reduce(f64::max) {
            Some(last) if self.is_date && last.abs() > HalfLife::LARGEST_SECONDS => Err(format!(
                "--from: expected times in seconds beside a date, found {last}; hint: --time-unit ms \
                 reads milliseconds, us microseconds, ns nanoseconds"
            )),
            _ => Ok(()),
        }
    }
}

fn from(text: &str) -> Result<From, String> {
    let time = bspm::data::parse_time(text).ok_or("expected a number or a date")?;
    let is_date = text.trim().parse::<f64>().is_err();
    Ok(From { time, is_date })
}
