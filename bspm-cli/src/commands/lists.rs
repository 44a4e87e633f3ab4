//! Lists of recommended items: flags that filter them, and their output.

use bspm::{Dataset, Fallback, RecommendOptions, Recommendation, UnknownIds};
use bspm_args::tell;
use bspm_rules::ItemCondition;
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::rerank::RuleArguments;
use crate::output::{Record, TITLE};

/// Flags that choose the items of the lists.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Lists")]
pub(crate) struct ListArguments {
    /// Number of items per list
    #[arg(short, default_value_t = 10)]
    k: usize,
    /// Also recommend items of the history
    #[arg(long)]
    keep_seen: bool,
    /// Never recommend this item; may be repeated
    #[arg(long, value_name = "ITEM")]
    deny: Vec<String>,
    /// Recommend only the items given with this flag; may be repeated
    #[arg(long, value_name = "ITEM")]
    allow: Vec<String>,
    /// Recommend only items whose row in the item table satisfies this condition in SQL syntax, such as
    /// "category = 'books' and price < 20 and in_stock"
    #[arg(long = "where", value_name = "CONDITION")]
    condition: Option<ItemCondition>,
    /// Recommend only items with a score of at least this value
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    minimum_score: Option<f32>,
    /// Ignore unknown items and give unknown users an empty history, instead of failing
    #[arg(long)]
    skip_unknown: bool,
    #[command(flatten)]
    rules: RuleArguments,
}

impl ListArguments {
    pub(crate) fn options(&self, dataset: &Dataset) -> bspm::Result<RecommendOptions> {
        let mut options = options(
            self.k,
            self.keep_seen,
            self.minimum_score,
            self.skip_unknown,
        )
        .deny(self.deny.clone())
        .rerank(self.rules.rerank(dataset)?);
        if !self.allow.is_empty() {
            options = options.allow(self.allow.clone());
        }
        with_condition(options, dataset, self.condition.as_ref())
    }
}

/// Adds a condition on the item table to the options, if there is one.
pub(crate) fn with_condition(
    options: RecommendOptions,
    dataset: &Dataset,
    condition: Option<&ItemCondition>,
) -> bspm::Result<RecommendOptions> {
    let Some(condition) = condition else {
        return Ok(options);
    };
    let items = condition.items(dataset)?;
    if items.rows().next().is_none() {
        tell!("warning: --where: no item satisfies the condition {condition}");
    }
    Ok(options.allow_set(items))
}

/// Returns the options of lists for these flags.
pub(crate) fn options(
    k: usize,
    keep_seen: bool,
    minimum_score: Option<f32>,
    skip_unknown: bool,
) -> RecommendOptions {
    let mut options = RecommendOptions::top(k);
    if keep_seen {
        options = options.keep_seen();
    }
    if let Some(score) = minimum_score {
        options = options.minimum_score(score);
    }
    if skip_unknown {
        options = options.unknown_ids(UnknownIds::Skip);
    }
    options
}

/// How to fill a list if too few items have a score.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FallbackName {
    /// Do not fill the list; it is shorter
    None,
    /// Fill with the most popular items, which are marked as fallback
    Popularity,
    /// Fill with items of score 0, in the order of the model
    Unscored,
}

impl From<FallbackName> for Fallback {
    fn from(name: FallbackName) -> Self {
        match name {
            FallbackName::None => Self::None,
            FallbackName::Popularity => Self::Popularity,
            FallbackName::Unscored => Self::Unscored,
        }
    }
}

/// Returns the columns of a table of lists; `of` is the name of the first column.
fn columns(of: &'static str, has_titles: bool) -> Vec<(&'static str, bool)> {
    let mut names = vec![(of, false), ("rank", true), ("item", false)];
    if has_titles {
        names.push((TITLE, false));
    }
    names.extend([("score", true), ("fallback", false)]);
    names
}

/// The list of one user.
#[derive(Serialize)]
pub(crate) struct UserList<'a> {
    pub(crate) user: &'a str,
    pub(crate) items: Vec<Recommendation>,
    /// Whether the model has an item table.
    #[serde(skip)]
    pub(crate) has_titles: bool,
}

impl Record for UserList<'_> {
    fn columns(&self) -> Vec<(&'static str, bool)> {
        columns("user", self.has_titles)
    }

    fn rows(&self) -> Vec<Vec<String>> {
        rows(self.user, &self.items, self.has_titles)
    }
}

/// The list of the history of a new user.
#[derive(Serialize)]
pub(crate) struct ItemList<'a> {
    pub(crate) history: &'a [String],
    pub(crate) items: Vec<Recommendation>,
    /// Whether the model has an item table.
    #[serde(skip)]
    pub(crate) has_titles: bool,
}

/// The list of the items similar to an item, without a fallback.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct SimilarList<'a>(pub(crate) ItemList<'a>);

impl Record for ItemList<'_> {
    fn columns(&self) -> Vec<(&'static str, bool)> {
        columns("history", self.has_titles)
    }

    fn rows(&self) -> Vec<Vec<String>> {
        rows(&self.history.join(" "), &self.items, self.has_titles)
    }
}

impl Record for SimilarList<'_> {
    fn columns(&self) -> Vec<(&'static str, bool)> {
        let mut columns = self.0.columns();
        columns.pop();
        columns
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let mut rows = self.0.rows();
        for row in &mut rows {
            row.pop();
        }
        rows
    }
}

fn rows(of: &str, items: &[Recommendation], has_titles: bool) -> Vec<Vec<String>> {
    items
        .iter()
        .enumerate()
        .map(|(place, entry)| {
            let title = has_titles.then(|| entry.title.clone().unwrap_or_default());
            let first = [of.to_owned(), (place + 1).to_string(), entry.item.clone()];
            let last = [
                // A fallback item has no score.
                match entry.is_fallback {
                    true => String::new(),
                    false => format!("{:.6}", entry.score),
                },
                entry.is_fallback.to_string(),
            ];
            first.into_iter().chain(title).chain(last).collect()
        })
        .collect()
}
