//! Selects the settings that `bspm fit` without a filter should try, and their order:
//! `cargo run --release --example portfolio -- --trials trials.json FILE...`.
//!
//! Each file is the training part of a data set. A grid of all filters is evaluated on interactions that
//! are held out of it. Then settings are selected one after the other: each time, the one that increases
//! the mean relative NDCG most. The relative NDCG of a selection is its best NDCG, divided by the best NDCG
//! of the grid. The last lines are a leave-one-out validation: the relative NDCG of each data set with the
//! settings that are selected on the other data sets.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bspm::data::{Format, TableOptions};
use bspm::filters::Mix;
use bspm::tune::{Trial, TrialOutcome, TuneOptions, Tuner, adapted};
use bspm::{CpuBackend, Dataset, FilterConfig, FitOptions, Interactions};
use clap::Parser;

#[derive(Parser)]
struct Arguments {
    /// The training part of each data set, in any supported format
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The file of the results; results that it contains are not computed again
    #[arg(long)]
    trials: PathBuf,
    /// A JSON file with settings to try instead of the grid: a list of filters with their settings
    #[arg(long)]
    grid: Option<PathBuf>,
    /// The number of settings to select
    #[arg(long, default_value_t = 12)]
    picks: usize,
}

/// The NDCG of each setting, for each data set.
type Results = BTreeMap<String, BTreeMap<String, f64>>;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", bspm::with_sources(&*error));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let mut results: Results = match fs::read(&arguments.trials) {
        Ok(bytes) => serde_json::from_slice(&bytes)?,
        Err(_) => Results::new(),
    };
    let own_grid: Option<Vec<FilterConfig>> = match &arguments.grid {
        Some(path) => Some(serde_json::from_slice(&fs::read(path)?)?),
        None => None,
    };
    for file in &arguments.files {
        let known = results.entry(file.display().to_string()).or_default();
        for trial in evaluate(file, own_grid.as_deref(), known)? {
            let value = match trial.outcome {
                TrialOutcome::Failed(_) => 0.0,
                _ => trial.estimate,
            };
            known.insert(key(&trial.config), value);
        }
        fs::write(&arguments.trials, serde_json::to_vec_pretty(&results)?)?;
    }
    report(&results, arguments.picks);
    Ok(())
}

/// Evaluates the settings without a known result.
fn evaluate(
    file: &Path,
    own_grid: Option<&[FilterConfig]>,
    known: &BTreeMap<String, f64>,
) -> Result<Vec<Trial>, Box<dyn std::error::Error>> {
    let format = Format::of_file(file)?;
    let dataset = Dataset::read(file, format, &TableOptions::default())?;
    let options = FitOptions::new();
    let split = dataset.hold_out(0.2, options.seed)?;
    let train = split.train.interactions();
    let mut configs = own_grid.map_or_else(|| grid(train), <[FilterConfig]>::to_vec);
    configs.retain(|config| !known.contains_key(&key(config)));
    let count = configs.len();
    if count == 0 {
        return Ok(Vec::new());
    }
    let tune = TuneOptions::new().candidates(configs).trials(count);
    let held_out = split.test.interactions();
    let mut tuner = Tuner::new(CpuBackend::new(), train.clone(), held_out, tune)?;
    while let Some(trial) = tuner.advance()? {
        eprintln!(
            "{}: {} {:.4}, {:.1} + {:.1} s",
            file.display(),
            key(&trial.config),
            trial.estimate,
            trial.fit_seconds,
            trial.score_seconds
        );
    }
    Ok(tuner.trials().to_vec())
}

/// A filter and its settings, in JSON.
fn key(config: &FilterConfig) -> String {
    serde_json::to_string(config).unwrap_or_default()
}

/// A filter, and the values of some of its settings.
type Values = (
    &'static str,
    &'static [(&'static str, &'static [&'static str])],
);

