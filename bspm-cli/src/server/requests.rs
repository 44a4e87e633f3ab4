//! What requests may ask, and the work that it makes.

use std::sync::Arc;

use bspm::{CpuModel, Fallback, RecommendOptions};
use serde::{Deserialize, Serialize};

use super::error::Failure;
use super::work::Work;

/// The longest list, history or selection that a request may ask for or bring.
pub(super) const MOST: usize = 10_000;

/// A user of the model, or a history; and what may stand in the list.
#[derive(Deserialize, Debug, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Recommend {
    user: Option<String>,
    history: Option<Vec<Entry>>,
    k: Option<usize>,
    #[serde(default)]
    deny: Vec<String>,
    allow: Option<Vec<String>>,
    minimum_score: Option<f32>,
    #[serde(default)]
    fallback: FallbackName,
}

/// What fills a list where too few items have a score.
#[derive(Clone, Copy, Deserialize, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum FallbackName {
    None,
    #[default]
    Popularity,
}

/// An item of a history, with or without what it counts.
#[derive(Deserialize, Debug)]
#[serde(untagged)]
enum Entry {
    Item(String),
    Weighted { item: String, weight: f32 },
}

/// The same in an address; lists have commas in between.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct RecommendQuery {
    user: String,
    k: Option<usize>,
    deny: Option<String>,
    allow: Option<String>,
    minimum_score: Option<f32>,
    #[serde(default)]
    fallback: FallbackName,
}

impl From<RecommendQuery> for Recommend {
    fn from(query: RecommendQuery) -> Self {
        let list = |text: String| text.split(',').map(str::to_owned).collect::<Vec<_>>();
        Self {
            user: Some(query.user),
            history: None,
            k: query.k,
            deny: query.deny.map_or_else(Vec::new, list),
            allow: query.allow.map(list),
            minimum_score: query.minimum_score,
            fallback: query.fallback,
        }
    }
}

fn length(k: Option<usize>) -> Result<usize, Failure> {
    match k.unwrap_or(10) {
        k @ 1..=MOST => Ok(k),
        k => Err(Failure::Request(format!(
            "k: expected 1 to {MOST}, found {k}"
        ))),
    }
}

fn item_index(model: &CpuModel, item: &str) -> Result<u32, Failure> {
    let known = model.dataset().items().index(item);
    known.ok_or_else(|| unknown("item", item))
}

fn unknown(kind: &'static str, id: &str) -> Failure {
    Failure::Model(bspm::Error::UnknownId {
        kind,
        id: format!("{id:?}"),
    })
}

/// The items of a user or of a history, and what each counts.
fn history(
    model: &CpuModel,
    user: Option<&str>,
    entries: Option<&[Entry]>,
) -> Result<(Vec<u32>, Option<Vec<f32>>), Failure> {
    match (user, entries) {
        (Some(user), None) => {
            let row = model.dataset().users().index(user);
            let row = row.ok_or_else(|| unknown("user", user))?;
            let history = model.dataset().interactions().history_of(row);
            Ok((
                history.items().to_vec(),
                history.weights().map(<[f32]>::to_vec),
            ))
        }
        (None, Some(entries)) if entries.len() <= MOST => {
            let mut items = Vec::with_capacity(entries.len());
            let mut weights = Vec::with_capacity(entries.len());
            for entry in entries {
                let (item, weight) = match entry {
                    Entry::Item(item) => (item, 1.0),
                    Entry::Weighted { item, weight } => (item, *weight),
                };
                if !weight.is_finite() {
                    return Err(Failure::Request("weight: expected a finite number".into()));
                }
                items.push(item_index(model, item)?);
                weights.push(weight);
            }
            let are_ones = weights.iter().all(|weight| *weight == 1.0);
            Ok((items, (!are_ones).then_some(weights)))
        }
        (None, Some(_)) => Err(Failure::Request(format!(
            "history: expected at most {MOST} items"
        ))),
        _ => Err(Failure::Request("expected a user or a history".into())),
    }
}

