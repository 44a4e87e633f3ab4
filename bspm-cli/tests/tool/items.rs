//! Item tables: reading them from a file into a model, and their titles in every list.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::shop::{RATINGS, bspm, error, json_lines, shop, stdout};

const ITEMS: &str = "\
item,title,price,organic
espresso,Espresso 250 g,4.5,true
milk,\"Milk, fresh\",1.2,false
biscuits,Biscuits,,true
grinder,Coffee grinder,89,
tea,Green tea,3.5,true
jam,Jam,2,false
";

/// A folder with `ratings.csv`, `items.csv` and the model of both, `shop.bspm`, and the messages of the fit.
fn titled() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ratings.csv"), RATINGS).unwrap();
    fs::write(folder.path().join("items.csv"), ITEMS).unwrap();
    let told = fit(folder.path(), &["--items", "items.csv"]);
    (folder, told)
}

/// Fits `shop.bspm` and returns its messages.
fn fit(folder: &Path, rest: &[&str]) -> String {
    let fit = ["fit", "ratings.csv", "-o", "shop.bspm", "--factor-dim", "2"];
    let output = bspm(folder, &[&fit[..], rest].concat());
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn titles_stand_in_every_list_as_table_json_and_csv() {
    let (folder, told) = titled();
    let folder = folder.path();
    for line in [
        "items: read 6 rows: id = item; title = title; price (number); organic (boolean)",
        "items: 1 of 6 items with interactions have no row, and 1 rows are for items without interactions",
    ] {
        assert!(told.contains(line), "{told}");
    }
    let run = |arguments: &[&str]| stdout(&bspm(folder, arguments));
    let table = run(&["recommend", "shop.bspm", "bob", "-k1"]);
    let mut lines = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    assert_eq!(
        lines.next().unwrap(),
        ["user", "rank", "item", "title", "score", "fallback"]
    );
    assert_eq!(
        lines.next().unwrap()[..4],
        ["bob", "1", "biscuits", "Biscuits"]
    );
    let lists = json_lines(&run(&["recommend", "shop.bspm", "cid", "--json"]));
    let entries = lists[0]["items"].as_array().unwrap();
    for entry in entries {
        let title = match entry["item"].as_str().unwrap() {
            "milk" => json!("Milk, fresh"),
            "espresso" => json!("Espresso 250 g"),
            "biscuits" => json!("Biscuits"),
            "grinder" => json!("Coffee grinder"),
            _ => continue,
        };
        assert_eq!(entry["title"], title);
    }
    let similar = json_lines(&run(&["similar", "shop.bspm", "tea", "--json", "-k1"]));
    assert_eq!(similar[0]["items"][0]["item"], "honey");
    assert_eq!(similar[0]["items"][0].get("title"), None);
    run(&[
        "similar",
        "shop.bspm",
        "espresso",
        "-o",
        "similar.csv",
        "-k1",
    ]);
    let csv = fs::read_to_string(folder.join("similar.csv")).unwrap();
    assert!(
        csv.starts_with("history,rank,item,title,score\nespresso,1,milk,\"Milk, fresh\","),
        "{csv}"
    );
    let explained = run(&["explain", "shop.bspm", "grinder", "--history", "milk"]);
    let mut lines = explained.lines();
    let names: Vec<_> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(names, ["history", "title", "adds", "share"]);
    assert!(lines.next().unwrap().contains("Milk, fresh"), "{explained}");
    assert!(
        lines.next().unwrap().contains("Coffee grinder"),
        "{explained}"
    );
    let inspected = run(&["inspect", "shop.bspm"]);
    assert!(
        inspected.contains("title (title), price (number), organic (boolean)"),
        "{inspected}"
    );
    let info = &json_lines(&run(&["inspect", "shop.bspm", "--json"]))[0]["item_table"];
    assert_eq!(
        (&info["title"], &info["rows_without_item"]),
        (&json!("title"), &json!(1))
    );
}

#[test]
fn scored_parts_have_titles_of_their_items() {
    let (folder, _) = titled();
    let folder = folder.path();
    stdout(&bspm(
        folder,
        &["score", "shop.bspm", "-o", "long", "--long", "-k", "9"],
    ));
    let lists = bspm(
        folder,
        &["evaluate", "--lists", "long", "--test", "ratings.csv"],
    );
    stdout(&lists);
    stdout(&bspm(
        folder,
        &["score", "shop.bspm", "-o", "lists", "-k", "9"],
    ));
    for (parts, name) in [("long", "title"), ("lists", "titles")] {
        let batches = parts_of(&folder.join(parts));
        assert!(
            batches.iter().all(|it| it.column_by_name(name).is_some()),
            "{parts}"
        );
    }
    let (mut found, mut without) = (0, 0);
    for batch in parts_of(&folder.join("long")) {
        use arrow_array::{Array, StringArray};
        let texts = |name: &str| batch.column_by_name(name).unwrap().clone();
        let (items, titles) = (texts("item"), texts("title"));
        let items = items.as_any().downcast_ref::<StringArray>().unwrap();
        let titles = titles.as_any().downcast_ref::<StringArray>().unwrap();
        for (item, title) in items.iter().zip(titles) {
            match (item.unwrap(), title) {
                ("honey", None) => without += 1,
                ("grinder", Some("Coffee grinder")) => found += 1,
                (item, title) => assert!(title.is_some(), "{item}"),
            }
        }
    }
    assert!(found > 0 && without > 0);
    fs::write(folder.join("people.csv"), "user,titles\nann,x\n").unwrap();
    let refused = error(&bspm(
        folder,
        &["score", "shop.bspm", "people.csv", "-o", "out"],
    ));
    assert!(refused.contains("titles"), "{refused}");
}

fn parts_of(folder: &Path) -> Vec<arrow_array::RecordBatch> {
    let files = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|it| it == "parquet"));
    files
        .flat_map(|path| {
            let file = fs::File::open(path).unwrap();
            let reader =
                parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(file, 1024);
            reader.unwrap().map(Result::unwrap)
        })
        .collect()
}