/// The grid. Other settings have the values of `for_shape`.
const GRID: &[Values] = &[
    (
        "bspm",
        &[("factor_dim", &["64", "256"]), ("beta", &["0.2", "0.5"])],
    ),
    (
        "gf-cf",
        &[("factor_dim", &["32", "256"]), ("alpha", &["0.1", "0.3"])],
    ),
    (
        "cheby-cf",
        &[("flatness", &["1", "3"]), ("factor_dim", &["64", "256"])],
    ),
    (
        "link-prop",
        &[
            ("beta", &["0", "0.5"]),
            ("gamma", &["0.5"]),
            ("delta", &["0.3", "0.6"]),
        ],
    ),
    (
        "turbo-cf",
        &[
            ("alpha", &["0.5", "0.6"]),
            ("power", &["0.6", "1"]),
            ("filter", &["linear"]),
        ],
    ),
    ("svd-ae", &[("factor_dim", &["16", "64", "256"])]),
    (
        "item-knn",
        &[("neighbours", &["200"]), ("shrinkage", &["10", "50"])],
    ),
    (
        "item-knn",
        &[
            ("similarity", &["tversky"]),
            ("beta", &["0.3"]),
            ("shrinkage", &["10"]),
        ],
    ),
    (
        "rp3beta",
        &[
            ("alpha", &["0.4", "0.6", "0.8"]),
            ("beta", &["0.1", "0.3", "0.5"]),
            ("neighbours", &["200"]),
        ],
    ),
    (
        "sgfcf",
        &[
            ("offset", &["5", "20"]),
            ("factor_dim", &["64", "192"]),
            ("beta", &["1", "1.84", "3"]),
            ("epsilon", &["0.4", "0.53"]),
            ("gamma", &["0.5", "1.6"]),
        ],
    ),
    (
        "ease-dan",
        &[
            ("neighbours", &["100"]),
            ("lambda", &["0.3", "1", "3"]),
            ("alpha", &["0.7", "0.85"]),
            ("beta", &["0.1", "0.4"]),
            ("offset", &["0", "5", "20", "60"]),
        ],
    ),
    (
        "ease-r",
        &[("neighbours", &["100"]), ("lambda", &["100", "300"])],
    ),
    (
        "family",
        &[
            ("offset", &["5", "10", "20"]),
            ("factor_dim", &["32", "64", "192", "448"]),
            ("share", &["0.25", "0.5"]),
        ],
    ),
    FAMILY_WITH_OUTPUT,
    FAMILY_WITH_PLATEAU,
];

const FAMILY_WITH_OUTPUT: Values = (
    "family",
    &[
        ("offset", &["10"]),
        ("factor_dim", &["64", "192", "448"]),
        ("share", &["0.25", "0.5"]),
        ("output", &["0.1", "0.2", "0.4"]),
    ],
);

const FAMILY_WITH_PLATEAU: Values = (
    "family",
    &[
        ("offset", &["10"]),
        ("factor_dim", &["64", "192", "448"]),
        ("share", &["0.25", "0.5"]),
        ("response", &["plateau"]),
        ("power", &["4"]),
    ],
);

/// Filters that are mixed in pairs.
const MIXED: [&[Values]; 2] = [
    &[
        (
            "family",
            &[("offset", &["10"]), ("factor_dim", &["64", "192", "448"])],
        ),
        (
            "sgfcf",
            &[
                ("offset", &["5"]),
                ("factor_dim", &["64"]),
                ("epsilon", &["0.4"]),
            ],
        ),
    ],
    &[
        (
            "ease-dan",
            &[
                ("neighbours", &["100"]),
                ("lambda", &["1"]),
                ("offset", &["20"]),
                ("alpha", &["0.85"]),
            ],
        ),
        ("ease-r", &[("neighbours", &["100"]), ("lambda", &["100"])]),
        (
            "rp3beta",
            &[
                ("alpha", &["0.6"]),
                ("beta", &["0.3"]),
                ("neighbours", &["200"]),
            ],
        ),
    ],
];
const SHARES: [f64; 3] = [0.3, 0.5, 0.7];

/// All settings of the grid that can be fitted to these interactions in a reasonable time.
fn grid(interactions: &Interactions) -> Vec<FilterConfig> {
    let mut configs = products(GRID, interactions);
    let [first, second] = MIXED.map(|values| products(values, interactions));
    for first in &first {
        for second in &second {
            configs.extend(SHARES.map(|share| mix(share, first, second)));
        }
    }
    configs
}

