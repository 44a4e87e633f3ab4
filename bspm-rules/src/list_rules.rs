//! Rules for lists, as text: boosts by a condition, and limits by a column.

use std::hash::Hash;
use std::str::FromStr;

use bspm_core::fitted::{DiversityMethod, Rerank};
use bspm_data::parameter::{invalid, shortened};
use bspm_data::{Dataset, Error, Result};

use crate::item_condition::ItemCondition;

/// A boost of the items that satisfy a condition: `1.5: on_sale and price < 20`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Boost {
    /// The factor of the scores, above 0.
    pub factor: f64,
    /// The condition on the items.
    pub condition: ItemCondition,
}

impl Boost {
    /// Returns the boost by a factor of the items that satisfy a condition.
    pub fn new(factor: f64, condition: ItemCondition) -> Self {
        Self { factor, condition }
    }
}

impl FromStr for Boost {
    type Err = Error;

    /// Parses `FACTOR: CONDITION`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`].
    fn from_str(text: &str) -> Result<Self> {
        let expected = "a factor and a condition, as in 1.5: price < 20";
        let (factor, condition) = number_and_rest(text, "boost", expected)?;
        Ok(Self::new(factor, condition.parse()?))
    }
}

/// A limit for the items of a list with the same value in a column: `2: brand`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limit {
    /// The largest number of items, at least 1.
    pub count: usize,
    /// The column of the item table.
    pub column: String,
}

impl Limit {
    /// Returns the limit for items with the same value in a column.
    pub fn new(count: usize, column: impl Into<String>) -> Self {
        let column = column.into();
        Self { count, column }
    }
}

impl FromStr for Limit {
    type Err = Error;

    /// Parses `COUNT: COLUMN`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`].
    fn from_str(text: &str) -> Result<Self> {
        let expected = "a number of items and a column, as in 2: brand";
        let (count, column) = number_and_rest(text, "at_most", expected)?;
        Ok(Self::new(count, column))
    }
}

/// Parses `NUMBER: TEXT`.
fn number_and_rest<'t, T: FromStr>(
    text: &'t str,
    parameter: &'static str,
    expected: &str,
) -> Result<(T, &'t str)> {
    let parts = text.split_once(':');
    let parsed = parts.and_then(|(number, rest)| Some((number.trim().parse().ok()?, rest.trim())));
    parsed.ok_or_else(|| invalid(parameter, expected, shortened(format!("{text:?}"))))
}

/// Rules for lists, which [`rerank`](Self::rerank) applies to the item table of a data set.
///
/// # Examples
///
/// ```
/// use bspm_data::{Dataset, ItemColumn, ItemTable};
/// use bspm_rules::ListRules;
///
/// let views: Dataset<&str, u32> = Dataset::from_pairs([("ann", 1), ("bob", 2)])?;
/// let columns = vec![
///     ItemColumn::texts("title", ["Green tea", "Mug"]),
///     ItemColumn::booleans("on_sale", [true, false]),
/// ];
/// let table = ItemTable::new([1, 2].into_iter().collect(), "title", columns)?;
/// let views = views.with_items(table)?;
///
/// let mut rules = ListRules::default();
/// rules.boosts.push("1.5: on_sale".parse()?);
/// rules.diversity = 0.3;
/// let rerank = rules.rerank(&views)?; // for RecommendOptions::rerank
/// assert!(!rerank.is_identity());
/// # Ok::<(), bspm_data::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ListRules {
    /// Boosts of items that satisfy conditions.
    pub boosts: Vec<Boost>,
    /// Limits for items with the same value in a column.
    pub limits: Vec<Limit>,
    /// The exponent of the penalty for popular items ([`Rerank::popularity_penalty`]).
    pub popularity_penalty: f64,
    /// The diversity of the lists, from 0 to 1 ([`Rerank::diversity`]).
    pub diversity: f64,
    /// How diverse lists are made.
    pub diversity_method: DiversityMethod,
}

impl ListRules {
    /// Returns the options for re-ranking by these rules. Cost: a pass over the item table for each
    /// part of a condition, and for each limit.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for an unknown column, and if a rule needs an item table and the data
    /// set has none.
    pub fn rerank<U, I>(&self, dataset: &Dataset<U, I>) -> Result<Rerank>
    where
        U: Eq + Hash + Clone,
        I: Eq + Hash + Clone,
    {
        let mut rerank = Rerank::new()
            .popularity_penalty(self.popularity_penalty)
            .diversity(self.diversity)
            .diversity_method(self.diversity_method);
        for boost in &self.boosts {
            rerank = rerank.boost(boost.condition.items(dataset)?, boost.factor);
        }
        for limit in &self.limits {
            let Some(table) = dataset.item_table() else {
                let expected =
                    "a data set with an item table, which has the column (hint: fit with --items)";
                return Err(invalid("at_most", expected, "none"));
            };
            let groups = table.groups(&limit.column).map_err(|error| match error {
                Error::InvalidParameter {
                    expected, found, ..
                } => invalid("at_most", expected, found),
                other => other,
            })?;
            rerank = rerank.at_most(limit.count, groups);
        }
        rerank.check()?;
        Ok(rerank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_parsed_from_text() {
        let boost: Boost = " 1.5 : price < 20 ".parse().unwrap();
        assert_eq!(
            (boost.factor, boost.condition.to_string()),
            (1.5, "price < 20".into())
        );
        let limit: Limit = "2:brand name".parse().unwrap();
        assert_eq!((limit.count, limit.column.as_str()), (2, "brand name"));
        for text in ["", "price < 20", "x: price < 20"] {
            let error = text.parse::<Boost>().unwrap_err().to_string();
            assert!(error.starts_with("boost: expected a factor"), "{error}");
        }
        for text in ["", "brand", "-1: brand", "1.5: brand"] {
            let error = text.parse::<Limit>().unwrap_err().to_string();
            assert!(error.starts_with("at_most: expected a number"), "{error}");
        }
    }

    #[test]
    fn rules_on_columns_need_an_item_table() {
        let views: Dataset<&str, u32> = Dataset::from_pairs([("ann", 1)]).unwrap();
        let mut rules = ListRules::default();
        assert!(rules.rerank(&views).unwrap().is_identity());
        rules.limits.push(Limit::new(2, "brand"));
        let error = rules.rerank(&views).unwrap_err().to_string();
        assert!(
            error.starts_with("at_most: expected a data set with an item table"),
            "{error}"
        );
    }
}
