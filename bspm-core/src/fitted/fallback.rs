//! Fills lists if the history reaches too few items.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use super::rank::Fallback;
use crate::backend::ScoredItem;
use bspm_data::Components;
use bspm_data::Interactions;

/// The items that a history reaches, and the popular items; both are computed on first use.
#[derive(Debug)]
pub(crate) struct Reach {
    interactions: Arc<Interactions>,
    /// Whether the filter has scores for items that a history does not reach.
    scores_any_item: bool,
    components: OnceLock<Components>,
    by_popularity: OnceLock<Vec<u32>>,
}

impl Reach {
    pub(crate) fn new(interactions: Arc<Interactions>, scores_any_item: bool) -> Self {
        Self {
            interactions,
            scores_any_item,
            components: OnceLock::new(),
            by_popularity: OnceLock::new(),
        }
    }

    /// Removes items without a score from the list of a history, unless they may be in it.
    pub(super) fn keep_scored(
        &self,
        list: &mut Vec<ScoredItem>,
        history: &[u32],
        fallback: Fallback,
    ) {
        if fallback != Fallback::Unscored {
            self.of(history).keep_scored(list);
        }
    }

    /// Returns the items that fill a list with this minimum score, which are not in it and not hidden
    /// from it.
    pub(super) fn fillers<'a>(
        &'a self,
        list: &[ScoredItem],
        hidden: &[u32],
        fallback: Fallback,
        minimum_score: Option<f32>,
    ) -> impl Iterator<Item = u32> + use<'a> {
        let is_asked =
            fallback == Fallback::Popularity && minimum_score.is_none_or(|least| least <= 0.0);
        let popular: &[u32] = match is_asked {
            true => self.by_popularity(),
            false => &[],
        };
        let taken = list.iter().map(|entry| entry.item);
        let taken: HashSet<u32> = match popular {
            [] => HashSet::new(),
            _ => hidden.iter().copied().chain(taken).collect(),
        };
        let popular = popular.iter().copied();
        popular.filter(move |item| !taken.contains(item))
    }

    /// Returns the components that a history reaches.
    pub(crate) fn of(&self, history: &[u32]) -> Reached<'_> {
        Reached(match self.scores_any_item {
            true => None,
            false => Some((self.components(), self.components().of(history))),
        })
    }

    fn components(&self) -> &Components {
        self.components
            .get_or_init(|| Components::new(&self.interactions))
    }

    /// The items with at least one user, sorted by the number of users in descending order.
    fn by_popularity(&self) -> &[u32] {
        self.by_popularity.get_or_init(|| {
            let degrees = self.interactions.of_users().item_degrees();
            let mut items: Vec<u32> = (0..degrees.len() as u32)
                .filter(|&item| degrees[item as usize] > 0)
                .collect();
            items.sort_by_key(|&item| std::cmp::Reverse(degrees[item as usize]));
            items
        })
    }
}

/// The components that a history reaches; `None` if all items have scores.
pub(crate) struct Reached<'a>(Option<(&'a Components, Vec<u32>)>);

impl Reached<'_> {
    /// Truncates a list before the first item without a score. Items with scores below 0 rank after those and
    /// are dropped too.
    pub(super) fn keep_scored(&self, list: &mut Vec<ScoredItem>) {
        let is_scored = |entry: &&ScoredItem| entry.score != 0.0 && self.has(entry.item);
        list.truncate(list.iter().take_while(is_scored).count());
    }

    /// Returns the items that the history reaches.
    pub(crate) fn keep_reached<'i>(&self, items: &'i [u32]) -> Cow<'i, [u32]> {
        match items.iter().all(|&item| self.has(item)) {
            true => Cow::Borrowed(items),
            false => items
                .iter()
                .copied()
                .filter(|&item| self.has(item))
                .collect(),
        }
    }

    fn has(&self, item: u32) -> bool {
        match &self.0 {
            Some((components, reached)) => reached.contains(&components.of_item(item)),
            None => true,
        }
    }
}
