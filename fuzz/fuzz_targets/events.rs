//! Event logs: any bytes open with a report, and a second opening finds the same events and no incomplete
//! line.
#![no_main]

use std::fs;
use std::sync::LazyLock;

use bspm_events::{Event, EventLog};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

/// A folder, and the bytes of a file with one event.
static LOG: LazyLock<(TempDir, Vec<u8>)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = EventLog::open(folder.path(), |_| {}).unwrap();
    log.append(&[Event::new("ann", "tea").id("e1")]).unwrap();
    let bytes = fs::read(folder.path().join("events-000001.jsonl")).unwrap();
    (folder, bytes)
});

fuzz_target!(|bytes: &[u8]| {
    let (folder, valid) = &*LOG;
    let folder = folder.path();
    fs::write(folder.join("events-000001.jsonl"), [valid, bytes].concat()).unwrap();
    let mut first = Vec::new();
    let (log, report) = EventLog::open(folder, |event| first.push(event)).unwrap();
    assert_eq!(report.records, first.len() as u64);
    assert_eq!(first[0].user, "ann");
    drop(log);
    let mut second = Vec::new();
    let (_, report) = EventLog::open(folder, |event| second.push(event)).unwrap();
    assert_eq!(first, second);
    assert!(report.incomplete.is_empty());
});
