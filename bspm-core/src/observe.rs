//! Progress of long operations, and their cancellation, through one callback.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, Result};

/// The callback of a long operation: it is told how far the operation is, and
/// answers whether it goes on.
///
/// It is called from the threads that do the work, several at once, at least once
/// for each tile of users or of singular vectors; it should return quickly. After
/// [`ControlFlow::Break`] the operation ends with [`Error::Cancelled`] and leaves
/// nothing half done.
///
/// # Examples
///
/// ```
/// use std::ops::ControlFlow;
/// use std::time::{Duration, Instant};
/// use bspm_core::{Observer, Progress};
///
/// let deadline = Instant::now() + Duration::from_secs(10);
/// let observer: Observer<'_> = &|progress: Progress| {
///     eprintln!("{}: {}/{}", progress.stage, progress.done, progress.total);
///     if Instant::now() < deadline {
///         ControlFlow::Continue(())
///     } else {
///         ControlFlow::Break(())
///     }
/// };
/// ```
pub type Observer<'a> = &'a (dyn Fn(Progress) -> ControlFlow<()> + Sync);

/// The observer that lets everything run to its end.
pub const UNOBSERVED: Observer<'static> = &|_| ControlFlow::Continue(());

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

/// What a long operation is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Computing singular vectors.
    TruncatedSvd,
    /// Forming an item graph.
    ItemGraph,
    /// Scoring and ranking users.
    Rank,
    /// Ranking and evaluating users with many settings.
    Sweep,
}

impl std::fmt::Display for Stage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::TruncatedSvd => "truncated SVD",
            Self::ItemGraph => "item graph",
            Self::Rank => "ranking",
            Self::Sweep => "sweep",
        })
    }
}

/// One stage under an observer.
pub(crate) struct Observed<'a> {
    observer: Observer<'a>,
    stage: Stage,
    done: AtomicUsize,
    total: usize,
}

impl<'a> Observed<'a> {
    pub(crate) fn new(observer: Observer<'a>, stage: Stage, total: usize) -> Self {
        Self::starting_at(observer, stage, 0, total)
    }

    /// A stage of which some is done already.
    pub(crate) fn starting_at(
        observer: Observer<'a>,
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
        match (self.observer)(progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled {
                stage: self.stage,
                done,
                total: self.total,
            }),
        }
    }
}
