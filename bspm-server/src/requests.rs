//! Requests, and the work that they require.

use bspm::{CpuModel, Explanation};
use bspm_rules::{Boost, ItemCondition, Limit, ListRules};
use serde::{Deserialize, Deserializer, Serialize};

use super::error::Failure;
use super::ids::{Bounded, Entry, Id, Lookup, MOST, from_list};
use super::live::LiveHistory;
use super::models::Chosen;
use super::object::Request;
use super::work::{ListWork, Origin, Work};

/// A request for a list: a user of the model or a history, and options of the list.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Recommend {
    pub(super) model: Option<String>,
    user: Option<Id>,
    history: Option<Bounded<Entry>>,
    k: Option<usize>,
    #[serde(default, deserialize_with = "or_default")]
    deny: Bounded<Id>,
    allow: Option<Bounded<Id>>,
    #[serde(default, deserialize_with = "or_default")]
    keep_seen: bool,
    minimum_score: Option<f32>,
    #[serde(rename = "where")]
    condition: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    boost: Bounded<BoostRequest>,
    #[serde(default, deserialize_with = "or_default")]
    at_most: Bounded<LimitRequest>,
    #[serde(default, deserialize_with = "or_default")]
    popularity_penalty: f64,
    #[serde(default, deserialize_with = "or_default")]
    diversity: f64,
    diversity_method: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    fallback: FallbackName,
}

/// Reads a value, or the default for `null`: some clients write `null` for fields that are not set.
fn or_default<'de, T, D>(from: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default,
    D: Deserializer<'de>,
{
    Option::deserialize(from).map(Option::unwrap_or_default)
}

/// A boost of the items that satisfy a condition.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct BoostRequest {
    #[serde(rename = "where")]
    condition: String,
    factor: f64,
}

/// A limit for items with the same value in a column.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct LimitRequest {
    column: String,
    count: usize,
}

impl Request for Recommend {
    const EXPECTED: &'static str = "an object with a user or a history";
}

/// How to fill a list if too few items have a score.
#[derive(Clone, Copy, Deserialize, Debug, Default, PartialEq, Eq)]
#[serde(try_from = "String")]
enum FallbackName {
    None,
    #[default]
    Popularity,
}

impl TryFrom<String> for FallbackName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        match name.as_str() {
            "none" => Ok(Self::None),
            "popularity" => Ok(Self::Popularity),
            _ => Err(format!("expected popularity or none, found {name:?}")),
        }
    }
}

/// The same request as a query string; the values of lists are separated by commas.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct RecommendQuery {
    model: Option<String>,
    user: String,
    k: Option<usize>,
    deny: Option<String>,
    allow: Option<String>,
    #[serde(default)]
    keep_seen: bool,
    minimum_score: Option<f32>,
    #[serde(rename = "where")]
    condition: Option<String>,
    #[serde(default)]
    popularity_penalty: f64,
    #[serde(default)]
    diversity: f64,
    diversity_method: Option<String>,
    #[serde(default)]
    fallback: FallbackName,
}

impl TryFrom<RecommendQuery> for Recommend {
    type Error = Failure;

    fn try_from(query: RecommendQuery) -> Result<Self, Failure> {
        let deny = query.deny.as_deref().map(|it| listed("deny", it));
        let allow = query.allow.as_deref().map(|it| listed("allow", it));
        Ok(Self {
            model: query.model,
            user: Some(Id(query.user)),
            history: None,
            k: query.k,
            deny: deny.transpose()?.unwrap_or_default(),
            allow: allow.transpose()?,
            keep_seen: query.keep_seen,
            minimum_score: query.minimum_score,
            condition: query.condition,
            boost: Bounded::default(),
            at_most: Bounded::default(),
            popularity_penalty: query.popularity_penalty,
            diversity: query.diversity,
            diversity_method: query.diversity_method,
            fallback: query.fallback,
        })
    }
}

/// Parses a list of ids in a query string, and checks its length.
pub(super) fn listed(name: &str, text: &str) -> Result<Bounded<Id>, Failure> {
    let ids = from_list(name, text)?;
    match ids.len() {
        ..=MOST => Ok(Bounded(ids)),
        length => Err(Failure::Request(format!(
            "{name}: expected at most {MOST} entries, found {length}"
        ))),
    }
}

pub(super) fn length(k: Option<usize>) -> Result<usize, Failure> {
    match k.unwrap_or(10) {
        k @ 1..=MOST => Ok(k),
        k => Err(Failure::Request(format!(
            "k: expected a number from 1 to {MOST}, found {k}"
        ))),
    }
}

