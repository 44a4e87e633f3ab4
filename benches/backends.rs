//! Compares the CPU backend with libtorch's CPU device and CUDA, at Gowalla's shape. Uses the real split if
//! `BSPM_DATA` is set to its folder, and generated interactions otherwise.

mod gowalla;

use std::time::Duration;

use bspm::backend::{Direction, Operand, Update};
use bspm::engine::{NormalizedGraph, truncated_svd};
use bspm::fitted::RankOptions;
use bspm::{Backend, CpuBackend, FitOptions, FittedFilter, Preset, TorchBackend, TorchDevice};
use criterion::{Criterion, criterion_group, criterion_main};
use gowalla::interactions;

fn stages<B: Backend>(criterion: &mut Criterion, backend: &B) {
    let interactions = interactions();
    let graph = NormalizedGraph::new(backend, &interactions).unwrap();
    let columns = graph.tile_columns();
    let mut group = criterion.benchmark_group(backend.name());
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(20));

    let items = backend.zeros(interactions.items(), columns).unwrap();
    let mut users = backend.zeros(interactions.users(), columns).unwrap();
    group.bench_function(format!("spmm of {columns} columns"), |bencher| {
        bencher.iter(|| {
            backend
                .spmm(
                    graph.sparse(),
                    Direction::Forward,
                    Operand::Dense(&items),
                    Update::REPLACE,
                    &mut users,
                )
                .unwrap();
            // The copy of one column waits for the device.
            backend
                .download(&backend.columns(&users, 0..1).unwrap())
                .unwrap()
        });
    });
    group.bench_function("truncated svd of 448", |bencher| {
        bencher.iter(|| truncated_svd(backend, &graph, 448, &FitOptions::new()).unwrap());
    });
    drop((graph, items, users));
    let model = FittedFilter::fit(backend.clone(), interactions, Preset::Gowalla.config()).unwrap();
    let batch: Vec<u32> = (0..2048).collect();
    group.bench_function("batch of 2048", |bencher| {
        bencher.iter(|| model.rank(&batch, &RankOptions::top(20)).unwrap());
    });
    group.finish();
}

fn backends(criterion: &mut Criterion) {
    stages(criterion, &CpuBackend::new());
    for device in [TorchDevice::Cpu, TorchDevice::Cuda(0)] {
        match device.check() {
            Ok(()) => stages(criterion, &TorchBackend::new(device).unwrap()),
            Err(reason) => eprintln!("{device} is skipped: {reason}"),
        }
    }
}

criterion_group!(benches, backends);
criterion_main!(benches);
