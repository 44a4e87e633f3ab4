//! Compares the CPU backend, libtorch's CPU device and CUDA, by stage and as a whole: on Gowalla (the real split if
//! `BSPM_DATA` is set, and generated interactions otherwise), and on 300,000 generated users and items. Each
//! stage is one group with a row for each device, so that criterion compares them in one report.

mod gowalla;

use std::sync::Arc;
use std::time::Duration;

use bspm::backend::{Direction, Operand, Update};
use bspm::data::SyntheticShape;
use bspm::engine::{NormalizedGraph, truncated_svd};
use bspm::fitted::RankOptions;
use bspm::{
    Backend, BspmConfig, CpuBackend, FitOptions, FittedFilter, Interactions, Preset, TorchBackend,
    TorchDevice,
};
use criterion::{Criterion, criterion_group, criterion_main};

const STAGES: [&str; 5] = [
    "spmm of 64 columns",
    "truncated SVD",
    "fit",
    "batch of 2048 users",
    "fit, and lists of all users",
];

/// One iteration of each of [`STAGES`].
type Runs = [Box<dyn FnMut()>; STAGES.len()];

struct Data {
    name: &'static str,
    interactions: Interactions,
    config: BspmConfig,
}

fn runs<B: Backend + 'static>(backend: B, data: &Data) -> Runs {
    const COLUMNS: usize = 64;
    let interactions = Arc::new(data.interactions.clone());
    let graph = Arc::new(NormalizedGraph::new(&backend, &interactions).unwrap());
    let factor_dim = data.config.ideal_low_pass().unwrap().factor_dim;

    let spmm = {
        let (backend, graph) = (backend.clone(), graph.clone());
        let items = backend.zeros(interactions.items(), COLUMNS).unwrap();
        let mut users = backend.zeros(interactions.users(), COLUMNS).unwrap();
        move || {
            let right = Operand::Dense(&items);
            let replace = Update::REPLACE;
            backend
                .spmm(
                    graph.sparse(),
                    Direction::Forward,
                    right,
                    replace,
                    &mut users,
                )
                .unwrap();
            // The copy of one column waits for the device.
            let column = backend.columns(&users, 0..1).unwrap();
            backend.download(&column).unwrap();
        }
    };
    let svd = {
        let backend = backend.clone();
        move || drop(truncated_svd(&backend, &graph, factor_dim, &FitOptions::new()).unwrap())
    };
    let fit = {
        let config = data.config.clone();
        move || FittedFilter::fit(backend.clone(), (*interactions).clone(), config.clone()).unwrap()
    };
    let fitted = fit();
    let batch: Vec<u32> = (0..2048).collect();
    let all: Vec<u32> = (0..data.interactions.users() as u32).collect();
    let whole = fit.clone();
    [
        Box::new(spmm),
        Box::new(svd),
        Box::new(move || drop(fit())),
        Box::new(move || drop(fitted.rank(&batch, &RankOptions::top(20)).unwrap())),
        Box::new(move || drop(whole().rank(&all, &RankOptions::top(20)).unwrap())),
    ]
}

fn compare(criterion: &mut Criterion, data: &Data) {
    let mut devices = vec![("cpu", runs(CpuBackend::new(), data))];
    for (name, device) in [
        ("torch-cpu", TorchDevice::Cpu),
        ("cuda", TorchDevice::Cuda(0)),
    ] {
        match device.check() {
            Ok(()) => devices.push((name, runs(TorchBackend::new(device).unwrap(), data))),
            Err(reason) => eprintln!("{device} is skipped: {reason}"),
        }
    }
    for (place, stage) in STAGES.iter().enumerate() {
        let mut group = criterion.benchmark_group(format!("{}: {stage}", data.name));
        group
            .sample_size(10)
            .measurement_time(Duration::from_secs(20));
        for (name, runs) in &mut devices {
            group.bench_function(*name, |bencher| bencher.iter(&mut runs[place]));
        }
        group.finish();
    }
}

fn gowalla(criterion: &mut Criterion) {
    compare(
        criterion,
        &Data {
            name: "Gowalla",
            interactions: gowalla::interactions(),
            config: Preset::Gowalla.config(),
        },
    );
}

fn large(criterion: &mut Criterion) {
    let shape = SyntheticShape {
        users: 300_000,
        items: 300_000,
        train: 9_000_000,
        test: 300_000,
        communities: 1_000,
    };
    compare(
        criterion,
        &Data {
            name: "300,000 x 300,000",
            interactions: shape.generate(2023).expect("a shape that exists").train,
            config: BspmConfig::default(),
        },
    );
}

criterion_group!(benches, gowalla, large);
criterion_main!(benches);
