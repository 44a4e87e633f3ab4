//! The interactions since the fit: the events of the log, in memory.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use bspm::data::Event as Interaction;
use bspm::{CpuModel, Dataset};
use bspm_events::{Event, KindWeights};

/// The maximum number of unknown items of a history that a response names.
const MOST_UNKNOWN: usize = 100;

/// The interactions of the event log. Of several interactions of a user with an item, the largest weight
/// counts, as in [`Dataset::with_dataset`].
#[derive(Debug)]
pub(super) struct Live {
    weights: KindWeights,
    state: RwLock<State>,
}

/// A user, and the numbers and weights of the items of the user.
type UserItems = (Box<str>, Vec<(u32, f32)>);

#[derive(Debug, Default)]
struct State {
    items: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u32>,
    /// The place of each user in `histories`.
    places: HashMap<Box<str>, usize>,
    /// The users in the order of their first events. The items of each user and their weights are sorted by
    /// the number of the item.
    histories: Vec<UserItems>,
    /// The number of pairs of a user and an item.
    pairs: usize,
}

/// The history of a user: the interactions of the model and those since the fit.
#[derive(Debug, Default)]
pub(super) struct LiveHistory {
    /// The columns of the items, ascending.
    pub(super) items: Vec<u32>,
    /// The weights of the items; `None` if all are 1 and the model has no weights.
    pub(super) weights: Option<Vec<f32>>,
    /// The first items that the model does not have.
    pub(super) unknown: Vec<String>,
}

impl Live {
    pub(super) fn new(weights: KindWeights) -> Self {
        Self {
            weights,
            state: RwLock::default(),
        }
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds events. Returns how many of them do not count because of their kind.
    pub(super) fn add<'e>(&self, events: impl IntoIterator<Item = &'e Event>) -> usize {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let mut ignored = 0;
        for event in events {
            match self.weights.of(event) {
                Some(weight) => state.add(&event.user, &event.item, weight),
                None => ignored += 1,
            }
        }
        ignored
    }

    /// Returns the history of a user, if the user has interactions since the fit.
    pub(super) fn history(&self, model: &CpuModel, user: &str) -> Option<LiveHistory> {
        let dataset = model.dataset();
        let mut history = LiveHistory::default();
        let mut entries: Vec<(u32, f32)> = Vec::new();
        {
            let state = self.state();
            let (_, items) = &state.histories[*state.places.get(user)?];
            for &(number, weight) in items {
                let item = &state.items[number as usize];
                match dataset.items().index(item.as_ref()) {
                    Some(column) => entries.push((column, weight)),
                    None if history.unknown.len() < MOST_UNKNOWN => {
                        history.unknown.push(item.to_string());
                    }
                    None => {}
                }
            }
        }
        if let Some(row) = dataset.users().index(user) {
            entries.extend(dataset.interactions().history_of(row).entries());
        }
        // Of the same item, the largest weight comes first.
        entries
            .sort_unstable_by(|left, right| left.0.cmp(&right.0).then(right.1.total_cmp(&left.1)));
        entries.dedup_by_key(|entry| entry.0);
        let is_weighted = dataset.interactions().weights().is_some()
            || entries.iter().any(|&(_, weight)| weight != 1.0);
        let (items, weights) = entries.into_iter().unzip();
        history.items = items;
        history.weights = is_weighted.then_some(weights);
        Some(history)
    }

    /// Returns whether there are interactions with items that the model does not have.
    pub(super) fn has_new_items(&self, model: &CpuModel) -> bool {
        let items = model.dataset().items();
        let state = self.state();
        state
            .items
            .iter()
            .any(|item| items.index(item.as_ref()).is_none())
    }

    /// Returns all interactions since the fit.
    ///
    /// # Errors
    ///
    /// [`bspm::Error::TooLarge`].
    pub(super) fn dataset(&self) -> bspm::Result<Dataset> {
        let mut builder = Dataset::builder();
        let state = self.state();
        for (user, items) in &state.histories {
            for &(number, weight) in items {
                let item = state.items[number as usize].to_string();
                let interaction = Interaction::new(user.to_string(), item);
                builder.push(interaction.weight(weight.into()))?;
            }
        }
        builder.finish()
    }

    /// The number of users with interactions since the fit, and the number of pairs of a user and an item.
    pub(super) fn counts(&self) -> (usize, usize) {
        let state = self.state();
        (state.histories.len(), state.pairs)
    }
}

impl State {
    fn add(&mut self, user: &str, item: &str, weight: f32) {
        let number = match self.numbers.entry(item.into()) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let number = self.items.len() as u32;
                self.items.push(item.into());
                *new.insert(number)
            }
        };
        let place = match self.places.get(user) {
            Some(&place) => place,
            None => {
                let place = self.histories.len();
                self.places.insert(user.into(), place);
                self.histories.push((user.into(), Vec::new()));
                place
            }
        };
        let (_, items) = &mut self.histories[place];
        match items.binary_search_by_key(&number, |entry| entry.0) {
            Ok(place) => items[place].1 = items[place].1.max(weight),
            Err(place) => {
                items.insert(place, (number, weight));
                self.pairs += 1;
            }
        }
    }
}
