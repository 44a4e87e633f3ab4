//! `/users` and `/history`: example users, and the history of a user.

use std::cmp::Reverse;

use bspm::CpuModel;
use bspm::data::History;
use serde::{Deserialize, Serialize};

use super::error::Failure;
use super::models::Chosen;
use super::requests::{length, unknown};
use super::work::Work;

/// The maximum number of example users.
const MOST_EXAMPLES: usize = 24;

/// The number of items of each example user.
const ITEMS_OF_EXAMPLE: usize = 3;

/// A request for example users.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct UsersQuery {
    pub(super) model: Option<String>,
    k: Option<usize>,
}

/// A request for the history of a user.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct HistoryQuery {
    pub(super) model: Option<String>,
    pub(super) user: String,
    k: Option<usize>,
}

#[derive(Serialize)]
struct Users<'a> {
    users: Vec<UserHistory<'a>>,
}

/// The first items of the history of a user.
#[derive(Serialize)]
struct UserHistory<'a> {
    user: &'a str,
    interactions: usize,
    items: Vec<HistoryItem<'a>>,
}

#[derive(Serialize)]
struct HistoryItem<'a> {
    item: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<f32>,
}

impl UsersQuery {
    /// Returns the work for the examples, or for an empty list if examples are disabled.
    pub(super) fn work(self, is_enabled: bool) -> Result<Work, Failure> {
        let k = match self.k.unwrap_or(6) {
            k @ 1..=MOST_EXAMPLES => k,
            k => {
                let message = format!("k: expected a number from 1 to {MOST_EXAMPLES}, found {k}");
                return Err(Failure::Request(message));
            }
        };
        Ok(Work::Other(Box::new(move |model: &CpuModel| {
            let rows = match is_enabled {
                true => examples(model, k),
                false => Vec::new(),
            };
            let popularity = model.dataset().interactions().item_degrees();
            let dataset = model.dataset();
            let users = rows.into_iter().filter_map(|row| {
                let history = dataset.interactions().history_of(row);
                let user = dataset.users().id(row)?;
                let k = ITEMS_OF_EXAMPLE;
                Some(UserHistory::of(model, user, history, k, &popularity))
            });
            let users = users.collect();
            Ok(serde_json::to_string(&Users { users })?)
        })))
    }
}

impl HistoryQuery {
    pub(super) fn work(self, chosen: &Chosen) -> Result<Work, Failure> {
        let k = length(self.k)?;
        let live = chosen.live_history(&self.user);
        let row = chosen.model.dataset().users().index(&self.user);
        if live.is_none() && row.is_none() {
            return Err(unknown("user", &self.user));
        }
        Ok(Work::Other(Box::new(move |model: &CpuModel| {
            let interactions = model.dataset().interactions();
            let popularity = interactions.item_degrees();
            let items = match (&live, row) {
                (Some(live), _) => History::from(&live.items),
                (None, Some(row)) => interactions.history_of(row),
                (None, None) => History::EMPTY,
            };
            let weights = live.as_ref().and_then(|live| live.weights.as_deref());
            let items = weights.and_then(|it| items.weighted(it)).unwrap_or(items);
            let history = UserHistory::of(model, &self.user, items, k, &popularity);
            Ok(serde_json::to_string(&history)?)
        })))
    }
}

/// Returns at most `k` users, evenly spread over the users in the order of their numbers of
/// interactions, longest history first. Users without interactions are left out.
fn examples(model: &CpuModel, k: usize) -> Vec<u32> {
    let interactions = model.dataset().interactions();
    let users = 0..interactions.users() as u32;
    let lengths = users.map(|user| (interactions.items_of(user).len(), Reverse(user)));
    let mut users: Vec<_> = lengths.filter(|(length, _)| *length > 0).collect();
    let k = k.min(users.len());
    let last = users.len().saturating_sub(1);
    let mut rest = users.as_mut_slice();
    let mut chosen = Vec::with_capacity(k);
    for place in (0..k).rev() {
        // Of one example, the longest history.
        let place = (place * last).checked_div(k - 1).unwrap_or(last);
        let (shorter, (_, Reverse(user)), _) = rest.select_nth_unstable(place);
        chosen.push(*user);
        rest = shorter;
    }
    chosen
}

impl<'a> UserHistory<'a> {
    /// Selects the first `k` items: those with the largest weights, and of those with the same weight the
    /// most popular ones.
    fn of(
        model: &'a CpuModel,
        user: &'a str,
        history: History<'_>,
        k: usize,
        popularity: &[u32],
    ) -> Self {
        let dataset = model.dataset();
        let weights = history.weights();
        let mut places: Vec<usize> = (0..history.items().len()).collect();
        places.sort_by(|&left, &right| {
            let weight = |place: usize| weights.map_or(1.0, |weights| weights[place]);
            let users = |place: usize| popularity[history.items()[place] as usize];
            let by_weight = weight(right).total_cmp(&weight(left));
            by_weight.then(users(right).cmp(&users(left)))
        });
        places.truncate(k);
        let items = places.into_iter().filter_map(|place| {
            let column = history.items()[place];
            Some(HistoryItem {
                item: dataset.items().id(column)?,
                title: dataset.title_of_column(column),
                weight: weights.map(|weights| weights[place]),
            })
        });
        Self {
            user,
            interactions: history.items().len(),
            items: items.collect(),
        }
    }
}
