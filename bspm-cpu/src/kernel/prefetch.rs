//! Prefetches memory before it is read.

/// The size of a cache line, in bytes.
pub(crate) const CACHE_LINE: usize = 64;

/// Prefetches an element that will be read soon, if the index is in range. Does not change any result.
#[inline(always)]
pub(crate) fn prefetch<T>(elements: &[T], place: usize) {
    ask_for::<T, false>(elements, place);
}

/// As [`prefetch`], but into the second-level cache, for an element that is read later.
#[inline(always)]
pub(crate) fn prefetch_to_second_level<T>(elements: &[T], place: usize) {
    ask_for::<T, true>(elements, place);
}

#[inline(always)]
fn ask_for<T, const TO_SECOND_LEVEL: bool>(elements: &[T], place: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(element) = elements.get(place) {
        use std::arch::x86_64::{_MM_HINT_T0, _MM_HINT_T1, _mm_prefetch};

        let start = std::ptr::from_ref(element).cast::<i8>();
        for line in (0..size_of::<T>()).step_by(CACHE_LINE) {
            let line = start.wrapping_add(line);
            // SAFETY: every x86-64 processor has the instruction, and it does not read memory.
            unsafe {
                match TO_SECOND_LEVEL {
                    true => _mm_prefetch::<_MM_HINT_T1>(line),
                    false => _mm_prefetch::<_MM_HINT_T0>(line),
                }
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (elements, place);
}
