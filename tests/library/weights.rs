//! Weighted interactions: from events to lists, files and explanations.

use bspm::data::{Duplicates, Event, Format, History, TableOptions, WeightScale, Weighting};
use bspm::filters::{ItemKnn, Rp3Beta};
use bspm::tune::{WeightingChoice, choose_weighting};
use bspm::{
    BspmConfig, CpuBackend, CpuModel, Dataset, FilterConfig, FitOptions, Interactions, Model,
    Preset,
};

/// A number without a pattern, from 0 to 1.
fn scattered(place: u32) -> f64 {
    f64::from(place.wrapping_mul(2_654_435_761) >> 8) / f64::from(1_u32 << 24)
}

fn weighted(users: u32, items: u32) -> Dataset<u32, u32> {
    let mut builder = Dataset::builder();
    for user in 0..users {
        for step in 0..8 {
            let item = (scattered(user * 8 + step) * f64::from(items)) as u32;
            let weight = 0.5 + 3.0 * scattered(user * 77 + step);
            builder.push(Event::new(user, item).weight(weight)).unwrap();
        }
    }
    builder.finish().unwrap()
}

/// The filters, with settings for a small matrix.
fn filters() -> Vec<FilterConfig> {
    let published = FilterConfig::NAMES
        .iter()
        .map(|name| FilterConfig::published(name, Preset::Gowalla).unwrap());
    published
        .map(|mut config| {
            if config.settings().iter().any(|it| it.name == "factor_dim") {
                config.set("factor_dim", "6").unwrap();
            }
            config
        })
        .collect()
}

#[test]
fn weights_of_1_are_no_weights() {
    let pairs = [(0, 1), (2, 0), (0, 3)];
    let plain = Interactions::from_pairs(3, 4, pairs).unwrap();
    let ones = pairs.map(|(user, item)| (user, item, 1.0));
    let ones = Interactions::from_weighted(3, 4, ones, Duplicates::Max).unwrap();
    assert_eq!(ones, plain);

    let mut builder = Dataset::builder();
    for (user, item) in pairs {
        builder.push(Event::new(user, item).weight(1.0)).unwrap();
    }
    assert_eq!(
        builder.finish().unwrap(),
        Dataset::from_pairs(pairs).unwrap()
    );
}

#[test]
fn a_history_that_counts_1_gives_the_list_of_one_without_weights_bit_for_bit() {
    let dataset = weighted(60, 40);
    for config in filters() {
        let model = Model::fit(CpuBackend::new(), dataset.clone(), config).unwrap();
        let options = bspm::fitted::RankOptions::top(9);
        let items = [3, 9, 20];
        let rank = |history: History<'_>| {
            model
                .filter()
                .rank_histories(&[history], &options)
                .unwrap()
                .lists
        };
        let ones = History::from(&items).weighted(&[1.0; 3]).unwrap();
        assert_eq!(rank(ones), rank(History::from(&items)));
        assert!(History::from(&items).weighted(&[1.0]).is_none());
    }
}

#[test]
fn scales_ages_and_duplicates_make_the_weight() {
    let weights = |weighting: Weighting, events: &[(f64, f64)]| {
        let mut builder = Dataset::builder().weighting(weighting);
        for &(weight, time) in events {
            builder
                .push(Event::new("a", 1).weight(weight).time(time))
                .unwrap();
        }
        builder
            .push(Event::new("b", 1).weight(1.0).time(100.0))
            .unwrap();
        builder
            .finish()
            .unwrap()
            .interactions()
            .weights()
            .map(<[f32]>::to_vec)
    };
    let new = Weighting::new();
    let twice = [(3.0, 100.0), (7.0, 90.0)];
    for (weighting, expected) in [
        (new, 10.0),
        (new.duplicates(Duplicates::Max), 7.0),
        (new.duplicates(Duplicates::Last), 3.0),
        (new.scale(WeightScale::Log), 11_f32.log2()),
        (new.scale(WeightScale::Threshold(5.0)), 1.0),
        (new.half_life(10.0), 3.0 + 3.5),
        (
            new.half_life(5.0).scale(WeightScale::Log),
            11_f32.log2() * (4.75 / 10.0),
        ),
        (
            new.duplicates(Duplicates::Last).scale(WeightScale::Log),
            2.0,
        ),
    ] {
        match weights(weighting, &twice) {
            Some(found) => assert_eq!(found, [expected, 1.0], "{weighting:?}"),
            None => assert_eq!(expected, 1.0, "{weighting:?}"),
        }
    }
    // An interaction is kept, regardless of its age.
    let old = weights(new.half_life(1e-3), &[(1.0, 0.0)]).unwrap();
    assert!(old[0] > 0.0 && old[0] < 1e-30);
}

