//! Flags that choose the held-out interactions: a test file, or a part of the data.

use std::error::Error;
use std::path::PathBuf;

use bspm::Dataset;
use bspm::data::{HalfLife, NumericTimes, hint};
use clap::Args;

use crate::data::{DataArguments, with_flags};

/// The default share of each user's interactions that is held out.
const SHARE: f64 = 0.2;

/// Flags that choose which interactions are held out.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Evaluation")]
#[group(skip)]
pub(crate) struct HeldOutArguments {
    /// Use the interactions of this file as the test set. Use a test set only to report the final
    /// model, and not to choose its settings. The columns of weights and times are not required, and
    /// --k-core does not apply
    #[arg(long, value_name = "FILE", group = "held out")]
    pub(crate) test: Option<PathBuf>,
    /// Hold out the latest interaction of each user (leave-one-out); requires times
    #[arg(long, group = "held out")]
    last_out: bool,
    /// Hold out the interactions from this time on (temporal split): a number in the unit of the
    /// times, or a date such as 2026-01-31. A repeated pair has the time of its latest row. Requires times
    #[arg(long, value_name = "TIME", group = "held out", value_parser = from)]
    from: Option<From>,
    /// Hold out this share of each user's interactions: the latest ones if the data have times, else
    /// a random sample. Default: 0.2
    #[arg(long, value_name = "SHARE", group = "held out")]
    ratio: Option<f64>,
    /// Hold out a random sample even if the data have times
    #[arg(long, conflicts_with_all = ["test", "last_out", "from"])]
    random: bool,
    /// Seed of the random sample. Default: 0
    #[arg(long, conflicts_with_all = ["test", "last_out", "from"])]
    seed: Option<u64>,
}

impl HeldOutArguments {
    /// Returns the seed of the random sample.
    pub(crate) fn seed(&self) -> u64 {
        self.seed.unwrap_or(0)
    }

    /// Splits the data into the training set and the test set.
    pub(crate) fn split(
        &self,
        dataset: Dataset,
        interactions: &DataArguments,
    ) -> Result<(Dataset, Dataset), Box<dyn Error>> {
        if let Some(test) = &self.test {
            return Ok((dataset, interactions.read_test(test)?));
        }
        let ratio = self.ratio.unwrap_or(SHARE);
        let split = match self.from {
            Some(from) => {
                from.check(&dataset)?;
                dataset
                    .split_at(from.time)
                    .map_err(|error| from.in_error(error, &dataset))?
            }
            None if self.last_out => dataset.leave_last_out()?,
            None if self.random => dataset.hold_out_at_random(ratio, self.seed())?,
            None if self.seed.is_some() && dataset.times().is_some() => {
                return Err(
                    "--seed has no effect, because the data have times and the latest interactions are \
                            held out; hint: use --random to hold out a random sample"
                        .into(),
                );
            }
            None => dataset.hold_out(ratio, self.seed())?,
        };
        Ok((split.train, split.test))
    }
}

/// The time from which on interactions are held out.
#[derive(Clone, Copy, Debug)]
struct From {
    time: f64,
    is_date: bool,
}

impl From {
    /// Returns an error for a date if the times are not in seconds.
    fn check(self, dataset: &Dataset) -> Result<(), String> {
        let times = dataset.times().unwrap_or_default();
        match times.iter().copied().reduce(f64::max) {
            Some(last) if self.is_date && last.abs() > HalfLife::LARGEST_SECONDS => Err(format!(
                "--from: expected times in seconds for a date, found {last}; hint: {}",
                with_flags(&hint::of_times(NumericTimes::of(times)))
            )),
            _ => Ok(()),
        }
    }

    /// Names the flag in an error of the split.
    fn in_error(self, error: bspm::Error, dataset: &Dataset) -> Box<dyn Error> {
        let bspm::Error::InvalidParameter {
            parameter: "time",
            expected,
            found,
        } = error
        else {
            return error.into();
        };
        let times = dataset.times().unwrap_or_default();
        let hint = match times.iter().all(|&time| time >= self.time) {
            true => {
                "; hint: a repeated pair of user and item has the time of its latest row; to split the rows by \
                 time, write two files for --train and --test"
            }
            false => "",
        };
        format!("--from: expected {expected}, found {found}{hint}").into()
    }
}

fn from(text: &str) -> Result<From, String> {
    let time = bspm::data::parse_time(text).ok_or("expected a number or a date")?;
    let is_date = text.trim().parse::<f64>().is_err();
    Ok(From { time, is_date })
}
