//! Runs that continue interrupted runs, and errors for runs that write to the same file.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;

use crate::shop::{bspm, command, error, shop, stdout};

/// Locks a file, as a run that writes it does.
fn locked(folder: &Path, name: &str) -> File {
    let file = File::create(folder.join(format!(".{name}.lock"))).unwrap();
    file.try_lock().unwrap();
    file
}

#[test]
fn a_second_search_on_one_checkpoint_is_refused() {
    let shop = shop();
    let folder = shop.path();
    let tune = |trials: &'static str| {
        let tune = [
            "tune",
            "ratings.csv",
            "--checkpoint",
            "trials.jsonl",
            "--trials",
            trials,
        ];
        [&tune[..], &["--filters", "item-knn,gf-cf"]].concat()
    };
    let mut first = command(folder, &tune("100000"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The run has started when it has written something.
    let journal = folder.join("trials.jsonl");
    while !journal.exists() {
        assert!(first.try_wait().unwrap().is_none());
        std::thread::yield_now();
    }
    let refused = error(&bspm(folder, &tune("3")));
    assert!(
        refused.contains("trials.jsonl: another bspm process writes to this file"),
        "{refused}"
    );
    first.kill().unwrap();
    first.wait().unwrap();
    // A killed process does not hold a lock, and a completed run leaves no lock file.
    stdout(&bspm(folder, &tune("1")));
    assert!(!folder.join(".trials.jsonl.lock").exists());
    // A file with one line without a line end is not a truncated journal.
    fs::write(&journal, "notes").unwrap();
    let refused = error(&bspm(folder, &tune("1")));
    assert!(
        refused.contains("trials.jsonl: expected trials"),
        "{refused}"
    );
    assert_eq!(fs::read(&journal).unwrap(), b"notes");
}

#[test]
fn sweeps_and_shards_have_what_they_write_to_themselves() {
    let shop = shop();
    let folder = shop.path();
    let sweep = [
        "sweep",
        "ratings.csv",
        "--last-out",
        "--time-column=at",
        "--no-idl",
    ];
    let sweep = [&sweep[..], &["--sharpen-time=1", "--checkpoint=done.json"]].concat();
    let lock = locked(folder, "done.json");
    let refused = error(&bspm(folder, &sweep));
    assert!(
        refused.contains("done.json: another bspm process"),
        "{refused}"
    );
    drop(lock);
    stdout(&bspm(folder, &sweep));
    assert!(!folder.join(".done.json.lock").exists());

    let score = ["score", "shop.bspm", "-o", "out", "--part-rows", "2"];
    fs::create_dir(folder.join("out")).unwrap();
    let lock = locked(&folder.join("out"), "shard-0-of-1");
    let refused = error(&bspm(folder, &score));
    assert!(
        refused.contains("out/shard-0-of-1: another bspm process"),
        "{refused}"
    );
    drop(lock);
    // A part that another run, with other shards, is writing.
    let lock = locked(&folder.join("out"), "part-000001.parquet");
    let refused = error(&bspm(folder, &score));
    assert!(
        refused.contains("part-000001.parquet: another bspm process"),
        "{refused}"
    );
    drop(lock);
    stdout(&bspm(folder, &score));
    let names = fs::read_dir(folder.join("out")).unwrap();
    let mut names: Vec<_> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let expected = [
        "_SUCCESS-0-of-1",
        "manifest.json",
        "part-000000.parquet",
        "part-000001.parquet",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_table_with_an_error_leaves_the_folder_to_the_next_one() {
    let shop = shop();
    let folder = shop.path();
    let score = ["score", "shop.bspm", "people.csv", "-o", "out"];
    let write = |text: &str| fs::write(folder.join("people.csv"), text).unwrap();
    for text in [
        "user\nann\nnobody\n",
        "user,history\nann,\"x\n",
        "name\nann\n",
    ] {
        write(text);
        error(&bspm(folder, &score));
        assert!(!folder.join("out").exists(), "{text}");
    }
    write("user\nann\n");
    stdout(&bspm(folder, &score));
    // Parts without a manifest are not used as parts of this table.
    fs::remove_file(folder.join("out/manifest.json")).unwrap();
    let refused = error(&bspm(folder, &score));
    assert!(refused.contains("expected a manifest.json"), "{refused}");
}

#[test]
fn a_damaged_part_is_written_again() {
    let shop = shop();
    let folder = shop.path();
    let score = ["score", "shop.bspm", "-o", "out", "--part-rows", "2"];
    stdout(&bspm(folder, &score));
    let part = folder.join("out/part-000000.parquet");
    let whole = fs::read(&part).unwrap();
    let other = fs::read(folder.join("out/part-000001.parquet")).unwrap();
    let hole = [&whole[..4], &whole[40..]].concat();
    let fewer = {
        let one = ["score", "shop.bspm", "-o", "one", "--part-rows", "1"];
        stdout(&bspm(folder, &one));
        fs::read(folder.join("one/part-000000.parquet")).unwrap()
    };
    for damaged in [
        &whole[..100],
        &whole[..whole.len() - 1],
        b"",
        b"PAR1PAR1",
        &hole,
        &fewer,
    ] {
        fs::write(&part, damaged).unwrap();
        let again = bspm(folder, &score);
        stdout(&again);
        let told = String::from_utf8(again.stderr).unwrap();
        assert!(
            told.contains("part-000000.parquet: the file is damaged"),
            "{told}"
        );
        assert!(
            told.contains("2 rows") && told.contains("2 rows were already complete"),
            "{told}"
        );
        assert!(fs::read(&part).unwrap() == whole);
        assert!(fs::read(folder.join("out/part-000001.parquet")).unwrap() == other);
    }
}
