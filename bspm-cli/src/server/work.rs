//! What is to be done for a request, and what it is answered with.

use bspm::backend::ScoredItem;
use bspm::{CpuModel, Fallback};
use serde::Serialize;

use super::error::Failure;

/// What a request wants of the model.
pub(super) enum Work {
    /// The best items for a history, without more conditions: many are scored together.
    Best {
        items: Vec<u32>,
        weights: Option<Vec<f32>>,
        k: usize,
        /// Whether popular items fill the list.
        is_filled: bool,
        /// What the request names that the model does not know.
        unknown: Vec<String>,
    },
    /// Anything else.
    Other(Box<dyn FnOnce(&CpuModel) -> Answer + Send>),
}

/// JSON.
pub(super) type Answer = Result<String, Failure>;

/// A list of at most `k` entries under the ids of the model, as JSON; those without a score
/// only where it is to be filled. If some items are unknown, it is an object with the list and those.
pub(super) fn named(
    model: &CpuModel,
    list: &[ScoredItem],
    k: usize,
    is_filled: bool,
    unknown: &[String],
) -> Answer {
    #[derive(Serialize)]
    struct WithUnknown<'a> {
        items: Vec<Entry<'a>>,
        unknown_items: &'a [String],
    }
    #[derive(Serialize)]
    struct Entry<'a> {
        item: &'a str,
        score: f32,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        fallback: bool,
    }
    let ids = model.dataset().items();
    let kept = list
        .iter()
        .take(k)
        .filter(|entry| is_filled || !Fallback::Popularity.has_filled(entry));
    let entries = kept.filter_map(|entry| {
        Some(Entry {
            item: ids.id(entry.item)?,
            score: entry.score,
            fallback: Fallback::Popularity.has_filled(entry),
        })
    });
    let items: Vec<Entry<'_>> = entries.collect();
    Ok(match unknown {
        [] => serde_json::to_string(&items)?,
        unknown_items => serde_json::to_string(&WithUnknown {
            items,
            unknown_items,
        })?,
    })
}
