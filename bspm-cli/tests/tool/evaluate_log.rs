//! `bspm evaluate-log`: several logs, and logs whose first events have been deleted.

#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use bspm_events::{Event, EventLog, LoggedList};
use serde_json::{Value, json};

/// Adds a list of each user on a day, and for some of them an event with its first item a minute later.
fn add(log: &mut EventLog, day: u32, users: &[&str], selecting: &[&str]) {
    let time = f64::from(day) * 86_400.0;
    for &user in users {
        let mut list = LoggedList::new(format!("{day}-{user}"), "shop", ["tea", "milk"]);
        (list.user, list.time) = (Some(user.into()), time);
        log.append_list(&list).unwrap();
    }
    for &user in selecting {
        let event = Event::new(user, "tea").time(time + 60.0);
        log.append(&[event]).unwrap();
    }
}

fn evaluate(folders: &[&Path]) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_bspm"))
        .args(["evaluate-log", "--json"])
        .args(folders)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, text)
}

/// The metrics of the model in these logs, and the text on standard error.
fn evaluated(folders: &[&Path]) -> (Value, String) {
    let (output, text) = evaluate(folders);
    assert!(output.status.success(), "{text}");
    (serde_json::from_slice(&output.stdout).unwrap(), text)
}

#[test]
fn lists_whose_events_have_been_deleted_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = EventLog::open(folder.path(), |_| {}).unwrap();
    add(&mut log, 1, &["ann", "bob"], &["ann", "bob"]);
    let (found, text) = evaluated(&[folder.path()]);
    assert_eq!(found["hit_rate"]["mean"], json!(1.0));
    assert!(!text.contains("warning"), "{text}");
    // The next event begins a new file.
    fs::remove_file(folder.path().join("events-000001.jsonl")).unwrap();
    add(&mut log, 5, &[], &["eve"]);
    add(&mut log, 6, &["ann", "bob"], &["ann"]);
    let (found, text) = evaluated(&[folder.path()]);
    assert_eq!(found["lists"], json!(2));
    assert_eq!(found["hit_rate"]["mean"], json!(0.5));
    let expected = "left out 2 answers before the first event, because the first 1 files of events have been \
                    deleted";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn the_logs_of_all_copies_are_evaluated_together() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut log, _) = EventLog::open(first.path(), |_| {}).unwrap();
    add(&mut log, 1, &["ann", "bob"], &["ann"]);
    let (mut log, _) = EventLog::open(second.path(), |_| {}).unwrap();
    add(&mut log, 1, &["eve", "zoe"], &["eve", "zoe", "bob"]);
    let (found, text) = evaluated(&[first.path(), second.path()]);
    assert_eq!((&found["lists"], &found["users"]), (&json!(4), &json!(4)));
    assert_eq!(found["hit_rate"]["mean"], json!(1.0));
    assert!(text.contains("4 lists and 4 events; 0 events"), "{text}");
}

#[test]
fn a_log_that_is_given_twice_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = EventLog::open(folder.path(), |_| {}).unwrap();
    add(&mut log, 1, &["ann"], &["ann"]);
    let (output, text) = evaluate(&[folder.path(), folder.path()]);
    assert!(!output.status.success(), "{text}");
    let expected = r#"expected each log once; the answer "1-ann" is also in an earlier folder"#;
    assert!(text.contains(expected), "{text}");
}
