//! The open connections: how many there may be, and which one is closed to admit the next.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::metrics::{counter, gauge};

/// How long a connection must have been idle before it is closed to admit another that has not
/// waited long.
pub(super) const LEAST_IDLE: Duration = Duration::from_millis(250);

/// How often a connection that is idle long enough is looked for.
const RETRY: Duration = Duration::from_millis(50);

/// How long a connection waits before one that is idle at all is closed to admit it.
const PATIENCE: Duration = Duration::from_millis(500);

/// The connections of a server.
#[derive(Debug)]
pub(super) struct Connections {
    permits: Arc<Semaphore>,
    open: Mutex<HashMap<u64, Arc<Connection>>>,
    /// The number of the next connection.
    next: AtomicU64,
    /// How many were closed to admit others.
    closed: AtomicU64,
}

/// A connection: idle, unless requests of it are being answered.
///
/// Idle is also whoever sends a request slowly, or does not read the answer.
#[derive(Debug)]
pub(super) struct Connection {
    start: Instant,
    /// Milliseconds from the start to the last answer, or 0.
    idle_since: AtomicU64,
    answering: AtomicUsize,
    close: Notify,
}

/// The place of an open connection.
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

    /// Their numbers, in the text format of Prometheus.
    pub(super) fn metrics(&self) -> String {
        let open = self.open().len() as f64;
        let closed = self.closed.load(Ordering::Relaxed);
        let help = "Idle connections that were closed to admit others.";
        [
            gauge("bspm_connections", "Open connections.", open),
            counter("bspm_connections_closed_total", help, closed),
        ]
        .concat()
    }

    /// A place for one more connection. If there is none, the connection that has been idle longest
    /// is closed; if all are being answered, this waits.
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

    /// Closes the connection that has been idle longest, if one has been for as long as this.
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
    /// For how long it has been idle, if it is.
    fn idle(&self) -> Option<Duration> {
        if self.answering.load(Ordering::Acquire) > 0 {
            return None;
        }
        let since = Duration::from_millis(self.idle_since.load(Ordering::Acquire));
        Some(self.start.elapsed().saturating_sub(since))
    }

    /// Keeps the connection from being idle until the value is dropped.
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

    /// Ends when the connection is closed to admit another.
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
            assert!(connections.metrics().contains("closed_total 1\n"));
            assert_eq!(connections.open().len(), 1);
            let _third = connections.admit().await;
            drop(answering);
            assert_eq!(connections.open().len(), 2);
        });
    }
}