#[test]
fn a_threshold_that_is_no_number_is_refused() {
    let weighting = Weighting::new().scale(WeightScale::Threshold(f64::NAN));
    let mut builder = Dataset::<&str, u64>::builder().weighting(weighting);
    builder.push(Event::new("ann", 1).weight(2.0)).unwrap();
    let error = builder.finish().unwrap_err().to_string();
    assert_eq!(
        error,
        "weight_scale: expected a finite threshold, found NaN"
    );
}

#[test]
fn impossible_weights_are_named() {
    let mut builder = Dataset::builder();
    for weight in [-1.0, f64::NAN, f64::INFINITY] {
        let error = builder.push(Event::new(1, 2).weight(weight)).unwrap_err();
        assert!(
            error.to_string().starts_with("weight: expected a"),
            "{error}"
        );
    }
    let error = Interactions::from_weighted(1, 1, [(0, 0, -2.0)], Duplicates::Sum).unwrap_err();
    assert_eq!(
        error.to_string(),
        "weight: expected a finite number, 0 or above, found -2"
    );

    let mut builder = Dataset::builder();
    let error = builder
        .push(Event::new(1, 2).time(f64::INFINITY))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "time: expected a finite number, found inf"
    );

    let mut builder = Dataset::builder().weighting(Weighting::new().half_life(3.0));
    builder.push(Event::new(1, 2)).unwrap();
    let error = builder.finish().unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("half_life: expected a data set with times")
    );

    let model = Model::fit(CpuBackend::new(), weighted(9, 9), BspmConfig::default()).unwrap();
    let error = model
        .recommend_for_history([(&1, f32::NAN)], 3)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "weight: expected a finite number, found NaN"
    );

    let table = "user,item,count\na,b,1\nb,b,-2\n";
    let options = TableOptions::new("user", "item").weight("count");
    let error = Dataset::<String, String>::parse_csv(table.as_bytes(), "shop.csv", &options);
    assert_eq!(
        error.unwrap_err().to_string(),
        "shop.csv:3: count: expected a number, 0 or above, found \"-2\""
    );
}

#[test]
fn every_filter_saves_updates_and_explains_a_weighted_matrix() {
    let dataset = weighted(60, 40);
    for config in filters() {
        let name = config.name();
        let model = Model::fit(CpuBackend::new(), dataset.clone(), config).unwrap();
        let bytes = model.to_bytes().unwrap();
        let opened: CpuModel<u32, u32> = Model::from_bytes(CpuBackend::new(), bytes).unwrap();
        assert_eq!(
            opened.dataset().interactions(),
            dataset.interactions(),
            "{name}"
        );
        for user in [0, 7, 31] {
            let list = model.recommend(&user, 5).unwrap();
            assert_eq!(opened.recommend(&user, 5).unwrap(), list, "{name}");
            let Some(first) = list.first() else { continue };
            let explanation = model.explain(&user, &first.item).unwrap();
            let sum: f32 = explanation.contributions.iter().map(|it| it.score).sum();
            let error = (sum + explanation.base - first.score).abs();
            assert!(
                error <= 1e-4 * first.score.abs().max(1.0),
                "{name}: {error}"
            );
        }

        let history: Vec<(u32, f32)> = {
            let row = dataset.users().index(&7).unwrap();
            let entries = dataset.interactions().history_of(row).entries();
            entries
                .map(|(item, weight)| (*dataset.items().id(item).unwrap(), weight))
                .collect()
        };
        let folded_in = model
            .recommend_for_history(history.iter().map(|(item, weight)| (item, *weight)), 5)
            .unwrap();
        assert_eq!(folded_in, model.recommend(&7, 5).unwrap(), "{name}");

        let later = model.with_interactions([(900, 3), (7, 1)]).unwrap();
        let kept = later.dataset().interactions();
        let row = dataset.users().index(&0).unwrap();
        assert_eq!(
            kept.weights_of(row),
            dataset.interactions().weights_of(row),
            "{name}"
        );
        assert_eq!(
            later.recommend(&900, 4).unwrap(),
            model.recommend_for_items([&3], 4).unwrap()
        );
    }
}

