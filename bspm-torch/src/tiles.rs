//! Runs several tiles at the same time.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use bspm_core::Result;

/// Runs `work` for every tile on `under_way` threads, and returns the results in order.
///
/// libtorch runs each operation on several threads, and a GPU runs one operation after the other. The
/// purpose of a second tile is that it is prepared while the first tile is computed.
pub(crate) fn for_each_tile<W, T: Send>(
    under_way: usize,
    tiles: usize,
    workspace: impl Fn() -> Result<W> + Sync,
    work: impl Fn(&mut W, usize) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let has_failed = AtomicBool::new(false);
    let worker = || {
        let mut results = Vec::new();
        let mut scratch = None;
        loop {
            let tile = next.fetch_add(1, Ordering::Relaxed);
            if tile >= tiles || has_failed.load(Ordering::Relaxed) {
                return results;
            }
            let result = match &mut scratch {
                Some(scratch) => work(scratch, tile),
                None => workspace().and_then(|made| work(scratch.insert(made), tile)),
            };
            has_failed.fetch_or(result.is_err(), Ordering::Relaxed);
            results.push((tile, result));
        }
    };
    let mut results = if under_way.min(tiles) <= 1 {
        worker()
    } else {
        thread::scope(|scope| {
            let workers: Vec<_> = (0..under_way.min(tiles))
                .map(|_| scope.spawn(worker))
                .collect();
            let results = workers.into_iter().map(|worker| match worker.join() {
                Ok(results) => results,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            results.flatten().collect()
        })
    };
    results.sort_unstable_by_key(|(tile, _)| *tile);
    results.into_iter().map(|(_, result)| result).collect()
}
