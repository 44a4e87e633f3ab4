//! The speed of the kernels and stages at Gowalla's shape. Uses the real split if `BSPM_DATA` is set to its
//! folder, and generated interactions otherwise.

mod gowalla;

use std::hint::black_box;
use std::time::Duration;

use bspm::backend::{Direction, Operand, Update};
use bspm::data::Duplicates;
use bspm::engine::{NormalizedGraph, truncated_svd};
use bspm::fitted::RankOptions;
use bspm::{Backend, CpuBackend, FitOptions, FittedFilter, Interactions, Preset};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gowalla::interactions;
use ndarray::Array2;

/// Both halves of the walk on a tile, on one thread, for the 0/1 matrix and for a weighted matrix.
fn spmm(criterion: &mut Criterion) {
    let interactions = interactions();
    let weighted = interactions
        .pairs()
        .enumerate()
        .map(|(place, (user, item))| (user, item, 0.5 + (place * 7919 % 1009) as f32 / 500.0));
    let (users, items) = (interactions.users(), interactions.items());
    let weighted = Interactions::from_weighted(users, items, weighted, Duplicates::Sum).unwrap();
    let backend = CpuBackend::new();
    let mut group = criterion.benchmark_group("spmm");
    for (name, interactions) in [("0/1", &interactions), ("weighted", &weighted)] {
        let graph = NormalizedGraph::new(&backend, interactions).unwrap();
        let columns = graph.tile_columns();
        let values = Array2::from_shape_fn((items, columns), |(row, column)| {
            (row * 31 + column) as f32 % 1.7
        });
        let values = backend.upload(values.view()).unwrap();
        let mut half_way = backend.zeros(users, columns).unwrap();
        let mut back = backend.zeros(items, columns).unwrap();
        group.throughput(Throughput::Elements((interactions.len() * columns) as u64));
        let (replace, forward) = (Update::REPLACE, Direction::Forward);
        group.bench_function(format!("items to users, {name}"), |bencher| {
            bencher.iter(|| {
                let right = Operand::Dense(&values);
                backend
                    .spmm(graph.sparse(), forward, right, replace, &mut half_way)
                    .unwrap();
            });
        });
        group.bench_function(format!("users to items, {name}"), |bencher| {
            bencher.iter(|| {
                let right = Operand::Dense(&half_way);
                backend
                    .spmm(
                        graph.sparse(),
                        Direction::Transposed,
                        right,
                        replace,
                        &mut back,
                    )
                    .unwrap();
            });
        });
    }
    group.finish();
}

fn svd(criterion: &mut Criterion) {
    let backend = CpuBackend::new();
    let graph = NormalizedGraph::new(&backend, &interactions()).unwrap();
    let mut group = criterion.benchmark_group("truncated svd");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(80));
    group.bench_function("448 vectors", |bencher| {
        bencher.iter(|| truncated_svd(&backend, &graph, 448, &FitOptions::new()).unwrap());
    });
    group.finish();
}

/// Scores, mask and top-20 of one batch, with each published preset.
fn batch(criterion: &mut Criterion) {
    let interactions = interactions();
    let users: Vec<u32> = (0..2048).collect();
    let mut group = criterion.benchmark_group("batch of 2048");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(20));
    group.throughput(Throughput::Elements(users.len() as u64));
    for preset in Preset::ALL {
        let model =
            FittedFilter::fit(CpuBackend::new(), interactions.clone(), preset.config()).unwrap();
        group.bench_function(preset.name(), |bencher| {
            bencher.iter(|| {
                model
                    .rank(black_box(&users), &RankOptions::top(20))
                    .unwrap()
            });
        });
    }
    group.finish();
}

/// Mask and top-20 of one tile, on one thread.
fn top_k(criterion: &mut Criterion) {
    let interactions = interactions();
    let backend = CpuBackend::new();
    let columns = NormalizedGraph::new(&backend, &interactions)
        .unwrap()
        .tile_columns();
    let scores = Array2::from_shape_fn((interactions.items(), columns), |(row, column)| {
        ((row * 7919 + column * 104_729) % 10_007) as f32
    });
    let scale = Array2::ones((interactions.items(), 1));
    let scale = backend.upload(scale.view()).unwrap();
    let mut scores = backend.upload(scores.view()).unwrap();
    let hidden: Vec<&[u32]> = (0..columns as u32)
        .map(|user| interactions.items_of(user))
        .collect();
    let lengths = vec![20; columns];
    let mut selected = || {
        backend
            .top_k(&mut scores, &scale, &hidden, &lengths)
            .unwrap()
    };
    criterion.bench_function("top-20 of a tile", |bencher| {
        bencher.iter(&mut selected);
    });
}

criterion_group!(benches, spmm, top_k, batch, svd);
criterion_main!(benches);
