//! The routes of the server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Extension, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tower_http::cors::CorsLayer;

use super::ServerOptions;
use super::access::Access;
use super::answers::{Answered, Answers, JsonText, ModelQuery};
use super::bodies::Bodies;
use super::connections::{Connection, Connections};
use super::error::Failure;
use super::events::{Appended, Events};
use super::items::ItemsQuery;
#[cfg(feature = "mcp")]
use super::mcp;
use super::metrics::Metric;
use super::models::Models;
use super::object::{self, Object};
#[cfg(feature = "otlp")]
use super::otlp::{Otlp, Traced};
use super::page;
use super::parameters::Parameters;
use super::queue::Queue;
use super::request_ids::{AnswerIds, Ids, REQUEST_ID, TRACE_PARENT};
use super::requests::{
    Explain, ExplainQuery, Recommend, RecommendQuery, Score, ScoreQuery, SimilarQuery,
};
use super::users::{HistoryQuery, UsersQuery};

/// Security headers of every response that does not have its own.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CONTENT_SECURITY_POLICY, page::POLICY),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

#[derive(Clone)]
struct Shared {
    answers: Answers,
    timeout: Duration,
    access: Arc<Access>,
    bodies: Arc<Bodies>,
    connections: Option<Arc<Connections>>,
    ids: Arc<AnswerIds>,
    /// Whether `/users` lists example users.
    example_users: bool,
    #[cfg(feature = "otlp")]
    otlp: Option<Otlp>,
}

/// Returns the routes of the models, to embed them in another server: `/recommend`, `/similar`,
/// `/explain`, `/score`, `/items`, `/users`, `/history`, `/model`, `/events`, `/healthz`,
/// `/health/live`, `/health/ready`, `/metrics`, `/openapi.json`, and a page at `/`.
///
/// The hosts and keys of the options apply to these routes, but not to routes that are added to the
/// router later. [`Models::open`] opens the models. A program that embeds the routes decides itself when
/// a model file is read again.
pub fn router(models: Arc<Models>, options: &ServerOptions) -> Router {
    with_connections(models, options, None)
}

/// Like [`router`], with the connections of a server for `/metrics`.
pub(super) fn with_connections(
    models: Arc<Models>,
    options: &ServerOptions,
    connections: Option<Arc<Connections>>,
) -> Router {
    let shared = Shared {
        answers: Answers {
            models,
            queue: Queue::new(options.workers, options.queue, options.batch_invariant),
        },
        timeout: options.timeout,
        access: Arc::new(Access::of(options)),
        bodies: Arc::new(Bodies::new()),
        connections,
        ids: Arc::default(),
        example_users: options.example_users,
        #[cfg(feature = "otlp")]
        otlp: options.otlp.clone(),
    };
    let file = |kind: &'static str, text: &'static str| {
        get(move || async move { ([(header::CONTENT_TYPE, kind)], text) })
    };
    let routes = Router::new();
    #[cfg(feature = "mcp")]
    let routes = match options.mcp {
        true => routes.route_service(
            "/mcp",
            mcp::service(shared.answers.clone(), shared.ids.clone()),
        ),
        false => routes,
    };
    let routes = routes
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
        .route("/events", post(events))
        .route("/healthz", get(health))
        .route(
            "/health/live",
            get(|| async { Json(json!({"status": "ok"})) }),
        )
        .route("/health/ready", get(health))
        .route("/metrics", get(counters))
        .route("/openapi.json", get(description))
        .fallback(|| async { Failure::NotFound })
        .method_not_allowed_fallback(|| async { Failure::Method })
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(shared.clone(), timed));
    match cors(options) {
        Some(cors) => routes.layer(cors).with_state(shared),
        None => routes.with_state(shared),
    }
}

/// Returns the layer that lets pages of other sites read the responses, if there are any.
fn cors(options: &ServerOptions) -> Option<CorsLayer> {
    let origins = options.origins.iter();
    let origins: Vec<_> = origins
        .filter_map(|it| HeaderValue::from_str(it).ok())
        .collect();
    (!origins.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(origins)
            .allow_methods([Method::GET, Method::POST])
            .allow_headers([
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
                REQUEST_ID,
                TRACE_PARENT,
            ])
            .expose_headers([REQUEST_ID, MODEL, header::RETRY_AFTER])
    })
}