#[test]
fn columns_are_named_and_what_is_wrong_with_a_table_is_told() {
    let (folder, _) = titled();
    let folder = folder.path();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    write(
        "movies.item",
        "item_id:token\tmovie_title:token_seq\nmilk\tThe Milk\n",
    );
    write("twice.csv", "sku,name\nmilk,a\ntea,b\nmilk,c\n");
    write("other.csv", "code;label\nmilk;a\n");
    let refused = |rest: &[&str]| {
        let fit = [
            "fit",
            "ratings.csv",
            "-o",
            "new.bspm",
            "--filter",
            "popularity",
        ];
        error(&bspm(folder, &[&fit[..], rest].concat()))
    };
    for (rest, expected) in [
        (
            &["--items", "items.csv", "--title-column", "Title"][..],
            "items.csv: expected a column \"Title\", found item, title, price, organic",
        ),
        (
            &["--items", "items.csv", "--item-id-column", "sku"],
            "items.csv: expected a column \"sku\", found item, title, price, organic",
        ),
        (
            &["--items", "twice.csv"],
            "twice.csv:4: sku: expected an item that does not occur in an earlier row, found \"milk\"",
        ),
        (
            &["--items", "other.csv"],
            "hint: set the delimiter of .csv files with --delimiter",
        ),
        (&["--items", "none.csv"], "none.csv"),
        (
            &["--items", "ratings.csv"][..],
            "expected an item that does not occur in an earlier row",
        ),
        (&["--title-column", "title"], "--items <FILE>"),
        (&["--item-id-column", "item"], "--items <FILE>"),
    ] {
        let refused = refused(rest);
        assert!(refused.contains(expected), "{rest:?}: {refused}");
        assert!(!folder.join("new.bspm").exists());
    }
    for command in [
        &["recommend", "shop.bspm", "ann"][..],
        &["evaluate", "ratings.csv"],
        &["sweep", "ratings.csv"],
        &["describe", "ratings.csv"],
        &["serve", "shop.bspm"],
    ] {
        let refused = error(&bspm(
            folder,
            &[command, &["--items", "items.csv"]].concat(),
        ));
        assert!(
            refused.contains("unexpected argument '--items'"),
            "{refused}"
        );
    }
    let tune = [
        "tune",
        "ratings.csv",
        "--items",
        "items.csv",
        "--trials",
        "1",
    ];
    let refused = error(&bspm(folder, &tune));
    assert!(
        refused.contains("--items has no effect without --output"),
        "{refused}"
    );
    let told = fit(folder, &["--items", "movies.item"]);
    assert!(told.contains("title = movie_title"), "{told}");
    assert!(
        told.contains("5 of 6 items with interactions have no row"),
        "{told}"
    );
    let told = fit(folder, &["--items", "twice.csv", "--skip-invalid"]);
    assert!(
        told.contains("1 of 3 rows are skipped: 1 with a duplicate item"),
        "{told}"
    );
    let same = [
        "fit",
        "ratings.csv",
        "--items",
        "items.csv",
        "-o",
        "items.csv",
    ];
    assert!(error(&bspm(folder, &same)).contains("the output would replace the input"));
}

