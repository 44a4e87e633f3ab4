//! Rules for lists: boosts, limits for groups of items, diversity.

use std::hash::Hash;

use bspm::Dataset;
use bspm::fitted::Rerank;
use bspm_rules::{Boost, Limit, ListRules};
use pyo3::prelude::*;

use crate::error::to_python;

/// Rules for lists, as keywords of Python.
#[derive(Debug, FromPyObject)]
pub(crate) struct Rules {
    /// Conditions and factors.
    #[pyo3(item)]
    boost: Vec<(String, f64)>,
    /// Columns and numbers of items.
    #[pyo3(item)]
    at_most: Vec<(String, usize)>,
    #[pyo3(item)]
    popularity_penalty: f64,
    #[pyo3(item)]
    diversity: f64,
    #[pyo3(item)]
    diversity_method: String,
}

/// Returns the options for re-ranking by the rules, if there are any.
pub(crate) fn rerank_by<U, I>(rules: Option<&Rules>, dataset: &Dataset<U, I>) -> PyResult<Rerank>
where
    U: Eq + Hash + Clone,
    I: Eq + Hash + Clone,
{
    let Some(rules) = rules else {
        return Ok(Rerank::new());
    };
    let mut list_rules = ListRules::default();
    for (condition, factor) in &rules.boost {
        let condition = condition.parse().map_err(to_python)?;
        list_rules.boosts.push(Boost::new(*factor, condition));
    }
    let limits = rules.at_most.iter();
    list_rules.limits = limits
        .map(|(column, count)| Limit::new(*count, column))
        .collect();
    list_rules.popularity_penalty = rules.popularity_penalty;
    list_rules.diversity = rules.diversity;
    list_rules.diversity_method = rules.diversity_method.parse().map_err(to_python)?;
    list_rules.rerank(dataset).map_err(to_python)
}
