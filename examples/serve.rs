//! A recommendation service over HTTP, put into a server of one's own: the routes of `bspm serve`
//! and one more.
//!
//! ```text
//! bspm fit ratings.csv -o shop.bspm
//! cargo run --release --example serve -- shop.bspm 127.0.0.1:8080
//! curl 'http://127.0.0.1:8080/recommend?user=ann&k=5'
//! curl 'http://127.0.0.1:8080/similar?item=tea'
//! curl 'http://127.0.0.1:8080/shop'
//! ```
//!
//! The model is mapped from its file, so that several processes share it in memory. `bspm serve`
//! adds limits of connections and times, and an end that answers what has begun.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::routing::get;
use bspm_server::{CurrentModel, ServerOptions, router};
use clap::Parser;

/// Serves /recommend?user=USER&k=10, /similar?item=ITEM&k=10 and more
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
    let model = CurrentModel::open(arguments.model, false)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(model, arguments.address))
}

async fn serve(model: CurrentModel, address: SocketAddr) -> Result<(), Box<dyn std::error::Error>> {
    let service = router(Arc::new(model), &ServerOptions::new(address))
        .route("/shop", get(|| async { "a route of one's own" }));
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
