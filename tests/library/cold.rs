//! The lists of histories with paths to few items, or to none.

use bspm::filters::{GfCf, ItemKnn, Popularity};
use bspm::{
    BspmConfig, CpuBackend, CpuModel, Dataset, Fallback, FilterConfig, Model, Preset,
    RecommendOptions, Solver, UnknownIds,
};

/// Two groups of users without a common item, and a user whose only item no other user has.
fn shop() -> Dataset<&'static str, &'static str> {
    let mut pairs = vec![("eve", "stamps")];
    for (user, items) in [
        ("ann", ["tea", "milk", "honey"]),
        ("bob", ["tea", "milk", "sugar"]),
        ("cid", ["tea", "honey", "lemon"]),
        ("dora", ["nails", "hammer", "wood"]),
        ("finn", ["nails", "hammer", "saw"]),
    ] {
        pairs.extend(items.map(|item| (user, item)));
    }
    Dataset::from_pairs(pairs).unwrap()
}

fn filters() -> Vec<FilterConfig> {
    let bspm = |solver, steps| {
        let low_pass = BspmConfig::builder().ideal_low_pass(3, 0.3);
        low_pass.sharpen(solver, 2.5, steps).build().unwrap().into()
    };
    vec![
        bspm(Solver::Rk4, 1),
        bspm(Solver::Euler, 3),
        FilterConfig::published("gf-cf", Preset::Gowalla).unwrap(),
        FilterConfig::published("item-knn", Preset::Gowalla).unwrap(),
        FilterConfig::published("ease-r", Preset::Gowalla).unwrap(),
        FilterConfig::published("cheby-cf", Preset::Gowalla).unwrap(),
    ]
}

fn fit(config: impl Into<FilterConfig>) -> CpuModel<&'static str, &'static str> {
    Model::fit(CpuBackend::new(), shop(), config).unwrap()
}

fn items(list: &[bspm::Recommendation<&'static str>]) -> Vec<&'static str> {
    list.iter().map(|entry| entry.item).collect()
}

#[test]
fn only_what_a_history_leads_to_is_recommended() {
    for config in filters() {
        let name = config.name();
        let model = fit(config);
        let drinks = ["tea", "milk", "honey", "sugar", "lemon"];
        let list = model.recommend("ann", 10).unwrap();
        assert!(
            list.iter().all(|it| drinks.contains(&it.item)),
            "{name}: {list:?}"
        );
        assert!(
            list.iter().all(|it| it.score != 0.0 && !it.is_fallback),
            "{name}"
        );
        assert!(model.recommend("eve", 10).unwrap().is_empty(), "{name}");
        let nobody: [&&str; 0] = [];
        assert!(
            model.recommend_for_items(nobody, 10).unwrap().is_empty(),
            "{name}"
        );
        // Many users together give the same lists as one user alone.
        let lists = model
            .recommend_many(["eve", "ann", "dora"].iter(), 10)
            .unwrap();
        assert_eq!(items(&lists[0]), Vec::<&str>::new(), "{name}");
        assert_eq!(items(&lists[1]), items(&list), "{name}");
    }
}

#[test]
fn a_fallback_fills_and_is_marked() {
    for config in filters() {
        let name = config.name();
        let model = fit(config);
        let options = || RecommendOptions::top(5).fallback(Fallback::Popularity);
        let own = model.recommend("ann", 5).unwrap();
        let filled = model.recommend("ann", options()).unwrap();
        assert_eq!(filled[..own.len()], own, "{name}");
        assert_eq!(filled.len(), 5, "{name}");
        assert!(
            filled[own.len()..]
                .iter()
                .all(|it| it.is_fallback && it.score == 0.0),
            "{name}"
        );
        let seen = ["tea", "milk", "honey"];
        assert!(
            filled.iter().all(|it| !seen.contains(&it.item)),
            "{name}: {filled:?}"
        );

        // tea has three users, milk, honey, nails and hammer two each, in the order of columns.
        let most = ["tea", "milk", "honey", "nails", "hammer"];
        assert_eq!(
            items(&model.recommend("eve", options()).unwrap()),
            most,
            "{name}"
        );
        let unknown = options().unknown_ids(UnknownIds::Skip);
        assert_eq!(
            items(&model.recommend("gus", unknown).unwrap()),
            most,
            "{name}"
        );
        let fewer = options()
            .deny(["milk"])
            .allow(["milk", "nails", "stamps", "tea"]);
        assert_eq!(
            items(&model.recommend("eve", fewer).unwrap()),
            ["tea", "nails"],
            "{name}"
        );
        // A list with a minimum score of 0.1 contains no items without a score.
        let scored = options().minimum_score(0.1);
        assert!(model.recommend("eve", scored).unwrap().is_empty(), "{name}");
    }
}

#[test]
fn unscored_items_are_there_for_those_who_ask() {
    let model = fit(GfCf::published(Preset::Gowalla).factor_dim(2).alpha(0.3));
    let options = RecommendOptions::top(20).fallback(Fallback::Unscored);
    let list = model.recommend("eve", options).unwrap();
    assert_eq!(list.len(), 9);
    assert!(list.iter().all(|entry| !entry.is_fallback));
}

#[test]
fn popularity_scores_whatever_the_history() {
    let model = fit(Popularity::default());
    let nobody: [&&str; 0] = [];
    let list = model.recommend_for_items(nobody, 3).unwrap();
    assert_eq!((list[0].item, list[0].score), ("tea", 3.0));
    assert_eq!(model.recommend("eve", 20).unwrap().len(), 9);
}

#[test]
fn json_marks_what_only_fills() {
    let model = fit(ItemKnn::default());
    let options = RecommendOptions::top(3).fallback(Fallback::Popularity);
    let list = model.recommend("finn", options).unwrap();
    let json = serde_json::to_value(&list).unwrap();
    assert_eq!(json[0]["item"], "wood");
    assert!(json[0].get("fallback").is_none());
    assert_eq!(
        (&json[1]["item"], &json[1]["fallback"]),
        (&"tea".into(), &true.into())
    );
}
