//! Accuracy and cost of the truncated SVD of a data set:
//! `cargo run --release --example truncated_svd -- --factor-dim 64,448 FILE...`.
//!
//! Prints one row per file and number of vectors. A file is in LightGCN's text format or, if its name ends
//! in `.npz`, a SciPy CSR matrix.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use bspm::FitOptions;
use bspm::engine::{NormalizedGraph, truncated_svd};
use bspm::{CpuBackend, Dataset};
use clap::Parser;

#[derive(Parser)]
struct Arguments {
    /// The interaction matrices
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The number of singular vectors
    #[arg(long, value_delimiter = ',', default_value = "448")]
    factor_dim: Vec<usize>,
    /// The tolerance of the residual of each vector
    #[arg(long)]
    tolerance: Option<f64>,
    /// The maximum memory of the SVD, in bytes
    #[arg(long)]
    memory_budget: Option<usize>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    println!(
        "| matrix | users x items | interactions | vectors | rounds | products with P \
         | largest residual | stopped by | time |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for file in &arguments.files {
        if let Err(error) = rows(file, &arguments) {
            eprintln!("error: {}: {}", file.display(), bspm::with_sources(&error));
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn rows(file: &Path, arguments: &Arguments) -> bspm::Result<()> {
    let dataset = if file.extension().is_some_and(|it| it == "npz") {
        Dataset::read_npz(file, None)?
    } else {
        Dataset::read_lightgcn(file)?
    };
    let interactions = dataset.interactions();
    let mut backend = CpuBackend::new();
    if let Some(bytes) = arguments.memory_budget {
        backend = backend.with_memory_budget(bytes);
    }
    let graph = NormalizedGraph::new(&backend, interactions)?;
    for &factor_dim in &arguments.factor_dim {
        let mut options = FitOptions::new();
        options.tolerance = arguments.tolerance;
        let start = Instant::now();
        let report = truncated_svd(&backend, &graph, factor_dim, &options)?.report;
        println!(
            "| {} | {} x {} | {} | {} of {} | {} | {} | {:.1e} | {} | {:.1} s |",
            file.display(),
            interactions.users(),
            interactions.items(),
            interactions.len(),
            report.found,
            report.asked,
            report.rounds,
            report.products,
            report.largest_residual,
            report.stop,
            start.elapsed().as_secs_f64()
        );
    }
    Ok(())
}