pub(super) fn parsed(condition: Option<&str>) -> Result<Option<Box<ItemCondition>>, Failure> {
    let condition = condition.map(str::parse).transpose()?;
    Ok(condition.map(Box::new))
}

fn item_index(model: &CpuModel, item: &str) -> Result<u32, Failure> {
    let known = model.dataset().items().index(item);
    known.ok_or_else(|| unknown("item", item))
}

pub(super) fn unknown(kind: &'static str, id: &str) -> Failure {
    Failure::Model(bspm::Error::unknown_id(kind, id))
}

/// Returns the items of a user or a history, and their weights if any item has one; other items then
/// have weight 1. Unknown items are ignored.
fn history(
    chosen: &Chosen,
    user: Option<&Id>,
    entries: Option<&[Entry]>,
    lookup: &mut Lookup,
) -> Result<(Vec<u32>, Option<Vec<f32>>), Failure> {
    let model = &chosen.model;
    match (user, entries) {
        (Some(Id(user)), None) => {
            if let Some(history) = chosen.live_history(user) {
                let LiveHistory {
                    items,
                    weights,
                    unknown,
                } = history;
                lookup.unknown.extend(unknown);
                return Ok((items, weights));
            }
            let row = model.dataset().users().index(user);
            let row = row.ok_or_else(|| unknown("user", user))?;
            let history = model.dataset().interactions().history_of(row);
            Ok((
                history.items().to_vec(),
                history.weights().map(<[f32]>::to_vec),
            ))
        }
        (None, Some(entries)) => {
            let known = entries.iter().filter_map(|Entry { item, weight }| {
                Some((lookup.column(model, item)?, weight.unwrap_or(1.0)))
            });
            let (items, weights) = known.unzip();
            let is_weighted = entries.iter().any(|entry| entry.weight.is_some());
            Ok((items, is_weighted.then_some(weights)))
        }
        (user, _) => {
            let found = if user.is_some() { "both" } else { "neither" };
            Err(Failure::Request(format!(
                "expected either a user or a history, found {found}"
            )))
        }
    }
}

/// The most boosts and limits of a request: each is a pass over the items.
const MOST_RULES: usize = 32;

/// The longest diverse list, whose cost grows with the square of its length.
const MOST_DIVERSE: usize = 200;

impl Recommend {
    /// Returns the rules of the list, if there are any.
    fn rules(&self) -> Result<Option<Box<ListRules>>, Failure> {
        let count = self.boost.0.len() + self.at_most.0.len();
        if count > MOST_RULES {
            return Err(Failure::Request(format!(
                "boost and at_most: expected at most {MOST_RULES} rules together, found {count}"
            )));
        }
        if let Some(k) = self.k.filter(|&k| k > MOST_DIVERSE && self.diversity > 0.0) {
            return Err(Failure::Request(format!(
                "k: expected at most {MOST_DIVERSE} with diversity, found {k}"
            )));
        }
        let mut rules = ListRules::default();
        for boost in &self.boost.0 {
            let condition = boost.condition.parse()?;
            rules.boosts.push(Boost::new(boost.factor, condition));
        }
        let limits = self.at_most.0.iter();
        rules.limits = limits.map(|it| Limit::new(it.count, &it.column)).collect();
        rules.popularity_penalty = self.popularity_penalty;
        rules.diversity = self.diversity;
        if let Some(method) = &self.diversity_method {
            if self.diversity == 0.0 {
                let message = "diversity_method: has no effect without diversity; hint: set diversity above 0";
                return Err(Failure::Request(message.into()));
            }
            rules.diversity_method = method.parse()?;
        }
        Ok((rules != ListRules::default()).then(|| Box::new(rules)))
    }

    pub(super) fn user(&self) -> Option<&str> {
        self.user.as_ref().map(|user| user.0.as_str())
    }