#[test]
fn a_disliked_item_counts_against_what_is_like_it() {
    let pairs = (0..40).flat_map(|user| (0..6).map(move |step| (user, user % 2 * 10 + step)));
    let dataset = Dataset::from_pairs(pairs).unwrap();
    for config in [
        FilterConfig::from(BspmConfig::builder().build().unwrap()),
        ItemKnn::default().into(),
        Rp3Beta::published(Preset::Gowalla)
            .alpha(1.0)
            .beta(0.0)
            .neighbours(50)
            .into(),
    ] {
        let model = Model::fit(CpuBackend::new(), dataset.clone(), config).unwrap();
        let list = model
            .recommend_for_history([(&0, 1.0), (&10, -1.0)], 20)
            .unwrap();
        assert_eq!(list.len(), 10);
        for entry in list {
            assert_eq!(entry.score > 0.0, entry.item < 10, "{entry:?}");
        }
    }
}

/// Interests that change: each user likes one group of items for some time, then another.
fn drifting() -> Dataset<u32, u32> {
    let mut builder = Dataset::builder();
    for user in 0..300_u32 {
        for time in 0..24_u32 {
            let group = (user + time / 8) % 12;
            let item = group * 15 + (scattered(user * 24 + time) * 15.0) as u32;
            let event = Event::new(user, item).time(f64::from(time));
            builder.push(event).unwrap();
        }
    }
    builder.finish().unwrap()
}

#[test]
fn where_tastes_drift_decay_beats_none() {
    let split = drifting().hold_out(0.15, 0).unwrap();
    let ndcg = |half_life: Option<f64>| {
        let mut weighting = Weighting::new().duplicates(Duplicates::Max);
        weighting.half_life = half_life;
        let mut train = Dataset::builder().weighting(weighting);
        let ids = (split.train.users(), split.train.items());
        train
            .add_ids(ids.0.iter().copied(), ids.1.iter().copied())
            .unwrap();
        let pairs = split.train.interactions().pairs();
        for ((user, item), &time) in pairs.zip(split.train.times().unwrap()) {
            let (user, item) = (*ids.0.id(user).unwrap(), *ids.1.id(item).unwrap());
            train.push(Event::new(user, item).time(time)).unwrap();
        }
        let config = BspmConfig::builder().build().unwrap();
        let model = Model::fit(CpuBackend::new(), train.finish().unwrap(), config).unwrap();
        model.evaluate(&split.test, [10]).unwrap().means()[0].ndcg
    };
    let (without, with) = (ndcg(None), ndcg(Some(4.0)));
    println!("NDCG@10 without decay {without:.4}, with a half-life of 4 steps {with:.4}");
    assert!(with > 1.1 * without, "{without} {with}");
}

#[test]
fn the_values_of_a_table_and_of_a_rating_file_are_weights_where_asked() {
    let directory = tempfile::tempdir().unwrap();
    let table = directory.path().join("plays.csv");
    std::fs::write(&table, "user,item,plays,at\na,x,3,0\na,x,4,50\nb,y,1,100\n").unwrap();
    let options = TableOptions::new("user", "item").weight("plays").time("at");
    let plays = Dataset::read(&table, Format::Csv, &options).unwrap();
    assert_eq!(plays.interactions().weights().unwrap(), [7.0, 1.0]);
    let decayed = options.weighting(Weighting::new().half_life(50.0));
    let plays = Dataset::read(&table, Format::Csv, &decayed).unwrap();
    assert_eq!(plays.interactions().weights().unwrap(), [0.75 + 2.0, 1.0]);
    assert_eq!(plays.times(), Some(&[50.0, 100.0][..]));

    let ratings = directory.path().join("ratings.dat");
    std::fs::write(&ratings, "1::7::5::10\n1::8::1::10\n").unwrap();
    let options = TableOptions::new("user", "item").weight("rating");
    let ratings = Dataset::read(&ratings, Format::MovieLens, &options).unwrap();
    assert_eq!(ratings.interactions().weights().unwrap(), [5.0, 1.0]);
}

/// Users of one half like one half of the items, with weights by `weight(is_liked, step)`.
fn liked_and_noise(weight: impl Fn(bool, u32) -> f64) -> Dataset<u32, u32> {
    let mut builder = Dataset::builder();
    for user in 0..200_u32 {
        for step in 0..10_u32 {
            // Each third interaction is with an item of the other half, which says nothing of the user.
            let is_liked = step % 3 != 2;
            let half = if is_liked {
                user % 2
            } else {
                (user / 2 + step) % 2
            };
            let item = 2 * ((user * 7 + step * step * 3) % 25) + half;
            let event = Event::new(user, item).weight(weight(is_liked, step));
            builder.push(event).unwrap();
        }
    }
    builder.finish().unwrap()
}

