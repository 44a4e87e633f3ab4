//! The latency of a service, at Gowalla's shape: the recommendations of one user on one thread, as
//! percentiles, which criterion does not report, and the time to open a saved model.

mod gowalla;

use std::hint::black_box;
use std::time::{Duration, Instant};

use bspm::{CpuBackend, Dataset, Model, Preset};
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

    let model: Model<_, u32, u32> = Model::open(CpuBackend::with_threads(1)?, &path)?;
    let users = model.dataset().users().len();
    let requests: Vec<Duration> = (0..REQUESTS)
        .map(|request| {
            let user = (request * 7919 % users) as u32;
            let start = Instant::now();
            black_box(model.recommend(&user, 20)?);
            Ok(start.elapsed())
        })
        .collect::<bspm::Result<_>>()?;
    report("recommend, one thread", requests);
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
