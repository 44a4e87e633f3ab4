//! Every filter with all features of a model: lists, fold-in, explanations, files, evaluation, and errors.

use std::ops::ControlFlow;

use bspm::data::SyntheticShape;
use bspm::filters::{ChebyCf, EaseR, GfCf, ItemKnn, LgcnIde, LinkProp, TurboCf, TurboFilter};
use bspm::{
    BspmConfig, CpuBackend, Dataset, Error, FilterConfig, FitOptions, FittedFilter, Interactions,
    Model, Observer, Preset,
};
use bspm_conformance::filter_configs;

fn dataset() -> Dataset<u32, u32> {
    let shape = SyntheticShape {
        users: 150,
        items: 120,
        train: 2_500,
        test: 200,
        communities: 4,
    };
    let interactions: Interactions = shape.generate(3).unwrap().train;
    Dataset::from_interactions((0..150).collect(), (0..120).collect(), interactions).unwrap()
}

fn models() -> Vec<Model<CpuBackend, u32, u32>> {
    filter_configs(6)
        .into_iter()
        .map(|config| Model::fit(CpuBackend::new(), dataset(), config).unwrap())
        .collect()
}

#[test]
fn a_saved_filter_answers_as_before() {
    for model in models() {
        let bytes = model.to_bytes().unwrap();
        let opened: Model<_, u32, u32> =
            Model::from_bytes(CpuBackend::new(), bytes.clone()).unwrap();
        let config = model.filter().config();
        assert_eq!(opened.filter().config(), config);
        for user in [0, 77, 149] {
            assert_eq!(
                opened.recommend(&user, 10).unwrap(),
                model.recommend(&user, 10).unwrap(),
                "{config:?}"
            );
        }
        assert_eq!(opened.to_bytes().unwrap(), bytes, "{config:?}");
    }
}

#[test]
fn explanations_add_up_and_fold_in_is_exact() {
    for model in models() {
        let config = model.filter().config();
        let user = 42;
        let history: Vec<u32> = model
            .dataset()
            .history(&user)
            .unwrap()
            .into_iter()
            .copied()
            .collect();
        let list = model.recommend(&user, 5).unwrap();
        assert_eq!(
            model.recommend_for_items(&history, 5).unwrap(),
            list,
            "{config:?}"
        );

        let explanation = model.explain(&user, &list[0].item).unwrap();
        let parts = explanation
            .contributions
            .iter()
            .map(|part| f64::from(part.score));
        let size = parts
            .clone()
            .map(f64::abs)
            .sum::<f64>()
            .max(f64::from(explanation.base));
        let sum = f64::from(explanation.base) + parts.sum::<f64>();
        let error = (sum - f64::from(explanation.score)).abs() / size;
        assert!(error < 1e-5, "{config:?}: {error:e}");
        // Popularity does so, and it is a part of the mix.
        let scores_an_empty_history = ["popularity", "mix"].contains(&config.name());
        assert_eq!(
            explanation.base > 0.0,
            scores_an_empty_history,
            "{config:?}"
        );
    }
}

#[test]
fn every_filter_finds_the_communities_that_popularity_does_not_see() {
    let split = dataset().random_split(0.2, 1).unwrap();
    let recall = |config: FilterConfig| {
        let model = Model::fit(CpuBackend::new(), split.train.clone(), config).unwrap();
        let metrics = model.evaluate(&split.test, [20]);
        metrics.unwrap().means()[0].recall
    };
    let popularity = recall(FilterConfig::published("popularity", Preset::Gowalla).unwrap());
    for config in filter_configs(6) {
        let found = recall(config.clone());
        let is_popularity = matches!(config, FilterConfig::Popularity(_));
        assert!(
            is_popularity || found > 1.2 * popularity,
            "{config:?}: {found} {popularity}"
        );
    }
}

#[test]
fn every_published_setting_is_valid_and_comes_back_from_json() {
    for &name in FilterConfig::NAMES {
        for data in Preset::ALL {
            let config = FilterConfig::published(name, data).unwrap();
            config.check().unwrap();
            assert_eq!(config.name(), name);
            let json = serde_json::to_value(&config).unwrap();
            assert_eq!(json.as_object().unwrap().keys().collect::<Vec<_>>(), [name]);
            assert_eq!(
                serde_json::from_value::<FilterConfig>(json).unwrap(),
                config
            );
        }
    }
    assert_eq!(
        FilterConfig::published("slim", Preset::Gowalla)
            .unwrap_err()
            .to_string(),
        format!(
            "filter: expected {}, found \"slim\"",
            FilterConfig::NAMES.join(", ")
        )
    );
}

