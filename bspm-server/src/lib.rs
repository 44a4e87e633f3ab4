//! Serves saved models over HTTP: the server behind `bspm serve`, which programs can embed.
//!
//! Requests that arrive while others are scored wait in a bounded queue, and are then scored together
//! as one tile. At most half of the threads work on requests other than lists. If the queue is full, a
//! request is answered with status 503 at once. The model is reloaded when its file is replaced, or on
//! SIGHUP; requests that have started are answered from the old model.
//!
//! With an [event log](EventOptions), clients add interactions, which count in the next list of the user.

mod access;
mod answers;
mod api_key;
mod bodies;
mod connections;
mod current;
mod error;
mod events;
mod facets;
mod ids;
mod items;
mod live;
pub mod log;
#[cfg(feature = "mcp")]
mod mcp;
mod metrics;
mod model_card;
mod models;
mod object;
#[cfg(feature = "otlp")]
mod otlp;
mod page;
mod parameters;
mod queue;
mod request_ids;
mod requests;
mod routes;
mod users;
mod work;

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;

pub use api_key::ApiKey;
use connections::{Connections, LEAST_IDLE, Place};
pub use error::ServerError;
pub use events::EventOptions;
#[cfg(feature = "mcp")]
pub use mcp::serve_mcp;
pub use models::{ModelFile, ModelOptions, Models};
#[cfg(feature = "otlp")]
pub use otlp::Otlp;
pub use routes::router;

/// The options of a server.
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub struct ServerOptions {
    /// The address to listen on; port 0 selects a free port.
    pub address: SocketAddr,
    /// The number of scoring threads. Default: one per core.
    pub workers: usize,
    /// The maximum number of waiting requests for lists, and of other waiting requests, from 1 to
    /// 65,536. Further requests are answered with status 503. Default: 256.
    pub queue: usize,
    /// The maximum number of open connections. A further connection closes the one that has been idle
    /// longest. Default: 1,000.
    pub connections: usize,
    /// The time limit for the headers of a request, for the complete request, and for each part of the
    /// response. Default: 10 seconds.
    pub timeout: Duration,
    /// The host names that requests may use in addition to `localhost` and IP addresses. If there are
    /// none, a server on a loopback address accepts no other name, and a server on another address
    /// accepts any name. Default: none.
    pub hosts: Vec<String>,
    /// The API keys. Each request must have one of them; if there are none, no key is required. Default:
    /// none.
    pub keys: Vec<ApiKey>,
    /// The origins whose pages may read the responses, such as `https://shop.example` (CORS). Default: none.
    pub origins: Vec<String>,
    /// Whether a list is bitwise identical, independent of other requests. A list then takes the time of a
    /// complete tile. Default: `false`.
    pub batch_invariant: bool,
    /// Whether `/users` lists example users, which the page shows. Default: true.
    pub example_users: bool,
    /// The time limit for requests that have started when the server stops. Default: 10 seconds.
    pub grace: Duration,
    /// Whether `/mcp` serves the Model Context Protocol. Default: false.
    #[cfg(feature = "mcp")]
    pub mcp: bool,
    /// The exporter of a span for each request. Default: none.
    #[cfg(feature = "otlp")]
    pub otlp: Option<Otlp>,
}

/// The maximum timeout: a year, which cannot overflow a clock.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 86_400);

/// The maximum number of bytes of the head of a request, and of a read or a write.
const LARGEST_HEAD: usize = 64 << 10;

impl ServerOptions {
    /// Returns the default options with this address.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            workers: std::thread::available_parallelism().map_or(1, Into::into),
            queue: 256,
            connections: 1_000,
            timeout: Duration::from_secs(10),
            example_users: true,
            grace: Duration::from_secs(10),
            hosts: Vec::new(),
            keys: Vec::new(),
            origins: Vec::new(),
            batch_invariant: false,
            #[cfg(feature = "mcp")]
            mcp: false,
            #[cfg(feature = "otlp")]
            otlp: None,
        }
    }
}

/// Serves these models until SIGTERM or SIGINT, and then finishes the requests that have started.
///
/// `listening` is called with the address when connections are accepted.
///
/// # Errors
///
/// [`ServerError`] if a model or the event log cannot be opened, or if the server cannot listen on the
/// address.
pub fn serve(
    models: ModelOptions,
    options: &ServerOptions,
    listening: impl FnOnce(SocketAddr),
) -> Result<(), ServerError> {
    let result = with_models(models, async |models, end, reloads| {
        run(models, options, end, reloads, listening).await
    });
    #[cfg(feature = "otlp")]
    if let Some(otlp) = &options.otlp {
        otlp.flush();
    }
    result
}

