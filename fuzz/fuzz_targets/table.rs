//! The loaders of text tables: any bytes give a data set or an error.
#![no_main]

use bspm::Dataset;
use bspm::data::TableOptions;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let options = TableOptions::new("u", "i")
        .rating("r")
        .time("t")
        .rating_threshold(1.0);
    let _ = Dataset::<String, u64>::parse_csv(bytes, "fuzz", &options);
    let _ = Dataset::<String, u64>::parse_recbole(bytes, "fuzz", &options);
    let _ = Dataset::<u32, String>::parse_movielens(bytes, "fuzz", Some(3.0));
});
