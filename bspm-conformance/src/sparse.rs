//! Sparse products and histories.

use ndarray::Array2;
use rand::rngs::ChaCha8Rng;
use sprs::CsMatViewI;

use super::{
    assert_close, random_interactions, random_matrix, random_source, random_weights, to_f64,
};
use bspm_core::backend::{Backend, Direction, Operand, SparseParts, Update};
use bspm_data::History;
use bspm_data::Interactions;

const SHAPES: [(usize, usize, usize); 5] = [
    (1, 1, 1),
    (6, 9, 0),
    (11, 5, 20),
    (29, 40, 300),
    (64, 33, 700),
];
const COLUMNS: [usize; 8] = [0, 1, 2, 8, 13, 32, 33, 70];

struct Instance<B: Backend> {
    walk: B::Sparse,
    to_users: Array2<f64>,
    to_items: Array2<f64>,
}

fn instance<B: Backend>(backend: &B, interactions: &Interactions) -> Instance<B> {
    let mut random = random_source(1);
    let (users, items) = (interactions.users(), interactions.items());
    let user_scale = random_matrix(users, 1, &mut random)
        .into_raw_vec_and_offset()
        .0;
    let item_scale = random_matrix(items, 1, &mut random)
        .into_raw_vec_and_offset()
        .0;
    let transposed = interactions.transposed_csr();
    let transposed_weights = interactions.transposed_weights();
    let weights = interactions.weights().zip(transposed_weights.as_deref());
    let walk = backend
        .upload_sparse(SparseParts::Walk {
            user_items: interactions.as_csr(),
            item_users: transposed.view(),
            user_scale: &user_scale,
            item_scale: &item_scale,
            weights,
        })
        .unwrap();
    Instance {
        walk,
        to_users: dense(interactions.as_csr(), weights.map(|it| it.0), &user_scale),
        to_items: dense(transposed.view(), weights.map(|it| it.1), &item_scale),
    }
}

fn dense(pattern: CsMatViewI<'_, (), u32>, weights: Option<&[f32]>, scale: &[f32]) -> Array2<f64> {
    let mut matrix = Array2::zeros(pattern.shape());
    for (place, (_, (row, column))) in pattern.iter().enumerate() {
        let weight = weights.map_or(1.0, |weights| f64::from(weights[place]));
        matrix[[row as usize, column as usize]] = weight * f64::from(scale[row as usize]);
    }
    matrix
}

/// Matrices of every shape, 0/1 and weighted.
fn matrices(random: &mut ChaCha8Rng) -> Vec<Interactions> {
    let plain =
        SHAPES.map(|(users, items, count)| random_interactions(users, items, count, random));
    let weighted = plain
        .each_ref()
        .map(|matrix| random_weights(matrix, random));
    plain.into_iter().chain(weighted).collect()
}

/// Both halves of the walk match the dense product, with every kind of update, at every width.
pub fn spmm_matches_the_dense_product<B: Backend>(backend: &B) {
    let mut random = random_source(2);
    for interactions in matrices(&mut random) {
        let instance = instance(backend, &interactions);
        for columns in COLUMNS {
            for direction in [Direction::Forward, Direction::Transposed] {
                let half = match direction {
                    Direction::Forward => &instance.to_users,
                    Direction::Transposed => &instance.to_items,
                };
                let dense = random_matrix(half.ncols(), columns, &mut random);
                let addend = random_matrix(half.nrows(), columns, &mut random);
                let before = random_matrix(half.nrows(), columns, &mut random);
                let product = half.dot(&to_f64(dense.view()));
                for (factor, keep, with_addend) in [
                    (1.0, 0.0, false),
                    (-0.5, 0.0, true),
                    (2.0, 1.0, false),
                    (0.25, -1.5, true),
                ] {
                    let added = if with_addend { 0.75 } else { 0.0 };
                    let expected = &product * f64::from(factor)
                        + to_f64(before.view()) * f64::from(keep)
                        + to_f64(addend.view()) * added;
                    let device_addend = backend.upload(addend.view()).unwrap();
                    let update = Update {
                        product: factor,
                        keep,
                        addend: with_addend.then_some((0.75, &device_addend)),
                    };
                    let mut out = backend.upload(before.view()).unwrap();
                    let dense = backend.upload(dense.view()).unwrap();
                    let right = Operand::Dense(&dense);
                    backend
                        .spmm(&instance.walk, direction, right, update, &mut out)
                        .unwrap();
                    assert_close(backend, &out, &expected, 1e-6);
                }
                if columns > 0 && half.nrows() > 0 {
                    let mut poisoned = before.clone();
                    poisoned.fill(f32::NAN);
                    let mut out = backend.upload(poisoned.view()).unwrap();
                    let dense = backend.upload(dense.view()).unwrap();
                    let (right, update) = (Operand::Dense(&dense), Update::REPLACE);
                    backend
                        .spmm(&instance.walk, direction, right, update, &mut out)
                        .unwrap();
                    assert_close(backend, &out, &product, 1e-6);
                }
            }
        }
    }
}