/// Opens the models and runs `serve` with them. A signal while the models are opened ends the process.
fn with_models(
    models: ModelOptions,
    serve: impl AsyncFnOnce(Arc<Models>, End, Reloads) -> Result<(), ServerError>,
) -> Result<(), ServerError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(ServerError::Runtime)?;
    let result = runtime.block_on(async {
        // From now on, signals are handled here and do not end the process.
        let (mut end, reloads) = signals().map_err(ServerError::Runtime)?;
        let opened = tokio::task::spawn_blocking(move || Models::open(&models));
        let opened = tokio::select! {
            () = &mut end => return Ok(()),
            opened = opened => opened.map_err(|error| ServerError::Runtime(error.into()))??,
        };
        let models = Arc::new(opened);
        let served = serve(models.clone(), end, reloads).await;
        models.flush().await;
        served
    });
    runtime.shutdown_background();
    result
}

/// Completes on SIGTERM or SIGINT.
type End = Pin<Box<dyn Future<Output = ()> + Send>>;

async fn run(
    models: Arc<Models>,
    options: &ServerOptions,
    mut end: End,
    reloads: Reloads,
    listening: impl FnOnce(SocketAddr),
) -> Result<(), ServerError> {
    let bound = |source| ServerError::Listen {
        address: options.address,
        source,
    };
    let listener = TcpListener::bind(options.address).await.map_err(bound)?;
    let address = listener.local_addr().map_err(bound)?;
    if let Some(warning) = access::warning(options, address) {
        tracing::warn!("{warning}");
    }
    listening(address);
    watch(&models, reloads);
    let connections = Connections::new(options.connections);
    let router = routes::with_connections(models, options, Some(connections.clone()));
    let service = TowerToHyperService::new(router);
    let timeout = options.timeout.min(LONGEST_WAIT);
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(timeout)
        .max_buf_size(LARGEST_HEAD)
        .half_close(true)
        .keep_alive(true);
    loop {
        let stream = tokio::select! {
            () = &mut end => break,
            accepted = accept(&listener, &connections) => accepted,
        };
        let Ok((stream, place)) = stream else {
            // Most likely there are no free descriptors, so close an idle connection first.
            connections.close_one(LEAST_IDLE);
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(timeout));
        let (service, connection) = (service.clone(), place.connection().clone());
        let service = service_fn(move |mut request| {
            request.extensions_mut().insert(connection.clone());
            service.call(request)
        });
        let connection = http.serve_connection(TokioIo::new(Box::pin(stream)), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            tokio::select! {
                ended = connection => if let Err(error) = ended {
                    tracing::debug!(%error, "connection");
                },
                () = place.closed() => tracing::debug!("an idle connection was closed"),
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(options.grace, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("requests were cut off after {:?}", options.grace);
    }
    Ok(())
}

/// Reloads models on request, and when their files are replaced.
fn watch(models: &Arc<Models>, mut reloads: Reloads) {
    models.watch();
    let models = models.clone();
    tokio::spawn(async move {
        loop {
            asked(&mut reloads).await;
            models.request_reload();
        }
    });
}

/// Accepts the next connection when there is room for it.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Connections>,
) -> io::Result<(TcpStream, Place)> {
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, connections.admit().await))
}

/// The stream of reload requests: SIGHUP.
#[cfg(unix)]
type Reloads = tokio::signal::unix::Signal;
#[cfg(not(unix))]
type Reloads = ();

/// Waits for the next reload request.
#[cfg(unix)]
async fn asked(reloads: &mut Reloads) {
    if reloads.recv().await.is_none() {
        std::future::pending::<()>().await;
    }
}

#[cfg(not(unix))]
async fn asked(_reloads: &mut Reloads) {
    std::future::pending::<()>().await;
}

/// Installs the signal handlers.
#[cfg(unix)]
fn signals() -> io::Result<(End, Reloads)> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let end = Box::pin(async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
    });
    Ok((end, signal(SignalKind::hangup())?))
}

#[cfg(not(unix))]
fn signals() -> io::Result<(End, Reloads)> {
    let end = Box::pin(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    });
    Ok((end, ()))
}
