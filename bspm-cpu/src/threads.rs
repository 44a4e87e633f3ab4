//! Runs workers on a rayon pool.

use std::process;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::CpuError;

/// The thread pool that workers run on: a given pool, or the current one.
///
/// A forked process has only the thread that called `fork`, and would wait forever for the threads of the
/// pool. It gets a new pool with the same number of threads.
#[derive(Clone, Debug)]
pub(crate) struct Threads(Arc<Pools>);

#[derive(Debug)]
struct Pools {
    /// `None` means the current pool.
    pool: Option<Arc<ThreadPool>>,
    /// The process that has the threads of the pool.
    process: u32,
    /// The pool of a forked process, and the process.
    forked: Mutex<Option<(u32, Arc<ThreadPool>)>>,
}

impl Pools {
    fn new(pool: Option<Arc<ThreadPool>>) -> Arc<Self> {
        Arc::new(Self {
            pool,
            process: process::id(),
            forked: Mutex::default(),
        })
    }

    /// Returns the pool to run on; `None` means the current pool.
    fn get(&self) -> Result<Option<Arc<ThreadPool>>, CpuError> {
        let process = process::id();
        let is_in_pool = || rayon::current_thread_index().is_some();
        if process == self.process || (self.pool.is_none() && is_in_pool()) {
            return Ok(self.pool.clone());
        }
        let mut forked = self.forked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((owner, pool)) = &*forked
            && *owner == process
        {
            return Ok(Some(pool.clone()));
        }
        let pool = Arc::new(pool_of(count(self.pool.as_ref()))?);
        let before = forked.replace((process, pool.clone()));
        std::mem::forget(before);
        Ok(Some(pool))
    }
}

/// Does not drop the pools of another process, because that would wake their threads.
impl Drop for Pools {
    fn drop(&mut self) {
        let process = process::id();
        if process != self.process {
            std::mem::forget(self.pool.take());
        }
        let forked = self.forked.get_mut();
        let forked = forked.unwrap_or_else(PoisonError::into_inner).take();
        if forked.as_ref().is_some_and(|(owner, _)| *owner != process) {
            std::mem::forget(forked);
        }
    }
}

/// Creates a pool with this many threads; 0 means one per core.
pub(crate) fn pool_of(threads: usize) -> Result<ThreadPool, CpuError> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|source| CpuError::ThreadPool {
        threads,
        source: source.into(),
    })
}

fn count(pool: Option<&Arc<ThreadPool>>) -> usize {
    pool.map_or_else(rayon::current_num_threads, |pool| {
        pool.current_num_threads()
    })
}

/// Uses the current pool. A process starts the global pool once.
impl Default for Threads {
    fn default() -> Self {
        static CURRENT: OnceLock<Arc<Pools>> = OnceLock::new();
        Self(CURRENT.get_or_init(|| Pools::new(None)).clone())
    }
}

impl Threads {
    pub(crate) fn of_pool(pool: Arc<ThreadPool>) -> Self {
        Self(Pools::new(Some(pool)))
    }

    /// Runs `work` in the pool, so that rayon's parallel iterators use it.
    ///
    /// # Errors
    ///
    /// [`CpuError::ThreadPool`] if a forked process cannot start its threads.
    pub(crate) fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, CpuError> {
        Ok(match self.0.get()? {
            Some(pool) => pool.install(work),
            None => work(),
        })
    }

    /// Calls `worker` once for each thread of the pool, and at most `most` times. A single call runs on the calling
    /// thread.
    ///
    /// # Errors
    ///
    /// [`CpuError::ThreadPool`] if a forked process cannot start its threads.
    pub(crate) fn run_workers(
        &self,
        most: usize,
        worker: &(dyn Fn() + Sync),
    ) -> Result<(), CpuError> {
        if most < 2 {
            worker();
            return Ok(());
        }
        let pool = self.0.get()?;
        match (count(pool.as_ref()).min(most), &pool) {
            (0 | 1, _) => worker(),
            (workers, Some(pool)) => pool.scope(|scope| spawn(scope, workers, worker)),
            (workers, None) => rayon::scope(|scope| spawn(scope, workers, worker)),
        }
        Ok(())
    }
}

fn spawn<'scope>(scope: &rayon::Scope<'scope>, workers: usize, worker: &'scope (dyn Fn() + Sync)) {
    for _ in 0..workers {
        scope.spawn(move |_| worker());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_worker_is_called_for_each_thread_and_at_most_as_often_as_asked() {
        for (threads, most, expected) in [(1, 50, 1), (3, 50, 3), (3, 2, 2), (3, 1, 1)] {
            let calls = AtomicUsize::new(0);
            let pool = Threads::of_pool(Arc::new(pool_of(threads).unwrap()));
            pool.run_workers(most, &|| {
                calls.fetch_add(1, Ordering::Relaxed);
            })
            .unwrap();
            assert_eq!(calls.into_inner(), expected);
        }
    }
}
