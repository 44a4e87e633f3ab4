//! A saved model over HTTP: what `bspm serve` runs, and what a program can embed.
//!
//! Requests that arrive while others are scored wait in a bounded queue and are then scored
//! together, as one tile; half of the threads at most work on anything but lists. A full queue
//! answers 503 at once. The model is replaced when its file
//! is, or on SIGHUP; requests that have begun are answered from the old one.

mod access;
mod bodies;
mod connections;
mod current;
mod error;
mod ids;
pub mod log;
mod metrics;
mod object;
mod queue;
mod requests;
mod routes;
mod work;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
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

use connections::{Connections, LEAST_IDLE, Place};
pub use current::CurrentModel;
pub use error::ServerError;
pub use routes::router;

/// How a model is served.
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub struct ServerOptions {
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// Threads that score. Default: one for each core.
    pub workers: usize,
    /// Requests for lists that may wait to be scored, and as many others, at least 1 and at most
    /// 65,536; the next one is answered 503.
    pub queue: usize,
    /// Connections that may be open; for the next one, that which has been idle longest is closed.
    pub connections: usize,
    /// How long the headers of a request, then the whole of it, and then each part of the answer
    /// may take.
    pub timeout: Duration,
    /// Names by which requests may call the server beside `localhost` and IP addresses. If there are
    /// none, a server on a loopback address takes no other name, and one on another address takes
    /// any.
    pub hosts: Vec<String>,
    /// API keys, of which a request must carry one; none are required if there are none.
    pub keys: Vec<String>,
    /// How long requests that have begun may take after the end was asked for.
    pub grace: Duration,
}

/// The longest time that is waited for headers: a year, which no clock adds up to an overflow.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 86_400);

/// The most bytes of a request's head, and that are read or written at once.
const LARGEST_HEAD: usize = 64 << 10;

impl ServerOptions {
    /// One worker for each core, 256 requests in the queue, 1,000 connections, ten seconds.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            workers: std::thread::available_parallelism().map_or(1, Into::into),
            queue: 256,
            connections: 1_000,
            timeout: Duration::from_secs(10),
            grace: Duration::from_secs(10),
            hosts: Vec::new(),
            keys: Vec::new(),
        }
    }
}

/// Serves the model in this file until SIGTERM or SIGINT, and then answers what has begun.
///
/// `listening` is told the address once connections are accepted. With `copy` the file is read
/// into memory rather than mapped: it may then be changed in place or cut off without harm.
///
/// # Errors
///
/// [`ServerError`] where the model cannot be opened, or the address cannot be had.
pub fn serve(
    model: PathBuf,
    copy: bool,
    options: &ServerOptions,
    listening: impl FnOnce(SocketAddr),
) -> Result<(), ServerError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(ServerError::Runtime)?;
    let result = runtime.block_on(async {
        // From here on no signal ends the process by itself.
        let (mut end, reloads) = signals().map_err(ServerError::Runtime)?;
        let current = tokio::task::spawn_blocking(move || CurrentModel::open(model, copy));
        let current = tokio::select! {
            () = &mut end => return Ok(()),
            current = current => current.map_err(|error| ServerError::Runtime(error.into()))??,
        };
        run(Arc::new(current), options, end, reloads, listening).await
    });
    runtime.shutdown_background();
    result
}

/// Ends with SIGTERM or SIGINT.
type End = Pin<Box<dyn Future<Output = ()> + Send>>;

async fn run(
    current: Arc<CurrentModel>,
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
    tokio::spawn(current.clone().watch(reloads));
    let connections = Connections::new(options.connections);
    let router = routes::with_connections(current, options, Some(connections.clone()));
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
            // Out of descriptors, most likely: others have to go first.
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

/// The next connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Connections>,
) -> io::Result<(TcpStream, Place)> {
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, connections.admit().await))
}

/// The requests to reload: SIGHUP.
#[cfg(unix)]
type Reloads = tokio::signal::unix::Signal;
#[cfg(not(unix))]
type Reloads = ();

/// The signals, which are caught from now on.
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
