//! The addresses, and what answers there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, MatchedPath, Query, Request, State};
use axum::http::header;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::ServerOptions;
use super::current::CurrentModel;
use super::error::Failure;
use super::queue::Queue;
use super::requests::{
    Explain, ItemsQuery, Recommend, RecommendQuery, Score, ScoreQuery, SimilarQuery,
};

/// The largest body of a request, in bytes.
const LARGEST_BODY: usize = 1 << 20;

#[derive(Clone)]
struct Shared {
    queue: Queue,
    timeout: Duration,
}

/// The service of a model, to be put into a server of one's own: `/recommend`, `/similar`,
/// `/explain`, `/score`, `/items`, `/healthz`, `/metrics`, `/openapi.json`, and a page at `/`.
pub fn router(current: Arc<CurrentModel>, options: &ServerOptions) -> Router {
    let shared = Shared {
        queue: Queue::new(current, options.workers, options.queue),
        timeout: options.timeout,
    };
    Router::new()
        .route("/", get(|| async { Html(include_str!("page.html")) }))
        .route("/recommend", get(recommend_by_query).post(recommend))
        .route("/similar", get(similar))
        .route("/explain", get(explain_by_query).post(explain))
        .route("/score", get(score_by_query).post(score))
        .route("/items", get(items))
        .route("/healthz", get(health))
        .route("/metrics", get(counters))
        .route("/openapi.json", get(description))
        .fallback(|| async {
            let message = json!({ "error": "there is nothing at this address" });
            (axum::http::StatusCode::NOT_FOUND, Json(message))
        })
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(from_fn_with_state(shared.clone(), timed))
        .with_state(shared)
}

/// Ends what takes too long, and counts and logs every answer.
async fn timed(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let path = match request.extensions().get::<MatchedPath>() {
        Some(path) => path.as_str().to_owned(),
        None => "other".to_owned(),
    };
    let answered = tokio::time::timeout(shared.timeout, next.run(request)).await;
    let response = answered.unwrap_or_else(|_| Failure::Late.into_response());
    let (status, time) = (response.status().as_u16(), start.elapsed());
    shared.queue.counters.add(&path, status, time);
    tracing::info!(
        path,
        status,
        microseconds = time.as_micros() as u64,
        "request"
    );
    response
}

type Answered = Result<JsonText, Failure>;

/// JSON that is written already.
struct JsonText(String);

impl IntoResponse for JsonText {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], self.0).into_response()
    }
}

fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Failure> {
    query
        .map(|query| query.0)
        .map_err(|error| Failure::refused(&error.body_text()))
}

fn body<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, Failure> {
    body.map(|body| body.0)
        .map_err(|error| Failure::refused(&error.body_text()))
}

impl Shared {
    async fn recommend(&self, request: Recommend) -> Answered {
        let model = self.queue.current.get();
        let work = request.work(&model)?;
        self.queue.answer(model, work).await.map(JsonText)
    }

    async fn explain(&self, request: Explain) -> Answered {
        let work = request.work()?;
        self.queue
            .answer(self.queue.current.get(), work)
            .await
            .map(JsonText)
    }

    async fn score(&self, request: Score) -> Answered {
        let work = request.work()?;
        self.queue
            .answer(self.queue.current.get(), work)
            .await
            .map(JsonText)
    }
}

async fn recommend_by_query(
    State(shared): State<Shared>,
    request: Result<Query<RecommendQuery>, QueryRejection>,
) -> Answered {
    shared.recommend(query(request)?.into()).await
}

async fn recommend(
    State(shared): State<Shared>,
    request: Result<Json<Recommend>, JsonRejection>,
) -> Answered {
    shared.recommend(body(request)?).await
}

async fn similar(
    State(shared): State<Shared>,
    request: Result<Query<SimilarQuery>, QueryRejection>,
) -> Answered {
    let model = shared.queue.current.get();
    let work = query(request)?.work(&model)?;
    shared.queue.answer(model, work).await.map(JsonText)
}

async fn explain_by_query(
    State(shared): State<Shared>,
    request: Result<Query<Explain>, QueryRejection>,
) -> Answered {
    shared.explain(query(request)?).await
}

async fn explain(
    State(shared): State<Shared>,
    request: Result<Json<Explain>, JsonRejection>,
) -> Answered {
    shared.explain(body(request)?).await
}

async fn score_by_query(
    State(shared): State<Shared>,
    request: Result<Query<ScoreQuery>, QueryRejection>,
) -> Answered {
    shared.score(query(request)?.into()).await
}

async fn score(
    State(shared): State<Shared>,
    request: Result<Json<Score>, JsonRejection>,
) -> Answered {
    shared.score(body(request)?).await
}

async fn items(
    State(shared): State<Shared>,
    request: Result<Query<ItemsQuery>, QueryRejection>,
) -> Answered {
    let work = query(request)?.work()?;
    let model = shared.queue.current.get();
    shared.queue.answer(model, work).await.map(JsonText)
}

async fn health(State(shared): State<Shared>) -> Json<Value> {
    let model = shared.queue.current.get();
    let dataset = model.dataset();
    Json(json!({
        "status": "ok",
        "filter": model.filter().config().name(),
        "users": dataset.users().len(),
        "items": dataset.items().len(),
        "interactions": dataset.len(),
    }))
}

async fn counters(State(shared): State<Shared>) -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (kind, shared.queue.counters.text())
}

async fn description() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "application/json")],
        include_str!("openapi.json"),
    )
}
