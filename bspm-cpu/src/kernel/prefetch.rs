//! Asking for memory before it is read.

/// Bytes that come together.
pub(crate) const CACHE_LINE: usize = 64;

/// Asks for an element that will be read soon, if there is one at this place; changes no result.
#[inline(always)]
pub(crate) fn prefetch<T>(elements: &[T], place: usize) {
    #[cfg(target_arch = "x86_64")]
    ask_for::<T, { std::arch::x86_64::_MM_HINT_T0 }>(elements, place);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (elements, place);
}

/// As [`prefetch`], for what is read later, and is not to take the place of what is read now.
#[inline(always)]
pub(crate) fn prefetch_to_second_level<T>(elements: &[T], place: usize) {
    #[cfg(target_arch = "x86_64")]
    ask_for::<T, { std::arch::x86_64::_MM_HINT_T1 }>(elements, place);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (elements, place);
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn ask_for<T, const HINT: i32>(elements: &[T], place: usize) {
    if let Some(element) = elements.get(place) {
        let start = std::ptr::from_ref(element).cast::<i8>();
        for line in (0..size_of::<T>()).step_by(CACHE_LINE) {
            // SAFETY: every x86-64 processor has the instruction, which reads nothing.
            unsafe { std::arch::x86_64::_mm_prefetch::<HINT>(start.wrapping_add(line)) };
        }
    }
}
