//! The paper's experiment on Yelp2018: `cargo run --release --example yelp2018`.
//!
//! `--help` lists where the data comes from and every knob.

use std::process::ExitCode;

fn main() -> ExitCode {
    bspm_experiment::main(bspm::Preset::Yelp2018)
}
