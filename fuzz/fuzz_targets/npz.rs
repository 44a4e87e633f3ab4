//! SciPy's matrices: any bytes give a data set or an error, and the memory is bounded by their size.
#![no_main]

use std::io::Cursor;

use bspm::Dataset;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Dataset::<u32, u32>::parse_npz(Cursor::new(bytes), "fuzz", None);
});
