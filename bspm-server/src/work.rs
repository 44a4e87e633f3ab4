//! What is to be done for a request, and what it is answered with.

use bspm::backend::ScoredItem;
use bspm::{CpuModel, Fallback};
use bspm_rules::ItemCondition;
use serde::Serialize;

use super::error::Failure;

/// What a request wants of the model.
pub(super) enum Work {
    /// The best items for a history; many are scored together.
    List(ListWork),
    /// Anything else, which takes a share of the workers only.
    Other(Box<dyn FnOnce(&CpuModel) -> Answer + Send>),
}

/// The list of a history, in columns of the model.
pub(super) struct ListWork {
    pub(super) items: Vec<u32>,
    pub(super) weights: Option<Vec<f32>>,
    pub(super) k: usize,
    pub(super) deny: Vec<u32>,
    pub(super) allow: Option<Vec<u32>>,
    pub(super) minimum_score: Option<f32>,
    /// What the items of the list satisfy.
    pub(super) condition: Option<Box<ItemCondition>>,
    /// Whether popular items fill the list.
    pub(super) is_filled: bool,
    /// What the request names that the model does not know.
    pub(super) unknown: Vec<String>,
}

impl ListWork {
    /// Denies the items that do not satisfy the condition.
    pub(super) fn prepare(&mut self, model: &CpuModel) -> bspm::Result<()> {
        if let Some(condition) = self.condition.take() {
            let dataset = model.dataset();
            let set = condition.items(dataset)?;
            let columns = 0..dataset.items().len() as u32;
            self.deny
                .extend(columns.filter(|&column| !set.contains(column)));
        }
        Ok(())
    }
}

/// JSON.
pub(super) type Answer = Result<String, Failure>;

/// The first `k` entries of a list under the ids of the model, as JSON; those without a score only
/// if it is to be filled.
pub(super) fn named(model: &CpuModel, list: &[ScoredItem], work: &ListWork) -> Answer {
    #[derive(Serialize)]
    struct Listed<'a> {
        items: Vec<Entry<'a>>,
        unknown_items: &'a [String],
    }
    #[derive(Serialize)]
    struct Entry<'a> {
        item: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<&'a str>,
        score: f32,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        fallback: bool,
    }
    let ids = model.dataset().items();
    let kept = list
        .iter()
        .take(work.k)
        .filter(|entry| work.is_filled || !Fallback::Popularity.has_filled(entry));
    let entries = kept.filter_map(|entry| {
        Some(Entry {
            item: ids.id(entry.item)?,
            title: model.dataset().title_of_column(entry.item),
            score: entry.score,
            fallback: Fallback::Popularity.has_filled(entry),
        })
    });
    Ok(serde_json::to_string(&Listed {
        items: entries.collect(),
        unknown_items: &work.unknown,
    })?)
}
