//! The coverage of a test set by a model.

use std::fmt::Debug;
use std::hash::Hash;

use super::Model;
use crate::backend::Backend;
use bspm_data::Dataset;
use bspm_data::{Error, Result};

/// Counts of the users, items and interactions of a test set that a model knows.
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
    /// The number of users with interactions.
    pub users: usize,
    /// The number of interactions.
    pub interactions: usize,
    /// The number of users that the model does not know.
    pub unknown_users: usize,
    /// The number of items that the model does not know. Lists do not contain them, so they count as missed.
    pub unknown_items: usize,
    /// The number of interactions that are also in the training data. Lists exclude them, so they count as
    /// missed.
    pub seen: usize,
    /// The number of interactions that can be in a list: the user and the item are known, and the interaction
    /// is not in the training data.
    pub measurable: usize,
}

impl TestCoverage {
    /// Returns warnings about reasons why the metrics are too low.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.unknown_users > 0 {
            warnings.push(format!(
                "{} of {} users of the test set are unknown to the model and are skipped",
                self.unknown_users, self.users
            ));
        }
        if self.unknown_items > 0 {
            warnings.push(format!(
                "{} items of the test set are unknown to the model and count as missed",
                self.unknown_items
            ));
        }
        if self.seen > 0 {
            warnings.push(format!(
                "{} of {} interactions of the test set are also in the training data and count as missed, \
                 because lists exclude seen items",
                self.seen, self.interactions
            ));
        }
        warnings
    }

    /// Returns an error if no interaction of the test set can be in a list.
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
            0 => "no user has an interaction in the test set; hint: only users with at least two interactions \
                  can have one held out"
                .into(),
            _ => {
                let hint = match seen == interactions {
                    true => "the model was fitted to the test set; fit it to the other interactions",
                    false => "check that the ids in both have the same format",
                };
                format!(
                    "no interaction of the test set can be in a list: {unknown_users} of {users} users are \
                     unknown to the model, {unknown_items} items are unknown, and {seen} of {interactions} \
                     interactions are also in the training data; hint: {hint}"
                )
            }
        };
        Err(Error::NothingToEvaluate { reason })
    }
}

impl<B: Backend, U: Eq + Hash + Clone, I: Eq + Hash + Clone> Model<B, U, I> {
    /// Counts the users, items and interactions of a test set that this model knows. Cost: a look-up for each.
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