impl Recommend {
    pub(super) fn work(self, model: &Arc<CpuModel>) -> Result<Work, Failure> {
        let k = length(self.k)?;
        let (items, weights) = history(model, self.user.as_deref(), self.history.as_deref())?;
        let is_filled = self.fallback == FallbackName::Popularity;
        if self.deny.is_empty() && self.allow.is_none() && self.minimum_score.is_none() {
            return Ok(Work::Best {
                items,
                weights,
                k,
                is_filled,
            });
        }
        let mut options = RecommendOptions::top(k).deny(self.deny);
        if is_filled {
            options = options.fallback(Fallback::Popularity);
        }
        if let Some(allow) = self.allow {
            options = options.allow(allow);
        }
        if let Some(score) = self.minimum_score {
            options = options.minimum_score(score);
        }
        Ok(Work::Other(Box::new(move |model: &CpuModel| {
            let ids = model.dataset().items();
            let weights = weights.unwrap_or_else(|| vec![1.0; items.len()]);
            let named = items.iter().filter_map(|&item| ids.id(item)).cloned();
            let list = model.recommend_for_history(named.zip(weights), options)?;
            Ok(serde_json::to_string(&list)?)
        })))
    }
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct SimilarQuery {
    item: String,
    k: Option<usize>,
}

impl SimilarQuery {
    pub(super) fn work(self, model: &CpuModel) -> Result<Work, Failure> {
        Ok(Work::Best {
            items: vec![item_index(model, &self.item)?],
            weights: None,
            k: length(self.k)?,
            is_filled: false,
        })
    }
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Explain {
    user: Option<String>,
    history: Option<Vec<String>>,
    item: String,
}

impl Explain {
    pub(super) fn work(self) -> Result<Work, Failure> {
        if self.user.is_some() == self.history.is_some() {
            return Err(Failure::Request("expected a user or a history".into()));
        }
        Ok(Work::Other(Box::new(move |model: &CpuModel| {
            let explanation = match (&self.user, &self.history) {
                (Some(user), _) => model.explain(user.as_str(), self.item.as_str())?,
                (None, history) => {
                    let history = history.iter().flatten();
                    model.explain_for_items(history, &self.item)?
                }
            };
            Ok(serde_json::to_string(&explanation)?)
        })))
    }
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Score {
    user: String,
    items: Vec<String>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct ScoreQuery {
    user: String,
    items: String,
}

impl From<ScoreQuery> for Score {
    fn from(query: ScoreQuery) -> Self {
        Self {
            user: query.user,
            items: query.items.split(',').map(str::to_owned).collect(),
        }
    }
}

impl Score {
    pub(super) fn work(self) -> Result<Work, Failure> {
        if self.items.len() > MOST {
            return Err(Failure::Request(format!("items: expected at most {MOST}")));
        }
        Ok(Work::Other(Box::new(move |model: &CpuModel| {
            let items = self.items.iter().map(String::as_str);
            Ok(serde_json::to_string(
                &model.score(self.user.as_str(), items)?,
            )?)
        })))
    }
}

/// Items to pick from: those with this text in their ids.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemsQuery {
    #[serde(default)]
    search: String,
    k: Option<usize>,
}

impl ItemsQuery {
    /// Those of most users first.
    pub(super) fn work(self) -> Result<Work, Failure> {
        #[derive(Serialize)]
        struct Found<'a> {
            item: &'a str,
            users: u32,
        }
        let k = length(self.k)?;
        let text = self.search.to_lowercase();
        Ok(Work::Other(Box::new(move |model: &CpuModel| {
            let dataset = model.dataset();
            let users = dataset.interactions().item_degrees();
            let items = dataset.items().iter().zip(users);
            let mut found: Vec<Found<'_>> = items
                .filter(|(item, _)| item.to_lowercase().contains(&text))
                .map(|(item, users)| Found { item, users })
                .collect();
            found.sort_by_key(|it| std::cmp::Reverse(it.users));
            found.truncate(k);
            Ok(serde_json::to_string(&found)?)
        })))
    }
}
