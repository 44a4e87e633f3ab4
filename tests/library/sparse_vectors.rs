//! Sparse vectors: an inverted index of them gives the scores and the lists of the neighbour table.

use std::collections::{BTreeMap, BTreeSet};

use bspm::data::{Event, History};
use bspm::filters::{GfCf, ItemKnn, Neighbours, Rp3Beta};
use bspm::fitted::{RankOptions, SparseVector, SparseVectors};
use bspm::{CpuBackend, Dataset, Error, Fallback, FilterConfig, FittedFilter, Model, Preset};

type Table = FittedFilter<CpuBackend>;

/// A number without a pattern, from 0 to 1.
fn scattered(place: u32) -> f32 {
    (place.wrapping_mul(2_654_435_761) >> 8) as f32 / (1_u32 << 24) as f32
}

fn dataset(is_weighted: bool) -> Dataset<u32, u32> {
    let mut builder = Dataset::builder();
    for user in 0..80 {
        for step in 0..8 {
            let item = (scattered(user * 8 + step).powi(2) * 60.0) as u32;
            let weight = f64::from(0.5 + 3.0 * scattered(user * 77 + step));
            let event = Event::new(user, item);
            builder
                .push(match is_weighted {
                    true => event.weight(weight),
                    false => event,
                })
                .unwrap();
        }
    }
    builder.finish().unwrap()
}

/// The neighbour tables of several filters, of data with and without weights.
fn tables() -> Vec<Table> {
    let filters: [FilterConfig; 3] = [
        GfCf::published(Preset::Gowalla).factor_dim(8).into(),
        ItemKnn::published(Preset::Gowalla).neighbours(10).into(),
        Rp3Beta::published(Preset::Gowalla).neighbours(10).into(),
    ];
    let mut tables = Vec::new();
    for filter in filters {
        for (is_weighted, keep) in [(false, 5), (true, 5), (true, 1000)] {
            let config = Neighbours::new(filter.clone(), keep);
            let interactions = dataset(is_weighted).matrix_to_fit().unwrap();
            tables.push(FittedFilter::fit(CpuBackend::new(), interactions, config).unwrap());
        }
    }
    tables
}

/// An inverted index: the items and values of each dimension.
struct Index(BTreeMap<u32, Vec<(u32, f32)>>);

impl Index {
    fn of(vectors: &SparseVectors<'_>) -> Self {
        let mut index: BTreeMap<u32, Vec<(u32, f32)>> = BTreeMap::new();
        for item in 0..vectors.len() as u32 {
            let vector = vectors.item(item).unwrap();
            assert!(vector.indices.is_sorted_by(|left, right| left < right));
            assert!(vector.indices.len() == vector.values.len() && !vector.values.contains(&0.0));
            for (dimension, value) in vector.indices.into_iter().zip(vector.values) {
                index.entry(dimension).or_default().push((item, value));
            }
        }
        Self(index)
    }

    /// The inner product of each item that shares a dimension with the query and satisfies the condition.
    fn search(&self, query: &SparseVector, is_allowed: impl Fn(u32) -> bool) -> BTreeMap<u32, f32> {
        let mut scores = BTreeMap::new();
        for (dimension, factor) in query.indices.iter().zip(&query.values) {
            for &(item, value) in self.0.get(dimension).map_or(&[][..], Vec::as_slice) {
                if is_allowed(item) {
                    *scores.entry(item).or_insert(0.0) += factor * value;
                }
            }
        }
        scores
    }
}

/// The documented bound on the difference of two scores of an item.
fn bound(table: &Table, history: History<'_>, item: u32) -> f64 {
    let rows = table.neighbour_rows().unwrap();
    let kept: BTreeMap<u32, f32> = rows
        .entries()
        .filter(|entry| entry.1 == item)
        .map(|(from, _, value)| (from, value))
        .collect();
    let baseline = f64::from(rows.baseline()[item as usize]);
    let terms = history.entries().map(|(from, weight)| {
        let kept = f64::from(kept.get(&from).copied().unwrap_or_default());
        let common = f64::from(rows.loadings()[from as usize]) * baseline;
        f64::from(weight).abs() * (kept.abs() + common.abs())
    });
    let second_order = 1.001;
    second_order * (history.items().len() + 1) as f64 * 2_f64.powi(-22) * terms.sum::<f64>()
}

const DISLIKED: ([u32; 4], [f32; 4]) = ([3, 11, 20, 33], [2.5, -1.0, 0.125, 1.0]);

