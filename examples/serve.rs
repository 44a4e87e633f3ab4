//! A recommendation service over HTTP.
//!
//! ```text
//! bspm fit ratings.csv -o shop.bspm
//! cargo run --release --example serve -- shop.bspm 127.0.0.1:8080
//! curl 'http://127.0.0.1:8080/recommend?user=ann&k=5'
//! curl 'http://127.0.0.1:8080/similar?item=tea'
//! ```
//!
//! The model is mapped from its file, so that several processes share it in memory.

use std::net::SocketAddr;
use std::path::PathBuf;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use bspm::{CpuBackend, Error, Model, Recommendation};
use clap::Parser;
use serde::Deserialize;
use serde_json::json;

type ServedModel = Model<CpuBackend>;

/// Serves /recommend?user=USER&k=10 and /similar?item=ITEM&k=10
#[derive(Parser)]
struct Arguments {
    /// A model that `bspm fit` or `Model::save` wrote
    model: PathBuf,
    /// Where to listen; port 0 takes a free one
    #[arg(default_value = "127.0.0.1:8080")]
    address: SocketAddr,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let model = ServedModel::open(CpuBackend::new(), &arguments.model)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_io()
        .build()?;
    runtime.block_on(serve(model, arguments.address))
}

async fn serve(model: ServedModel, address: SocketAddr) -> Result<(), Box<dyn std::error::Error>> {
    let service = Router::new()
        .route("/recommend", get(recommend))
        .route("/similar", get(similar))
        .with_state(model);
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let stop = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    Ok(axum::serve(listener, service)
        .with_graceful_shutdown(stop)
        .await?)
}

fn default_k() -> usize {
    10
}

/// The longest list that a request may ask for.
const LONGEST_LIST: usize = 1000;

#[derive(Deserialize)]
struct RecommendQuery {
    user: String,
    #[serde(default = "default_k")]
    k: usize,
}

async fn recommend(
    State(model): State<ServedModel>,
    Query(query): Query<RecommendQuery>,
) -> Answer {
    answer(move || model.recommend(&query.user, query.k.min(LONGEST_LIST))).await
}

#[derive(Deserialize)]
struct SimilarQuery {
    item: String,
    #[serde(default = "default_k")]
    k: usize,
}

async fn similar(State(model): State<ServedModel>, Query(query): Query<SimilarQuery>) -> Answer {
    answer(move || model.similar_items(&query.item, query.k.min(LONGEST_LIST))).await
}

type Answer = Result<Json<Vec<Recommendation>>, Failure>;

/// Scores on a thread that may block: milliseconds of arithmetic would hold up the
/// requests that share an asynchronous one.
async fn answer(
    score: impl FnOnce() -> bspm::Result<Vec<Recommendation>> + Send + 'static,
) -> Answer {
    match tokio::task::spawn_blocking(score).await {
        Ok(list) => list.map(Json).map_err(Failure::Model),
        Err(_) => Err(Failure::Panicked),
    }
}

enum Failure {
    Model(Error),
    Panicked,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::Model(error) => {
                let status = match error {
                    Error::UnknownId { .. } => StatusCode::NOT_FOUND,
                    Error::InvalidParameter { .. } => StatusCode::BAD_REQUEST,
                    _ => StatusCode::INTERNAL_SERVER_ERROR,
                };
                (status, error.to_string())
            }
            Self::Panicked => {
                let message = "the request could not be answered".into();
                (StatusCode::INTERNAL_SERVER_ERROR, message)
            }
        };
        (status, Json(json!({ "error": message }))).into_response()
    }
}
