//! The truncated SVD on families of difficult matrices.

use std::collections::BTreeSet;

use ndarray::{Array2, ArrayView2, s};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use super::{largest, orthogonality_loss, random_source, to_f64};
use bspm_core::FitOptions;
use bspm_core::backend::Backend;
use bspm_core::engine::NormalizedGraph;
use bspm_core::engine::{SvdReport, SvdStop, truncated_svd};
use bspm_data::Interactions;

/// Orthogonality, rank, Ritz values and projection agree with a dense decomposition in `f64`, for every
/// family and for numbers of vectors from one to more than the rank.
pub fn every_family_of_matrices_has_a_truncated_svd<B: Backend>(backend: &B) {
    for (name, make) in FAMILIES {
        for seed in 0..2 {
            let interactions = make(&mut random_source(seed));
            let exact = Exact::new(backend, &interactions);
            let graph = NormalizedGraph::new(backend, &interactions).unwrap();
            let shape = (interactions.users(), interactions.items());
            let beyond = shape.0.max(shape.1) + 7;
            let asked: BTreeSet<usize> = [1, 16, 64, 256, 448, exact.rank(), exact.rank() + 3]
                .into_iter()
                .chain([beyond])
                .filter(|&factor_dim| factor_dim > 0)
                .collect();
            for factor_dim in asked {
                let svd = truncated_svd(backend, &graph, factor_dim, &FitOptions::new()).unwrap();
                let vectors = to_f64(backend.download(&svd.right_vectors).unwrap().view());
                let values: Vec<f64> = svd
                    .singular_values
                    .iter()
                    .map(|&value| f64::from(value).powi(2))
                    .collect();
                exact
                    .compare(factor_dim, &values, vectors.view(), &svd.report)
                    .unwrap_or_else(|error| {
                        panic!(
                            "{name} {shape:?}, {factor_dim} requested: {error}; {}",
                            svd.report
                        )
                    });
            }
        }
    }
}

/// The decomposition of `P` in `f64`.
struct Exact {
    /// Descending.
    values: Vec<f64>,
    vectors: Array2<f64>,
}

impl Exact {
    fn new<B: Backend>(backend: &B, interactions: &Interactions) -> Self {
        let mut normalised = Array2::<f64>::zeros((interactions.users(), interactions.items()));
        let (users, items) = (interactions.user_degrees(), interactions.item_degrees());
        for (user, item) in interactions.pairs() {
            let degrees = f64::from(users[user as usize]) * f64::from(items[item as usize]);
            normalised[[user as usize, item as usize]] = degrees.sqrt().recip();
        }
        let eigen = backend
            .symmetric_eigen(normalised.t().dot(&normalised).view())
            .unwrap();
        Self {
            values: eigen.values.into_iter().rev().collect(),
            vectors: eigen.vectors.slice_move(s![.., ..;-1]),
        }
    }

    /// The number of eigenvalues above `value`.
    fn above(&self, value: f64) -> usize {
        self.values.iter().take_while(|&&it| it > value).count()
    }

    fn rank(&self) -> usize {
        self.above(1e-9)
    }

    /// Returns an error that describes the first difference, if there is one.
    fn compare(
        &self,
        factor_dim: usize,
        values: &[f64],
        vectors: ArrayView2<'_, f64>,
        report: &SvdReport,
    ) -> Result<(), String> {
        let found = values.len();
        // Eigenvalues near the rounding error of `f32` may count as zero.
        let expected = factor_dim.min(self.above(1e-5))..=factor_dim.min(self.above(1e-8));
        if !expected.contains(&found) || (report.asked, report.found) != (factor_dim, found) {
            return Err(format!("{found} vectors, expected {expected:?}"));
        }
        if report.stop == SvdStop::MaxRounds {
            return Err("the maximum number of rounds was reached".into());
        }
        if found == 0 {
            return Ok(());
        }
        check("orthogonality", orthogonality_loss(vectors), 1e-5)?;
        for (value, expected) in values.iter().zip(&self.values) {
            check("Ritz value", (value - expected).abs(), 1e-4)?;
        }
        let captured: f64 = values.iter().sum();
        let best: f64 = self.values[..found].iter().sum();
        check("trace left out", 1.0 - captured / best, 1e-4)?;
        let beyond = self.values.get(found).copied().unwrap_or(0.0).max(0.0);
        if self.values[found - 1] - beyond > 1e-2 {
            let exact = self.vectors.slice(s![.., ..found]);
            let difference = vectors.dot(&vectors.t()) - exact.dot(&exact.t());
            check("projection", largest(&difference), 1e-4)?;
        }
        Ok(())
    }
}

