//! Converts panics of the Parquet library on damaged files to errors.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::Path;
use std::sync::Once;

use bspm_data::parameter::shortened;
use bspm_data::{Error, Result};

thread_local! {
    /// Whether a panic on this thread will be caught and must not be printed.
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Reads a Parquet file. The Parquet library panics on some damaged files; this function returns an
/// error instead and prints nothing.
///
/// The first call installs a panic hook that passes all other panics to the previous hook.
///
/// # Errors
///
/// Those of `read`; [`Error::InvalidFile`] for a panic.
pub fn caught<T>(path: &Path, read: impl FnOnce() -> Result<T>) -> Result<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_CAUGHT.get() {
                before(panic);
            }
        }));
    });
    let was_caught = IS_CAUGHT.replace(true);
    let result = catch_unwind(AssertUnwindSafe(read));
    IS_CAUGHT.set(was_caught);
    result.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(Error::InvalidFile {
            path: path.into(),
            expected: "a Parquet file that is not damaged".into(),
            found: shortened(said.unwrap_or("damage").to_owned()),
        })
    })
}
