//! The entries of a column do not depend on the other columns, to the last bit.

use bspm_core::Backend;
use bspm_core::backend::{ScoredItem, Scores, Select};
use bspm_cpu::CpuBackend;
use ndarray::Array2;

/// Enough factors, and items per entry of a list, for the search for candidates.
const FACTORS: usize = 70;
const ITEMS: usize = 2600;
const PLACES: usize = 20;

/// From -1 to 1, most of them small.
fn scattered(place: usize) -> f32 {
    let value = (place as u32 + 1).wrapping_mul(2_654_435_761) as f32 / 2_147_483_648.0 - 1.0;
    value.powi(3)
}

/// The contents of a column.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// Few items are candidates for its list.
    Narrow(usize),
    /// An empty history: no score and no product.
    Empty,
    /// Scores without a product.
    Zero,
    /// The product is too small, compared with equal scores, to distinguish the items.
    Wide,
    /// A product without bounds.
    Infinite,
    /// A list of all items.
    Long(usize),
}

impl Kind {
    fn factor(self, factor: usize) -> f32 {
        match self {
            Self::Narrow(seed) | Self::Long(seed) => scattered(seed * FACTORS + factor),
            Self::Empty | Self::Zero => 0.0,
            Self::Wide => 1e-7 * scattered(5 + factor),
            Self::Infinite => [f32::INFINITY, 1.0][factor.min(1)],
        }
    }

    fn score(self, item: usize) -> f32 {
        match self {
            Self::Narrow(seed) | Self::Long(seed) => 0.1 * scattered(seed + 3 * item),
            Self::Empty => 0.0,
            Self::Zero => scattered(item),
            Self::Wide | Self::Infinite => 1.0,
        }
    }

    /// The length of its list of the best items.
    fn length(self) -> usize {
        match self {
            Self::Long(_) => ITEMS,
            _ => PLACES,
        }
    }
}

type Bits = Vec<(u32, u32)>;

fn bits(list: &[ScoredItem]) -> Bits {
    let entries = list.iter().map(|it| (it.item, it.score.to_bits()));
    entries.collect()
}

/// The best and the largest entries of each column.
fn entries(kinds: &[Kind]) -> Vec<(Bits, Bits)> {
    let backend = CpuBackend::new();
    let left = |(item, factor)| scattered(item * FACTORS + factor);
    let left = Array2::from_shape_fn((ITEMS, FACTORS), left);
    let right = |(factor, column): (usize, usize)| kinds[column].factor(factor);
    let right = Array2::from_shape_fn((FACTORS, kinds.len()), right);
    let scores = |(item, column): (usize, usize)| kinds[column].score(item);
    let scores = Array2::from_shape_fn((ITEMS, kinds.len()), scores);
    let scale = Array2::from_shape_fn((ITEMS, 1), |(item, _)| 1.0 + scattered(item).abs());
    let [left, right, scale] = [left, right, scale].map(|it| backend.upload(it.view()).unwrap());
    let scores = || backend.upload(scores.view()).unwrap();
    // The same in every column, so that a column may have any index.
    let hidden: Vec<u32> = (0..ITEMS as u32).step_by(7).collect();
    let hidden = vec![hidden.as_slice(); kinds.len()];
    let none: Vec<&[u32]> = vec![&[]; kinds.len()];
    let select = |hidden: &[&[u32]], what| {
        let scores = Scores {
            dense: &mut scores(),
            product: Some((&left, &right)),
        };
        backend.select(scores, &scale, hidden, what).unwrap()
    };
    let lengths: Vec<usize> = kinds.iter().map(|kind| kind.length()).collect();
    let best = select(&hidden, Select::Best(&lengths));
    let largest = select(&none, Select::Largest(PLACES));
    let both = best.into_iter().zip(largest);
    both.map(|(best, largest)| (bits(&best), bits(&largest)))
        .collect()
}

#[test]
fn a_column_has_the_same_bits_whatever_stands_beside_it() {
    let kinds = [
        Kind::Narrow(1),
        Kind::Empty,
        Kind::Zero,
        Kind::Wide,
        Kind::Infinite,
        Kind::Long(1),
    ];
    for width in [5, 8, 13, 16, 30, 32] {
        // Columns of one kind next to columns that are pruned alone, and next to each other.
        for kind in kinds {
            let alone: Vec<Kind> = (0..width)
                .map(|column| {
                    if column == 0 {
                        kind
                    } else {
                        Kind::Narrow(column + 1)
                    }
                })
                .collect();
            let expected = entries(&alone);
            for other in kinds {
                let mut beside = alone.clone();
                beside[width - 1] = other;
                let found = entries(&beside);
                for column in 0..width - 1 {
                    assert!(
                        found[column] == expected[column],
                        "{:?} at {column} of {width} differs next to {other:?}",
                        beside[column]
                    );
                }
                // The index does not matter either.
                if other == kind {
                    assert!(found[width - 1] == expected[0], "{kind:?} of {width}");
                }
            }
        }
    }
}

#[test]
fn every_column_has_the_best_of_its_sums() {
    for kinds in [
        vec![Kind::Narrow(1)],
        vec![Kind::Empty],
        vec![Kind::Zero],
        vec![Kind::Wide],
        vec![Kind::Long(4)],
        vec![
            Kind::Zero,
            Kind::Long(5),
            Kind::Narrow(2),
            Kind::Wide,
            Kind::Empty,
            Kind::Narrow(3),
        ],
    ] {
        for (kind, (best, largest)) in kinds.iter().zip(entries(&kinds)) {
            let score = |item: usize| {
                let products = (0..FACTORS).map(|factor| {
                    let left = scattered(item * FACTORS + factor);
                    f64::from(left) * f64::from(kind.factor(factor))
                });
                let sum = f64::from(kind.score(item)) + products.sum::<f64>();
                sum * f64::from(1.0 + scattered(item).abs())
            };
            let mut visible: Vec<f64> = (0..ITEMS).filter(|it| it % 7 != 0).map(score).collect();
            visible.sort_by(|left, right| right.total_cmp(left));
            let mut sizes: Vec<f64> = (0..ITEMS).map(|item| score(item).abs()).collect();
            sizes.retain(|&size| size > 0.0);
            sizes.sort_by(|left, right| right.total_cmp(left));
            assert_eq!(best.len(), kind.length().min(visible.len()));
            assert_eq!(largest.len(), PLACES.min(sizes.len()));
            let close = |found: f32, expected: f64| (f64::from(found) - expected).abs() < 1e-4;
            for (&(item, found), &expected) in best.iter().zip(&visible) {
                let found = f32::from_bits(found);
                assert!(close(found, expected) && close(found, score(item as usize)));
                assert!(item % 7 != 0);
            }
            for (&(item, found), &expected) in largest.iter().zip(&sizes) {
                let found = f32::from_bits(found);
                assert!(close(found.abs(), expected) && close(found, score(item as usize)));
            }
        }
    }
}