fn check(what: &str, error: f64, limit: f64) -> Result<(), String> {
    match error <= limit {
        true => Ok(()),
        false => Err(format!("{what} is off by {error:e}, more than {limit:e}")),
    }
}

type Family = fn(&mut ChaCha8Rng) -> Interactions;

const FAMILIES: [(&str, Family); 16] = [
    ("dense and skewed", |random| skewed(500, 430, random)),
    ("dense and skewed, few users", |random| {
        skewed(90, 600, random)
    }),
    ("dense and skewed, few items", |random| {
        skewed(700, 40, random)
    }),
    ("equal degrees", |random| {
        sparse(
            400,
            400,
            |_, random| (0..8).map(|_| random.random_range(0..400)).collect(),
            random,
        )
    }),
    ("power law with communities", communities),
    ("disconnected blocks", |random| blocks(60, 8, random)),
    ("more blocks than the iteration is wide", |random| {
        blocks(150, 3, random)
    }),
    ("stars", |_| star_pairs(120, 4)),
    ("one star", |_| star_pairs(1, 300)),
    ("low rank with repeated rows", |random| {
        repeated_rows(300, 350, 5, random)
    }),
    ("all alike", |random| repeated_rows(40, 300, 1, random)),
    ("complete", |_| {
        sparse(20, 290, |_, _| (0..290).collect(), &mut random_source(0))
    }),
    ("no interactions", |_| {
        sparse(7, 300, |_, _| Vec::new(), &mut random_source(0))
    }),
    ("one interaction", |_| {
        Interactions::from_pairs(9, 400, [(3, 77)]).unwrap()
    }),
    ("one user", |_| star_pairs(1, 12)),
    ("one item", |_| {
        Interactions::from_pairs(12, 1, (0..9).map(|user| (user, 0))).unwrap()
    }),
];

/// Interactions of each user with the items that `row` returns.
fn sparse(
    users: u32,
    items: usize,
    mut row: impl FnMut(u32, &mut ChaCha8Rng) -> Vec<u32>,
    random: &mut ChaCha8Rng,
) -> Interactions {
    let pairs: Vec<(u32, u32)> = (0..users)
        .flat_map(|user| row(user, random).into_iter().map(move |item| (user, item)))
        .collect();
    Interactions::from_pairs(users as usize, items, pairs).unwrap()
}

/// Nearly all users have the first items.
fn skewed(users: u32, items: u32, random: &mut ChaCha8Rng) -> Interactions {
    let row = |_, random: &mut ChaCha8Rng| {
        let activity: f64 = random.random_range(0.2..1.5);
        let likely = |item: u32| (30.0 * activity / f64::from(item + 20)).min(0.98);
        (0..items)
            .filter(|&item| random.random_bool(likely(item)))
            .collect()
    };
    sparse(users, items as usize, row, random)
}

fn communities(random: &mut ChaCha8Rng) -> Interactions {
    let row = |user: u32, random: &mut ChaCha8Rng| {
        let activity: f64 = random.random_range(0.02..1.0_f64);
        (0..(4.0 / activity).min(80.0) as u32)
            .map(|_| {
                let popular = (460.0 * random.random_range(0.0..1.0_f64).powi(3)) as u32;
                match random.random_bool(0.7) {
                    true => popular / 12 * 12 % 456 + user % 12,
                    false => popular,
                }
            })
            .collect()
    };
    sparse(520, 470, row, random)
}

/// Blocks of `size x size`, of which about half the cells are filled.
fn blocks(count: u32, size: u32, random: &mut ChaCha8Rng) -> Interactions {
    let row = |user: u32, random: &mut ChaCha8Rng| {
        let start = user / size * size;
        (start..start + size)
            .filter(|&item| item == user || random.random_bool(0.5))
            .collect()
    };
    sparse(count * size, (count * size) as usize, row, random)
}

/// Users with items that no other user has.
fn star_pairs(users: u32, items: u32) -> Interactions {
    let row = |user: u32, _: &mut ChaCha8Rng| (user * items..(user + 1) * items).collect();
    sparse(users, (users * items) as usize, row, &mut random_source(0))
}

/// Users who each have one of a few histories.
fn repeated_rows(users: u32, items: u32, kinds: usize, random: &mut ChaCha8Rng) -> Interactions {
    let histories: Vec<Vec<u32>> = (0..kinds)
        .map(|_| (0..items).filter(|_| random.random_bool(0.1)).collect())
        .collect();
    let row = |user: u32, _: &mut ChaCha8Rng| histories[user as usize % kinds].clone();
    sparse(users, items as usize, row, random)
}
