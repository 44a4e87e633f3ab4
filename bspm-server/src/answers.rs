//! The answers to requests: the choice of the model, and the work in the queue.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::Deserialize;

use super::error::Failure;
use super::items::ItemsQuery;
use super::model_card::ModelCard;
use super::models::{Chosen, Models};
use super::queue::Queue;
use super::request_ids::Ids;
use super::requests::{Explain, Recommend, Score, SimilarQuery};
use super::users::{HistoryQuery, UsersQuery};
use super::work::{Origin, Work};

/// The models of a server and its queue.
#[derive(Clone)]
pub(super) struct Answers {
    pub(super) models: Arc<Models>,
    pub(super) queue: Queue,
}

/// A response of serialized JSON.
pub(super) struct JsonText {
    pub(super) text: String,
    /// The name of the model.
    pub(super) model: Arc<str>,
}

pub(super) type Answered = Result<JsonText, Failure>;

/// A request for the description of a model.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelQuery {
    model: Option<String>,
}

impl Answers {
    /// Runs work for a model.
    async fn answer(&self, chosen: Chosen, work: Work) -> Answered {
        let text = self.queue.answer(chosen.model, work).await?;
        chosen.responses.fetch_add(1, Ordering::Relaxed);
        let model = chosen.name;
        Ok(JsonText { text, model })
    }

    /// Describes a request for a list.
    fn origin(&self, chosen: &Chosen, ids: &Ids, user: Option<&str>) -> Box<Origin> {
        let log = self.models.events().filter(|events| events.logs_lists());
        Box::new(Origin {
            answer: ids.answer.clone(),
            model: chosen.name.clone(),
            user: user.map(str::to_owned),
            is_shadow: chosen.is_shadow,
            log: log.cloned(),
        })
    }

    pub(super) async fn recommend(&self, request: Recommend, ids: &Ids) -> Answered {
        let user = request.user();
        let chosen = self.models.choose(request.model.as_deref(), user)?;
        let work = request.work(&chosen, self.origin(&chosen, ids, user))?;
        self.shadow(&request, ids);
        self.answer(chosen, work).await
    }

    /// Computes the list of the shadow model in the background, unless many requests wait.
    fn shadow(&self, request: &Recommend, ids: &Ids) {
        let Some(chosen) = self.models.shadow().filter(|_| self.queue.has_room()) else {
            return;
        };
        let origin = self.origin(&chosen, ids, request.user());
        if let Ok(work) = request.work(&chosen, origin) {
            let queue = self.queue.clone();
            tokio::spawn(async move { queue.answer(chosen.model, work).await });
        }
    }

    pub(super) async fn similar(&self, request: SimilarQuery, ids: &Ids) -> Answered {
        let chosen = self.models.choose(request.model.as_deref(), None)?;
        let work = request.work(&chosen.model, self.origin(&chosen, ids, None))?;
        self.answer(chosen, work).await
    }

    pub(super) async fn explain(&self, request: Explain) -> Answered {
        let chosen = self
            .models
            .choose(request.model.as_deref(), request.user())?;
        let work = request.work(&chosen)?;
        self.answer(chosen, work).await
    }

    pub(super) async fn score(&self, request: Score) -> Answered {
        let chosen = self
            .models
            .choose(request.model.as_deref(), request.user())?;
        let work = request.work(&chosen)?;
        self.answer(chosen, work).await
    }

    pub(super) async fn items(&self, request: ItemsQuery) -> Answered {
        let chosen = self.models.choose(request.model.as_deref(), None)?;
        let work = request.work()?;
        self.answer(chosen, work).await
    }

    /// Answers with example users, or with none if they are disabled.
    pub(super) async fn users(&self, request: UsersQuery, is_enabled: bool) -> Answered {
        let chosen = self.models.choose(request.model.as_deref(), None)?;
        let work = request.work(is_enabled)?;
        self.answer(chosen, work).await
    }

    pub(super) async fn history(&self, request: HistoryQuery) -> Answered {
        let user = Some(request.user.as_str());
        let chosen = self.models.choose(request.model.as_deref(), user)?;
        let work = request.work(&chosen)?;
        self.answer(chosen, work).await
    }

    pub(super) async fn describe(&self, request: ModelQuery) -> Answered {
        let chosen = self.models.choose(request.model.as_deref(), None)?;
        let work = ModelCard::work(chosen.name.clone());
        self.answer(chosen, work).await
    }
}
