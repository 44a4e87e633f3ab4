//! A recommendation service over HTTP, embedded in another server: the routes of `bspm serve` and one more
//! route.
//!
//! ```text
//! bspm fit ratings.csv -o shop.bspm
//! cargo run --release --example serve -- shop.bspm 127.0.0.1:8080
//! curl 'http://127.0.0.1:8080/recommend?user=ann&k=5'
//! curl 'http://127.0.0.1:8080/similar?item=tea'
//! curl 'http://127.0.0.1:8080/shop'
//! ```
//!
//! The model file is memory-mapped, so several processes share its memory. `bspm serve` also has limits of
//! connections and times, and a graceful shutdown.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::routing::get;
use bspm_server::{ModelFile, ModelOptions, Models, ServerOptions, router};
use clap::Parser;

/// Serves /recommend?user=USER&k=10, /similar?item=ITEM&k=10 and other routes
#[derive(Parser)]
struct Arguments {
    /// The file of a model, from `bspm fit` or `Model::save`
    model: PathBuf,
    /// Address and port to listen on; port 0 means a free port
    #[arg(default_value = "127.0.0.1:8080")]
    address: SocketAddr,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let models = Models::open(&ModelOptions::new([ModelFile::new(arguments.model)]))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(models, arguments.address))
}

async fn serve(models: Models, address: SocketAddr) -> Result<(), Box<dyn std::error::Error>> {
    let service = router(Arc::new(models), &ServerOptions::new(address))
        .route("/shop", get(|| async { "a custom route" }));
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
