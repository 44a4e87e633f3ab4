//! Weights, settings and budgets at the limits of the number types: a fit returns an error with a hint, or
//! its model can be saved and opened, and returns finite scores.

use bspm::data::Event;
use bspm::filters::SettingInfo;
use bspm::{
    CpuBackend, CpuModel, Dataset, Error, FilterConfig, FittedFilter, Interactions, Preset,
    RecommendOptions,
};

const USERS: usize = 12;

/// Every filter that can be fitted by name, with few singular vectors.
fn filters() -> impl Iterator<Item = FilterConfig> {
    FilterConfig::NAMES.iter().map(|name| {
        let mut config = FilterConfig::published(name, Preset::Gowalla).unwrap();
        let has_factors = |it: &SettingInfo| it.name == "factor_dim";
        if config.settings().iter().any(has_factors) {
            config.set("factor_dim", "4").unwrap();
        }
        config
    })
}

/// Twelve users of ten items, whose interactions have these weights, in turn.
fn dataset(weights: &[f64]) -> Dataset {
    let mut builder = Dataset::builder();
    let mut weights = weights.iter().cycle();
    for user in 0..USERS {
        for step in 0..4 {
            let (user, item) = (
                format!("u{user}"),
                format!("i{}", (user * 3 + step * step) % 10),
            );
            let event = Event::new(user, item).weight(*weights.next().unwrap());
            builder.push(event).unwrap();
        }
    }
    builder.finish().unwrap()
}

/// Returns whether the filter can be fitted. If so, checks that the scores of its model are finite, before
/// and after it is saved.
fn is_fitted(config: FilterConfig, dataset: &Dataset, what: &str) -> bool {
    let model = match CpuModel::fit(CpuBackend::new(), dataset.clone(), config.clone()) {
        Ok(model) => model,
        Err(Error::InvalidParameter {
            parameter,
            expected,
            ..
        }) => {
            let is_named = parameter == "weight"
                || parameter == "share"
                || parameter == "lambda"
                || config.settings().iter().any(|it| it.name == parameter);
            assert!(
                is_named && !expected.is_empty(),
                "{what}: {parameter}: {expected}"
            );
            return false;
        }
        Err(error) => panic!("{what}: {error}"),
    };
    let mut has_answered = false;
    let bytes = model.to_bytes().unwrap();
    let opened = CpuModel::from_bytes(CpuBackend::new(), bytes).unwrap();
    for model in [&model, &opened] {
        for user in 0..USERS {
            let options = RecommendOptions::top(20).keep_seen();
            let user = format!("u{user}");
            let list = model.recommend(user.as_str(), &options).unwrap();
            assert!(
                list.iter().all(|it| it.score.is_finite()),
                "{what}: {list:?}"
            );
            has_answered |= !list.is_empty();
            let many = model.recommend_many([user.as_str()], options).unwrap();
            assert!(many[0].iter().all(|it| it.score.is_finite()), "{what}");
        }
    }
    assert!(has_answered, "{what}: all lists are empty");
    true
}

