//! Evaluates the lists of any system like those of a model.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Debug;
use std::hash::Hash;

use super::evaluate::Evaluator;
use super::evaluation::{Evaluation, tested_ids};
use bspm_data::Dataset;
use bspm_data::Error;
use bspm_data::Ids;
use bspm_data::Interactions;
use bspm_data::Result;
use bspm_data::parameter::invalid;
use bspm_data::parameter::shortened;

/// The evaluation of the lists of any system, with counts of ignored users and items.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ListEvaluation {
    /// The metrics; users are rows of the test set. The catalogue metrics are over the items of the
    /// training set and of the lists; without a training set they are meaningless.
    pub evaluation: Evaluation,
    /// The number of users of lists without test items, who are ignored.
    pub unknown_users: usize,
    /// The number of distinct items of lists that are neither in the test set nor in the training set,
    /// and cannot be hits.
    pub unknown_items: usize,
    /// The number of users of the test set without a list, who count as users without hits.
    pub users_without_list: usize,
}

impl ListEvaluation {
    /// Evaluates lists, best item first, against a test set. The means are over the users with test items.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) if the test set has no interactions, if
    /// none of its users has a list, if a user has two lists, if an item occurs twice in a list, and for
    /// an invalid cut-off; [`Error::NothingToEvaluate`](crate::Error::NothingToEvaluate) if no item of the
    /// lists is in the test set or in the training set; [`Error::TooLarge`](crate::Error::TooLarge).
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_core::Dataset;
    /// use bspm_core::fitted::ListEvaluation;
    ///
    /// let test: Dataset<&str, &str> =
    ///     Dataset::from_pairs([("ann", "tea"), ("ann", "milk"), ("bob", "rice")])?;
    /// let lists = [("ann", vec!["tea", "jam"]), ("zoe", vec!["tea"])];
    /// let found = ListEvaluation::of(lists, &test, None, &[2])?;
    /// assert_eq!(found.evaluation.means()[0].recall, 0.25);
    /// assert_eq!((found.unknown_users, found.unknown_items), (1, 1));
    /// assert_eq!(found.users_without_list, 1);
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn of<U, I>(
        lists: impl IntoIterator<Item = (U, Vec<I>)>,
        test: &Dataset<U, I>,
        train: Option<&Dataset<U, I>>,
        cutoffs: &[usize],
    ) -> Result<Self>
    where
        U: Eq + Hash + Clone + Debug,
        I: Eq + Hash + Clone + Debug,
    {
        let evaluator = Evaluator::new(cutoffs)?;
        let rows = test.interactions().users_with_items();
        if rows.is_empty() {
            let expected = "a test set with at least one interaction";
            return Err(invalid("test", expected, "none"));
        }
        let mut found: Vec<Option<Vec<u32>>> = vec![None; test.users().len()];
        let mut columns = train.map_or_else(Ids::default, |train| Ids::clone(train.items()));
        let known = columns.len();
        let mut strangers = HashSet::new();
        let mut has_trained_item = false;
        for (user, list) in lists {
            let list = numbered(&user, list, &mut columns)?;
            has_trained_item |= list.iter().any(|&column| (column as usize) < known);
            let row = test.users().index::<U>(&user);
            match row.filter(|row| !test.interactions().items_of(*row).is_empty()) {
                None if strangers.insert(user.clone()) => {}
                Some(row) if found[row as usize].is_none() => found[row as usize] = Some(list),
                _ => {
                    let found = shortened(format!("two lists for user {user:?}"));
                    return Err(invalid("lists", "one list for each user", found));
                }
            }
        }
        let listed = columns.len();
        let in_test = |item: &&I| test.items().index::<I>(item).is_some();
        let unknown_items = columns.iter().skip(known).filter(|it| !in_test(it)).count();
        let example = columns.iter().nth(known).cloned();
        let mut test_columns = Vec::with_capacity(test.items().len());
        for item in test.items().iter() {
            test_columns.push(columns.index_or_insert(item.clone(), "items")?);
        }
        let users_without_list = rows.iter().filter(|&&it| found[it as usize].is_none());
        let users_without_list = users_without_list.count();
        if users_without_list == rows.len() {
            let expected = "a list for at least one user of the test set";
            return Err(invalid("lists", expected, "none"));
        }
        if let Some(item) = example.filter(|_| !has_trained_item && unknown_items == listed - known)
        {
            let item = shortened(format!("{item:?}"));
            let reason = format!(
                "no item of the lists, such as {item}, is in the test set or in the training set; hint: check \
                 that the ids have the same format; if they have, the training set must be given, too"
            );
            return Err(Error::NothingToEvaluate { reason });
        }
        let lists = rows.iter().map(|&row| found[row as usize].take());
        let lists: Vec<Vec<u32>> = lists.map(Option::unwrap_or_default).collect();
        let relevant = |place: usize| {
            let items = test.interactions().items_of(rows[place]).iter();
            let mut items: Vec<u32> = items.map(|&item| test_columns[item as usize]).collect();
            items.sort_unstable();
            Cow::Owned(items)
        };
        let catalogue = match train.map(Dataset::interactions) {
            None => Interactions::from_pairs(0, listed, [])?,
            Some(train) => Interactions::from_pairs(train.users(), listed, train.pairs())?,
        };
        let (users, tested) = (rows.clone(), tested_ids(test, &rows));
        Ok(Self {
            evaluation: Evaluation::new(&evaluator, &catalogue, users, tested, &lists, relevant),
            unknown_users: strangers.len(),
            unknown_items,
            users_without_list,
        })
    }
}

