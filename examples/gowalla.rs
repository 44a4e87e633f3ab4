//! The paper's experiment on Gowalla: `cargo run --release --example gowalla`.
//!
//! `--help` lists the sources of the data and all settings.

use std::process::ExitCode;

fn main() -> ExitCode {
    bspm_experiment::main(bspm::Preset::Gowalla)
}
