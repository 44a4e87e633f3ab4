//! The paper's experiment on Yelp2018: `cargo run --release --example yelp2018`.
//!
//! `--help` lists the sources of the data and all settings.

use std::process::ExitCode;

fn main() -> ExitCode {
    bspm_experiment::main(bspm::Preset::Yelp2018)
}