/// Converts a list to columns; a duplicate item is an error.
fn numbered<U: Debug, I: Eq + Hash + Clone + Debug>(
    user: &U,
    list: Vec<I>,
    columns: &mut Ids<I>,
) -> Result<Vec<u32>> {
    let mut seen = HashSet::with_capacity(list.len());
    let mut numbers = Vec::with_capacity(list.len());
    for item in list {
        let number = columns.index_or_insert(item.clone(), "items")?;
        if !seen.insert(number) {
            let found = shortened(format!("{item:?} twice in the list of user {user:?}"));
            return Err(invalid("lists", "distinct items in each list", found));
        }
        numbers.push(number);
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(pairs: &[(&'static str, u32)]) -> Dataset<&'static str, u32> {
        Dataset::from_pairs(pairs.iter().copied()).unwrap()
    }

    #[test]
    fn users_without_a_list_count_and_strangers_do_not() {
        let test = data(&[("ann", 1), ("bob", 2), ("cid", 3)]);
        let train = data(&[("ann", 2), ("bob", 1), ("cid", 9)]);
        let lists = [("ann", vec![7, 1]), ("bob", vec![2]), ("zoe", vec![8])];
        let found = ListEvaluation::of(lists, &test, Some(&train), &[2, 1]).unwrap();
        let means = found.evaluation.means();
        assert_eq!((means[0].recall, means[1].recall), (2.0 / 3.0, 1.0 / 3.0));
        assert_eq!(found.evaluation.users(), [0, 1, 2]);
        assert_eq!((found.unknown_users, found.unknown_items), (1, 2));
        assert_eq!(found.users_without_list, 1);
        // Of 2, 1, 9 in the training set, and of 7 and 8 in the lists.
        assert_eq!(found.evaluation.catalogue()[0].coverage, 3.0 / 5.0);
    }

    #[test]
    fn lists_of_two_recommenders_are_compared_by_user() {
        let test = data(&[("ann", 1), ("bob", 2)]);
        let of = |lists: Vec<(&'static str, Vec<u32>)>| {
            ListEvaluation::of(lists, &test, None, &[1])
                .unwrap()
                .evaluation
        };
        let good = of(vec![("ann", vec![1]), ("bob", vec![2])]);
        let bad = of(vec![("bob", vec![9]), ("ann", vec![2])]);
        let comparison = good.compare(&bad, "recall", 1).unwrap();
        assert_eq!((comparison.wins, comparison.losses), (2, 0));
    }

    #[test]
    fn what_has_no_mean_is_refused() {
        let (test, none) = (data(&[("ann", 1)]), data(&[]));
        let of = |lists: Vec<(&'static str, Vec<u32>)>, test| {
            ListEvaluation::of(lists, test, None, &[2])
                .unwrap_err()
                .to_string()
        };
        for (lists, test, expected) in [
            (
                vec![("ann", vec![1])],
                &none,
                "test: expected a test set with at least one",
            ),
            (
                vec![("bob", vec![1])],
                &test,
                "lists: expected a list for at least one user",
            ),
            (
                vec![],
                &test,
                "lists: expected a list for at least one user",
            ),
            (
                vec![("ann", vec![7, 8])],
                &test,
                "nothing to evaluate: no item of the lists, such as 7, is in the test set",
            ),
            (
                vec![("ann", vec![1]), ("ann", vec![2])],
                &test,
                "lists: expected one list for each user, found two lists for user \"ann\"",
            ),
            (
                vec![("ann", vec![1, 2, 1])],
                &test,
                "lists: expected distinct items in each list, found 1 twice in the list of user \"ann\"",
            ),
        ] {
            let found = of(lists, test);
            assert!(found.starts_with(expected), "{found}");
        }
    }
}