#[test]
fn impossible_settings_are_named() {
    let turbo = |power| {
        TurboCf::published(Preset::Gowalla)
            .alpha(0.5)
            .power(power)
            .filter(TurboFilter::Linear)
            .memory_budget(1 << 20)
    };
    let cheby = ChebyCf::published(Preset::Gowalla)
        .order(0)
        .flatness(1.0)
        .factor_dim(4)
        .alpha(0.1)
        .beta(0.1);
    let cases: [(FilterConfig, &str); 8] = [
        (
            GfCf::published(Preset::Gowalla)
                .factor_dim(0)
                .alpha(0.3)
                .into(),
            "factor_dim: expected at least 1",
        ),
        (
            GfCf::published(Preset::Gowalla)
                .factor_dim(4)
                .alpha(f32::NAN)
                .into(),
            "alpha: expected a finite number, 0 or above, found NaN",
        ),
        (
            LgcnIde::published(Preset::Gowalla).layers(0).into(),
            "layers: expected at least 1, found 0",
        ),
        (
            LinkProp::published(Preset::Gowalla)
                .beta(0.5)
                .gamma(9.0)
                .delta(0.5)
                .into(),
            "gamma: expected a number from -4 to 4, found 9",
        ),
        (
            turbo(0.0).into(),
            "power: expected a number from 0.001 to 16, found 0",
        ),
        (cheby.into(), "order: expected at least 1, found 0"),
        (
            EaseR::published(Preset::Gowalla)
                .lambda(0.0)
                .memory_budget(1 << 20)
                .into(),
            "lambda: expected a finite number, 1e-6 or above, found 0",
        ),
        (
            ItemKnn::default().neighbours(0).into(),
            "neighbours: expected at least 1, found 0",
        ),
    ];
    for (config, expected) in cases {
        let error = Model::fit(CpuBackend::new(), dataset(), config)
            .unwrap_err()
            .to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn a_budget_that_is_too_small_is_refused_with_both_numbers() {
    let interactions = dataset().interactions().clone();
    let turbo = |memory_budget| {
        TurboCf::published(Preset::Gowalla)
            .alpha(0.5)
            .power(0.7)
            .filter(TurboFilter::Linear)
            .memory_budget(memory_budget)
    };
    let fit =
        |config: FilterConfig| FittedFilter::fit(CpuBackend::new(), interactions.clone(), config);
    let Err(Error::MemoryBudget {
        needed, available, ..
    }) = fit(turbo(1000).into())
    else {
        panic!("the budget holds")
    };
    assert_eq!(available, 1000);
    assert!(fit(turbo(needed - 1).into()).is_err());
    assert!(fit(turbo(needed).into()).is_ok());

    let ease = |memory_budget| {
        EaseR::published(Preset::Gowalla)
            .lambda(10.0)
            .memory_budget(memory_budget)
    };
    let message = fit(ease(100_000).into()).unwrap_err().to_string();
    assert_eq!(
        message,
        "the inverse of a matrix of 120 x 120 items needs 196880 bytes of memory, but \
         the memory budget has 100000 bytes left"
    );
    assert!(fit(ease(196_880).into()).is_ok());
}

#[test]
fn forming_an_item_graph_can_be_cancelled() {
    let filters: [FilterConfig; 2] = [
        ItemKnn::default().neighbours(5).into(),
        EaseR::published(Preset::Gowalla).lambda(10.0).into(),
    ];
    for config in filters {
        let options = FitOptions::new().observer(Observer::new(|_| ControlFlow::Break(())));
        let error = Model::fit_with(CpuBackend::new(), dataset(), config, &options).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("cancelled: item graph had done"),
            "{error}"
        );
    }
}

#[test]
fn gf_cf_is_bspm_without_sharpening() {
    let gf_cf = GfCf::published(Preset::Gowalla).factor_dim(6).alpha(0.3);
    let bspm = BspmConfig::builder()
        .ideal_low_pass(6, 0.3)
        .build()
        .unwrap();
    let score = |config: FilterConfig| {
        let fitted = FittedFilter::fit(CpuBackend::new(), dataset().interactions().clone(), config);
        fitted.unwrap().score(&[1, 2, 3]).unwrap()
    };
    assert_eq!(score(gf_cf.into()), score(bspm.into()));
}

#[test]
fn inner_products_of_vectors_are_the_part_of_the_scores_that_its_weight_multiplies() {
    let interactions = dataset().interactions().clone();
    for (filter, weight, others) in [
        ("bspm", "beta", &[("merge", "late")][..]),
        ("bspm", "beta", &[("merge", "late"), ("offset", "3")]),
        ("gf-cf", "alpha", &[]),
        ("gf-cf", "alpha", &[("offset", "5")]),
        ("cheby-cf", "alpha", &[("beta", "0.5")]),
        ("cheby-cf", "alpha", &[("beta", "0.2")]),
        ("cheby-cf", "alpha", &[("beta", "-0.1"), ("offset", "2")]),
    ] {
        let fit = |value: &str| {
            let mut config = FilterConfig::for_shape(filter, interactions.shape()).unwrap();
            for (name, value) in [("factor_dim", "6"), (weight, value)] {
                config.set(name, value).unwrap();
            }
            for (name, value) in others {
                config.set(name, value).unwrap();
            }
            FittedFilter::fit(CpuBackend::new(), interactions.clone(), config).unwrap()
        };
        let (with, more) = (fit("0.5"), fit("1.5"));
        let users: Vec<u32> = (0..interactions.users() as u32).collect();
        let expected = more.score(&users).unwrap() - with.score(&users).unwrap();
        let vectors = with.low_pass_vectors().unwrap();
        let largest = expected.iter().fold(0.0_f32, |most, it| most.max(it.abs()));
        for (&user, expected) in users.iter().zip(expected.rows()) {
            let vector = vectors.of_history(interactions.history_of(user));
            let found = vectors.items().dot(&ndarray::Array1::from(vector));
            for (found, expected) in found.iter().zip(expected) {
                assert!(
                    (found - expected).abs() <= 2e-5 * largest,
                    "{filter} {others:?}: {found}, expected {expected}"
                );
            }
        }
    }
}
