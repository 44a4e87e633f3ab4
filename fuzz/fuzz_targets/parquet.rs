//! Parquet: any bytes give a data set or an error; the panics of the parquet crate stay inside.
#![no_main]

use std::io::Write;

use bspm_arrow::FromParquet;
use bspm_core::Dataset;
use bspm_core::data::TableOptions;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: {
    // libFuzzer ends the process in a hook that runs for caught panics too; what is not caught
    // ends it anyhow.
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
