//! Top-k selection.

use ndarray::{Array2, array};

use super::{random_matrix, random_source};
use crate::backend::Backend;
use crate::rank::ScoredItem;

fn select<B: Backend>(
    backend: &B,
    scores: &Array2<f32>,
    scale: &Array2<f32>,
    hidden: &[&[u32]],
    k: usize,
) -> Vec<Vec<ScoredItem>> {
    let mut scores = backend.upload(scores.view()).unwrap();
    let scale = backend.upload(scale.view()).unwrap();
    backend.top_k(&mut scores, &scale, hidden, k).unwrap()
}

/// Worked cases: masks, ties, lists that run out.
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

    let mut scores = backend.upload(scores.view()).unwrap();
    let scale = backend.upload(scale.view()).unwrap();
    let error = backend.top_k(&mut scores, &scale, &[&[5]], 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "item 5 is not one of the 5 items (0 to 4)"
    );
}

/// Random scores with many ties, at every width, against a full sort.
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
