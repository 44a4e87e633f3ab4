//! Runs tiles on a rayon pool.

use std::process;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bspm_core::Result;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::CpuError;

/// The thread pool that tiles run on: a given pool, or the current one.
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

    /// Runs `work` for each tile and returns the results in tile order.
    ///
    /// One worker per thread processes tile after tile, with a separate workspace. A
    /// single worker runs on the calling thread.
    pub(crate) fn for_each_tile<W, T: Send>(
        &self,
        tiles: usize,
        workspace: impl Fn() -> Result<W> + Sync,
        work: impl Fn(&mut W, usize) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let next = AtomicUsize::new(0);
        let failed = AtomicBool::new(false);
        let results = Mutex::new(Vec::with_capacity(tiles));
        let worker = || {
            let mut scratch = None;
            while !failed.load(Ordering::Relaxed) {
                let tile = next.fetch_add(1, Ordering::Relaxed);
                if tile >= tiles {
                    break;
                }
                let result = match &mut scratch {
                    Some(scratch) => work(scratch, tile),
                    None => workspace().and_then(|made| work(scratch.insert(made), tile)),
                };
                failed.fetch_or(result.is_err(), Ordering::Relaxed);
                results
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push((tile, result));
            }
        };

        if tiles < 2 {
            worker();
        } else {
            let pool = self.0.get();
            let pool = pool.map_err(|error| error.in_operation("for_each_tile"))?;
            match (count(pool.as_ref()).min(tiles), &pool) {
                (0 | 1, _) => worker(),
                (workers, Some(pool)) => pool.scope(|scope| spawn(scope, workers, &worker)),
                (workers, None) => rayon::scope(|scope| spawn(scope, workers, &worker)),
            }
        }

        let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.sort_unstable_by_key(|(tile, _)| *tile);
        results.into_iter().map(|(_, result)| result).collect()
    }
}

fn spawn<'scope>(scope: &rayon::Scope<'scope>, workers: usize, worker: &'scope (impl Fn() + Sync)) {
    for _ in 0..workers {
        scope.spawn(move |_| worker());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bspm_core::Error;

    fn pool(threads: usize) -> Threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        Threads::of_pool(Arc::new(pool.unwrap()))
    }

    #[test]
    fn results_come_in_tile_order_and_workspaces_are_reused() {
        for threads in [1, 3] {
            let made = AtomicUsize::new(0);
            let workspace = || Ok(made.fetch_add(1, Ordering::Relaxed));
            let results = pool(threads)
                .for_each_tile(50, workspace, |_, tile| Ok(tile * tile))
                .unwrap();
            assert_eq!(results, (0..50).map(|tile| tile * tile).collect::<Vec<_>>());
            assert!((1..=threads).contains(&made.into_inner()));
        }
    }

    #[test]
    fn the_first_failing_tile_stops_the_others() {
        let done = AtomicUsize::new(0);
        let error = pool(2)
            .for_each_tile(
                100_000,
                || Ok(()),
                |(), tile| {
                    done.fetch_add(1, Ordering::Relaxed);
                    let user = tile as u32;
                    if tile == 5 {
                        return Err(Error::UnknownUser { user, users: 1 });
                    }
                    Ok(())
                },
            )
            .unwrap_err();
        assert!(error.to_string().starts_with("user 5"));
        assert!(done.into_inner() < 100_000);
    }

    #[test]
    fn no_tiles_need_no_workspace() {
        let results = pool(2)
            .for_each_tile(0, || -> Result<()> { unreachable!() }, |(), tile| Ok(tile))
            .unwrap();
        assert!(results.is_empty());
    }
}
