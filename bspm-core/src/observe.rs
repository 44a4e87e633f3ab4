//! Progress and cancellation of long operations by a callback.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bspm_data::Stage;
use bspm_data::{Error, Result};

/// The progress of a long operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The current stage.
    pub stage: Stage,
    /// The number of singular vectors found, items processed, or users ranked.
    pub done: usize,
    /// The total number.
    pub total: usize,
}

/// A callback for the progress of a long operation, which can cancel it. The default observer does nothing.
///
/// It is called from the worker threads, possibly from several at the same time, at least once for each tile
/// of users or of singular vectors, and should return quickly. If it returns [`ControlFlow::Break`], the
/// operation returns [`Error::Cancelled`] and has no effect. Clones share the callback.
///
/// # Examples
///
/// ```
/// use std::ops::ControlFlow;
/// use std::time::{Duration, Instant};
/// use bspm_core::{FitOptions, Observer};
///
/// let deadline = Instant::now() + Duration::from_secs(10);
/// let observer = Observer::new(move |progress| {
///     eprintln!("{}: {}/{}", progress.stage, progress.done, progress.total);
///     if Instant::now() < deadline {
///         ControlFlow::Continue(())
///     } else {
///         ControlFlow::Break(())
///     }
/// });
/// let options = FitOptions::new().observer(observer);
/// ```
#[derive(Clone, Default)]
pub struct Observer(Option<Arc<Callback>>);

type Callback = dyn Fn(Progress) -> ControlFlow<()> + Send + Sync;

impl Observer {
    /// Creates an observer with a callback.
    pub fn new(callback: impl Fn(Progress) -> ControlFlow<()> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(callback)))
    }

    fn tell(&self, progress: Progress) -> ControlFlow<()> {
        match &self.0 {
            Some(callback) => callback(progress),
            None => ControlFlow::Continue(()),
        }
    }
}

impl std::fmt::Debug for Observer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let calls_back = self.0.is_some();
        formatter
            .debug_struct("Observer")
            .field("calls_back", &calls_back)
            .finish()
    }
}

/// One stage under an observer.
pub(crate) struct Observed<'a> {
    observer: &'a Observer,
    stage: Stage,
    done: AtomicUsize,
    total: usize,
}

impl<'a> Observed<'a> {
    pub(crate) fn new(observer: &'a Observer, stage: Stage, total: usize) -> Self {
        Self::starting_at(observer, stage, 0, total)
    }

    /// Starts a stage with some completed work.
    pub(crate) fn starting_at(
        observer: &'a Observer,
        stage: Stage,
        done: usize,
        total: usize,
    ) -> Self {
        Self {
            observer,
            stage,
            done: AtomicUsize::new(done),
            total,
        }
    }

    /// Counts `more` as done and asks whether to go on.
    pub(crate) fn advance(&self, more: usize) -> Result<()> {
        let done = self.done.fetch_add(more, Ordering::Relaxed) + more;
        let progress = Progress {
            stage: self.stage,
            done,
            total: self.total,
        };
        match self.observer.tell(progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled {
                stage: self.stage,
                done,
                total: self.total,
            }),
        }
    }
}
