//! Sweeps: every row is the result of its settings alone, for every grid, every batch size and after
//! interruptions.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::random::configs;
use bspm::data::{SyntheticShape, TrainTest};
use bspm::sweep::{Sweep, SweepGrid};
use bspm::{
    BspmConfig, CpuBackend, Error, FitOptions, FittedFilter, Interactions, Merge, Metrics,
    Observer, Preset,
};
use proptest::prelude::*;

fn split() -> TrainTest {
    let shape = SyntheticShape {
        users: 700,
        items: 500,
        train: 14_000,
        test: 2_500,
        communities: 8,
    };
    shape.generate(5).unwrap()
}

fn alone(split: &TrainTest, config: BspmConfig, cutoffs: &[usize]) -> Vec<Metrics> {
    let fitted = FittedFilter::fit(CpuBackend::new(), split.train.clone(), config).unwrap();
    let evaluator = fitted.evaluate(&split.test, cutoffs).unwrap();
    evaluator.means()
}

fn sweep(split: &TrainTest, configs: Vec<BspmConfig>) -> Sweep<CpuBackend> {
    let train = split.train.clone();
    Sweep::new(
        CpuBackend::new(),
        train,
        split.test.clone(),
        configs,
        &[20, 5],
    )
    .unwrap()
}

/// Sums in a different order may rank two items with the same score differently. If this is at a cut-off,
/// the list of a user gains or loses an item, which changes a metric completely if it is the only held-out
/// item of the user. This may affect two users.
fn assert_alike(found: &[Metrics], expected: &[Metrics], users: usize, what: &str) {
    let swaps = 2.0 / users as f64;
    for (found, expected) in found.iter().zip(expected) {
        for (found, expected) in [
            (found.recall, expected.recall),
            (found.ndcg, expected.ndcg),
            (found.map, expected.map),
        ] {
            assert!(
                (found - expected).abs() <= swaps,
                "{what}: {found} {expected}"
            );
        }
    }
}

#[test]
fn every_row_is_that_of_the_setting_alone() {
    let split = split();
    let solvers = ["euler", "rk4", "dormand-prince:1e-5", "exact:1e-6"];
    let grid = SweepGrid::around(BspmConfig::builder().build().unwrap())
        .vary("sharpen_solver", solvers)
        .and_then(|it| it.vary("sharpen_time", [0.8, 2.0]))
        .and_then(|it| it.vary("sharpen_steps", [1, 3]))
        .and_then(|it| it.vary("factor_dim", [8, 20]))
        .and_then(|it| it.vary("beta", [0.0, 0.3]))
        .and_then(|it| it.vary("idl_time", [1.0, 0.6]))
        .and_then(|it| it.vary("merge", [Merge::Early, Merge::Late]))
        .and_then(|it| it.vary("t_point_combination", [false, true]))
        .unwrap();
    let configs = grid.configs().unwrap();
    assert_eq!(configs.len(), 4 * 2 * 2 * 2 * 2 * 2 * 2 * 2);
    let mut sweep = sweep(&split, configs);
    sweep.advance(usize::MAX).unwrap();
    assert_eq!(sweep.users_done(), split.test_users().len());
    for row in sweep.rows().into_iter().step_by(23) {
        let expected = alone(&split, row.config.clone(), &[20, 5]);
        assert_alike(
            &row.metrics,
            &expected,
            sweep.users(),
            &format!("{:?}", row.config),
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..Default::default() })]

    #[test]
    fn rows_of_random_settings_are_those_of_the_settings_alone(
        configs in prop::collection::vec(configs(), 1..4),
    ) {
        let split = split();
        let mut sweep = sweep(&split, configs);
        sweep.advance(usize::MAX).unwrap();
        for row in sweep.rows() {
            let expected = alone(&split, row.config.clone(), &[20, 5]);
            assert_alike(&row.metrics, &expected, sweep.users(), &format!("{:?}", row.config));
        }
    }
}

#[test]
fn batches_and_interruptions_change_nothing() {
    let split = split();
    let configs = vec![
        Preset::AmazonBook.config(),
        BspmConfig::builder().build().unwrap(),
    ];
    let mut whole = sweep(&split, configs.clone());
    whole.advance(usize::MAX).unwrap();

    let is_stopped = Arc::new(AtomicBool::new(false));
    let stops = is_stopped.clone();
    let observer = Observer::new(move |_| match stops.load(Ordering::Relaxed) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    });
    let mut first = Sweep::new_with(
        CpuBackend::new(),
        split.train.clone(),
        split.test.clone(),
        configs.clone(),
        &[20, 5],
        &FitOptions::new().observer(observer),
    )
    .unwrap();
    first.advance(320).unwrap();
    let before = first.state().clone();
    is_stopped.store(true, Ordering::Relaxed);
    let stop = first.advance(100).unwrap_err();
    assert!(matches!(stop, Error::Cancelled { .. }), "{stop}");
    assert_eq!(first.state(), &before);

    let text = serde_json::to_string(&before).unwrap();
    let mut second = sweep(&split, configs);
    second.resume(serde_json::from_str(&text).unwrap()).unwrap();
    assert_eq!(second.users_done(), 320);
    while second.users_done() < second.users() {
        second.advance(64).unwrap();
    }
    for (found, expected) in second.rows().iter().zip(whole.rows()) {
        let (found, expected) = (found.metrics[0], expected.metrics[0]);
        assert!((found.ndcg - expected.ndcg).abs() < 1e-9);
        assert!((found.recall - expected.recall).abs() < 1e-9);
    }
}

#[test]
fn impossible_sweeps_are_named() {
    let split = split();
    let blur = || BspmConfig::builder().build().unwrap();
    let error = |configs, held_out: &Interactions, cutoffs: &[usize]| {
        let train = split.train.clone();
        let sweep = Sweep::new(CpuBackend::new(), train, held_out.clone(), configs, cutoffs);
        sweep.expect_err("it is refused").to_string()
    };
    assert_eq!(
        error(vec![], &split.test, &[20]),
        "settings: expected at least 1, found 0"
    );
    assert!(error(vec![blur()], &split.test, &[0]).starts_with("k: expected"));
    let other = Interactions::from_pairs(3, 4, [(0, 0)]).unwrap();
    assert_eq!(
        error(vec![blur()], &other, &[20]),
        "sweep: shapes 700x500 and 3x4 do not match"
    );
    let state = sweep(&split, vec![blur(), Preset::AmazonBook.config()])
        .state()
        .clone();
    let refused = sweep(&split, vec![blur()])
        .resume(state)
        .unwrap_err()
        .to_string();
    assert!(
        refused.starts_with("state: expected a state of 1 settings"),
        "{refused}"
    );
    let grid = || SweepGrid::around(BspmConfig::builder().build().unwrap());
    assert!(grid().vary("warmth", [1]).is_err());
    let grid = grid().vary("sharpen_time", [1.0, -1.0]).unwrap();
    assert!(
        grid.configs()
            .unwrap_err()
            .to_string()
            .starts_with("sharpen_time: expected")
    );
}
