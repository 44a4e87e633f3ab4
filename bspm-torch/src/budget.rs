//! The budget of device memory for matrices.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bspm_core::{Error, Result};

/// The memory budget, and the bytes that are in use.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    total: usize,
    used: Arc<AtomicUsize>,
    peak: Arc<AtomicUsize>,
}

/// A reserved part of the budget. It is released when dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    bytes: usize,
    used: Arc<AtomicUsize>,
}

impl Budget {
    pub(crate) fn new(total: usize) -> Self {
        Self {
            total,
            used: Arc::default(),
            peak: Arc::default(),
        }
    }

    /// The peak of the bytes in use.
    pub(crate) fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    pub(crate) fn total(&self) -> usize {
        self.total
    }

    /// Resets the peak to the bytes in use, and returns them.
    pub(crate) fn reset_peak(&self) -> usize {
        let used = self.used.load(Ordering::Relaxed);
        self.peak.store(used, Ordering::Relaxed);
        used
    }

    pub(crate) fn reserve(&self, what: impl Fn() -> String, bytes: usize) -> Result<Reservation> {
        let before = self.used.fetch_add(bytes, Ordering::Relaxed);
        let reservation = Reservation {
            bytes,
            used: Arc::clone(&self.used),
        };
        let available = self.total.saturating_sub(before);
        if bytes <= available {
            self.peak.fetch_max(before + bytes, Ordering::Relaxed);
            Ok(reservation)
        } else {
            Err(Error::MemoryBudget {
                what: what(),
                needed: bytes,
                available,
            })
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_or_refused_is_given_back() {
        let budget = Budget::new(100);
        let first = budget.reserve(String::new, 60).unwrap();
        let error = budget.reserve(|| "a matrix".into(), 50).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a matrix needs 50 bytes of memory, but the memory budget has 40 bytes left"
        );
        let second = budget.reserve(String::new, 40).unwrap();
        drop((first, second));
        assert!(budget.reserve(String::new, 90).is_ok());
        assert_eq!(budget.peak(), 100);
    }
}
