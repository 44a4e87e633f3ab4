//! The filter that is selected for the data if no filter is given.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::shop::{bspm, error, json_lines, stdout};

/// Users of ten groups, each with items of its group and some popular items.
fn write_purchases(folder: &Path) {
    let mut text = String::from("user,item\n");
    for user in 0..400_u32 {
        let group = user % 10;
        for step in 0..9 {
            let item = match step % 3 {
                0 => (user * 7 + step * step) % 12,
                _ => 12 + group * 9 + (user / 10 * 5 + step * step) % 9,
            };
            writeln!(text, "u{user},i{item}").unwrap();
        }
    }
    fs::write(folder.join("purchases.csv"), text).unwrap();
}

fn config_of(folder: &Path, model: &str) -> Value {
    let found = stdout(&bspm(folder, &["inspect", model, "--json"]));
    json_lines(&found)[0]["config"].clone()
}

#[test]
fn fit_chooses_the_same_filter_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_purchases(folder);
    let mut said = Vec::new();
    for (threads, model) in [("1", "one.bspm"), ("3", "three.bspm")] {
        let arguments = ["fit", "purchases.csv", "-o", model, "--threads", threads];
        let output = bspm(folder, &arguments);
        stdout(&output);
        let text = String::from_utf8(output.stderr).unwrap();
        let line = text.lines().find(|line| line.starts_with("filter: "));
        said.push(line.unwrap().to_owned());
    }
    assert_eq!(said[0], said[1]);
    assert!(said[0].contains("by NDCG@20 on held-out interactions of 400 users"));
    let chosen = config_of(folder, "one.bspm");
    assert_eq!(chosen, config_of(folder, "three.bspm"));
    let (name, _) = chosen.as_object().unwrap().iter().next().unwrap();
    assert!(said[0].contains(name.as_str()), "{chosen} {}", said[0]);
}

#[test]
fn evaluate_chooses_on_what_it_does_not_predict() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_purchases(folder);
    let ndcg = |arguments: &[&str]| {
        let all = [&["evaluate", "purchases.csv", "--json"], arguments].concat();
        json_lines(&stdout(&bspm(folder, &all)))[0]["ndcg"]
            .as_f64()
            .unwrap()
    };
    let auto = ndcg(&[]);
    assert_eq!(auto, ndcg(&["--filter", "auto"]));
    // The filter is one of the candidates, and far from the worst one.
    assert!(auto > ndcg(&["--filter", "popularity"]), "{auto}");
}

#[test]
fn settings_without_a_filter_are_those_of_bspm() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_purchases(folder);
    for settings in [&["--factor-dim", "3"][..], &["--set", "factor_dim=3"]] {
        let arguments = [&["fit", "purchases.csv", "-o", "x.bspm"], settings].concat();
        stdout(&bspm(folder, &arguments));
        assert!(config_of(folder, "x.bspm").get("bspm").is_some());
    }
    let arguments = [
        "fit",
        "purchases.csv",
        "-o",
        "x.bspm",
        "--filter",
        "auto",
        "--set",
        "alpha=1",
    ];
    let message = error(&bspm(folder, &arguments));
    assert!(
        message.contains("--filter auto: expected no settings"),
        "{message}"
    );
}

#[test]
fn data_with_nothing_to_hold_out_have_a_model() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(
        folder.join("once.csv"),
        "user,item\nann,tea\nbob,tea\ncid,milk\n",
    )
    .unwrap();
    let output = bspm(folder, &["fit", "once.csv", "-o", "x.bspm"]);
    stdout(&output);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains(
            "filter: bspm; filters were not compared, because no user has two interactions to learn from"
        ),
        "{text}"
    );
}
