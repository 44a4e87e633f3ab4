//! Compares the CPU backend, libtorch's CPU device and CUDA, by stage and as a whole: on Gowalla (the real split if
//! `BSPM_DATA` is set, and generated interactions otherwise), and with BSPM_LARGE=1 on 300,000 generated users and
//! items. Each stage is one group with a row for each device, so that criterion compares them in one report.

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

/// The columns of the sparse product: fewer than in a tile of libtorch, so that the devices do the same work.
const COLUMNS: usize = 64;

/// A data set with the settings of BSPM.
struct Data {
    name: &'static str,
    interactions: Interactions,
    config: BspmConfig,
}

/// One iteration of a stage, with its name.
type Stage = (String, Box<dyn FnMut()>);

fn stages<B: Backend + 'static>(backend: B, data: &Data) -> Vec<Stage> {
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
    let options = RankOptions::top(20);
    let fit_and_rank = {
        let (fit, options) = (fit.clone(), options.clone());
        move || drop(fit().rank(&all, &options).unwrap())
    };
    vec![
        (format!("spmm of {COLUMNS} columns"), Box::new(spmm)),
        (format!("truncated SVD of {factor_dim}"), Box::new(svd)),
        ("fit".into(), Box::new(move || drop(fit()))),
        (
            "batch of 2048 users".into(),
            Box::new(move || drop(fitted.rank(&batch, &options).unwrap())),
        ),
        ("fit, and lists of all users".into(), Box::new(fit_and_rank)),
    ]
}

fn compare(criterion: &mut Criterion, data: &Data) {
    let mut devices = vec![("cpu", stages(CpuBackend::new(), data))];
    for (name, device) in [
        ("torch-cpu", TorchDevice::Cpu),
        ("cuda", TorchDevice::Cuda(0)),
    ] {
        match device.check() {
            Ok(()) => devices.push((name, stages(TorchBackend::new(device).unwrap(), data))),
            Err(reason) => eprintln!("{device} is skipped: {reason}"),
        }
    }
    for place in 0..devices[0].1.len() {
        let mut group =
            criterion.benchmark_group(format!("{}: {}", data.name, devices[0].1[place].0));
        group
            .sample_size(10)
            .measurement_time(Duration::from_secs(20));
        for (device, stages) in &mut devices {
            group.bench_function(*device, |bencher| bencher.iter(&mut stages[place].1));
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
    if std::env::var_os("BSPM_LARGE").is_none_or(|it| it != "1") {
        eprintln!("300,000 users and items are skipped: BSPM_LARGE=1 includes them");
        return;
    }
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