#[test]
fn a_refit_keeps_the_table_or_takes_another() {
    let (folder, _) = titled();
    let folder = folder.path();
    fs::write(folder.join("more.csv"), "user,item\nann,jam\nbob,jam\n").unwrap();
    let title_of_jam = |model: &str| {
        let lists = bspm(folder, &["similar", model, "milk", "--json"]);
        let lists = json_lines(&stdout(&lists));
        let entries = lists[0]["items"].as_array().unwrap().clone();
        let jam = entries.into_iter().find(|it| it["item"] == "jam").unwrap();
        jam["title"].clone()
    };
    for rest in [&[][..], &["--keep-vectors"]] {
        let refit = ["refit", "shop.bspm", "more.csv", "-o", "later.bspm"];
        stdout(&bspm(folder, &[&refit[..], rest].concat()));
        // The row of an item without interactions.
        assert_eq!(title_of_jam("later.bspm"), "Jam");
        fs::write(folder.join("new.csv"), "item;title\njam;Marmalade\n").unwrap();
        let items = ["--items", "new.csv", "--delimiter", ";"];
        let again = ["refit", "later.bspm", "-o", "last.bspm"];
        stdout(&bspm(folder, &[&again[..], &items].concat()));
        assert_eq!(title_of_jam("last.bspm"), "Marmalade");
    }
    let forget = [
        "refit",
        "later.bspm",
        "-o",
        "last.bspm",
        "--forget-item",
        "jam",
    ];
    stdout(&bspm(folder, &forget));
    let bytes = fs::read(folder.join("last.bspm")).unwrap();
    assert!(!bytes.windows(3).any(|it| it == b"Jam"));
    let unused = [
        "refit",
        "shop.bspm",
        "-o",
        "x.bspm",
        "--items",
        "items.csv",
        "--k-core",
        "2",
    ];
    let refused = error(&bspm(folder, &unused));
    assert!(refused.contains("--k-core has no effect"), "{refused}");
}

#[test]
fn titles_of_any_kind_are_harmless_in_a_terminal_and_in_csv() {
    let folder = shop();
    let folder = folder.path();
    let long = "long ".repeat(200_000);
    let hostile = "\u{1b}[31mred\u{202e}\"quoted\",\nsecond line";
    let quoted = hostile.replace('"', "\"\"");
    let table = format!("item,title\nmilk,\"{quoted}\"\nbiscuits,{long}\n");
    fs::write(folder.join("items.csv"), table).unwrap();
    fit(folder, &["--items", "items.csv"]);
    let run = |rest: &[&str]| {
        stdout(&bspm(
            folder,
            &[&["similar", "shop.bspm", "espresso"], rest].concat(),
        ))
    };
    let shown = run(&[]);
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'));
    assert!(
        shown.contains("\\u{1b}[31mred\\u{202e}") && shown.contains("\\nsecond line"),
        "{shown}"
    );
    assert!(shown.contains("long long") && shown.contains('…') && shown.len() < 4000);
    run(&["-o", "lists.csv"]);
    let mut rows = csv::Reader::from_path(folder.join("lists.csv")).unwrap();
    let titles: Vec<String> = rows.records().map(|it| it.unwrap()[3].to_owned()).collect();
    assert!(titles.iter().any(|it| it == hostile) && titles.iter().any(|it| it.len() > 999_000));
}

