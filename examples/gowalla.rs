//! The paper's experiment on Gowalla: `cargo run --release --example gowalla`.
//!
//! `--help` lists where the data comes from and every knob.

mod experiment;

use std::process::ExitCode;

fn main() -> ExitCode {
    experiment::main(bspm::Preset::Gowalla)
}
