//! The search for the best filter: its result, its reproducibility, and its continuation.

use std::time::Duration;

use bspm::data::SyntheticShape;
use bspm::tune::{Trial, TrialOutcome, TuneOptions, Tuner};
use bspm::{CpuBackend, Dataset, FilterConfig, Interactions};

/// Users of some communities, who mostly choose items of their community.
fn communities(users: u32) -> Dataset<u32, u32> {
    let number = |place: u32| place.wrapping_mul(2_654_435_761) >> 8;
    Dataset::from_pairs((0..users).flat_map(move |user| {
        (0..9 + user % 5).map(move |step| {
            let draw = number(user * 31 + step);
            let item = match draw % 5 {
                0 => draw % 90,
                _ => user % 6 * 15 + draw / 7 % 15,
            };
            (user, item)
        })
    }))
    .unwrap()
}

fn split() -> (Interactions, Interactions) {
    let split = communities(200).hold_out(0.2, 3).unwrap();
    let matrix = |part: &Dataset<u32, u32>| Interactions::clone(part.interactions());
    (matrix(&split.train), matrix(&split.test))
}

fn run(options: TuneOptions, before: Vec<Trial>) -> Tuner<CpuBackend> {
    let (train, held_out) = split();
    let mut tuner = Tuner::new(CpuBackend::new(), train, &held_out, options).unwrap();
    tuner.resume(before).unwrap();
    while tuner.advance().unwrap().is_some() {}
    tuner
}

/// The part of a trial that does not depend on its time.
fn results(tuner: &Tuner<CpuBackend>) -> Vec<(FilterConfig, f64, f64, usize, TrialOutcome)> {
    let of = |it: &&Trial| {
        (
            it.config.clone(),
            it.value,
            it.estimate,
            it.users,
            it.outcome.clone(),
        )
    };
    tuner.leaderboard().iter().map(of).collect()
}

#[test]
fn the_same_seed_tries_the_same_and_another_does_not() {
    let options = |seed| TuneOptions::new().trials(60).seed(seed).k(10);
    let first = run(options(1), Vec::new());
    assert_eq!(results(&run(options(1), Vec::new())), results(&first));
    assert_ne!(results(&run(options(2), Vec::new())), results(&first));
}

#[test]
fn a_short_search_evaluates_fewer_users_with_fewer_neighbours() {
    let shape = SyntheticShape {
        users: 3_600,
        items: 6_400,
        train: 30_000,
        test: 3_600,
        communities: 20,
    };
    let parts = shape.generate(1).unwrap();
    let tuner = |options: TuneOptions| {
        let options = options.filters(["ease-r"]).trials(1);
        let train = parts.train.clone();
        let mut tuner = Tuner::new(CpuBackend::new(), train, &parts.test, options).unwrap();
        tuner.advance().unwrap();
        tuner
    };
    // Less than the budget of the choice without flags for data of this size.
    let short = || TuneOptions::new().time(Duration::from_secs(15));
    let neighbours = |trial: &Trial| {
        let settings = trial.config.settings();
        let setting = settings.into_iter().find(|it| it.name == "neighbours");
        setting.and_then(|it| it.value).unwrap()
    };
    let (first, whole) = (tuner(short()), tuner(TuneOptions::new()));
    let (first, whole) = (&first.trials()[0], &whole.trials()[0]);
    assert_eq!((first.users, neighbours(first)), (3_000, "50".into()));
    assert!(whole.users > 3_000, "{}", whole.users);
    assert_eq!(neighbours(whole), "100");

    // Its trials are not those of a search that evaluates all users.
    let mut other = whole.clone();
    other.config = first.config.clone();
    let options = short().filters(["ease-r"]);
    let mut resumed =
        Tuner::new(CpuBackend::new(), parts.train.clone(), &parts.test, options).unwrap();
    let error = resumed.resume(vec![other]).unwrap_err().to_string();
    assert!(error.contains("expected trials with 3000 users"), "{error}");
}

