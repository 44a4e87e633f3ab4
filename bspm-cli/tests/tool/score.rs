//! `bspm score`: part files are either complete or absent; shards; and runs that continue.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use bspm::{CpuBackend, Model};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::properties::WriterProperties;

use crate::shop::{bspm, command, error, stdout};

const USERS: usize = 200;

/// The items of a history, which are distinct.
fn history(row: usize) -> Vec<String> {
    let items = (0..5).map(|place| (row % 13 * 7 + place * place * (row % 9 + 1)) % 90);
    let items: BTreeSet<usize> = items.collect();
    items.iter().map(|item| format!("i{item}")).collect()
}

/// A folder with a model, and with `rows` histories in row groups of 40.
fn shop(rows: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut ratings = String::from("user,item\n");
    for user in 0..USERS {
        for item in history(user) {
            ratings += &format!("u{user},{item}\n");
        }
    }
    fs::write(folder.path().join("ratings.csv"), ratings).unwrap();
    let fit = ["fit", "ratings.csv", "-o", "shop.bspm", "--factor-dim", "8"];
    stdout(&bspm(folder.path(), &fit));

    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in 0..rows {
        for item in history(row) {
            lists.values().append_value(item);
        }
        lists.append(true);
    }
    let requests = StringArray::from_iter_values((0..rows).map(|row| format!("r{row}")));
    let batch = RecordBatch::try_from_iter([
        ("request", Arc::new(requests) as ArrayRef),
        ("history", Arc::new(lists.finish()) as ArrayRef),
    ])
    .unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(40))
        .build();
    let file = File::create(folder.path().join("histories.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    folder
}

/// The names in a folder that start with this prefix; empty if the folder does not exist.
fn names(folder: &Path, start: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(start))
        .collect()
}

/// The bytes of the part files, by name.
fn parts(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let all = names(folder, "part-").into_iter();
    all.map(|name| (name.clone(), fs::read(folder.join(name)).unwrap()))
        .collect()
}

fn rows(path: &Path) -> Vec<RecordBatch> {
    let file = File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    reader.build().unwrap().map(Result::unwrap).collect()
}

/// The first text column and the lists of items of all parts, in order.
fn lists(folder: &Path, column: &str) -> Vec<(String, Vec<String>)> {
    let mut all = Vec::new();
    for name in parts(folder).keys() {
        for batch in rows(&folder.join(name)) {
            let keys = batch.column_by_name(column).unwrap().as_string::<i32>();
            let items = batch.column_by_name("items").unwrap().as_list::<i32>();
            for (key, items) in keys.iter().zip(items.iter()) {
                let items = items.unwrap();
                let items = items.as_string::<i32>().iter().flatten();
                all.push((key.unwrap().into(), items.map(str::to_owned).collect()));
            }
        }
    }
    all
}

const SCORE: [&str; 6] = [
    "score",
    "shop.bspm",
    "histories.parquet",
    "-k",
    "5",
    "--part-rows",
];

