//! The paper's experiment on Amazon-book: `cargo run --release --example amazon_book`.
//!
//! `--help` lists where the data comes from and every knob.

use std::process::ExitCode;

fn main() -> ExitCode {
    bspm_experiment::main(bspm::Preset::AmazonBook)
}
