//! Common code of the tests on the real data. `BSPM_DATA` is the folder of the splits; without it, the tests
//! are ignored.

use std::path::PathBuf;

use bspm::backend::ScoredItem;
use bspm::data::TrainTest;
use bspm::fitted::RankOptions;
use bspm::{Backend, Evaluator, FilterConfig, FittedFilter, Metrics, Preset};
use libtest_mimic::{Arguments, Conclusion, Failed, Trial};

/// A test of a real split.
pub(crate) type RealDataTest = (&'static str, Preset, fn(TrainTest) -> Result<(), Failed>);

/// Runs the tests one after the other: each uses all cores.
pub(crate) fn run(tests: &[RealDataTest]) -> Conclusion {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let trials = tests
        .iter()
        .map(|&(name, data, run)| {
            let directory = directory(data);
            let is_missing = directory.is_none();
            Trial::test(name, move || {
                let directory = directory.ok_or("set BSPM_DATA to the folder of the splits")?;
                run(TrainTest::from_lightgcn_directory(directory)?)
            })
            .with_ignored_flag(is_missing)
        })
        .collect();
    libtest_mimic::run(&arguments, trials)
}

fn directory(data: Preset) -> Option<PathBuf> {
    let directory = PathBuf::from(std::env::var_os("BSPM_DATA")?).join(data.name());
    directory.is_dir().then_some(directory)
}

/// The metrics at 20 over all test users, and their lists.
pub(crate) fn evaluate<B: Backend>(
    backend: B,
    split: &TrainTest,
    config: impl Into<FilterConfig>,
) -> Result<(Metrics, Vec<Vec<ScoredItem>>), Failed> {
    let model = FittedFilter::fit(backend, split.train.clone(), config)?;
    let users = split.test_users();
    let lists = lists(&model, &users)?;
    Ok((metrics(split, &users, &lists)?, lists))
}

/// The best 20 unseen items of each user.
pub(crate) fn lists<B: Backend>(
    model: &FittedFilter<B>,
    users: &[u32],
) -> Result<Vec<Vec<ScoredItem>>, Failed> {
    Ok(model.rank(users, &RankOptions::top(20))?.lists)
}

/// The metrics at 20 of the lists of these users.
pub(crate) fn metrics(
    split: &TrainTest,
    users: &[u32],
    lists: &[Vec<ScoredItem>],
) -> Result<Metrics, Failed> {
    let mut evaluator = Evaluator::new(&[20])?;
    for (list, &user) in lists.iter().zip(users) {
        evaluator.add(
            list.iter().map(|entry| entry.item),
            split.test.items_of(user),
        );
    }
    Ok(evaluator.means()[0])
}
