//! Asking for memory before it is read.

/// Asks for a row that will be read soon, if there is one at this place; changes no result.
#[inline(always)]
pub(crate) fn prefetch<const WIDTH: usize>(rows: &[[f32; WIDTH]], place: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(row) = rows.get(place) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

        const CACHE_LINE: usize = 16;
        for line in row.chunks(CACHE_LINE) {
            // SAFETY: every x86-64 processor has the instruction, which reads nothing.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (rows, place);
}