#[test]
fn a_weighting_is_chosen_only_if_it_is_better_than_the_weights_as_they_are() {
    let choose = |dataset: &Dataset<u32, u32>| {
        choose_weighting(CpuBackend::new(), dataset, &FitOptions::new()).unwrap()
    };
    let value = |choice: &WeightingChoice, weighting: Weighting| {
        let found = choice.trials.iter().find(|it| it.0 == weighting);
        found.unwrap().1
    };
    // Random weights over six decades: equal weights or logarithms are better.
    let noisy = liked_and_noise(|_, step| 10_f64.powi((step * 5 % 7) as i32));
    let choice = choose(&noisy);
    let chosen = value(&choice, choice.weighting);
    let as_they_are = value(&choice, Weighting::new());
    assert!(choice.weighting.scale.is_some(), "{choice:?}");
    assert!(chosen > 1.01 * as_they_are, "{choice:?}");
    assert!(choice.trials.iter().all(|it| it.1 <= chosen), "{choice:?}");
    assert!(noisy.reweighted(&choice.weighting).is_ok());

    // Without weights and times there is nothing to choose.
    let pairs = Dataset::from_pairs((0..40_u32).map(|it| (it / 4, it % 7))).unwrap();
    let choice = choose(&pairs);
    assert_eq!(choice.weighting, Weighting::new());
    assert!(choice.trials.is_empty());
    // Nothing can be held out.
    let mut builder = Dataset::builder();
    builder.push(Event::new(0, 0).weight(2.0)).unwrap();
    assert!(choose(&builder.finish().unwrap()).trials.is_empty());
}

#[test]
fn data_without_weights_take_the_scale_of_those_that_are_added() {
    let log = Weighting::new().scale(WeightScale::Log);
    let mut plays = Dataset::builder().weighting(log);
    plays.push(Event::new("ann", "jazz").weight(3.0)).unwrap();
    let plays: Dataset<&str, &str> = plays.finish().unwrap();
    let pairs = Dataset::from_pairs([("bob", "jazz"), ("bob", "folk")]).unwrap();
    for (both, weights) in [
        (pairs.with_dataset(&plays).unwrap(), [1.0, 1.0, 2.0]),
        (plays.with_dataset(&pairs).unwrap(), [2.0, 1.0, 1.0]),
    ] {
        assert_eq!(both.weight_scale(), Some(WeightScale::Log));
        assert_eq!(both.interactions().weights().unwrap(), weights);
        assert!(both.with_dataset(&plays).is_ok());
    }
    let mut raw = Dataset::builder();
    raw.push(Event::new("ann", "jazz").weight(3.0)).unwrap();
    let raw = raw.finish().unwrap();
    assert!(plays.with_dataset(&raw).is_err() && raw.with_dataset(&plays).is_err());
}

#[test]
fn only_half_lives_are_compared_if_the_weights_are_scaled() {
    let plain = drifting();
    let log = Weighting::new().scale(WeightScale::Log);
    let mut builder = Dataset::builder().weighting(log);
    let times = plain.times().unwrap();
    for ((user, item), &time) in plain.interactions().pairs().zip(times) {
        let weight = 1.0 + f64::from(item % 5);
        builder
            .push(Event::new(user, item).weight(weight).time(time))
            .unwrap();
    }
    let weighted: Dataset<u32, u32> = builder.finish().unwrap();
    let choice = choose_weighting(CpuBackend::new(), &weighted, &FitOptions::new()).unwrap();
    assert!(choice.trials.len() > 1);
    assert!(choice.trials.iter().all(|it| it.0.scale.is_none()));
    weighted.reweighted(&choice.weighting).unwrap();
}

#[test]
fn a_half_life_is_chosen_where_tastes_drift() {
    let (backend, options) = (CpuBackend::new(), FitOptions::new());
    let choice = choose_weighting(backend, &drifting(), &options).unwrap();
    let half_lives = choice.trials.iter().filter_map(|it| it.0.half_life);
    let expected = [1.0, 0.5, 0.25, 0.125].map(|share| share * 23.0);
    assert!(
        half_lives
            .zip(expected)
            .all(|(found, expected)| found == expected)
    );
    assert_eq!(choice.trials[0].0, Weighting::new());
    assert!(choice.weighting.half_life.is_some(), "{choice:?}");
}
