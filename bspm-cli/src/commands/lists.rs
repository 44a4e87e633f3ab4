//! Lists of recommended items: what they may hold, and how they are written.

use bspm::{Dataset, Fallback, RecommendOptions, Recommendation, UnknownIds};
use bspm_rules::ItemCondition;
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::output::{Record, TITLE};

/// What a list may hold.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Lists")]
pub(crate) struct ListArguments {
    /// Items in each list
    #[arg(short, default_value_t = 10)]
    k: usize,
    /// Recommend the items of the history too
    #[arg(long)]
    keep_seen: bool,
    /// Never recommend this item; may be given more than once
    #[arg(long, value_name = "ITEM")]
    deny: Vec<String>,
    /// Recommend only this item; may be given more than once
    #[arg(long, value_name = "ITEM")]
    allow: Vec<String>,
    /// Recommend only items whose columns in the item table satisfy a condition, as SQL has it:
    /// "category = 'books' and price < 20 and in_stock"
    #[arg(long = "where", value_name = "CONDITION")]
    condition: Option<ItemCondition>,
    /// Recommend only items with at least this score
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    minimum_score: Option<f32>,
    /// Pass over unknown users and items instead of failing
    #[arg(long)]
    skip_unknown: bool,
}

impl ListArguments {
    pub(crate) fn options(&self, dataset: &Dataset) -> bspm::Result<RecommendOptions> {
        let mut options = options(
            self.k,
            self.keep_seen,
            self.minimum_score,
            self.skip_unknown,
        )
        .deny(self.deny.clone());
        if !self.allow.is_empty() {
            options = options.allow(self.allow.clone());
        }
        with_condition(options, dataset, self.condition.as_ref())
    }
}

/// The options for lists of items that satisfy a condition, if there is one.
pub(crate) fn with_condition(
    options: RecommendOptions,
    dataset: &Dataset,
    condition: Option<&ItemCondition>,
) -> bspm::Result<RecommendOptions> {
    match condition {
        Some(condition) => Ok(options.allow_set(condition.items(dataset)?)),
        None => Ok(options),
    }
}

/// What lists may hold, from flags.
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

/// What fills a list where too few items have a score.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FallbackName {
    /// Nothing: the list is shorter
    None,
    /// The items of most users, marked as such
    Popularity,
    /// Items of score 0, in the order of the model
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

/// The columns of lists of recommendations, which a fallback may fill; `of` is what the lists are
/// for.
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

/// The list of a history that belongs to no user.
#[derive(Serialize)]
pub(crate) struct ItemList<'a> {
    pub(crate) history: &'a [String],
    pub(crate) items: Vec<Recommendation>,
    /// Whether the model has an item table.
    #[serde(skip)]
    pub(crate) has_titles: bool,
}

/// The list of an item, which no fallback fills.
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
                // An item that only fills the list has no score.
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
