//! Compares Gowalla's lists on libtorch's CPU device with those of the CPU backend, for a fifth of the
//! users.

mod published;

use std::process::ExitCode;

use bspm::data::TrainTest;
use bspm::{CpuBackend, Interactions, Preset, TorchBackend, TorchDevice};
use libtest_mimic::Failed;

fn main() -> ExitCode {
    published::run(&[(
        "gowalla_on_torch_cpu",
        Preset::Gowalla,
        gowalla_on_torch_cpu,
    )])
    .exit_code()
}

/// The split with only the test items of every fifth user.
fn for_a_fifth(mut split: TrainTest) -> Result<TrainTest, Failed> {
    let (users, items) = (split.test.users(), split.test.items());
    let kept = split.test.pairs().filter(|(user, _)| user % 5 == 0);
    split.test = Interactions::from_pairs(users, items, kept)?;
    Ok(split)
}

/// Metrics agree to 1e-5, and at least 99.9% of the top-20 entries.
fn gowalla_on_torch_cpu(split: TrainTest) -> Result<(), Failed> {
    let split = for_a_fifth(split)?;
    let config = Preset::Gowalla.config();
    let (expected, expected_lists) =
        published::evaluate(CpuBackend::new(), &split, config.clone())?;
    let torch = TorchBackend::new(TorchDevice::Cpu)?;
    let (found, found_lists) = published::evaluate(torch, &split, config)?;
    for (name, found, expected) in [
        ("recall", found.recall, expected.recall),
        ("precision", found.precision, expected.precision),
        ("ndcg", found.ndcg, expected.ndcg),
        ("hit rate", found.hit_rate, expected.hit_rate),
        ("mrr", found.mrr, expected.mrr),
        ("map", found.map, expected.map),
    ] {
        if (found - expected).abs() > 1e-5 {
            return Err(format!("{name} is {found} on torch-cpu and {expected} on cpu").into());
        }
    }
    let pairs = expected_lists.iter().zip(&found_lists);
    let shared: usize = pairs
        .map(|(expected, found)| {
            let has = |item| expected.iter().any(|entry| entry.item == item);
            found.iter().filter(|entry| has(entry.item)).count()
        })
        .sum();
    let all: usize = expected_lists.iter().map(Vec::len).sum();
    if (shared as f64) < 0.999 * all as f64 {
        return Err(format!("only {shared} of {all} entries agree").into());
    }
    println!("{shared} of {all} entries agree");
    Ok(())
}
