//! How much of a test set a model can be measured by.

use std::fmt::Debug;
use std::hash::Hash;

use super::Model;
use crate::backend::Backend;
use bspm_data::Dataset;
use bspm_data::{Error, Result};

/// What of a test set a model knows.
///
/// # Examples
///
/// ```
/// # use bspm_core::{BspmConfig, Dataset, Model};
/// # use bspm_cpu::CpuBackend;
/// let train: Dataset<&str, &str> = Dataset::from_pairs([("ann", "tea"), ("bob", "milk")])?;
/// let model = Model::fit(CpuBackend::new(), train, BspmConfig::builder().build()?)?;
/// let test = Dataset::from_pairs([("ann", "tea"), ("ann", "rice"), ("cid", "milk")])?;
/// let coverage = model.test_coverage(&test);
/// assert_eq!((coverage.interactions, coverage.measurable), (3, 0));
/// assert_eq!((coverage.unknown_users, coverage.unknown_items, coverage.seen), (1, 1, 1));
/// # Ok::<(), bspm_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TestCoverage {
    /// Users with interactions.
    pub users: usize,
    /// Interactions.
    pub interactions: usize,
    /// Users that the model does not know.
    pub unknown_users: usize,
    /// Items that the model does not know: no list holds them, and they count as missed.
    pub unknown_items: usize,
    /// Interactions that the model has seen: lists do not hold them, and they count as missed.
    pub seen: usize,
    /// Interactions that a list can hold: of a known user with a known item, and not seen.
    pub measurable: usize,
}

impl TestCoverage {
    /// What makes the metrics lower than they should be, each a sentence.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.unknown_users > 0 {
            warnings.push(format!(
                "{} of {} users of the test set are unknown to the model and left out",
                self.unknown_users, self.users
            ));
        }
        if self.unknown_items > 0 {
            warnings.push(format!(
                "{} items of the test set are unknown to the model: they count as missed",
                self.unknown_items
            ));
        }
        if self.seen > 0 {
            warnings.push(format!(
                "{} of {} interactions of the test set are in the training data too: they count as \
                 missed, as lists do not hold seen items",
                self.seen, self.interactions
            ));
        }
        warnings
    }

    /// Refuses a test set of which nothing can be measured.
    pub(super) fn check(&self) -> Result<()> {
        if self.measurable > 0 {
            return Ok(());
        }
        let Self {
            users,
            interactions,
            unknown_users,
            unknown_items,
            seen,
            ..
        } = self;
        let reason = match interactions {
            0 => "no user has an interaction in the test set: a user needs two for one to be held out"
                .into(),
            _ => format!(
                "no interaction of the test set can be in a list: of {users} users {unknown_users} \
                 are unknown to the model, {unknown_items} items are unknown, and {seen} of \
                 {interactions} interactions are in the training data too; the ids of both may be \
                 written in different ways"
            ),
        };
        Err(Error::NothingToEvaluate { reason })
    }
}

impl<B: Backend, U: Eq + Hash + Clone, I: Eq + Hash + Clone> Model<B, U, I> {
    /// What of a test set this model knows. Cost: a look-up for each user, item and interaction.
    pub fn test_coverage(&self, test: &Dataset<U, I>) -> TestCoverage
    where
        U: Debug,
    {
        let mut coverage = TestCoverage::default();
        let items = test.items().iter();
        let columns: Vec<Option<u32>> = items.map(|it| self.dataset.items().index(it)).collect();
        let mut is_used = vec![false; columns.len()];
        for (row, id) in test.users().iter().enumerate() {
            let tested = test.interactions().items_of(row as u32);
            if tested.is_empty() {
                continue;
            }
            coverage.users += 1;
            coverage.interactions += tested.len();
            tested
                .iter()
                .for_each(|&item| is_used[item as usize] = true);
            let Some(user) = self.dataset.users().index(id) else {
                coverage.unknown_users += 1;
                continue;
            };
            let history = self.dataset.interactions().items_of(user);
            for column in tested.iter().filter_map(|&item| columns[item as usize]) {
                match history.binary_search(&column) {
                    Ok(_) => coverage.seen += 1,
                    Err(_) => coverage.measurable += 1,
                }
            }
        }
        let unknown = columns.iter().zip(is_used);
        coverage.unknown_items = unknown
            .filter(|(it, is_used)| *is_used && it.is_none())
            .count();
        coverage
    }
}
