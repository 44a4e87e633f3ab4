//! Running tiles on a rayon pool.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bspm_core::Result;
use rayon::ThreadPool;

/// Where tiles run: a pool of the caller's, or the one that is current.
#[derive(Clone, Debug, Default)]
pub(crate) struct Threads(Option<Arc<ThreadPool>>);

impl Threads {
    pub(crate) fn of_pool(pool: Arc<ThreadPool>) -> Self {
        Self(Some(pool))
    }

    fn count(&self) -> usize {
        self.0
            .as_ref()
            .map_or_else(rayon::current_num_threads, |pool| {
                pool.current_num_threads()
            })
    }

    /// Runs `work` where rayon's parallel iterators then run.
    pub(crate) fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.0 {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// Runs `work` for each tile and returns the results in tile order.
    ///
    /// One worker per thread takes tile after tile with a workspace of its own. A
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

        match (self.count().min(tiles), &self.0) {
            (0 | 1, _) => worker(),
            (workers, Some(pool)) => pool.scope(|scope| spawn(scope, workers, &worker)),
            (workers, None) => rayon::scope(|scope| spawn(scope, workers, &worker)),
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
