//! The paper's experiment on Amazon-book: `cargo run --release --example amazon_book`.
//!
//! `--help` lists the sources of the data and all settings.

use std::process::ExitCode;

fn main() -> ExitCode {
    bspm_experiment::main(bspm::Preset::AmazonBook)
}
