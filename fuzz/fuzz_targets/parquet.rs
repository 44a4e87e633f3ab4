//! Parquet files: any bytes give a data set or an error. Panics of the parquet crate become errors.
#![no_main]

use std::io::Write;

use bspm::Dataset;
use bspm::data::TableOptions;
use bspm_arrow::FromParquet;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: {
    // libFuzzer ends the process in a panic hook, which also runs for caught panics. A panic that is not
    // caught ends the process in any case.
    std::panic::set_hook(Box::new(|_| {}));
}, |bytes: &[u8]| {
    let mut file = tempfile::NamedTempFile::new_in("/dev/shm").unwrap();
    file.write_all(bytes).unwrap();
    let options = TableOptions::new("user", "item");
    let read = std::panic::catch_unwind(|| {
        let _ = Dataset::<String, String>::read_parquet(file.path(), &options);
    });
    if read.is_err() {
        std::process::abort();
    }
});
