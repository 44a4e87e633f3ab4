//! `bspm export sparse-vectors`: the inner products of the vectors are the scores of the model.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::shop::{bspm, error, json_lines, shop, stdout};

/// The indices and values of a line.
fn vector(line: &Value) -> BTreeMap<u64, f32> {
    let indices = line["indices"].as_array().unwrap().iter();
    let values = line["values"].as_array().unwrap().iter();
    let entries = indices.zip(values);
    entries
        .map(|(index, value)| (index.as_u64().unwrap(), value.as_f64().unwrap() as f32))
        .collect()
}

fn product(left: &BTreeMap<u64, f32>, right: &BTreeMap<u64, f32>) -> f64 {
    let parts = left.iter().filter_map(|(index, value)| {
        let other = right.get(index)?;
        Some(f64::from(*value) * f64::from(*other))
    });
    parts.sum()
}

#[test]
fn the_vectors_of_users_and_items_give_the_scores_of_the_model() {
    let shop = shop();
    let folder = shop.path();
    let export = [
        "export",
        "sparse-vectors",
        "shop.bspm",
        "-k",
        "3",
        "-o",
        "items.jsonl",
        "--model-output",
        "table.bspm",
    ];
    let output = bspm(folder, &export);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines = |file: &str| json_lines(&fs::read_to_string(folder.join(file)).unwrap());
    let (items, users) = (lines("items.jsonl"), lines("items.users.jsonl"));
    assert_eq!((items.len(), users.len()), (6, 4));
    let count: usize = items.iter().map(|line| vector(line).len()).sum();
    let values = items.iter().flat_map(|line| vector(line).into_values());
    let negative = values.filter(|&value| value < 0.0).count();
    let expected = format!("7 dimensions, {count} values, {negative} of them negative");
    assert!(said.contains(&expected), "{said}");
    assert!(said.contains("agreement with the model: "), "{said}");

    let shares: BTreeMap<u64, f64> = items
        .iter()
        .map(|line| {
            (
                line["id"].as_u64().unwrap(),
                line["share"].as_f64().unwrap(),
            )
        })
        .collect();
    let mut compared = 0;
    for user in &users {
        let query = vector(user);
        let weights = query.iter().filter(|(index, _)| **index < 6);
        let share: f64 = weights
            .map(|(index, weight)| f64::from(*weight) * shares[index])
            .sum();
        assert!((share - f64::from(query[&6])).abs() < 1e-6);
        let name = user["user"].as_str().unwrap();
        let list = bspm(
            folder,
            &["recommend", "table.bspm", name, "-k", "6", "--json"],
        );
        let list = json_lines(&stdout(&list));
        for entry in list[0]["items"].as_array().unwrap() {
            if entry["fallback"] == true {
                continue;
            }
            let line = items.iter().find(|line| line["item"] == entry["item"]);
            let found = product(&query, &vector(line.unwrap()));
            let score = entry["score"].as_f64().unwrap();
            assert!(
                (found - score).abs() <= 1e-6 * score.abs(),
                "{found} {score}"
            );
            compared += 1;
        }
    }
    assert!(compared > 3, "{compared} scores");

    // The vectors of a neighbour table are those of all its entries.
    let before = fs::read(folder.join("items.jsonl")).unwrap();
    let again = [
        "export",
        "sparse-vectors",
        "table.bspm",
        "-o",
        "items.jsonl",
    ];
    assert!(bspm(folder, &again).status.success());
    assert_eq!(fs::read(folder.join("items.jsonl")).unwrap(), before);
    for (arguments, expected) in [
        (&["-o", "none.parquet"][..], "ends in .jsonl"),
        (&["-k", "0", "-o", "none.jsonl"], "keep: expected"),
        (
            &["-o", "x.jsonl", "--model-output", "x.users.jsonl"],
            "the same file as",
        ),
    ] {
        let arguments = [&["export", "sparse-vectors", "shop.bspm"][..], arguments].concat();
        let refused = error(&bspm(folder, &arguments));
        assert!(refused.contains(expected), "{arguments:?}: {refused}");
    }
    assert!(!folder.join("none.jsonl").exists());
}