#[test]
fn extreme_weights_are_refused_or_make_models_that_answer() {
    let mut refused = Vec::new();
    for exponent in (-38..=38).step_by(4) {
        let extreme = 10_f64.powi(exponent);
        for weights in [
            vec![extreme],
            vec![extreme, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
            vec![extreme, 1.0 / extreme, 1.0],
        ] {
            let dataset = dataset(&weights);
            for config in filters() {
                let what = format!("{} with {weights:?}", config.name());
                if !is_fitted(config, &dataset, &what) {
                    refused.push((exponent, what));
                }
            }
        }
    }
    // Weights from 0.001 to 1000 can be fitted.
    let is_sensible = |it: &&(i32, String)| (-3..=3).contains(&it.0);
    let wrong: Vec<_> = refused.iter().filter(is_sensible).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(!refused.is_empty());
}

#[test]
fn extreme_settings_are_refused_or_make_models_that_answer() {
    let dataset = dataset(&[1.0]);
    for config in filters() {
        assert!(is_fitted(config.clone(), &dataset, config.name()));
        let settings = config.settings();
        for setting in settings.iter().filter(|it| it.name != "memory_budget") {
            for text in [
                "3.4e38", "-3.4e38", "1e20", "1e9", "1e-20", "1e-38", "4", "-4", "64", "0",
            ] {
                let mut config = config.clone();
                if config.set(setting.name, text).is_err() || config.check().is_err() {
                    continue;
                }
                let what = format!("{} with {} {text}", config.name(), setting.name);
                is_fitted(config, &dataset, &what);
            }
        }
    }
}

#[test]
fn what_is_to_be_changed_is_named() {
    let fit = |config: FilterConfig, weights: &[f64]| {
        let model = CpuModel::fit(CpuBackend::new(), dataset(weights), config);
        model.unwrap_err().to_string()
    };
    let mut config = FilterConfig::published("bspm", Preset::Gowalla).unwrap();
    config.set("factor_dim", "4").unwrap();
    config.set("beta", "3.4e38").unwrap();
    let error = fit(config, &[1.0]);
    let expected =
        "beta: expected a value with which the scores of bspm are finite and not all 0, such as ";
    assert!(
        error.starts_with(expected) && error.ends_with("found 3.4e38"),
        "{error}"
    );
    let knn = FilterConfig::published("item-knn", Preset::Gowalla).unwrap();
    assert_eq!(
        fit(knn, &[1e20, 1.0]),
        "weight: expected weights with which the scores of item-knn are finite and not all 0, such as 0.001 to \
         1000 (divide the weights, or use their logarithms), found 1e0 to 1e20"
    );
}

#[test]
fn a_weight_of_a_history_that_is_too_large_is_an_error_and_no_infinite_score() {
    let config = FilterConfig::published("popularity", Preset::Gowalla).unwrap();
    let knn = FilterConfig::published("item-knn", Preset::Gowalla).unwrap();
    for config in [config, knn] {
        let model = CpuModel::fit(CpuBackend::new(), dataset(&[1.0]), config).unwrap();
        let history = || ["i0", "i1", "i2", "i3"].map(|item| (item, 3e38_f32));
        for answer in [
            model
                .recommend_for_history(history(), 5)
                .map(|list| list.iter().map(|it| it.score).collect()),
            model.score_history(history(), ["i5", "i6"]),
        ] {
            match answer {
                Ok(scores) => assert!(scores.iter().all(|it: &f32| it.is_finite())),
                Err(error) => assert!(error.to_string().starts_with("weight: "), "{error}"),
            }
        }
    }
}

/// The needed and the available memory, if a fit exceeds a budget of 1 MB.
fn refusal(interactions: &Interactions, config: FilterConfig) -> Option<(usize, usize)> {
    let backend = CpuBackend::new().with_memory_budget(1 << 20);
    match FittedFilter::fit(backend, interactions.clone(), config) {
        Err(Error::MemoryBudget {
            needed, available, ..
        }) => Some((needed, available)),
        Err(error) => panic!("{error}"),
        Ok(_) => None,
    }
}

#[test]
fn no_filter_takes_more_than_its_budget() {
    let side = 140_000;
    let pairs = (0..side).flat_map(|user| [(user, user), (user, (user + 1) % side)]);
    let interactions = Interactions::from_pairs(side as usize, side as usize, pairs).unwrap();
    for name in FilterConfig::NAMES {
        let config = FilterConfig::published(name, Preset::Gowalla).unwrap();
        let refused = refusal(&interactions, config);
        let (needed, available) = refused.unwrap_or_else(|| panic!("{name} was fitted"));
        assert!(
            needed > available && available == 1 << 20,
            "{name}: {needed}, {available}"
        );
    }
}

#[test]
fn what_is_large_for_its_entries_alone_is_within_the_budget_too() {
    let (users, items) = (400_u32, 3000_u32);
    let pairs = (0..users)
        .flat_map(|user| (0..60).map(move |place| (user, (user * 7 + place * place) % items)));
    let interactions = Interactions::from_pairs(users as usize, items as usize, pairs).unwrap();
    for name in FilterConfig::NAMES {
        let config = FilterConfig::published(name, Preset::Gowalla).unwrap();
        let is_small = ["lgcn-ide", "link-prop", "popularity"].contains(name);
        assert_eq!(refusal(&interactions, config).is_none(), is_small, "{name}");
    }
}

#[test]
fn a_model_that_could_not_be_opened_leaves_the_file_as_it_was() {
    use bspm::saved::SavedId;

    /// An id that is written as different bytes than those that it is read from.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    struct Lost(u8);

    impl SavedId for Lost {
        const KIND: &'static str = "lost";

        fn append_to(&self, bytes: &mut Vec<u8>) {
            bytes.push(self.0);
        }

        fn read(_kind: &str, bytes: &[u8]) -> Option<Self> {
            (bytes != [7]).then(|| Self(bytes[0]))
        }
    }

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.bspm");
    let fit = |ids: [u8; 3]| {
        let pairs = ids.map(|id| (Lost(id), Lost(1)));
        let dataset = Dataset::from_pairs(pairs).unwrap();
        let config = FilterConfig::published("popularity", Preset::Gowalla).unwrap();
        bspm::Model::fit(CpuBackend::new(), dataset, config).unwrap()
    };
    fit([1, 2, 3]).save(&path).unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = fit([1, 7, 3]).save(&path).unwrap_err();
    assert!(matches!(error, Error::InvalidFile { .. }), "{error}");
    assert!(error.to_string().contains("shop.bspm"), "{error}");
    assert!(fit([1, 7, 3]).to_bytes().is_err());
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
