//! The result does not depend on the number of threads, to the last bit.

use bspm::data::SyntheticShape;
use bspm::fitted::RankOptions;
use bspm::{BspmConfig, CpuBackend, FittedFilter, Solver};

#[test]
fn fit_and_lists_are_the_same_on_any_number_of_threads() {
    let shape = SyntheticShape {
        users: 900,
        items: 1100,
        train: 14_000,
        test: 3_000,
        communities: 12,
    };
    let split = shape.generate(5).unwrap();
    let users = split.test_users();
    let config = BspmConfig::builder()
        .sharpen(Solver::Rk4, 2.5, 1)
        .ideal_low_pass(70, 0.2)
        .build()
        .unwrap();
    let run = |threads| {
        let backend = CpuBackend::with_threads(threads).unwrap();
        let model = FittedFilter::fit(backend, split.train.clone(), config.clone()).unwrap();
        let ranking = model.rank(&users, &RankOptions::top(20)).unwrap();
        (model.singular_values().to_vec(), ranking.lists)
    };
    let one = run(1);
    assert_eq!(one.0.len(), 70);
    for threads in [2, 3, 8] {
        assert!(run(threads) == one, "{threads} threads differ from one");
    }
}
