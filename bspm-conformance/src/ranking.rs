//! Top-k selection.

use ndarray::{Array2, ArrayView1, array};

use super::{random_matrix, random_source, to_f64};
use bspm_core::backend::{Backend, Combination, ScoredItem, Scores, Select};

fn select<B: Backend>(
    backend: &B,
    scores: &Array2<f32>,
    scale: &Array2<f32>,
    hidden: &[&[u32]],
    k: usize,
) -> Vec<Vec<ScoredItem>> {
    let mut scores = backend.upload(scores.view()).unwrap();
    let scale = backend.upload(scale.view()).unwrap();
    let lengths = vec![k; hidden.len()];
    backend
        .top_k(&mut scores, &scale, hidden, &lengths)
        .unwrap()
}

/// Examples with masks, ties and lists that are not full.
pub fn top_k_masks_and_breaks_ties_by_id<B: Backend>(backend: &B) {
    let scores = array![[1.0, 5.0], [3.0, 5.0], [3.0, 5.0], [-2.0, 5.0], [3.0, 5.0]];
    let scale = array![[1.0], [1.0], [1.0], [1.0], [1.0]];
    let lists = select(backend, &scores, &scale, &[&[1], &[]], 3);
    let items = |list: &[ScoredItem]| list.iter().map(|entry| entry.item).collect::<Vec<_>>();
    assert_eq!(items(&lists[0]), [2, 4, 0]);
    assert_eq!(items(&lists[1]), [0, 1, 2]);

    let lists = select(
        backend,
        &scores,
        &scale,
        &[&[0, 1, 2, 4], &[0, 1, 2, 3, 4]],
        3,
    );
    assert_eq!(items(&lists[0]), [3]);
    assert_eq!(lists[0][0].score, -2.0);
    assert!(lists[1].is_empty());

    let zeros = array![[0.0], [-0.0], [0.0]];
    let scale = array![[1.0], [2.0], [1.0]];
    let lists = select(backend, &zeros, &scale, &[&[0]], 2);
    assert_eq!(items(&lists[0]), [1, 2], "the two zeros are equal");
}

/// Random scores with many ties give the same lists as a full sort, at every width.
pub fn top_k_matches_a_full_sort<B: Backend>(backend: &B) {
    let mut random = random_source(1);
    for columns in [1, 5, 8, 12, 32, 45] {
        for (items, k) in [(1, 1), (30, 7), (200, 20), (20, 50)] {
            let scores = random_matrix(items, columns, &mut random)
                .mapv(|score| (score * 8.0).round() / 8.0);
            let scale =
                random_matrix(items, 1, &mut random).mapv(|scale| (scale.abs() * 2.0).ceil());
            let hidden: Vec<Vec<u32>> = (0..columns as u32)
                .map(|column| {
                    (0..items as u32)
                        .filter(|item| (item + column) % 3 == 0)
                        .collect()
                })
                .collect();
            let hidden: Vec<&[u32]> = hidden.iter().map(Vec::as_slice).collect();
            let lists = select(backend, &scores, &scale, &hidden, k);
            assert_eq!(lists.len(), columns);
            for (column, list) in lists.iter().enumerate() {
                let mut expected: Vec<ScoredItem> = (0..items as u32)
                    .filter(|item| !hidden[column].contains(item))
                    .map(|item| ScoredItem {
                        item,
                        score: scores[[item as usize, column]] * scale[[item as usize, 0]],
                    })
                    .collect();
                expected.sort_by(|left, right| {
                    right
                        .score
                        .partial_cmp(&left.score)
                        .unwrap()
                        .then(left.item.cmp(&right.item))
                });
                expected.truncate(k);
                assert_eq!(
                    list, &expected,
                    "column {column} of {columns}, {items} items"
                );
            }
        }
    }
}

