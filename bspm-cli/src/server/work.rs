//! What is to be done for a request, and what it is answered with.

use bspm::CpuModel;
use bspm::backend::ScoredItem;
use serde::Serialize;

use super::error::Failure;

/// What a request wants of the model.
pub(super) enum Work {
    /// The best items for a history, without more conditions: many are scored together.
    Best {
        items: Vec<u32>,
        weights: Option<Vec<f32>>,
        k: usize,
    },
    /// Anything else.
    Other(Box<dyn FnOnce(&CpuModel) -> Answer + Send>),
}

/// JSON.
pub(super) type Answer = Result<String, Failure>;

/// A list under the ids of the model, as JSON.
pub(super) fn named(model: &CpuModel, list: &[ScoredItem]) -> Answer {
    #[derive(Serialize)]
    struct Entry<'a> {
        item: &'a str,
        score: f32,
    }
    let ids = model.dataset().items();
    let entries = list.iter().filter_map(|entry| {
        Some(Entry {
            item: ids.id(entry.item)?,
            score: entry.score,
        })
    });
    Ok(serde_json::to_string(&entries.collect::<Vec<_>>())?)
}
