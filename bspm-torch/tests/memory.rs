//! The memory that counts against the budget is the memory that is used: compares the peak of the process,
//! as reported by the kernel, with the peak of the budget. This is one test, because a process has one
//! peak.

#![cfg(target_os = "linux")]

use std::process::Command;
use std::{env, fs};

use bspm_core::data::SyntheticShape;
use bspm_core::filters::EaseR;
use bspm_core::fitted::RankOptions;
use bspm_core::{Backend, BspmConfig, FittedFilter, Interactions, Preset, Solver};
use bspm_torch::{TorchBackend, TorchDevice};
use ndarray::Array2;

/// Returns the bytes of `VmRSS` or `VmHWM`.
fn memory(field: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    let kilobytes = line.split_whitespace().nth(1).unwrap();
    1024 * kilobytes.parse::<usize>().unwrap()
}

/// Runs `work`, and returns the peak of the bytes that the process used in addition to those before.
fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = memory("VmRSS");
    let result = work();
    (result, memory("VmHWM") - before)
}

fn assert_within_a_tenth(what: &str, measured: usize, counted: usize) {
    let ratio = measured as f64 / counted as f64;
    println!("{what}: measured {measured}, counted {counted}, ratio {ratio:.3}");
    assert!((0.9..1.1).contains(&ratio), "{what}: {ratio}");
}

/// Starts the measurements in a process that returns freed blocks to the system. Otherwise, the allocator keeps some of
/// them, and the peak depends on the threads.
#[test]
fn what_a_batch_an_inverse_and_ease_r_take_is_what_is_counted() {
    let status = Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "measurements", "--nocapture"])
        .env("MALLOC_MMAP_THRESHOLD_", "1000000")
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
#[ignore = "the other test runs it, with a setting of the allocator"]
fn measurements() {
    let backend = TorchBackend::new(TorchDevice::Cpu).unwrap();

    let shape = SyntheticShape {
        users: 15_000,
        items: 20_000,
        train: 400_000,
        test: 30_000,
        communities: 40,
    };
    let interactions = shape.generate(0).unwrap().train;
    let config = BspmConfig::builder()
        .sharpen(Solver::Rk4, 2.5, 1)
        .ideal_low_pass(32, 0.2)
        .build()
        .unwrap();
    let fitted = FittedFilter::fit(backend.clone(), interactions, config).unwrap();
    let users: Vec<u32> = (0..2048).collect();
    let rank = || fitted.rank(&users, &RankOptions::top(20)).unwrap();
    drop(rank());
    let before = backend.reset_peak_memory();
    let (_, measured) = peak_of(rank);
    assert_within_a_tenth("a batch", measured, backend.peak_memory() - before);
    drop(fitted);

    let size = 8000;
    let matrix = |size: usize| {
        let matrix = Array2::<f32>::eye(size) * 2.0;
        backend.upload(matrix.view()).unwrap()
    };
    // At the first inverse, libraries allocate memory for their threads and keep it.
    drop(backend.invert_positive_definite(matrix(800)).unwrap());
    let matrix = matrix(size);
    let before = backend.reset_peak_memory();
    let (inverse, measured) = peak_of(|| backend.invert_positive_definite(matrix).unwrap());
    let counted = backend.peak_memory() - before;
    println!("an inverse: measured {measured}, counted {counted}");
    assert!(measured < counted + 4 * size * size / 10);
    drop(inverse);

    let place = |user: u32, step: u32| (user, (user * 7 + step * step * 131) % 8_000);
    let pairs = (0..8_000).flat_map(|user| (0..30).map(move |step| place(user, step)));
    let interactions = Interactions::from_pairs(size, size, pairs).unwrap();
    let settings = EaseR::published(Preset::Gowalla).lambda(10.0);
    let fit = || FittedFilter::fit(backend.clone(), interactions, settings).unwrap();
    let before = backend.reset_peak_memory();
    let (_, measured) = peak_of(fit);
    let counted = backend.peak_memory() - before;
    assert_within_a_tenth("a fit of EASE-R", measured, counted);
    assert_within_a_tenth("8 bytes per pair of items", measured, 8 * size * size);
}