/// The ranks of items in sums of matrices are the ranks in the computed sums, at every width.
pub fn ranks_of_sums_match_the_sums<B: Backend>(backend: &B) {
    let mut random = random_source(31);
    for (items, columns) in [
        (1, 1),
        (60, 1),
        (60, 7),
        (90, 13),
        (90, 32),
        (70, 40),
        (1500, 32),
    ] {
        // If there are many items, few of them have large entries.
        let power = if items > 1000 { 5 } else { 1 };
        let matrices: Vec<Array2<f32>> = (0..4)
            .map(|_| random_matrix(items, columns, &mut random).mapv(|it| it.powi(power)))
            .collect();
        let basis: Vec<B::Matrix> = matrices
            .iter()
            .map(|matrix| backend.upload(matrix.view()).unwrap())
            .collect();
        let scale = random_matrix(items, 1, &mut random).mapv(|it| it.abs() + 0.1);
        let mut combinations = vec![
            Combination {
                plain: vec![(0, 1.5), (2, -0.5)],
                scaled: vec![(1, 1.0), (3, 0.25)],
                scales: vec![0.0, 0.3, -2.0],
            },
            Combination {
                plain: Vec::new(),
                scaled: vec![(3, 1.0)],
                scales: vec![1.0],
            },
            Combination {
                plain: vec![(1, 2.0)],
                scaled: Vec::new(),
                scales: vec![0.0],
            },
        ];
        combinations.extend((1..20_u8).map(|step| Combination {
            plain: vec![(0, 1.0), (1, -0.1 * f32::from(step))],
            scaled: vec![(2, 1.0), (3, -0.05 * f32::from(step))],
            scales: vec![0.1, 0.5],
        }));
        let hidden: Vec<Vec<u32>> = (0..columns as u32)
            .map(|column| {
                (0..items as u32)
                    .filter(|item| (item + column) % 6 == 0)
                    .collect()
            })
            .collect();
        let hidden: Vec<&[u32]> = hidden.iter().map(Vec::as_slice).collect();
        // Some of them are hidden; many in a third of the columns, few or none in the others.
        let relevant: Vec<Vec<u32>> = (0..columns as u32)
            .map(|column| {
                let every = [3, 41, 4000][column as usize % 3];
                (0..items as u32)
                    .filter(|item| (item + column) % every == 2)
                    .collect()
            })
            .collect();
        let relevant: Vec<&[u32]> = relevant.iter().map(Vec::as_slice).collect();
        let scale_matrix = backend.upload(scale.view()).unwrap();
        let found = backend
            .ranks_of_sums(&basis, &combinations, &scale_matrix, &hidden, &relevant, 10)
            .unwrap();

        let mut sums = Vec::new();
        for combination in &combinations {
            for &factor in &combination.scales {
                let mut sum = Array2::<f64>::zeros((items, columns));
                for &(place, weight) in &combination.plain {
                    sum.scaled_add(f64::from(weight), &to_f64(matrices[place].view()));
                }
                for &(place, weight) in &combination.scaled {
                    let weight = f64::from(factor) * f64::from(weight);
                    sum.scaled_add(weight, &to_f64(matrices[place].view()));
                }
                sums.push(sum * &to_f64(scale.view()));
            }
        }
        assert_eq!(found.len(), sums.len());
        for (ranks, sum) in found.iter().zip(&sums) {
            assert_eq!(ranks.len(), columns);
            assert_ranks_are_of(ranks, sum, (&hidden, &relevant), 10, 1e-5);
        }
        if items > 1000 {
            let ranks = || found.iter().flatten();
            assert!(ranks().any(Vec::is_empty) && ranks().any(|it| it.len() > 1));
        }
    }
}

/// Panics unless the lists have the best entries of each column, to a tolerance.
fn assert_lists_are_of(
    lists: &[Vec<ScoredItem>],
    scores: &Array2<f64>,
    hidden: &[&[u32]],
    lengths: &[usize],
    tolerance: f64,
) {
    for (column, list) in lists.iter().enumerate() {
        let scores = scores.column(column);
        let best = best_of(scores, hidden[column], lengths[column]);
        assert_eq!(list.len(), best.len());
        assert_begins_with(list, &best, scores, tolerance);
    }
}

