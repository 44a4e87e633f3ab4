//! Compressed tables: any bytes give a data set or an error. If one byte of a compressed table is changed,
//! the result is an error or the same data set, and never a different one.
#![no_main]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::LazyLock;

use bspm::data::TableOptions;
use bspm::{Dataset, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

fn read(path: &Path, bytes: &[u8]) -> Result<Dataset<String, String>> {
    fs::write(path, bytes).unwrap();
    Dataset::read_csv(path, &TableOptions::new("u", "i"))
}

fn compressed(text: &[u8], is_gzip: bool) -> Vec<u8> {
    if is_gzip {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        return encoder.finish().unwrap();
    }
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fuzz_target!(|bytes: &[u8]| {
    let [kind, place, mask, rest @ ..] = bytes else {
        return;
    };
    let is_gzip = kind % 2 == 0;
    let path = FOLDER.path().join(if is_gzip {
        "table.csv.gz"
    } else {
        "table.csv.zst"
    });
    if kind / 128 == 0 {
        let _ = read(&path, rest);
        return;
    }
    let text = [b"u,i\n", rest].concat();
    let mut bytes = compressed(&text, is_gzip);
    let whole = read(&path, &bytes);
    let place = usize::from(*place) * bytes.len() / 256;
    bytes[place] ^= mask;
    if let (Ok(whole), Ok(changed)) = (whole, read(&path, &bytes)) {
        assert!(
            whole == changed,
            "byte {place} with {mask:x} gives other data"
        );
    }
});
