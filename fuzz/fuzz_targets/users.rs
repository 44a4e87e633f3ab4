//! Tables and lists of users: any bytes, in any encoding, give rows or an error.
#![no_main]

use std::fs;
use std::sync::LazyLock;

use bspm::data::{Format, TableOptions, TextLines, TextTable};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

fuzz_target!(|bytes: &[u8]| {
    let [kind, rest @ ..] = bytes else { return };
    let (name, format) = match kind % 2 {
        0 => ("users.csv", Format::Csv),
        _ => ("users.tsv", Format::Tsv),
    };
    let path = FOLDER.path().join(name);
    fs::write(&path, rest).unwrap();
    let mut options = TableOptions::default();
    if kind & 4 != 0 {
        options = options.encoding("latin1");
    }
    if let Ok(mut lines) = TextLines::open(&path, &options) {
        while let Ok(Some(_)) = lines.next_line() {}
    }
    if kind & 8 != 0 {
        options = options.delimiter(b';');
    }
    let Ok(mut table) = TextTable::open(&path, format, &options) else {
        return;
    };
    let (columns, mut row) = (table.columns().len(), Vec::new());
    while let Ok(Some(_)) = table.next_row(&mut row) {
        assert_eq!(row.len(), columns);
    }
});