/// Panics unless each column has the ranks below `within` of its items. If the difference of two scores is
/// within the tolerance, either item may be above the other.
fn assert_ranks_are_of(
    ranks: &[Vec<u32>],
    scores: &Array2<f64>,
    (hidden, items): (&[&[u32]], &[&[u32]]),
    within: u32,
    tolerance: f64,
) {
    for (column, ranks) in ranks.iter().enumerate() {
        assert!(ranks.is_sorted_by(|left, right| left < right), "{ranks:?}");
        assert!(ranks.iter().all(|&rank| rank < within), "{ranks:?}");
        let scores = scores.column(column);
        let best = best_of(scores, hidden[column], usize::MAX);
        let bounds = items[column].iter().filter_map(|item| {
            let place = best.iter().position(|it| it.0 == *item)?;
            let own = best[place].1;
            let above = best.iter().filter(|it| it.1 > own + tolerance).count();
            let not_below = best.iter().filter(|it| it.1 >= own - tolerance).count();
            Some((above as u32, not_below as u32 - 1))
        });
        let mut bounds: Vec<(u32, u32)> = bounds.collect();
        bounds.sort_unstable();
        let sure = bounds.iter().filter(|it| it.1 < within).count();
        let possible = bounds.iter().filter(|it| it.0 < within).count();
        assert!(
            (sure..=possible).contains(&ranks.len()),
            "{ranks:?}, {bounds:?}"
        );
        for (rank, (least, most)) in ranks.iter().zip(&bounds) {
            assert!((least..=most).contains(&rank), "{ranks:?}, {bounds:?}");
        }
    }
}

/// The `k` best items of a column that are not hidden, with their scores.
fn best_of(scores: ArrayView1<'_, f64>, hidden: &[u32], k: usize) -> Vec<(u32, f64)> {
    let mut best: Vec<(u32, f64)> = (0..)
        .zip(scores.iter().copied())
        .filter(|(item, _)| !hidden.contains(item))
        .collect();
    best.sort_by(|left, right| right.1.total_cmp(&left.1));
    best.truncate(k);
    best
}

/// Panics unless the list begins with the best items, to a tolerance.
fn assert_begins_with(
    list: &[ScoredItem],
    best: &[(u32, f64)],
    scores: ArrayView1<'_, f64>,
    tolerance: f64,
) {
    assert!(list.len() <= best.len());
    for (entry, &(_, expected)) in list.iter().zip(best) {
        assert!((f64::from(entry.score) - expected).abs() <= tolerance);
        let own = scores[entry.item as usize];
        assert!((own - expected).abs() <= tolerance, "another item");
    }
}

/// Scores, both factors of a product, and a scale per item: for every width, with a few items of much
/// higher scores and without, for rows and columns of very different norms, and for products that are all
/// equal or zero.
fn sums_with_products() -> Vec<[Array2<f32>; 4]> {
    let mut random = random_source(32);
    let steep = |matrix: Array2<f32>| matrix.mapv(|it| it.powi(9) * 3.0);
    let mut sums = Vec::new();
    for (items, factors, columns) in [
        (1, 1, 1),
        (90, 5, 7),
        (1500, 70, 1),
        (1501, 130, 5),
        (1502, 64, 13),
        (1503, 100, 32),
        (1504, 90, 40),
    ] {
        let plain = [
            random_matrix(items, columns, &mut random),
            random_matrix(items, factors, &mut random),
            random_matrix(factors, columns, &mut random),
        ];
        let stand_out = plain.clone().map(steep);
        let mut of_all_lengths = plain.clone();
        for (place, mut row) in of_all_lengths[1].rows_mut().into_iter().enumerate() {
            row.mapv_inplace(|it| it * 10_f32.powi(place as i32 % 9 - 7));
        }
        for (place, mut column) in of_all_lengths[2].columns_mut().into_iter().enumerate() {
            column.mapv_inplace(|it| it * 10_f32.powi(place as i32 % 5 - 3));
        }
        let mut without_product = plain.clone();
        without_product[1].fill(0.0);
        let mut alike = plain.clone();
        alike[0].fill(0.0);
        alike[1].fill(0.5);
        for [scores, left, right] in [plain, stand_out, of_all_lengths, without_product, alike] {
            let scale = random_matrix(items, 1, &mut random).mapv(|it| it.abs() + 0.1);
            sums.push([scores, left, right, scale]);
        }
    }
    sums
}