/// A tile of histories: dense `items x columns`, and the same on the device.
fn histories<B: Backend>(
    backend: &B,
    interactions: &Interactions,
    columns: usize,
) -> (Array2<f64>, B::Histories) {
    histories_up_to(backend, interactions, columns, |_| usize::MAX)
}

/// [`histories`] with at most `longest` items each.
fn histories_up_to<B: Backend>(
    backend: &B,
    interactions: &Interactions,
    columns: usize,
    longest: impl Fn(usize) -> usize,
) -> (Array2<f64>, B::Histories) {
    let weights = random_matrix(interactions.items(), 1, &mut random_source(3));
    let rows: Vec<(Vec<u32>, Vec<f32>)> = (0..columns.saturating_sub(1))
        .map(|column| {
            let history = interactions.history_of((column * 3 % interactions.users()) as u32);
            history.entries().take(longest(column)).unzip()
        })
        .collect();
    let mut dense = Array2::zeros((interactions.items(), columns));
    for (column, (items, counts)) in rows.iter().enumerate() {
        for (&item, &count) in items.iter().zip(counts) {
            let weight = f64::from(weights[[item as usize, 0]]);
            dense[[item as usize, column]] = f64::from(count) * weight;
        }
    }
    let rows: Vec<History<'_>> = rows
        .iter()
        .map(|(items, counts)| History::from(items).weighted(counts).unwrap())
        .collect();
    let weights: Vec<f32> = weights.into_iter().collect();
    let device = backend.upload_histories(&rows, &weights, columns).unwrap();
    (dense, device)
}

/// The first product of the blurring process matches the dense product. The last column has no history.
pub fn spmm_of_histories_matches_the_dense_product<B: Backend>(backend: &B) {
    for interactions in matrices(&mut random_source(4)) {
        let users = interactions.users();
        let instance = instance(backend, &interactions);
        for columns in COLUMNS {
            let (dense, device) = histories(backend, &interactions, columns);
            let mut out = backend
                .upload(random_matrix(users, columns, &mut random_source(5)).view())
                .unwrap();
            let right = Operand::Histories(&device);
            for factor in [1.0, -0.5] {
                let (direction, update) = (Direction::Forward, Update::times(factor));
                backend
                    .spmm(&instance.walk, direction, right, update, &mut out)
                    .unwrap();
                let expected = instance.to_users.dot(&dense) * f64::from(factor);
                assert_close(backend, &out, &expected, 1e-6);
            }
        }
    }
}