fn score<'a>(part_rows: &'a str, rest: &[&'a str]) -> Vec<&'a str> {
    [&SCORE[..], &[part_rows], rest].concat()
}

#[test]
fn the_lists_of_all_users_are_those_of_the_library() {
    let shop = shop(1);
    let folder = shop.path();
    let all = [
        "score",
        "shop.bspm",
        "-o",
        "out",
        "-k",
        "7",
        "--part-rows",
        "64",
    ];
    stdout(&bspm(folder, &all));
    let model: Model<CpuBackend> =
        Model::open(CpuBackend::new(), folder.join("shop.bspm")).unwrap();
    let users: Vec<&str> = model.dataset().users().iter().map(String::as_str).collect();
    let expected = model.recommend_many(users.iter().copied(), 7).unwrap();
    let found = lists(&folder.join("out"), "user");
    assert_eq!(found.len(), USERS);
    for ((user, items), (expected_user, list)) in found.iter().zip(users.iter().zip(expected)) {
        assert_eq!(user, expected_user);
        assert!(items.iter().eq(list.iter().map(|entry| &entry.item)));
    }
}

#[test]
fn shards_side_by_side_write_what_one_run_does() {
    let shop = shop(330);
    let folder = shop.path();
    stdout(&bspm(folder, &score("50", &["-o", "one"])));
    let shards = ["0/2", "1/2"].map(|shard| {
        let arguments = score("50", &["-o", "two", "--shard", shard]);
        command(folder, &arguments)
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    });
    for mut shard in shards {
        assert!(shard.wait().unwrap().success());
    }
    let one = parts(&folder.join("one"));
    assert_eq!(one.len(), 7);
    assert_eq!(one, parts(&folder.join("two")));
    assert!(folder.join("two/_SUCCESS-1-of-2").exists());
    let found = lists(&folder.join("one"), "request");
    assert_eq!(found.len(), 330);
    assert!((0..330).all(|row| found[row].0 == format!("r{row}")));
    assert!(found.iter().all(|(_, items)| items.len() == 5));
}

#[test]
fn a_run_that_was_killed_goes_on_and_nothing_looks_whole_that_is_not() {
    let shop = shop(3_000);
    let folder = shop.path();
    stdout(&bspm(folder, &score("40", &["-o", "whole"])));
    let expected = parts(&folder.join("whole"));
    let out = folder.join("killed");
    let mut kills = 0;
    for attempt in 1..=20 {
        let before = names(&out, "part-").len();
        let arguments = score("40", &["-o", "killed"]);
        let mut run = command(folder, &arguments)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Between two parts, or within a part.
        while run.try_wait().unwrap().is_none() {
            let is_within = attempt % 2 == 0 && !names(&out, ".part-").is_empty();
            if is_within || names(&out, "part-").len() > before {
                kills += 1;
                break;
            }
        }
        run.kill().unwrap();
        run.wait().unwrap();
        for (name, bytes) in parts(&out) {
            assert!(bytes == expected[&name], "{name} after {attempt} kills");
        }
    }
    assert!(kills > 5, "only {kills} runs were killed");
    stdout(&bspm(folder, &score("40", &["-o", "killed"])));
    assert!(parts(&out) == expected);
    let left = names(&out, ".part-");
    assert!(left.len() <= 1, "{left:?}");
}

#[test]
fn lists_of_another_kind_are_not_mixed_in() {
    let shop = shop(60);
    let folder = shop.path();
    stdout(&bspm(folder, &score("40", &["-o", "out"])));
    let before = parts(&folder.join("out"));
    let other = [
        "fit",
        "ratings.csv",
        "-o",
        "other.bspm",
        "--factor-dim",
        "4",
    ];
    stdout(&bspm(folder, &other));
    for (arguments, expected) in [
        (
            vec![
                "score",
                "other.bspm",
                "histories.parquet",
                "-k",
                "5",
                "--part-rows",
                "40",
            ],
            "another model",
        ),
        (
            vec!["score", "shop.bspm", "-k", "5", "--part-rows", "40"],
            "another table",
        ),
        (score("30", &[]), "another --part-rows"),
        (score("40", &["--long"]), "other options of the lists"),
    ] {
        let error = error(&bspm(folder, &[&arguments[..], &["-o", "out"]].concat()));
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(parts(&folder.join("out")), before);
}

#[test]
fn a_csv_file_of_histories_gives_the_same_lists() {
    let shop = shop(90);
    let folder = shop.path();
    let mut table = String::from("request,history,weights\n");
    for row in 0..90 {
        let items = history(row);
        let weights = vec!["1"; if row % 2 == 0 { 0 } else { items.len() }];
        table += &format!("r{row},{},{}\n", items.join(" "), weights.join(" "));
    }
    fs::write(folder.join("histories.csv"), table).unwrap();
    stdout(&bspm(folder, &score("40", &["-o", "parquet"])));
    let csv = [
        "score",
        "shop.bspm",
        "histories.csv",
        "-k",
        "5",
        "--part-rows",
        "40",
    ];
    stdout(&bspm(
        folder,
        &[&csv[..], &["-o", "csv", "--shard", "0/2"]].concat(),
    ));
    stdout(&bspm(
        folder,
        &[&csv[..], &["-o", "csv", "--shard", "1/2"]].concat(),
    ));
    let found = lists(&folder.join("csv"), "request");
    assert_eq!(found, lists(&folder.join("parquet"), "request"));

    fs::write(
        folder.join("bad.csv"),
        "history,weights\ni1 i2,1 2\ni3,much\n",
    )
    .unwrap();
    let error = error(&bspm(
        folder,
        &["score", "shop.bspm", "bad.csv", "-o", "bad"],
    ));
    assert_eq!(
        error,
        "error: bad.csv:3: weights: expected numbers separated by spaces, found \"much\"\n"
    );
    assert!(parts(&folder.join("bad")).is_empty());
}

#[test]
fn what_is_wrong_with_a_table_leaves_no_part() {
    let shop = shop(90);
    let folder = shop.path();
    let whole = fs::read(folder.join("histories.parquet")).unwrap();
    fs::write(folder.join("short.parquet"), &whole[..whole.len() / 2]).unwrap();
    fs::write(folder.join("unknown.csv"), "user\nu1\nu2\nzoe\n").unwrap();
    fs::write(folder.join("none.csv"), "name\nann\n").unwrap();
    for (table, expected) in [
        ("short.parquet", "short.parquet: expected a readable table"),
        (
            "unknown.csv",
            "unknown.csv:4: user: expected a user of the model, found \"zoe\"",
        ),
        (
            "none.csv",
            "none.csv: expected a column \"user\" or \"history\"",
        ),
        (
            "ratings.txt",
            "ratings.txt: expected a file name that ends in .parquet, .csv, .tsv or .jsonl",
        ),
        ("missing.csv", "cannot read missing.csv"),
    ] {
        let error = error(&bspm(folder, &["score", "shop.bspm", table, "-o", "out"]));
        assert!(error.starts_with(&format!("error: {expected}")), "{error}");
        let out = folder.join("out");
        assert!(parts(&out).is_empty());
        let _ = fs::remove_dir_all(out);
    }
    // Bytes are changed within the pages: the result is an error or the lists, and no incomplete part file.
    for place in (8..whole.len()).step_by(61) {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x5a;
        fs::write(folder.join("damaged.parquet"), damaged).unwrap();
        let found = bspm(
            folder,
            &["score", "shop.bspm", "damaged.parquet", "-o", "out"],
        );
        assert!(
            matches!(found.status.code(), Some(0 | 1)),
            "{place}: {found:?}"
        );
        for name in parts(&folder.join("out")).keys() {
            rows(&folder.join("out").join(name));
        }
        let _ = fs::remove_dir_all(folder.join("out"));
    }
}