fn mix(share: f64, first: &FilterConfig, second: &FilterConfig) -> FilterConfig {
    Mix::new([(share, first.clone()), (1.0 - share, second.clone())]).into()
}

fn products(grid: &[Values], interactions: &Interactions) -> Vec<FilterConfig> {
    let mut configs: Vec<FilterConfig> = Vec::new();
    for (name, changes) in grid {
        let Ok(start) = FilterConfig::for_shape(name, interactions.shape()) else {
            continue;
        };
        let mut products = vec![start];
        for (setting, values) in *changes {
            products = products
                .iter()
                .flat_map(|config| values.iter().map(|value| changed(config, setting, value)))
                .collect();
        }
        for config in products {
            if let Some(config) = adapted(config, interactions)
                && !configs.contains(&config)
            {
                configs.push(config);
            }
        }
    }
    configs
}

fn changed(config: &FilterConfig, setting: &str, value: &str) -> FilterConfig {
    let mut changed = config.clone();
    if let Err(error) = changed.set(setting, value) {
        panic!("the grid is wrong: {}", bspm::with_sources(&error));
    }
    changed
}

/// Prints the selected settings with their relative NDCG.
fn report(results: &Results, picks: usize) {
    let sets: Vec<&String> = results.keys().collect();
    println!("| setting | mean | minimum | {} |", names(&sets));
    println!("| --- | --- | --- |{}", " --- |".repeat(sets.len()));
    let mut picked: Vec<&str> = Vec::new();
    for pick in pick(results, &sets, picks) {
        picked.push(pick);
        let shares: Vec<f64> = sets
            .iter()
            .map(|set| share(&results[*set], &picked))
            .collect();
        let mean = shares.iter().sum::<f64>() / shares.len() as f64;
        let least = shares.iter().copied().fold(1.0, f64::min);
        let columns: Vec<String> = shares.iter().map(|share| format!("{share:.3}")).collect();
        println!(
            "| {pick} | {mean:.4} | {least:.3} | {} |",
            columns.join(" | ")
        );
    }
    println!();
    println!("Leave-one-out validation:");
    for left_out in &sets {
        let others: Vec<&String> = sets.iter().copied().filter(|it| it != left_out).collect();
        let picked = pick(results, &others, picks);
        let shares = (1..=picked.len()).map(|end| share(&results[*left_out], &picked[..end]));
        let shares: Vec<String> = shares.map(|share| format!("{share:.3}")).collect();
        println!("{left_out}: {}", shares.join(" "));
    }
}

fn names(sets: &[&String]) -> String {
    let names: Vec<&str> = sets.iter().map(|it| it.as_str()).collect();
    names.join(" | ")
}

/// The relative NDCG: the best value of these settings, divided by the best value of all settings.
fn share(values: &BTreeMap<String, f64>, picked: &[&str]) -> f64 {
    let best = values.values().copied().fold(0.0, f64::max);
    let of_picked = picked.iter().filter_map(|it| values.get(*it));
    of_picked.copied().fold(0.0, f64::max) / best
}

/// Selects settings one after the other: each time, the one that increases the mean relative NDCG most.
fn pick<'r>(results: &'r Results, sets: &[&String], picks: usize) -> Vec<&'r str> {
    let mut all: Vec<&str> = results
        .values()
        .flat_map(|it| it.keys().map(String::as_str))
        .collect();
    all.sort_unstable();
    all.dedup();
    let mut picked: Vec<&str> = Vec::new();
    while picked.len() < picks {
        let sum = |next: &str| -> f64 {
            let with: Vec<&str> = picked.iter().copied().chain([next]).collect();
            sets.iter().map(|set| share(&results[*set], &with)).sum()
        };
        let best = all
            .iter()
            .copied()
            .max_by(|left, right| sum(left).total_cmp(&sum(right)));
        match best {
            Some(best) if !picked.contains(&best) => picked.push(best),
            _ => break,
        }
    }
    picked
}
