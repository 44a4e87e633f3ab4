//! The paper's experiment on Gowalla: `cargo run --release --example gowalla`.
//!
//! `--help` lists where the data comes from and every knob.

use std::process::ExitCode;

fn main() -> ExitCode {
    bspm_experiment::main(bspm::Preset::Gowalla)
}
