//! The open connections: their limit, and which one is closed to admit another.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::metrics::Metric;

/// How long a connection must have been idle before it is closed to admit a new one.
pub(super) const LEAST_IDLE: Duration = Duration::from_millis(250);

/// The interval between searches for a connection that is idle long enough.
const RETRY: Duration = Duration::from_millis(50);

/// How long a connection waits before any idle one is closed to admit it.
const PATIENCE: Duration = Duration::from_millis(500);

/// The connections of a server.
#[derive(Debug)]
pub(super) struct Connections {
    permits: Arc<Semaphore>,
    open: Mutex<HashMap<u64, Arc<Connection>>>,
    /// The number of the next connection.
    next: AtomicU64,
    /// The number of connections that were closed to admit others.
    closed: AtomicU64,
}

/// A connection, which is idle unless one of its requests is being answered.
///
/// A client that sends a request slowly, or does not read the response, counts as idle.
#[derive(Debug)]
pub(super) struct Connection {
    start: Instant,
    /// Milliseconds from the start to the last response, or 0.
    idle_since: AtomicU64,
    answering: AtomicUsize,
    close: Notify,
}

/// An open connection, which counts until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    connections: Arc<Connections>,
    connection: Arc<Connection>,
    _permit: OwnedSemaphorePermit,
}

impl Connections {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            permits: Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS))),
            open: Mutex::default(),
            next: AtomicU64::new(0),
            closed: AtomicU64::new(0),
        })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the values for monitoring.
    pub(super) fn metrics(&self) -> [Metric; 2] {
        let open = self.open().len() as f64;
        let closed = self.closed.load(Ordering::Relaxed);
        let help = "Idle connections that were closed to admit others.";
        [
            Metric::gauge("bspm_connections", "Open connections.", open),
            Metric::counter("bspm_connections_closed_total", help, closed),
        ]
    }

    /// Admits a connection. At the limit, closes the connection that has been idle longest, or waits if
    /// none is idle.
    pub(super) async fn admit(self: &Arc<Self>) -> Place {
        let start = Instant::now();
        let permit = loop {
            if let Ok(permit) = self.permits.clone().try_acquire_owned() {
                break permit;
            }
            self.close_one(match start.elapsed() < PATIENCE {
                true => LEAST_IDLE,
                false => Duration::ZERO,
            });
            let permit = self.permits.clone().acquire_owned();
            if let Ok(Ok(permit)) = tokio::time::timeout(RETRY, permit).await {
                break permit;
            }
        };
        let connection = Arc::new(Connection {
            start: Instant::now(),
            idle_since: AtomicU64::new(0),
            answering: AtomicUsize::new(0),
            close: Notify::new(),
        });
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.open().insert(number, connection.clone());
        Place {
            number,
            connections: self.clone(),
            connection,
            _permit: permit,
        }
    }

    /// Closes the connection that has been idle longest, if it has been idle for at least this time.
    pub(super) fn close_one(&self, least_idle: Duration) {
        let mut open = self.open();
        let idle = open.iter().filter_map(|(&number, connection)| {
            let idle = connection.idle()?;
            (idle >= least_idle).then_some((idle, number))
        });
        let Some((_, number)) = idle.max() else {
            return;
        };
        if let Some(connection) = open.remove(&number) {
            self.closed.fetch_add(1, Ordering::Relaxed);
            connection.close.notify_one();
        }
    }
}

impl Connection {
    /// How long the connection has been idle; `None` if it is not idle.
    fn idle(&self) -> Option<Duration> {
        if self.answering.load(Ordering::Acquire) > 0 {
            return None;
        }
        let since = Duration::from_millis(self.idle_since.load(Ordering::Acquire));
        Some(self.start.elapsed().saturating_sub(since))
    }

    /// Marks the connection as not idle until the returned value is dropped.
    pub(super) fn answering(self: &Arc<Self>) -> Answering {
        self.answering.fetch_add(1, Ordering::AcqRel);
        Answering(self.clone())
    }
}

/// A request of a connection that is being answered.
#[derive(Debug)]
pub(super) struct Answering(Arc<Connection>);

impl Drop for Answering {
    fn drop(&mut self) {
        let now = self.0.start.elapsed().as_millis() as u64;
        self.0.idle_since.store(now, Ordering::Release);
        self.0.answering.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Place {
    pub(super) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Completes when the connection is closed to admit another.
    pub(super) async fn closed(&self) {
        self.connection.close.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.open().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
    }

    #[test]
    fn the_connection_that_is_idle_longest_makes_room() {
        runtime().block_on(async {
            let connections = Connections::new(2);
            let first = connections.admit().await;
            let second = connections.admit().await;
            let answering = first.connection().answering();
            let closed = tokio::select! {
                () = second.closed() => second,
                _ = async {
                    let _third = connections.admit().await;
                    std::future::pending::<()>().await
                } => unreachable!("a third connection was admitted"),
            };
            drop(closed);
            assert!(Metric::text(connections.metrics()).contains("closed_total 1\n"));
            assert_eq!(connections.open().len(), 1);
            let _third = connections.admit().await;
            drop(answering);
            assert_eq!(connections.open().len(), 2);
        });
    }
}
