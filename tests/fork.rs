//! A forked process has none of the threads of its parent, and starts new ones.

#![cfg(unix)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bspm::backend::{Checked, ScoredItem};
use bspm::fitted::RankOptions;
use bspm::{BspmConfig, CpuBackend, FilterConfig, FittedFilter, Interactions, Preset};

/// After this time, a child is assumed to wait forever.
const DEADLINE_MILLISECONDS: libc::c_int = 120_000;

/// Runs `work` in a forked process, and returns whether it returned true.
///
/// # Panics
///
/// If the process does not end before the deadline. The process is killed in this case.
fn in_child(work: impl FnOnce() -> bool) -> bool {
    let mut ends = [0; 2];
    // SAFETY: `ends` has room for both descriptors.
    assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0);
    let [read, write] = ends;
    // SAFETY: the child runs `work` and ends by `_exit`; it returns to no frame of the parent.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        let is_done = catch_unwind(AssertUnwindSafe(work)).unwrap_or(false);
        // SAFETY: ends the process at once, without handlers that other threads would have to run.
        unsafe { libc::_exit(i32::from(!is_done)) }
    }
    // The child alone holds the end that is written to, which closes when it ends.
    // SAFETY: the descriptor is open and not used again.
    unsafe { libc::close(write) };
    let mut ended = libc::pollfd {
        fd: read,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: `ended` is one descriptor to be polled.
    let count = unsafe { libc::poll(&raw mut ended, 1, DEADLINE_MILLISECONDS) };
    if count != 1 {
        // SAFETY: `child` is a process of this one that nobody has waited for.
        unsafe { libc::kill(child, libc::SIGKILL) };
    }
    let mut status = 0;
    // SAFETY: as above; `status` has room for the exit status.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    // SAFETY: the descriptor is open and not used again.
    unsafe { libc::close(read) };
    assert_eq!(
        count, 1,
        "the child waits for threads that it does not have"
    );
    libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0
}

/// More than a tile of users, so that several threads are used.
fn interactions() -> Interactions {
    let pairs = (0..200).flat_map(|user| (0..7).map(move |item| (user, (user * item + item) % 90)));
    Interactions::from_pairs(200, 90, pairs).unwrap()
}

/// Fits that use all ways of dividing work among threads, and the lists of all users.
fn lists(backend: &CpuBackend) -> Vec<Vec<ScoredItem>> {
    let bspm = BspmConfig::builder().ideal_low_pass(40, 0.3).build();
    let ease = FilterConfig::published("ease-r", Preset::Gowalla).unwrap();
    let configs = [bspm.unwrap().into(), ease];
    let users: Vec<u32> = (0..200).collect();
    let ranking = |config| {
        let filter = FittedFilter::fit(backend.clone(), interactions(), config).unwrap();
        filter.rank(&users, &RankOptions::top(5)).unwrap().lists
    };
    configs.into_iter().flat_map(ranking).collect()
}

#[test]
fn a_forked_process_fits_and_ranks() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build();
    let backends = [
        CpuBackend::new(),
        CpuBackend::with_threads(2).unwrap(),
        CpuBackend::with_pool(Arc::new(pool.unwrap())),
    ];
    for backend in &backends {
        let expected = lists(backend);
        let filter = FittedFilter::fit(backend.clone(), interactions(), BspmConfig::default());
        let filter = filter.unwrap();
        let users: Vec<u32> = (0..200).collect();
        let ranking = filter.rank(&users, &RankOptions::top(5)).unwrap().lists;
        assert!(in_child(|| {
            // A model of the parent, its backend, one that is made here, and a child of the child.
            filter.rank(&users, &RankOptions::top(5)).unwrap().lists == ranking
                && lists(backend) == expected
                && lists(&CpuBackend::new()) == expected
                && lists(&CpuBackend::with_threads(3).unwrap()) == expected
                && in_child(|| lists(backend) == expected)
        }));
        // The parent still works as before.
        assert!(lists(backend) == expected);
    }
}

#[test]
fn a_forked_process_has_as_many_threads() {
    let backend = CpuBackend::with_threads(3).unwrap();
    // As many tiles at the same time as threads: each waits for the others.
    let meet = |backend: &CpuBackend| {
        let all = std::sync::Barrier::new(3);
        let wait = |(): &mut (), tile| {
            all.wait();
            Ok(tile)
        };
        Checked::new(backend)
            .for_each_tile(3, || Ok(()), wait)
            .unwrap()
            == [0, 1, 2]
    };
    assert!(meet(&backend));
    assert!(in_child(|| meet(&backend)));
}
