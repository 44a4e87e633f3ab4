//! Files of JSON: any bytes give a data set, an item table and a likely format, or an error.
#![no_main]

use std::io::Write;

use bspm::Dataset;
use bspm::data::reader::LikelyFormat;
use bspm::data::{Format, ItemTable, ItemTableOptions, TableOptions};
use libfuzzer_sys::fuzz_target;
use tempfile::NamedTempFile;

fuzz_target!(|bytes: &[u8]| {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let format = Some(Format::JsonLines);
    let options = TableOptions::default().skip_invalid();
    let _ = Dataset::read_files([file.path()], format, &options);
    let _ = ItemTable::read_files([file.path()], format, &ItemTableOptions::new());
    let _ = LikelyFormat::of_file(file.path(), &options);
});
