//! Re-ranking of lists: boosts, limits, a penalty for popular items, and diversity.

use std::fs;

use crate::shop::{RATINGS, bspm, error, json_lines, stdout};

const ITEMS: &str = "\
item,title,brand
espresso,Espresso,A
milk,Milk,B
biscuits,Biscuits,A
grinder,Grinder,B
tea,Tea,A
";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ratings.csv"), RATINGS).unwrap();
    fs::write(folder.path().join("items.csv"), ITEMS).unwrap();
    let fit = ["fit", "ratings.csv", "-o", "shop.bspm", "--factor-dim", "2"];
    let output = bspm(
        folder.path(),
        &[&fit[..], &["--items", "items.csv"]].concat(),
    );
    assert!(output.status.success(), "{output:?}");
    folder
}

fn list(folder: &tempfile::TempDir, rest: &[&str]) -> Vec<String> {
    let command = [
        "recommend",
        "shop.bspm",
        "--history",
        "milk",
        "--keep-seen",
        "-k",
        "9",
        "--json",
    ];
    let lists = json_lines(&stdout(&bspm(
        folder.path(),
        &[&command[..], rest].concat(),
    )));
    let items = lists[0]["items"].as_array().unwrap().iter();
    items
        .map(|it| it["item"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn flags_change_the_order_and_the_items_of_a_list() {
    let folder = folder();
    let plain = list(&folder, &[]);
    assert_ne!(plain[0], "grinder");
    let boosted = list(&folder, &["--boost", "1000: title like 'Grind%'"]);
    assert_eq!(boosted[0], "grinder");
    let limited = list(&folder, &["--at-most", "1:brand"]);
    let of_a = ["espresso", "biscuits", "tea"];
    let count = limited.iter().filter(|it| of_a.contains(&it.as_str()));
    assert_eq!(count.count(), 1, "{limited:?}");
    assert_eq!(list(&folder, &["--diversity", "0"]), plain);
    for method in ["mmr", "dpp"] {
        let mut diverse = list(
            &folder,
            &["--diversity", "0.9", "--diversity-method", method],
        );
        diverse.sort();
        let mut all = plain.clone();
        all.sort();
        assert_eq!(diverse, all);
    }
    let evaluate = [
        "evaluate",
        "ratings.csv",
        "--filter",
        "ease-r",
        "--diversity",
    ];
    let measured = |diversity| {
        stdout(&bspm(
            folder.path(),
            &[&evaluate[..], &[diversity]].concat(),
        ))
    };
    assert!(measured("0.5").contains("ndcg"));
}

#[test]
fn rules_that_cannot_be_are_refused() {
    let folder = folder();
    for (rest, expected) in [
        (["--boost", "price < 3"], "as in 1.5: price < 20"),
        (["--boost", "2: colour = 'red'"], "one of"),
        (["--boost", "0: brand = 'A'"], "boost: "),
        (
            ["--at-most", "2:colour"],
            "at_most: expected one of title, brand",
        ),
        (["--at-most", "brand"], "as in 2: brand"),
        (["--diversity", "2"], "diversity: "),
        (["--diversity-method", "mmr"], "--diversity"),
        (["--popularity-penalty", "-1"], "popularity_penalty: "),
    ] {
        let command = ["recommend", "shop.bspm", "bob"];
        let refused = error(&bspm(folder.path(), &[&command[..], &rest].concat()));
        assert!(refused.contains(expected), "{rest:?}: {refused}");
    }
}