/// `(scores + left * right) * scale`.
fn summed([scores, left, right, scale]: &[Array2<f32>; 4]) -> Array2<f64> {
    let product = to_f64(left.view()).dot(&to_f64(right.view()));
    (to_f64(scores.view()) + product) * to_f64(scale.view())
}

/// The best entries of the sum of a matrix and a product are those of the computed sum, for lists of
/// different lengths.
pub fn the_best_of_a_product_are_those_of_the_sums<B: Backend>(backend: &B) {
    for matrices in sums_with_products() {
        let (items, columns) = matrices[0].dim();
        let hidden: Vec<Vec<u32>> = (0..columns as u32)
            .map(|column| {
                (0..items as u32)
                    .filter(|it| (it + column) % 6 == 0)
                    .collect()
            })
            .collect();
        let hidden: Vec<&[u32]> = hidden.iter().map(Vec::as_slice).collect();
        // Short lists beside those of all items and of none.
        let lengths = (0..columns).map(|column| [20, 20, 3, items, 0][column % 5]);
        let lengths: Vec<usize> = lengths.collect();
        let [mut scores, left, right, scale] = matrices
            .each_ref()
            .map(|it| backend.upload(it.view()).unwrap());
        let scores = Scores {
            dense: &mut scores,
            product: Some((&left, &right)),
        };
        let lists = backend
            .select(scores, &scale, &hidden, Select::Best(&lengths))
            .unwrap();
        assert_eq!(lists.len(), columns);
        let sums = summed(&matrices);
        let size = sums.iter().fold(1.0_f64, |size, sum| size.max(sum.abs()));
        assert_lists_are_of(&lists, &sums, &hidden, &lengths, 2e-6 * size);
    }
}

/// The entries of largest magnitude of the sum of a matrix and a product are those of the computed sum.
/// Columns that are not requested have no entries.
pub fn the_largest_of_a_product_are_those_of_the_sums<B: Backend>(backend: &B) {
    for matrices in sums_with_products() {
        let columns = matrices[0].ncols();
        let [mut scores, left, right, scale] = matrices
            .each_ref()
            .map(|it| backend.upload(it.view()).unwrap());
        let asked = columns - columns / 4;
        let scores = Scores {
            dense: &mut scores,
            product: Some((&left, &right)),
        };
        let hidden: Vec<&[u32]> = (0..asked).map(|it| [&[][..], &[0, 3]][it % 2]).collect();
        let lists = backend
            .select(scores, &scale, &hidden, Select::Largest(20))
            .unwrap();
        assert_eq!(lists.len(), asked);
        let sums = summed(&matrices);
        let size = sums.iter().fold(1.0_f64, |size, sum| size.max(sum.abs()));
        for (column, list) in lists.iter().enumerate() {
            for entry in list {
                let sum = sums[[entry.item as usize, column]];
                assert!((f64::from(entry.score) - sum).abs() < 2e-6 * size);
            }
        }
        let magnitude = |entry: ScoredItem| ScoredItem {
            score: entry.score.abs(),
            ..entry
        };
        let magnitudes: Vec<Vec<ScoredItem>> = lists
            .into_iter()
            .map(|list| list.into_iter().map(magnitude).collect())
            .collect();
        let lengths = vec![20; asked];
        assert_lists_are_of(
            &magnitudes,
            &sums.mapv(f64::abs),
            &hidden,
            &lengths,
            2e-6 * size,
        );
    }
}