    pub(super) fn work(&self, chosen: &Chosen, origin: Box<Origin>) -> Result<Work, Failure> {
        let model = &chosen.model;
        let k = length(self.k)?;
        let mut lookup = Lookup::default();
        let entries = self.history.as_ref().map(|it| it.0.as_slice());
        let user = self.user.as_ref();
        let (items, weights) = history(chosen, user, entries, &mut lookup)?;
        if let Some(score) = self.minimum_score.filter(|it| !it.is_finite()) {
            let message = format!("minimum_score: expected a finite number, found {score}");
            return Err(Failure::Request(message));
        }
        let rules = self.rules()?;
        Ok(Work::List(ListWork {
            items,
            weights,
            k,
            deny: lookup.columns(model, &self.deny.0),
            allow: self
                .allow
                .as_ref()
                .map(|allow| lookup.columns(model, &allow.0)),
            keep_seen: self.keep_seen,
            minimum_score: self.minimum_score,
            condition: parsed(self.condition.as_deref())?,
            rules,
            is_filled: self.fallback == FallbackName::Popularity,
            unknown: lookup.unknown,
            origin,
        }))
    }
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct SimilarQuery {
    pub(super) model: Option<String>,
    item: Id,
    k: Option<usize>,
    #[serde(rename = "where")]
    condition: Option<String>,
}

impl SimilarQuery {
    pub(super) fn work(&self, model: &CpuModel, origin: Box<Origin>) -> Result<Work, Failure> {
        Ok(Work::List(ListWork {
            items: vec![item_index(model, &self.item.0)?],
            weights: None,
            k: length(self.k)?,
            deny: Vec::new(),
            allow: None,
            keep_seen: false,
            minimum_score: None,
            condition: parsed(self.condition.as_deref())?,
            rules: None,
            is_filled: false,
            unknown: Vec::new(),
            origin,
        }))
    }
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Explain {
    pub(super) model: Option<String>,
    user: Option<Id>,
    history: Option<Bounded<Entry>>,
    item: Id,
}

impl Request for Explain {
    const EXPECTED: &'static str = "an object with an item, and a user or a history";
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct ExplainQuery {
    model: Option<String>,
    user: String,
    item: String,
}

impl From<ExplainQuery> for Explain {
    fn from(query: ExplainQuery) -> Self {
        Self {
            model: query.model,
            user: Some(Id(query.user)),
            history: None,
            item: Id(query.item),
        }
    }
}

impl Explain {
    pub(super) fn user(&self) -> Option<&str> {
        self.user.as_ref().map(|user| user.0.as_str())
    }

    pub(super) fn work(self, chosen: &Chosen) -> Result<Work, Failure> {
        #[derive(Serialize)]
        struct Explained {
            #[serde(flatten)]
            explanation: Explanation,
            unknown_items: Vec<String>,
        }
        let mut lookup = Lookup::default();
        let entries = self.history.as_ref().map(|it| it.0.as_slice());
        let (items, weights) = history(chosen, self.user.as_ref(), entries, &mut lookup)?;
        let unknown_items = lookup.unknown;
        Ok(Work::Other(Box::new(move |model: &CpuModel| {
            let history = named(model, &items, weights.as_deref());
            let explanation = match weights {
                None => {
                    model.explain_for_items(history.into_iter().map(|it| it.0), &self.item.0)?
                }
                Some(_) => model.explain_for_history(history, &self.item.0)?,
            };
            Ok(serde_json::to_string(&Explained {
                explanation,
                unknown_items,
            })?)
        })))
    }
}

/// Returns the items of a history with their ids.
fn named<'m>(
    model: &'m CpuModel,
    items: &[u32],
    weights: Option<&[f32]>,
) -> Vec<(&'m String, f32)> {
    let ids = model.dataset().items();
    let items = items.iter().enumerate();
    let named = items.filter_map(|(place, &column)| {
        let weight = weights.map_or(1.0, |weights| weights[place]);
        Some((ids.id(column)?, weight))
    });
    named.collect()
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Score {
    pub(super) model: Option<String>,
    user: Option<Id>,
    history: Option<Bounded<Entry>>,
    items: Bounded<Id>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct ScoreQuery {
    model: Option<String>,
    user: String,
    items: String,
}

impl Request for Score {
    const EXPECTED: &'static str = "an object with items, and a user or a history";
}

impl TryFrom<ScoreQuery> for Score {
    type Error = Failure;

    fn try_from(query: ScoreQuery) -> Result<Self, Failure> {
        Ok(Self {
            model: query.model,
            user: Some(Id(query.user)),
            history: None,
            items: listed("items", &query.items)?,
        })
    }
}

impl Score {
    pub(super) fn user(&self) -> Option<&str> {
        self.user.as_ref().map(|user| user.0.as_str())
    }

    pub(super) fn work(self, chosen: &Chosen) -> Result<Work, Failure> {
        #[derive(Serialize)]
        struct Scored {
            scores: Vec<f32>,
            unknown_items: Vec<String>,
        }
        let mut lookup = Lookup::default();
        let entries = self.history.as_ref().map(|it| it.0.as_slice());
        let (items, weights) = history(chosen, self.user.as_ref(), entries, &mut lookup)?;
        let unknown_items = lookup.unknown;
        Ok(Work::Other(Box::new(move |model: &CpuModel| {
            let history = named(model, &items, weights.as_deref());
            let wanted = self.items.0.iter().map(|item| item.0.as_str());
            let scores = model.score_history(history, wanted)?;
            Ok(serde_json::to_string(&Scored {
                scores,
                unknown_items,
            })?)
        })))
    }
}
