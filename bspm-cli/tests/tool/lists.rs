//! `bspm evaluate --lists`: lists of any system.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::shop::{bspm, error, json_lines, shop, stdout};

const TEST: &str = "user,item\nann,tea\nann,honey\nbob,tea\ncid,milk\n";

/// The reported metrics of lists, at each cut-off, and the messages on standard error.
fn evaluated(folder: &Path, lists: &str, rest: &[&str]) -> (Vec<Value>, String) {
    let evaluate = ["evaluate", "--lists", lists, "--test", "test.csv", "--json"];
    let output = bspm(folder, &[&evaluate[..], rest].concat());
    let lines = json_lines(&stdout(&output));
    (lines, String::from_utf8(output.stderr).unwrap())
}

#[test]
fn lists_of_a_model_have_the_metrics_of_the_model_from_every_file() {
    let shop = shop();
    let folder = shop.path();
    fs::write(folder.join("test.csv"), TEST).unwrap();
    let evaluate = ["evaluate", "--model", "shop.bspm", "--test", "test.csv"];
    let of_model = [&evaluate[..], &["-k", "3,1", "--detailed", "--json"]].concat();
    let expected = json_lines(&stdout(&bspm(folder, &of_model)));

    let recommend = [
        "recommend",
        "shop.bspm",
        "ann",
        "bob",
        "cid",
        "-k3",
        "--fallback=none",
    ];
    for file in ["lists.csv", "lists.jsonl"] {
        stdout(&bspm(folder, &[&recommend[..], &["-o", file]].concat()));
    }
    fs::write(folder.join("people.csv"), "user\ncid\nann\nbob\n").unwrap();
    let score = ["score", "shop.bspm", "people.csv", "-k", "3", "-o"];
    stdout(&bspm(folder, &[&score[..], &["parts"]].concat()));
    stdout(&bspm(folder, &[&score[..], &["long", "--long"]].concat()));
    // Sorted by score, with rows in any order.
    let csv = fs::read_to_string(folder.join("lists.csv")).unwrap();
    let mut rows: Vec<&str> = csv.lines().skip(1).collect();
    rows.reverse();
    let scores = rows.iter().map(|row| {
        let fields: Vec<&str> = row.split(',').collect();
        format!("{}\t{}\t{}\n", fields[3], fields[0], fields[2])
    });
    let table = "score\tuser\titem\n".to_owned() + &scores.collect::<String>();
    fs::write(folder.join("lists.tsv"), table).unwrap();

    for lists in ["lists.csv", "lists.jsonl", "lists.tsv", "parts", "long"] {
        let rest = ["-k", "3,1", "--detailed", "--train", "ratings.csv"];
        let (found, told) = evaluated(folder, lists, &rest);
        assert!(told.contains("lists of 3 users evaluated"), "{told}");
        assert_eq!(found.len(), 2);
        for (found, expected) in found.iter().zip(&expected) {
            for (name, value) in expected.as_object().unwrap() {
                assert_eq!(&found[name], value, "{lists}: {name}");
            }
            assert_eq!(found["users"], 3);
            assert_eq!(found["repeated_items"], 0);
        }
    }
}

#[test]
fn what_is_odd_about_lists_is_counted_and_told() {
    let shop = shop();
    let folder = shop.path();
    fs::write(folder.join("test.csv"), TEST).unwrap();
    let lists = "user,item,rank\nann,jam,1\nann,tea,2\nann,tea,3\nann,honey,3\n\
                 bob,rice,1\nzoe,tea,1\n";
    fs::write(folder.join("lists.csv"), lists).unwrap();
    let (found, told) = evaluated(folder, "lists.csv", &["-k", "3"]);
    let found = &found[0];
    for (name, count) in [
        ("users", 3),
        ("users_without_list", 1),
        ("unknown_users", 1),
        ("unknown_items", 2),
        ("repeated_items", 1),
        ("equal_places", 1),
    ] {
        assert_eq!(found[name], count, "{name}: {found}");
    }
    // Both test items of ann are in her list, and none of the other users.
    assert_eq!(found["recall"], 1.0 / 3.0);
    fs::write(
        folder.join("ids.csv"),
        lists.replace("user,item", "user_id,item_id"),
    )
    .unwrap();
    let (same, _) = evaluated(folder, "ids.csv", &["-k", "3"]);
    assert_eq!(
        (&same[0]["recall"], &same[0]["unknown_items"]),
        (&found["recall"], &found["unknown_items"])
    );
    for part in [
        "lists of 3 users evaluated",
        "1 users of the test set have no list",
        "1 users of the lists have no interactions",
        "2 items of the lists are neither",
        "1 entries repeat an item",
        "1 entries have the same rank or score",
    ] {
        assert!(told.contains(part), "{told}");
    }
    let (found, _) = evaluated(folder, "lists.csv", &["--train", "ratings.csv"]);
    assert_eq!(found[0]["unknown_items"], 2);
}

#[test]
fn lists_that_say_nothing_are_refused() {
    let shop = shop();
    let folder = shop.path();
    fs::write(folder.join("test.csv"), TEST).unwrap();
    for (lists, expected) in [
        (
            "user,item,rank\nzoe,tea,1\n",
            "lists: expected a list for at least one user",
        ),
        (
            "user,item,rank\n",
            "lists: expected a list for at least one user",
        ),
        ("user,item\nann,tea\n", "a column \"rank\" or \"score\""),
        (
            "name,item,rank\nann,tea,1\n",
            "expected a column \"user\", found name, item, rank",
        ),
        ("user,rank\nann,1\n", "expected a column \"item\""),
        (
            "user,item,rank\nann,tea,first\n",
            "lists.csv:2: rank: expected a finite number, found \"first\"",
        ),
        (
            "user,item,score\nann,tea,\n",
            "lists.csv:2: score: expected a finite number",
        ),
        (
            "user,item,rank\n,tea,1\n",
            "lists.csv:2: user: expected an id",
        ),
        ("user,items\nann,tea\nann,milk\n", "one list for each user"),
        (
            "user,items\nann,tea|honey\n",
            "nothing to evaluate: no item of the lists, such as \"tea|honey\",",
        ),
    ] {
        fs::write(folder.join("lists.csv"), lists).unwrap();
        let evaluate = ["evaluate", "--lists", "lists.csv", "--test", "test.csv"];
        let refused = error(&bspm(folder, &evaluate));
        assert!(refused.contains(expected), "{lists}: {refused}");
    }
    fs::write(folder.join("lists.csv"), "user,item,rank\nann,tea,1\n").unwrap();
    for rest in [
        &[][..],
        &["--test", "test.csv", "--model", "shop.bspm"],
        &["--test", "test.csv", "ratings.csv"],
        &["--test", "test.csv", "--filter", "gf-cf"],
        &["--test", "test.csv", "--beta", "1"],
        &["--test", "test.csv", "--preset", "gowalla"],
        &["--test", "test.csv", "--set", "alpha=1"],
        &["--test", "test.csv", "--threads", "1"],
        &["--test", "test.csv", "--against", "shop.bspm"],
        &["--test", "test.csv", "--skip-unknown"],
        &["--test", "test.csv", "--folds", "2"],
        &["--test", "test.csv", "--detailed"],
    ] {
        error(&bspm(
            folder,
            &[&["evaluate", "--lists", "lists.csv"][..], rest].concat(),
        ));
    }
    for rest in [&[][..], &["--test", "test.csv"]] {
        error(&bspm(folder, &[&["evaluate"][..], rest].concat()));
    }
}