#[test]
fn a_condition_leaves_out_the_items_that_do_not_satisfy_it() {
    let (folder, _) = titled();
    let folder = folder.path();
    let listed = |arguments: &[&str], condition: &str| {
        let rest = ["--where", condition, "--json", "-k9"];
        let output = stdout(&bspm(folder, &[arguments, &rest].concat()));
        let lists = json_lines(&output);
        let entries = lists[0]["items"].as_array().unwrap().clone();
        let mut items: Vec<String> = entries
            .iter()
            .map(|it| it["item"].as_str().unwrap().to_owned())
            .collect();
        items.sort_unstable();
        items
    };
    let cid = ["recommend", "shop.bspm", "cid"];
    assert_eq!(
        listed(&cid, "price is not null"),
        ["espresso", "grinder", "milk"]
    );
    assert_eq!(listed(&cid, "price < 5 and organic"), ["espresso"]);
    assert_eq!(
        listed(&cid, "title ilike '%MILK%' or price > 50"),
        ["grinder", "milk"]
    );
    assert!(listed(&cid, "price > 1000").is_empty());
    let milk = ["similar", "shop.bspm", "milk"];
    assert_eq!(listed(&milk, "price > 2"), ["espresso", "grinder", "tea"]);
    let score = [
        "score",
        "shop.bspm",
        "-o",
        "parts",
        "--long",
        "-k9",
        "--keep-seen",
    ];
    let cheap = ["--where", "price < 2"];
    stdout(&bspm(folder, &[&score[..], &cheap].concat()));
    for batch in parts_of(&folder.join("parts")) {
        let items = batch.column_by_name("item").unwrap();
        let items = items.as_any().downcast_ref::<arrow_array::StringArray>();
        assert!(items.unwrap().iter().all(|it| it == Some("milk")));
    }
    let people = "user,where\ncid,price < 5 and organic\ncid,\ncid,price > 2\n";
    fs::write(folder.join("people.csv"), people).unwrap();
    let rows = ["score", "shop.bspm", "people.csv", "-o", "rows", "-k9"];
    stdout(&bspm(folder, &rows));
    let batches = parts_of(&folder.join("rows"));
    let counts = batches[0].column_by_name("items").unwrap();
    let counts = counts
        .as_any()
        .downcast_ref::<arrow_array::ListArray>()
        .unwrap();
    let counts: Vec<usize> = counts.iter().map(|it| it.unwrap().len()).collect();
    let expected = ["price < 5 and organic", "1 = 1", "price > 2"];
    let expected = expected.map(|condition| listed(&cid, condition).len());
    assert_eq!((counts[0], counts[2]), (expected[0], expected[2]));
    assert!(counts[1] >= expected[1] && counts[1] > counts[0]);
    assert!(batches[0].column_by_name("where").is_none());
    // Part files of another condition are not reused.
    let refused = error(&bspm(
        folder,
        &[&score[..], &["--where", "price < 3"]].concat(),
    ));
    assert!(refused.contains("other options of the lists"), "{refused}");
}

#[test]
fn a_condition_that_cannot_hold_is_refused() {
    let (folder, _) = titled();
    let folder = folder.path();
    let refused = |model: &str, condition: &str| {
        error(&bspm(
            folder,
            &["recommend", model, "ann", "--where", condition],
        ))
    };
    let unknown = refused("shop.bspm", "colour = 'red'");
    let expected = "expected one of the columns title, price, organic, found \"colour\"";
    assert!(unknown.contains(expected), "{unknown}");
    assert!(refused("shop.bspm", "price <").contains("expected a condition such as"));
    let fit = [
        "fit",
        "ratings.csv",
        "-o",
        "plain.bspm",
        "--filter",
        "popularity",
    ];
    stdout(&bspm(folder, &fit));
    assert!(refused("plain.bspm", "price < 2").contains("with an item table"));
}
