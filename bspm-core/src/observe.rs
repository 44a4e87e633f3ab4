//! Progress of long operations, and their cancellation, through one callback.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bspm_data::Stage;
use bspm_data::{Error, Result};

/// How far a long operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Singular vectors found, items linked, or users ranked.
    pub done: usize,
    /// How many are asked for.
    pub total: usize,
}

/// The callback of a long operation: it is told how far the operation is, and
/// answers whether it goes on. The default one lets everything run to its end.
///
/// It is called from the threads that do the work, several at once, at least once
/// for each tile of users or of singular vectors; it should return quickly. After
/// [`ControlFlow::Break`] the operation ends with [`Error::Cancelled`] and leaves
/// nothing half done. Clones share the callback.
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
    /// An observer that calls back.
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

    /// A stage of which some is done already.
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
