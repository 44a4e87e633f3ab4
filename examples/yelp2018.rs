//! The paper's experiment on Yelp2018: `cargo run --release --example yelp2018`.
//!
//! `--help` lists where the data comes from and every knob.

mod experiment;

use std::process::ExitCode;

fn main() -> ExitCode {
    experiment::main(bspm::Preset::Yelp2018)
}