#[test]
fn inner_products_are_the_scores_of_the_table() {
    for table in tables() {
        let vectors = table.sparse_vectors().unwrap();
        let index = Index::of(&vectors);
        assert_eq!(vectors.dimension(), table.interactions().items() + 1);
        let users = (0..80).step_by(3);
        let mut histories: Vec<History<'_>> = users
            .map(|user| table.interactions().history_of(user))
            .collect();
        histories.push(History::from(&DISLIKED.0).weighted(&DISLIKED.1).unwrap());
        let scores = table.score_histories(&histories).unwrap();
        let mut differs = false;
        for (&history, scores) in histories.iter().zip(scores.rows()) {
            let query = vectors.of_history(history).unwrap();
            let found = index.search(&query, |_| true);
            for (item, &score) in (0..).zip(scores) {
                let found = found.get(&item).copied().unwrap_or_default();
                let difference = (f64::from(found) - f64::from(score)).abs();
                let most = bound(&table, history, item);
                assert!(
                    difference <= most,
                    "{found} {score}: {difference:e} > {most:e}"
                );
                differs |= score != 0.0;
            }
        }
        assert!(differs, "all scores are 0");
    }
}

#[test]
fn a_search_with_a_filter_is_the_list_with_a_deny_list() {
    for table in tables() {
        let vectors = table.sparse_vectors().unwrap();
        let index = Index::of(&vectors);
        let denied: BTreeSet<u32> = (0..vectors.len() as u32).step_by(4).collect();
        let options = RankOptions::top(10)
            .deny(denied.iter().copied().collect())
            .fallback(Fallback::Unscored);
        for user in (0..80).step_by(7) {
            let history = table.interactions().history_of(user);
            let list = table.rank(&[user], &options).unwrap().lists.remove(0);
            let query = vectors.of_history(history).unwrap();
            let is_allowed = |it: u32| !denied.contains(&it) && !history.items().contains(&it);
            let found = index.search(&query, is_allowed);
            assert_eq!(list.len(), 10);
            let score_of = |item: u32| f64::from(found.get(&item).copied().unwrap_or_default());
            for entry in &list {
                assert!(is_allowed(entry.item));
                let difference = (score_of(entry.item) - f64::from(entry.score)).abs();
                assert!(difference <= bound(&table, history, entry.item));
            }
            let last = list.last().unwrap();
            for &item in found
                .keys()
                .filter(|&&it| list.iter().all(|entry| entry.item != it))
            {
                let most = bound(&table, history, item) + bound(&table, history, last.item);
                assert!(score_of(item) <= f64::from(last.score) + most);
            }
        }
    }
}

#[test]
fn repeated_items_are_added_and_bad_queries_are_errors() {
    let table = tables().remove(1);
    let vectors = table.sparse_vectors().unwrap();
    let (items, weights) = ([7, 2, 7, 9], [1.0, 2.0, 0.5, 0.0]);
    let query = vectors
        .of_history(History::from(&items).weighted(&weights).unwrap())
        .unwrap();
    let share = 2.0 * vectors.loadings()[2] + 1.5 * vectors.loadings()[7];
    assert_eq!(query.indices, [2, 7, vectors.len() as u32]);
    assert_eq!(query.values[..2], [2.0, 1.5]);
    assert!((query.values[2] - share).abs() <= 1e-6 * share.abs());
    assert_eq!(
        vectors.of_history(&[4, 4]).unwrap(),
        vectors.of_history(&[4]).unwrap()
    );
    assert_eq!(
        vectors.of_history(History::EMPTY).unwrap(),
        SparseVector::default()
    );

    let unknown = vectors.len() as u32;
    assert!(matches!(
        vectors.item(unknown),
        Err(Error::UnknownItem { .. })
    ));
    assert!(matches!(
        vectors.of_history(&[unknown]),
        Err(Error::UnknownItem { .. })
    ));
    for weight in [f32::NAN, f32::INFINITY] {
        let history = History::from(&[1])
            .weighted(std::slice::from_ref(&weight))
            .unwrap();
        assert!(matches!(
            vectors.of_history(history),
            Err(Error::InvalidParameter { .. })
        ));
    }

    let model = Model::fit(CpuBackend::new(), dataset(false), ItemKnn::default()).unwrap();
    let refused = model.filter().sparse_vectors().unwrap_err().to_string();
    assert!(
        refused.contains("expected neighbours") && refused.contains("item-knn"),
        "{refused}"
    );
}
