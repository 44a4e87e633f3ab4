//! A filter that is implemented outside the library supports everything that those of the library do.

#[path = "../../src/guide/own_filter.rs"]
mod rp3beta;

use bspm::filters;
use bspm::fitted::RankOptions;
use bspm::{CpuBackend, CpuModel, Dataset, Error, FittedFilter, Interactions, Model, Preset};
use rp3beta::Rp3Beta;

const SETTINGS: Rp3Beta = Rp3Beta {
    alpha: 0.7,
    beta: 0.4,
    neighbours: 12,
};

fn interactions() -> Interactions {
    let pairs = (0..60_u32).flat_map(|user| {
        (0..5 + user % 7).map(move |step| (user, (user * 7 + step * step + user / 9 * step) % 40))
    });
    Interactions::from_pairs(60, 40, pairs).unwrap()
}

fn users() -> Vec<u32> {
    (0..60).collect()
}

fn named(interactions: &Interactions) -> Dataset {
    let ids = |count: usize, kind: &str| (0..count).map(|it| format!("{kind}{it}")).collect();
    let (users, items) = (ids(60, "u"), ids(40, "i"));
    Dataset::from_interactions(users, items, interactions.clone()).unwrap()
}

#[test]
fn it_is_the_filter_of_the_library() {
    let own = SETTINGS.fit(interactions()).unwrap();
    let settings = filters::Rp3Beta::published(Preset::Gowalla)
        .alpha(0.7)
        .beta(0.4)
        .neighbours(12);
    let fitted = FittedFilter::fit(CpuBackend::new(), interactions(), settings).unwrap();
    let (own, expected) = (
        own.score(&users()).unwrap(),
        fitted.score(&users()).unwrap(),
    );
    let error = (&own - &expected)
        .iter()
        .fold(0.0_f32, |most, it| most.max(it.abs()));
    assert!(
        error < 1e-6 && expected.iter().any(|&it| it > 0.01),
        "{error:e}"
    );
}

#[test]
fn its_models_answer_explain_and_are_saved() {
    let matrix = interactions();
    let dataset = named(&matrix);
    let model = Model::from_filter(SETTINGS.fit(matrix).unwrap(), dataset).unwrap();
    let list = model.recommend("u3", 5).unwrap();
    assert_eq!(list.len(), 5);
    let history = model.dataset().history("u3").unwrap();
    let again = model.recommend_for_items(history, 5).unwrap();
    assert_eq!(list, again);
    let explanation = model.explain("u3", &list[0].item).unwrap();
    let sum: f32 = explanation
        .contributions
        .iter()
        .map(|part| part.score)
        .sum();
    assert!((sum - list[0].score).abs() < 1e-6);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.bspm");
    model.save(&path).unwrap();
    let opened: CpuModel = Model::open(CpuBackend::new(), &path).unwrap();
    assert_eq!(opened.recommend("u3", 5).unwrap(), list);
    let config = serde_json::to_value(opened.filter().config()).unwrap();
    assert_eq!(config["item-graph"]["name"], "my-rp3beta");
    assert_eq!(opened.filter().config().label(), "my-rp3beta");
    assert_eq!(
        opened.refit().unwrap_err().to_string(),
        "filter: expected a filter that bspm can fit (a custom filter needs FittedFilter::from_item_graph), \
         found my-rp3beta"
    );
}

#[test]
fn a_graph_in_compressed_columns_is_the_same_graph() {
    let graph = SETTINGS.graph(&interactions());
    let fit = |graph| {
        let fitted =
            FittedFilter::from_item_graph(CpuBackend::new(), interactions(), "x", graph).unwrap();
        let dataset: Dataset<u32, u32> =
            Dataset::from_interactions((0..60).collect(), (0..40).collect(), interactions())
                .unwrap();
        let model = Model::from_filter(fitted, dataset).unwrap();
        model.to_bytes().unwrap()
    };
    assert!(!graph.to_csc().is_csr());
    assert_eq!(fit(graph.to_csc()), fit(graph));
}

#[test]
fn what_is_no_graph_of_the_items_is_refused() {
    let graph = SETTINGS.graph(&interactions());
    let other = Interactions::from_pairs(2, 3, [(0, 1)]).unwrap();
    let error =
        FittedFilter::from_item_graph(CpuBackend::new(), other, "x", graph.clone()).unwrap_err();
    assert!(matches!(error, Error::ShapeMismatch { .. }), "{error}");
    let mut infinite = graph;
    infinite.data_mut()[3] = f32::INFINITY;
    let error = FittedFilter::from_item_graph(CpuBackend::new(), interactions(), "x", infinite);
    assert_eq!(
        error.unwrap_err().to_string(),
        "graph: expected finite weights, found inf"
    );
    let fitted = SETTINGS.fit(interactions()).unwrap();
    assert!(fitted.rank(&users(), &RankOptions::top(3)).is_ok());
}