/// Histories as an addend, and projected to a basis.
pub fn histories_are_added_and_projected<B: Backend>(backend: &B) {
    let mut random = random_source(6);
    for interactions in matrices(&mut random) {
        let items = interactions.items();
        for columns in COLUMNS {
            let (dense, device) = histories(backend, &interactions, columns);
            let before = random_matrix(items, columns, &mut random);
            for (scale, keep) in [(1.0, 0.0), (-0.5, 1.0), (2.0, 0.25)] {
                let mut out = backend.upload(before.view()).unwrap();
                backend
                    .add_scaled(scale, Operand::Histories(&device), keep, &mut out)
                    .unwrap();
                let expected = &dense * f64::from(scale) + to_f64(before.view()) * f64::from(keep);
                assert_close(backend, &out, &expected, 1e-6);
            }
            for factors in [0, 1, 19] {
                let basis = random_matrix(items, factors, &mut random);
                let mut out = backend
                    .upload(random_matrix(factors, columns, &mut random).view())
                    .unwrap();
                let device_basis = backend.upload(basis.view()).unwrap();
                let right = Operand::Histories(&device);
                backend
                    .matmul(&device_basis, true, right, Update::REPLACE, &mut out)
                    .unwrap();
                assert_close(backend, &out, &to_f64(basis.view()).t().dot(&dense), 1e-6);
            }
        }
    }
}

/// A product with both halves of the walk, from a matrix, from histories and in place.
pub fn an_ode_step_is_both_halves_of_the_walk<B: Backend>(backend: &B) {
    let mut random = random_source(7);
    for interactions in matrices(&mut random) {
        let (users, items) = (interactions.users(), interactions.items());
        let instance = instance(backend, &interactions);
        let whole = instance.to_items.dot(&instance.to_users);
        for columns in COLUMNS {
            let (of_histories, device) = histories(backend, &interactions, columns);
            let from = random_matrix(items, columns, &mut random);
            let before = random_matrix(items, columns, &mut random);
            let addend = random_matrix(items, columns, &mut random);
            let matrix = backend.upload(from.view()).unwrap();
            let device_addend = backend.upload(addend.view()).unwrap();
            let update = Update {
                product: -0.5,
                keep: 0.25,
                addend: Some((2.0, &device_addend)),
            };
            let starts = [
                (Some(Operand::Dense(&matrix)), to_f64(from.view())),
                (Some(Operand::Histories(&device)), of_histories),
                (None, to_f64(before.view())),
            ];
            for (start, expected) in starts {
                let mut half_way = backend.zeros(users, columns).unwrap();
                let mut out = backend.upload(before.view()).unwrap();
                backend
                    .ode_step(&instance.walk, start, update, &mut half_way, &mut out)
                    .unwrap();
                let expected = whole.dot(&expected) * -0.5
                    + to_f64(before.view()) * 0.25
                    + to_f64(addend.view()) * 2.0;
                assert_close(backend, &out, &expected, 1e-6);
            }
        }
    }
}

/// A product with both halves of the walk, only from histories: of all lengths, of single items, and of
/// both in one tile.
pub fn an_ode_step_walks_from_histories<B: Backend>(backend: &B) {
    let mut random = random_source(8);
    let all: fn(usize) -> usize = |_| usize::MAX;
    let single: fn(usize) -> usize = |_| 1;
    let mixed: fn(usize) -> usize = |column| column % 3;
    for interactions in matrices(&mut random) {
        let (users, items) = (interactions.users(), interactions.items());
        let instance = instance(backend, &interactions);
        let whole = instance.to_items.dot(&instance.to_users);
        for columns in COLUMNS {
            for longest in [all, single, mixed] {
                let (from, device) = histories_up_to(backend, &interactions, columns, longest);
                let (start, update) = (Operand::Histories(&device), Update::times(-0.5));
                let scratch = random_matrix(users, columns, &mut random);
                let mut half_way = backend.upload(scratch.view()).unwrap();
                let before = random_matrix(items, columns, &mut random);
                let mut out = backend.upload(before.view()).unwrap();
                backend
                    .ode_step(&instance.walk, Some(start), update, &mut half_way, &mut out)
                    .unwrap();
                assert_close(backend, &out, &(whole.dot(&from) * -0.5), 1e-6);
            }
        }
    }
}
