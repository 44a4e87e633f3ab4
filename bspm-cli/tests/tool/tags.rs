//! Tags of items: reading them from a file, and lists of items without interactions.

use std::fs;
use std::path::Path;

use crate::shop::{RATINGS, bspm, error, json_lines, stdout, told};

const TAGS: &str = "\
item,tag
espresso,coffee
grinder,coffee
filter,coffee
tea,drink
";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ratings.csv"), RATINGS).unwrap();
    fs::write(folder.path().join("tags.csv"), TAGS).unwrap();
    folder
}

/// Runs a command that succeeds, and returns its messages.
fn messages(folder: &Path, arguments: &[&str]) -> String {
    told(&bspm(folder, arguments))
}

const FIT: [&str; 6] = [
    "fit",
    "ratings.csv",
    "-o",
    "shop.bspm",
    "--filter",
    "ease-r",
];

#[test]
fn an_item_without_interactions_is_recommended_by_its_tag() {
    let folder = folder();
    let folder = folder.path();
    let tagged = [&FIT[..], &["--tags", "tags.csv", "--tag-weight", "2"]].concat();
    let told = messages(folder, &tagged);
    let expected = "tags: read 4 pairs of 2 tags and 4 items";
    assert!(told.contains(expected), "{told}");
    let expected =
        "3 of 6 items with interactions have tags, and 1 items with tags have no interactions";
    assert!(told.contains(expected), "{told}");
    let lists = json_lines(&stdout(&bspm(
        folder,
        &[
            "recommend",
            "shop.bspm",
            "--history",
            "espresso",
            "-k",
            "9",
            "--json",
            "--fallback",
            "none",
        ],
    )));
    let items = lists[0]["items"].as_array().unwrap();
    assert!(items.iter().any(|it| it["item"] == "filter"), "{items:?}");
    let about = stdout(&bspm(folder, &["inspect", "shop.bspm", "--json"]));
    let about: serde_json::Value = serde_json::from_str(&about).unwrap();
    assert_eq!(about["tags"]["pairs"], 4);
    assert_eq!(about["tags"]["weight"], 2.0);
    let refit = ["refit", "shop.bspm", "-o", "again.bspm"];
    messages(folder, &refit);
    let bytes = |name: &str| fs::read(folder.join(name)).unwrap();
    assert_eq!(bytes("shop.bspm"), bytes("again.bspm"));
    messages(folder, &[&refit[..], &["--tags", "tags.csv"]].concat());
    for flags in [["--tag-weight", "2"], ["--tags", "tags.csv"]] {
        let keep = [&refit[..], &["ratings.csv", "--keep-vectors"], &flags].concat();
        assert!(error(&bspm(folder, &keep)).contains("cannot be used with"));
    }
    assert_eq!(bytes("shop.bspm"), bytes("again.bspm"));
}

#[test]
fn the_weight_is_chosen_with_the_filter() {
    let folder = folder();
    let fit = [
        "fit",
        "ratings.csv",
        "-o",
        "shop.bspm",
        "--tags",
        "tags.csv",
    ];
    let told = messages(folder.path(), &fit);
    assert!(told.contains("tag weight: "), "{told}");
    let evaluate = [
        "evaluate",
        "ratings.csv",
        "--tags",
        "tags.csv",
        "--filter",
        "ease-r",
    ];
    messages(folder.path(), &evaluate);
    let tune = ["tune", "ratings.csv", "--trials", "2", "--tags", "tags.csv"];
    messages(folder.path(), &tune);
}

#[test]
fn the_usual_names_of_columns_are_read_without_options() {
    let folder = folder();
    let folder = folder.path();
    let tags = fs::read_to_string(folder.join("tags.csv")).unwrap();
    let (header, rows) = tags.split_once('\n').unwrap();
    let header = header.replace("item", "item_id");
    fs::write(folder.join("other.csv"), format!("{header}\n{rows}")).unwrap();
    let fit = [
        "fit",
        "ratings.csv",
        "--filter",
        "ease-r",
        "-o",
        "shop.bspm",
    ];
    for tags in ["tags.csv", "other.csv"] {
        let told = messages(folder, &[&fit[..], &["--tags", tags]].concat());
        assert!(told.contains("tags: read 4 pairs"), "{told}");
    }
}

#[test]
fn tags_that_cannot_be_read_are_refused_with_a_hint() {
    let folder = folder();
    let folder = folder.path();
    for (rest, expected) in [
        (
            &["--tags", "tags.csv", "--tag-column", "colour"][..],
            "--tag-column",
        ),
        (&["--tags", "no.csv"], "no.csv"),
        (
            &["--tags", "no.txt"],
            "a table of tags whose name ends in .csv",
        ),
        (
            &["--tags", "tags.csv", "--tag-item-column", "id"],
            "--tag-item-column",
        ),
        (&["--tag-weight", "2"], "--tags"),
        (&["--tag-column", "colour"], "--tags"),
        (&["--tags", "tags.csv", "--tag-weight", "0"], "tag_weight"),
    ] {
        let refused = error(&bspm(folder, &[&FIT[..], rest].concat()));
        assert!(refused.contains(expected), "{rest:?}: {refused}");
    }
    fs::write(folder.join("other.csv"), "item,tag\nx,y\n").unwrap();
    let told = messages(folder, &[&FIT[..], &["--tags", "other.csv"]].concat());
    assert!(told.contains("warning: tags: read 1 pairs"), "{told}");
}