#[test]
fn what_was_cut_off_goes_on_to_the_same_end() {
    let options = TuneOptions::new().trials(50).k(10);
    let whole = run(options.clone(), Vec::new());
    for cut in [1, 17, 35, 49] {
        let resumed = run(options.clone(), whole.trials()[..cut].to_vec());
        assert_eq!(results(&resumed), results(&whole), "after {cut} trials");
    }
    let (train, held_out) = split();
    let other = TuneOptions::new().trials(50).k(10).filters(["ease-r"]);
    let mut tuner = Tuner::new(CpuBackend::new(), train, &held_out, other).unwrap();
    let error = tuner.resume(whole.trials().to_vec()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("resume: expected trials of a search"),
        "{error}"
    );
}

#[test]
fn the_best_is_at_least_as_good_as_every_published_setting() {
    let tuner = run(TuneOptions::new().trials(80).k(10), Vec::new());
    let best = tuner.best().unwrap();
    assert_eq!(best.outcome, TrialOutcome::Complete);
    assert_eq!(best.users, tuner.users());
    for trial in tuner.trials() {
        assert!(trial.estimate <= best.value, "{trial:?}");
        if let TrialOutcome::Failed(reason) = &trial.outcome {
            panic!("{}: {reason}", trial.config.name());
        }
    }
    let first = &tuner.trials()[0];
    assert!(
        best.value > first.value,
        "nothing was gained: {}",
        best.value
    );
}

#[test]
fn only_the_filters_asked_for_are_searched() {
    let options = TuneOptions::new()
        .trials(25)
        .k(10)
        .filters(["ease-r", "item-knn"]);
    let tuner = run(options, Vec::new());
    assert_eq!(tuner.trials().len(), 25);
    for trial in tuner.trials() {
        assert!(["ease-r", "item-knn"].contains(&trial.config.name()));
    }
}

#[test]
fn a_penalty_for_popularity_brings_less_popular_lists() {
    let popularity = |penalty| {
        let tuner = run(
            TuneOptions::new()
                .trials(40)
                .k(10)
                .popularity_penalty(penalty),
            Vec::new(),
        );
        let best = tuner.best().unwrap().clone();
        best.metrics.ndcg - best.value
    };
    assert_eq!(popularity(0.0), 0.0);
    assert!(popularity(0.5) > 0.0);
}

#[test]
fn impossible_options_are_named() {
    let (train, held_out) = split();
    let error = |options: TuneOptions| {
        let tuner = Tuner::new(CpuBackend::new(), train.clone(), &held_out, options);
        tuner.unwrap_err().to_string()
    };
    let new = TuneOptions::new;
    for (options, expected) in [
        (
            new().metric("auc"),
            "metric: expected recall, precision, ndcg",
        ),
        (new().k(0), "k: expected one or more cut-offs"),
        (new().trials(0), "trials: expected at least 1"),
        (
            new().popularity_penalty(-1.0),
            "popularity_penalty: expected a finite number",
        ),
        (new().filters(["slim"]), "filter: expected bspm"),
        (
            new().filters(["gf-cf", "neighbours"]),
            "filters: expected filters that are fitted to interactions",
        ),
        (
            new().filters(["mix"]),
            "filters: expected the filters to mix",
        ),
    ] {
        let found = error(options);
        assert!(found.starts_with(expected), "{found}");
    }
    let nothing = Interactions::from_pairs(train.users(), train.items(), []).unwrap();
    let tuner = Tuner::new(CpuBackend::new(), train.clone(), &nothing, new());
    assert!(
        tuner
            .unwrap_err()
            .to_string()
            .starts_with("nothing to evaluate: ")
    );
}

#[test]
fn data_of_every_size_can_be_tuned() {
    for users in [2, 10, 40] {
        let split = communities(users).hold_out(0.2, 0).unwrap();
        let (train, held_out) = (split.train.interactions(), split.test.interactions());
        let options = TuneOptions::new().trials(40);
        let mut tuner = Tuner::new(CpuBackend::new(), train.clone(), held_out, options).unwrap();
        while tuner.advance().unwrap().is_some() {}
        assert!(tuner.best().is_some());
        for trial in tuner.trials() {
            assert!(
                !matches!(trial.outcome, TrialOutcome::Failed(_)),
                "{trial:?}"
            );
        }
    }
}
