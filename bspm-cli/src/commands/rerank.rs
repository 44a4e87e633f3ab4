//! Flags that re-rank lists: boosts, limits for groups of items, diversity.

use bspm::Dataset;
use bspm::fitted::{DiversityMethod, Rerank};
use bspm_rules::{Boost, Limit, ListRules};
use clap::Args;

/// Flags that re-rank lists by the columns of the item table.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Re-ranking")]
pub(crate) struct RuleArguments {
    /// Multiply the scores of the items that satisfy a condition on the item table, such as
    /// "1.5: on_sale and price < 20"; may be repeated. Items of the fallback have no score to multiply
    #[arg(long, value_name = "FACTOR: CONDITION")]
    boost: Vec<Boost>,
    /// Recommend at most this number of items with the same value in a column of the item table, such as
    /// 2:brand; may be repeated
    #[arg(long, value_name = "COUNT:COLUMN")]
    at_most: Vec<Limit>,
    #[command(flatten)]
    diversity: DiversityArguments,
}

/// Flags that re-rank lists by the interactions.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Re-ranking")]
pub(crate) struct DiversityArguments {
    /// Penalty for popular items: multiply each score by (1 + users of the item) ^ -PENALTY
    #[arg(
        long,
        value_name = "PENALTY",
        default_value_t = 0.0,
        allow_negative_numbers = true
    )]
    popularity_penalty: f64,
    /// Diversity of the lists, from 0 (by score) to 1 (as different as possible), by the cosines of the
    /// items in the interaction matrix
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    diversity: f64,
    /// Method for diverse lists: mmr (maximal marginal relevance) or dpp (determinantal point process)
    #[arg(
        long,
        value_name = "METHOD",
        default_value = "mmr",
        requires = "diversity"
    )]
    diversity_method: DiversityMethod,
}

impl RuleArguments {
    /// Returns the options for re-ranking lists of a model of this data set.
    pub(crate) fn rerank(&self, dataset: &Dataset) -> bspm::Result<Rerank> {
        let mut rules = ListRules::default();
        rules.boosts.clone_from(&self.boost);
        rules.limits.clone_from(&self.at_most);
        rules.popularity_penalty = self.diversity.popularity_penalty;
        rules.diversity = self.diversity.diversity;
        rules.diversity_method = self.diversity.diversity_method;
        rules.rerank(dataset)
    }
}

impl DiversityArguments {
    /// Returns the options for re-ranking lists.
    pub(crate) fn rerank(&self) -> Rerank {
        Rerank::new()
            .popularity_penalty(self.popularity_penalty)
            .diversity(self.diversity)
            .diversity_method(self.diversity_method)
    }
}
