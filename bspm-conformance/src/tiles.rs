//! Runs workers and tiles.

use std::sync::atomic::{AtomicUsize, Ordering};

use bspm_core::backend::{Backend, Checked};
use bspm_data::{Error, Result};

/// A worker is called at least once and at most as often as asked.
pub fn workers_are_called_at_least_once<B: Backend>(backend: &B) {
    for most in [1, 2, 67] {
        let calls = workers(backend, most);
        assert!((1..=most).contains(&calls), "{calls} calls, at most {most}");
    }
}

/// Every tile runs once, and the results are in order. A worker has one workspace, and no tiles need none.
pub fn tiles_come_back_in_order<B: Backend>(backend: &B) {
    for tiles in [1, 2, 67] {
        let (made, runs) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let workspace = || {
            made.fetch_add(1, Ordering::Relaxed);
            Ok(3)
        };
        let work = |workspace: &mut usize, tile| {
            runs.fetch_add(1, Ordering::Relaxed);
            Ok(*workspace * tile)
        };
        let results = Checked::new(backend).for_each_tile(tiles, workspace, work);
        let expected: Vec<_> = (0..tiles).map(|tile| 3 * tile).collect();
        assert_eq!(results.unwrap(), expected);
        assert_eq!(runs.into_inner(), tiles);
        assert!(made.into_inner() <= workers(backend, tiles));
    }
    let workspace = || -> Result<()> { panic!("a workspace for no tiles") };
    let results = Checked::new(backend).for_each_tile(0, workspace, |(), tile| Ok(tile));
    assert!(results.unwrap().is_empty());
}

/// The error of a workspace or of the first tile that fails is returned, and the tiles after it are not started.
pub fn the_first_error_of_a_tile_comes_back<B: Backend>(backend: &B) {
    const TILES: usize = 100_000;
    let error = |user| Error::UnknownUser { user, users: 1 };
    let runs = AtomicUsize::new(0);
    let work = |(): &mut (), tile| {
        runs.fetch_add(1, Ordering::Relaxed);
        if tile % 10 == 9 {
            return Err(error(tile as u32));
        }
        Ok(tile)
    };
    let failed = Checked::new(backend).for_each_tile(TILES, || Ok(()), work);
    let failed = failed.unwrap_err().to_string();
    assert!(failed.starts_with("user 9 "), "{failed}");
    assert!(runs.into_inner() < TILES);

    let failed = Checked::new(backend).for_each_tile(4, || Err(error(77)), |(), tile| Ok(tile));
    let failed = failed.unwrap_err().to_string();
    assert!(failed.starts_with("user 77 "), "{failed}");
}

/// The number of calls of a worker.
fn workers<B: Backend>(backend: &B, most: usize) -> usize {
    let calls = AtomicUsize::new(0);
    let worker = || {
        calls.fetch_add(1, Ordering::Relaxed);
    };
    backend.run_workers(most, &worker).unwrap();
    calls.into_inner()
}
