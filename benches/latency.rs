//! The latency of a service, at Gowalla's shape: the recommendations of one user on one thread, of all
//! items and of a filtered half, as percentiles, which criterion does not report, and the time to open a
//! saved model.

mod gowalla;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bspm::data::ItemSet;
use bspm::{CpuBackend, Dataset, FilterConfig, Model, Preset, RecommendOptions};
use gowalla::interactions;

const REQUESTS: usize = 3000;
const OPENINGS: usize = 30;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let interactions = interactions();
    let dataset = Dataset::from_interactions(
        (0..interactions.users() as u32).collect(),
        (0..interactions.items() as u32).collect(),
        interactions,
    )?;
    let model = Model::fit(CpuBackend::new(), dataset, Preset::Gowalla.config())?;

    let directory = tempfile::tempdir()?;
    let path = directory.path().join("gowalla.bspm");
    model.save(&path)?;
    let megabytes = std::fs::metadata(&path)?.len() as f64 / 1e6;
    println!("model file                {megabytes:8.1} MB");
    let openings: Vec<Duration> = (0..OPENINGS)
        .map(|_| {
            let start = Instant::now();
            let opened: Model<CpuBackend, u32, u32> = Model::open(CpuBackend::new(), &path)?;
            let time = start.elapsed();
            black_box(opened);
            Ok(time)
        })
        .collect::<bspm::Result<_>>()?;
    report("open", openings);

    let model = Model::open(CpuBackend::with_threads(1)?, &path)?;
    requests("recommend", &model)?;
    let table = FilterConfig::published("item-knn", Preset::Gowalla)?;
    let table = Model::fit(CpuBackend::with_threads(1)?, model.dataset().clone(), table)?;
    requests("neighbours", &table)
}

/// Reports the latency of lists of all items, and of those of a filtered half, in turn.
fn requests(
    name: &str,
    model: &Model<CpuBackend, u32, u32>,
) -> Result<(), Box<dyn std::error::Error>> {
    let users = model.dataset().users().len();
    let half = (0..model.dataset().items().len()).map(|item| item % 2 == 0);
    let half = Arc::new(ItemSet::new(half.collect()));
    let (mut all, mut filtered) = (Vec::new(), Vec::new());
    for request in 0..REQUESTS {
        let user = (request * 7919 % users) as u32;
        let start = Instant::now();
        black_box(model.recommend(&user, 20)?);
        all.push(start.elapsed());
        let options = RecommendOptions::top(20).allow_set(half.clone());
        let start = Instant::now();
        black_box(model.recommend(&user, options)?);
        filtered.push(start.elapsed());
    }
    report(name, all);
    report(&format!("{name}, filtered"), filtered);
    Ok(())
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: f64| {
        let place = ((times.len() - 1) as f64 * share).round() as usize;
        times[place].as_secs_f64() * 1e3
    };
    println!(
        "{what:24}  p50 {:7.2} ms  p99 {:7.2} ms  largest {:7.2} ms  of {}",
        at(0.5),
        at(0.99),
        at(1.0),
        times.len()
    );
}
