//! What a list holds where nothing leads from the history to enough items.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use super::rank::{Fallback, RankOptions};
use crate::backend::ScoredItem;
use crate::data::components::Components;
use crate::data::interactions::Interactions;

/// Which items a history reaches, and those that are popular; each computed when first needed.
#[derive(Debug)]
pub(super) struct Reach {
    interactions: Arc<Interactions>,
    /// Whether the filter has scores for items that a history does not reach.
    scores_any_item: bool,
    components: OnceLock<Components>,
    by_popularity: OnceLock<Vec<u32>>,
}

impl Reach {
    pub(super) fn new(interactions: Arc<Interactions>, scores_any_item: bool) -> Self {
        Self {
            interactions,
            scores_any_item,
            components: OnceLock::new(),
            by_popularity: OnceLock::new(),
        }
    }

    /// Ends the list of a history before the first item without a score, and fills it as is
    /// asked. What scores below 0 ranks after those, and is no better.
    pub(super) fn complete(
        &self,
        list: &mut Vec<ScoredItem>,
        history: &[u32],
        hidden: &[u32],
        options: &RankOptions,
    ) {
        if options.fallback == Fallback::Unscored {
            return;
        }
        let reach = match self.scores_any_item {
            true => None,
            false => Some((self.components(), self.components().of(history))),
        };
        let is_scored = |entry: &ScoredItem| {
            let is_reached = |(components, reached): &(&Components, Vec<u32>)| {
                reached.contains(&components.of_item(entry.item))
            };
            entry.score != 0.0 && reach.as_ref().is_none_or(is_reached)
        };
        let scored = list.iter().take_while(|entry| is_scored(entry)).count();
        list.truncate(scored);
        let is_asked = options.fallback == Fallback::Popularity
            && options.minimum_score.is_none_or(|least| least <= 0.0);
        if is_asked && list.len() < options.k {
            let taken = list.iter().map(|entry| entry.item);
            let taken: HashSet<u32> = hidden.iter().copied().chain(taken).collect();
            let popular = self.by_popularity().iter().copied();
            let popular = popular.filter(|item| !taken.contains(item));
            let missing = options.k - list.len();
            list.extend(
                popular
                    .take(missing)
                    .map(|item| ScoredItem { item, score: 0.0 }),
            );
        }
    }

    fn components(&self) -> &Components {
        self.components
            .get_or_init(|| Components::new(&self.interactions))
    }

    /// The items that somebody has, those of most users first.
    fn by_popularity(&self) -> &[u32] {
        self.by_popularity.get_or_init(|| {
            let degrees = self.interactions.item_degrees();
            let mut items: Vec<u32> = (0..degrees.len() as u32)
                .filter(|&item| degrees[item as usize] > 0)
                .collect();
            items.sort_by_key(|&item| std::cmp::Reverse(degrees[item as usize]));
            items
        })
    }
}