/// Applies the timeout, and counts and logs every response.
async fn timed(State(shared): State<Shared>, mut request: Request, next: Next) -> Response {
    let start = Instant::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let path = route.as_ref().map_or("other", MatchedPath::as_str);
    let ids = shared.ids.of(&request);
    #[cfg(feature = "otlp")]
    let traced = shared.otlp.as_ref().map(|_| Traced::new(&request));
    request.extensions_mut().insert(ids.clone());
    let answered = tokio::time::timeout(shared.timeout, shared.admitted(request, next)).await;
    let mut response = answered.unwrap_or(Err(Failure::Late)).into_response();
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        headers.entry(name).or_insert(value);
    }
    headers.insert(REQUEST_ID, ids.header());
    let (status, time) = (response.status().as_u16(), start.elapsed());
    shared.answers.queue.counters.add(path, status, time);
    #[cfg(feature = "otlp")]
    if let (Some(otlp), Some(traced)) = (&shared.otlp, traced) {
        let route = route.as_ref().map(MatchedPath::as_str);
        otlp.export(traced, route, status, &ids.request, time);
    }
    tracing::info!(
        path,
        status,
        microseconds = time.as_micros() as u64,
        request = &*ids.request,
        trace = ids.trace.as_deref(),
        "request"
    );
    response
}

/// The header of a response with the name of the model.
const MODEL: HeaderName = HeaderName::from_static("bspm-model");

impl IntoResponse for JsonText {
    fn into_response(self) -> Response {
        let Self { text, model } = self;
        let kind = (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        // A name of a model may have characters that a header cannot have.
        let model = HeaderValue::from_str(&model).ok();
        let mut response = ([kind], text).into_response();
        if let Some(model) = model {
            response.headers_mut().insert(MODEL, model);
        }
        response
    }
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
}

async fn recommend_by_query(
    State(shared): State<Shared>,
    Extension(ids): Extension<Ids>,
    Parameters(request): Parameters<RecommendQuery>,
) -> Answered {
    shared.answers.recommend(request.try_into()?, &ids).await
}

async fn recommend(
    State(shared): State<Shared>,
    Extension(ids): Extension<Ids>,
    request: Result<Json<Object<Recommend>>, JsonRejection>,
) -> Answered {
    shared.answers.recommend(body(request)?, &ids).await
}

async fn similar(
    State(shared): State<Shared>,
    Extension(ids): Extension<Ids>,
    Parameters(request): Parameters<SimilarQuery>,
) -> Answered {
    shared.answers.similar(request, &ids).await
}

async fn explain_by_query(
    State(shared): State<Shared>,
    Parameters(request): Parameters<ExplainQuery>,
) -> Answered {
    shared.answers.explain(request.into()).await
}

async fn explain(
    State(shared): State<Shared>,
    request: Result<Json<Object<Explain>>, JsonRejection>,
) -> Answered {
    shared.answers.explain(body(request)?).await
}

async fn score_by_query(
    State(shared): State<Shared>,
    Parameters(request): Parameters<ScoreQuery>,
) -> Answered {
    shared.answers.score(request.try_into()?).await
}

async fn score(
    State(shared): State<Shared>,
    request: Result<Json<Object<Score>>, JsonRejection>,
) -> Answered {
    shared.answers.score(body(request)?).await
}

async fn items(
    State(shared): State<Shared>,
    Parameters(request): Parameters<ItemsQuery>,
) -> Answered {
    shared.answers.items(request).await
}

async fn users(
    State(shared): State<Shared>,
    Parameters(request): Parameters<UsersQuery>,
) -> Answered {
    shared.answers.users(request, shared.example_users).await
}

async fn history(
    State(shared): State<Shared>,
    Parameters(request): Parameters<HistoryQuery>,
) -> Answered {
    shared.answers.history(request).await
}

async fn model(
    State(shared): State<Shared>,
    Parameters(request): Parameters<ModelQuery>,
) -> Answered {
    shared.answers.describe(request).await
}

async fn events(
    State(shared): State<Shared>,
    request: Result<Json<Object<Events>>, JsonRejection>,
) -> Result<Json<Appended>, Failure> {
    let writer = shared.answers.models.events().ok_or(Failure::NoEvents)?;
    let events = body(request)?.events()?;
    writer.append(events).await.map(Json)
}

/// The page, which may load pictures from other sites only if the model has their addresses.
async fn start(State(shared): State<Shared>) -> impl IntoResponse {
    let model = shared.answers.models.first().get();
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
    let current = shared.answers.models.first();
    let model = current.get();
    let dataset = model.dataset();
    let models = shared.answers.models.all().map(|model| model.state());
    Json(json!({
        "status": "ok",
        "filter": model.filter().config().name(),
        "users": dataset.users().len(),
        "items": dataset.items().len(),
        "interactions": dataset.len(),
        "model": current.state(),
        "models": models.collect::<Vec<_>>(),
    }))
}

async fn counters(State(shared): State<Shared>) -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    let queue = &shared.answers.queue;
    let connections = shared.connections.iter().flat_map(|it| it.metrics());
    let metrics = shared.answers.models.metrics().into_iter();
    let metrics = Metric::text(metrics.chain(queue.metrics()).chain(connections));
    (kind, queue.counters.text() + &metrics)
}

async fn description() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "application/json")],
        include_str!("openapi.json"),
    )
}
