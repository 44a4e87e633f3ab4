//! The work of a request, and its response.

use std::sync::Arc;

use bspm::backend::ScoredItem;
use bspm::data::History;
use bspm::fitted::{ListRequest, Rerank};
use bspm::{CpuModel, Fallback};
use bspm_events::LoggedList;
use bspm_rules::{ItemCondition, ListRules};
use serde::Serialize;

use super::error::Failure;
use super::events::{EventWriter, now};

/// The work that a request requires.
pub(super) enum Work {
    /// A list for a history; several are scored together.
    List(ListWork),
    /// Other work, which only half of the workers run.
    Other(Box<dyn FnOnce(&CpuModel) -> Answer + Send>),
}

/// The request that a list answers.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    /// The id of the answer.
    pub(super) answer: Arc<str>,
    /// The name of the model.
    pub(super) model: Arc<str>,
    pub(super) user: Option<String>,
    /// Whether the list is computed by a shadow model.
    pub(super) is_shadow: bool,
    /// The log of lists.
    pub(super) log: Option<EventWriter>,
}

/// A list for a history; items are columns of the model.
pub(super) struct ListWork {
    pub(super) items: Vec<u32>,
    pub(super) weights: Option<Vec<f32>>,
    pub(super) k: usize,
    pub(super) deny: Vec<u32>,
    pub(super) allow: Option<Vec<u32>>,
    /// Whether the list may contain items of the history.
    pub(super) keep_seen: bool,
    pub(super) minimum_score: Option<f32>,
    /// The condition on the items of the list.
    pub(super) condition: Option<Box<ItemCondition>>,
    /// The rules of the list, if there are any.
    pub(super) rules: Option<Box<ListRules>>,
    /// Whether to fill the list with popular items.
    pub(super) is_filled: bool,
    /// The items of the request that the model does not know.
    pub(super) unknown: Vec<String>,
    pub(super) origin: Box<Origin>,
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

    /// Returns the request for the list, with the rules for the items of the model.
    pub(super) fn request<'a>(&'a self, rerank: Option<&'a Rerank>) -> ListRequest<'a> {
        let history = History::from(&self.items);
        let weighted = self.weights.as_ref().and_then(|it| history.weighted(it));
        let mut request = ListRequest::new(weighted.unwrap_or(history))
            .deny(&self.deny)
            .k(self.k);
        if let Some(allow) = &self.allow {
            request = request.allow(allow);
        }
        if self.keep_seen {
            request = request.keep_seen();
        }
        if let Some(score) = self.minimum_score {
            request = request.minimum_score(score);
        }
        if let Some(rerank) = rerank {
            request = request.rerank(rerank);
        }
        request
    }
}

/// A JSON response.
pub(super) type Answer = Result<String, Failure>;

/// Formats a list as JSON with the ids of the model. Entries without a score are
/// included only if the list is to be filled.
pub(super) fn named(model: &CpuModel, list: &[ScoredItem], work: &ListWork) -> Answer {
    #[derive(Serialize)]
    struct Listed<'a> {
        items: Vec<Entry<'a>>,
        unknown_items: &'a [String],
        model: &'a str,
        answer: &'a str,
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
        .filter(|entry| work.is_filled || !Fallback::Popularity.has_filled(entry));
    let entries = kept.filter_map(|entry| {
        Some(Entry {
            item: ids.id(entry.item)?,
            title: model.dataset().title_of_column(entry.item),
            score: entry.score,
            fallback: Fallback::Popularity.has_filled(entry),
        })
    });
    let origin = &work.origin;
    let listed = Listed {
        items: entries.collect(),
        unknown_items: &work.unknown,
        model: &origin.model,
        answer: &origin.answer,
    };
    if let Some(log) = &origin.log {
        let items = listed.items.iter().map(|entry| entry.item);
        let mut list = LoggedList::new(&*origin.answer, &*origin.model, items);
        list.user.clone_from(&origin.user);
        list.time = now();
        list.shadow = origin.is_shadow;
        log.append_list(list);
    }
    Ok(serde_json::to_string(&listed)?)
}
