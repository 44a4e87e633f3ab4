//! What requests may ask, and the work that it makes.

use std::sync::Arc;

use bspm::data::History;
use bspm::fitted::RankOptions;
use bspm::{CpuModel, Explanation, Fallback};
use serde::{Deserialize, Serialize};

use super::error::Failure;
use super::ids::{Entry, Id, Lookup};
use super::work::{Work, named};

/// The longest list, history or selection that a request may ask for or bring.
pub(super) const MOST: usize = 10_000;

/// A user of the model, or a history; and what may stand in the list.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields, expecting = "an object with a user or a history")]
pub(super) struct Recommend {
    user: Option<Id>,
    history: Option<Vec<Entry>>,
    k: Option<usize>,
    #[serde(default)]
    deny: Vec<Id>,
    allow: Option<Vec<Id>>,
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
        Self {
            user: Some(Id(query.user)),
            history: None,
            k: query.k,
            deny: query.deny.as_deref().map_or_else(Vec::new, ids),
            allow: query.allow.as_deref().map(ids),
            minimum_score: query.minimum_score,
            fallback: query.fallback,
        }
    }
}

/// The ids of a list with commas in between.
fn ids(text: &str) -> Vec<Id> {
    text.split(',').map(|id| Id(id.into())).collect()
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

/// The items of a user or of a history, and what each counts if any weight is said; an item
/// without one counts 1 then. Items that the model does not know are left out.
fn history(
    model: &CpuModel,
    user: Option<&Id>,
    entries: Option<&[Entry]>,
    lookup: &mut Lookup,
) -> Result<(Vec<u32>, Option<Vec<f32>>), Failure> {
    match (user, entries) {
        (Some(Id(user)), None) => {
            let row = model.dataset().users().index(user);
            let row = row.ok_or_else(|| unknown("user", user))?;
            let history = model.dataset().interactions().history_of(row);
            Ok((
                history.items().to_vec(),
                history.weights().map(<[f32]>::to_vec),
            ))
        }
        (None, Some(entries)) if entries.len() <= MOST => {
            let known = entries.iter().filter_map(|Entry { item, weight }| {
                Some((lookup.column(model, item)?, weight.unwrap_or(1.0)))
            });
            let (items, weights) = known.unzip();
            let is_weighted = entries.iter().any(|entry| entry.weight.is_some());
            Ok((items, is_weighted.then_some(weights)))
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
        let mut lookup = Lookup::default();
        let (user, entries) = (self.user.as_ref(), self.history.as_deref());
        let (items, weights) = history(model, user, entries, &mut lookup)?;
        let is_filled = self.fallback == FallbackName::Popularity;
        if self.deny.is_empty() && self.allow.is_none() && self.minimum_score.is_none() {
            return Ok(Work::Best {
                items,
                weights,
                k,
                is_filled,
                unknown: lookup.unknown,
            });
        }
        let mut options = RankOptions::top(k).deny(lookup.columns(model, &self.deny));
        if is_filled {
            options = options.fallback(Fallback::Popularity);
        }
        if let Some(allow) = &self.allow {
            options = options.allow(lookup.columns(model, allow));
        }
        if let Some(score) = self.minimum_score {
            options = options.minimum_score(score);
        }
        let unknown = lookup.unknown;
        Ok(Work::Other(Box::new(move |model: &CpuModel| {
            let history = History::from(&items);
            let weighted = weights.as_ref().and_then(|it| history.weighted(it));
            let histories = [weighted.unwrap_or(history)];
            let ranking = model.filter().rank_histories(&histories, &options)?;
            named(model, &ranking.lists.concat(), k, is_filled, &unknown)
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
            unknown: Vec::new(),
        })
    }
}

#[derive(Deserialize, Debug)]
#[serde(
    deny_unknown_fields,
    expecting = "an object with an item, and a user or a history"
)]
pub(super) struct Explain {
    user: Option<Id>,
    history: Option<Vec<Id>>,
    item: Id,
}

impl Explain {
    pub(super) fn work(self) -> Result<Work, Failure> {
        #[derive(Serialize)]
        struct Explained {
            #[serde(flatten)]
            explanation: Explanation,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            unknown_items: Vec<String>,
        }
        if self.user.is_some() == self.history.is_some() {
            return Err(Failure::Request("expected a user or a history".into()));
        }
        Ok(Work::Other(Box::new(move |model: &CpuModel| {
            let mut lookup = Lookup::default();
            let explanation = match (&self.user, &self.history) {
                (Some(user), _) => model.explain(&user.0, &self.item.0)?,
                (None, history) => {
                    let history = history.iter().flatten();
                    let known = history.filter(|item| lookup.column(model, item).is_some());
                    let known: Vec<&String> = known.map(|item| &item.0).collect();
                    model.explain_for_items(known, &self.item.0)?
                }
            };
            Ok(serde_json::to_string(&Explained {
                explanation,
                unknown_items: lookup.unknown,
            })?)
        })))
    }
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields, expecting = "an object with a user and items")]
pub(super) struct Score {
    user: Id,
    items: Vec<Id>,
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
            user: Id(query.user),
            items: ids(&query.items),
        }
    }
}

impl Score {
    pub(super) fn work(self) -> Result<Work, Failure> {
        if self.items.len() > MOST {
            return Err(Failure::Request(format!("items: expected at most {MOST}")));
        }
        Ok(Work::Other(Box::new(move |model: &CpuModel| {
            let items = self.items.iter().map(|item| &item.0);
            Ok(serde_json::to_string(&model.score(&self.user.0, items)?)?)
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
