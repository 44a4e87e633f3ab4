//! The routes of the server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, MatchedPath, Query, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::ServerOptions;
use super::access::Access;
use super::bodies::Bodies;
use super::connections::{Connection, Connections};
use super::current::CurrentModel;
use super::error::Failure;
use super::items::ItemsQuery;
use super::model_card::ModelCard;
use super::object::{self, Object};
use super::page;
use super::queue::Queue;
use super::requests::{
    Explain, ExplainQuery, Recommend, RecommendQuery, Score, ScoreQuery, SimilarQuery,
};
use super::users::{HistoryQuery, UsersQuery};
use super::work::Work;

/// Security headers of every response that does not have its own.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CONTENT_SECURITY_POLICY, page::POLICY),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

#[derive(Clone)]
struct Shared {
    queue: Queue,
    timeout: Duration,
    access: Arc<Access>,
    bodies: Arc<Bodies>,
    connections: Option<Arc<Connections>>,
    /// Whether `/users` lists example users.
    example_users: bool,
}

/// Returns the routes of a model, to embed them in another server: `/recommend`, `/similar`,
/// `/explain`, `/score`, `/items`, `/users`, `/history`, `/model`, `/healthz`, `/metrics`,
/// `/openapi.json`, and a page at `/`.
///
/// The hosts and keys of the options apply to these routes, but not to routes that are added to the
/// router later.
pub fn router(current: Arc<CurrentModel>, options: &ServerOptions) -> Router {
    with_connections(current, options, None)
}

/// Like [`router`], with the connections of a server for `/metrics`.
pub(super) fn with_connections(
    current: Arc<CurrentModel>,
    options: &ServerOptions,
    connections: Option<Arc<Connections>>,
) -> Router {
    let shared = Shared {
        queue: Queue::new(current, options.workers, options.queue),
        timeout: options.timeout,
        access: Arc::new(Access::of(options)),
        bodies: Arc::new(Bodies::new()),
        connections,
        example_users: options.example_users,
    };
    let file = |kind: &'static str, text: &'static str| {
        get(move || async move { ([(header::CONTENT_TYPE, kind)], text) })
    };
    Router::new()
        .route("/", get(start))
        .route("/page.css", file("text/css; charset=utf-8", page::STYLE))
        .route(
            "/page.js",
            file("text/javascript; charset=utf-8", page::SCRIPT),
        )
        .route("/recommend", get(recommend_by_query).post(recommend))
        .route("/similar", get(similar))
        .route("/explain", get(explain_by_query).post(explain))
        .route("/score", get(score_by_query).post(score))
        .route("/items", get(items))
        .route("/users", get(users))
        .route("/history", get(history))
        .route("/model", get(model))
        .route("/healthz", get(health))
        .route("/metrics", get(counters))
        .route("/openapi.json", get(description))
        .fallback(|| async { Failure::NotFound })
        .method_not_allowed_fallback(|| async { Failure::Method })
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(shared.clone(), timed))
        .with_state(shared)
}

/// Applies the timeout, and counts and logs every response.
async fn timed(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let path = match request.extensions().get::<MatchedPath>() {
        Some(path) => path.as_str().to_owned(),
        None => "other".to_owned(),
    };
    let answered = tokio::time::timeout(shared.timeout, shared.admitted(request, next)).await;
    let mut response = answered.unwrap_or(Err(Failure::Late)).into_response();
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().entry(name).or_insert(value);
    }
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

/// A response of serialized JSON.
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

fn body<T>(body: Result<Json<Object<T>>, JsonRejection>) -> Result<T, Failure>
where
    T: object::Request,
{
    body.map(|Json(Object(body))| body)
        .map_err(|error| match error {
            JsonRejection::MissingJsonContentType(_) => Failure::MediaType,
            error => Failure::refused(&error.body_text()),
        })
}

impl Shared {
    /// Checks the access, reads the body, and answers the request.
    async fn admitted(&self, request: Request, next: Next) -> Result<Response, Failure> {
        self.access.check(&request)?;
        let (request, _held) = self.bodies.read(request).await?;
        let connection = request.extensions().get::<Arc<Connection>>();
        let _answering = connection.map(Connection::answering);
        Ok(next.run(request).await)
    }

    async fn recommend(&self, request: Recommend) -> Answered {
        let model = self.queue.current.get();
        let work = request.work(&model)?;
        self.queue.answer(model, work).await.map(JsonText)
    }

    async fn explain(&self, request: Explain) -> Answered {
        let model = self.queue.current.get();
        let work = request.work(&model)?;
        self.queue.answer(model, work).await.map(JsonText)
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
    shared.recommend(query(request)?.try_into()?).await
}

async fn recommend(
    State(shared): State<Shared>,
    request: Result<Json<Object<Recommend>>, JsonRejection>,
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
    request: Result<Query<ExplainQuery>, QueryRejection>,
) -> Answered {
    shared.explain(query(request)?.into()).await
}

async fn explain(
    State(shared): State<Shared>,
    request: Result<Json<Object<Explain>>, JsonRejection>,
) -> Answered {
    shared.explain(body(request)?).await
}

async fn score_by_query(
    State(shared): State<Shared>,
    request: Result<Query<ScoreQuery>, QueryRejection>,
) -> Answered {
    shared.score(query(request)?.try_into()?).await
}

async fn score(
    State(shared): State<Shared>,
    request: Result<Json<Object<Score>>, JsonRejection>,
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

async fn users(
    State(shared): State<Shared>,
    request: Result<Query<UsersQuery>, QueryRejection>,
) -> Answered {
    let work = query(request)?.work(shared.example_users)?;
    let model = shared.queue.current.get();
    shared.queue.answer(model, work).await.map(JsonText)
}

async fn history(
    State(shared): State<Shared>,
    request: Result<Query<HistoryQuery>, QueryRejection>,
) -> Answered {
    let model = shared.queue.current.get();
    let work = query(request)?.work(&model)?;
    shared.queue.answer(model, work).await.map(JsonText)
}

async fn model(State(shared): State<Shared>) -> Answered {
    let work = Work::Other(Box::new(|model| {
        Ok(serde_json::to_string(&ModelCard::of(model))?)
    }));
    let model = shared.queue.current.get();
    shared.queue.answer(model, work).await.map(JsonText)
}

/// The page, which may load pictures from other sites only if the model has their addresses.
async fn start(State(shared): State<Shared>) -> impl IntoResponse {
    let model = shared.queue.current.get();
    let policy = match page::image_column(&model) {
        Some(_) => page::POLICY_WITH_PICTURES,
        None => page::POLICY,
    };
    let kind = (header::CONTENT_TYPE, "text/html; charset=utf-8");
    (
        [kind, (header::CONTENT_SECURITY_POLICY, policy)],
        page::PAGE,
    )
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
        "model": shared.queue.current.state(),
    }))
}

async fn counters(State(shared): State<Shared>) -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    let queue = &shared.queue;
    let mut text = queue.counters.text();
    text.push_str(&queue.current.metrics());
    if let Some(connections) = &shared.connections {
        text.push_str(&connections.metrics());
    }
    (kind, text)
}

async fn description() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "application/json")],
        include_str!("openapi.json"),
    )
}
