//! Common difficulties of new users: flags, files and messages.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use crate::shop::{RATINGS, bspm, command, error, json_lines, open, shop, stdout, told};

#[test]
fn tables_with_another_delimiter_and_from_standard_input_are_read() {
    let shop = shop();
    let folder = shop.path();
    let fitted = fs::read(folder.join("shop.bspm")).unwrap();
    fs::write(folder.join("semicolons.csv"), RATINGS.replace(',', ";")).unwrap();
    let fit = [
        "fit",
        "semicolons.csv",
        "-o",
        "other.bspm",
        "--factor-dim",
        "2",
    ];
    stdout(&bspm(folder, &[&fit[..], &["--delimiter", ";"]].concat()));
    assert_eq!(fs::read(folder.join("other.bspm")).unwrap(), fitted);
    assert!(
        error(&bspm(folder, &[&fit[..], &["--delimiter", "ab"]].concat()))
            .contains("one ASCII character")
    );

    let mut process = command(
        folder,
        &["fit", "-", "-o", "piped.bspm", "--factor-dim", "2"],
    )
    .stdin(Stdio::piped())
    .spawn()
    .unwrap();
    process
        .stdin
        .take()
        .unwrap()
        .write_all(RATINGS.as_bytes())
        .unwrap();
    assert!(process.wait().unwrap().success());
    assert_eq!(fs::read(folder.join("piped.bspm")).unwrap(), fitted);
}

#[test]
fn a_missing_column_names_the_flag() {
    let shop = shop();
    let renamed = RATINGS.replace("user,item,rating", "who,what,stars");
    fs::write(shop.path().join("renamed.csv"), renamed).unwrap();
    let ids = ["--user-column", "who", "--item-column", "what"];
    for (flags, hint) in [
        (
            &[][..],
            "set the columns of the ids with --user-column and --item-column",
        ),
        (
            &["--user-column", "who"],
            "set the column with --item-column",
        ),
        (
            &[
                &ids[..],
                &["--weight-column", "stars", "--time-column", "when"],
            ]
            .concat(),
            "set the column with --time-column",
        ),
    ] {
        let fit = [&["fit", "renamed.csv", "-o", "x.bspm"], flags].concat();
        let message = error(&bspm(shop.path(), &fit));
        assert!(message.contains(&format!("hint: {hint}")), "{message}");
    }
}

#[test]
fn columns_with_usual_names_are_read_and_shown() {
    let shop = shop();
    let folder = shop.path();
    fs::write(folder.join("plain.csv"), RATINGS).unwrap();
    let fit = |file: &str, flags: &[&str]| {
        let fit = ["fit", file, "-o", "x.bspm", "--factor-dim", "2"];
        let output = bspm(folder, &[&fit[..], flags].concat());
        stdout(&output);
        (fs::read(folder.join("x.bspm")).unwrap(), told(&output))
    };
    let (plain, _) = fit("plain.csv", &[]);
    for (user, item) in [
        ("userId", "movieId"),
        ("User-ID", "ISBN"),
        ("CustomerID", "StockCode"),
    ] {
        let names = format!("{user},{item},rating");
        fs::write(
            folder.join("usual.csv"),
            RATINGS.replace("user,item,rating", &names),
        )
        .unwrap();
        let (model, told) = fit("usual.csv", &[]);
        assert_eq!(model, plain, "{names}");
        let columns = format!("columns: user = {user}; item = {item}; not read: rating");
        assert!(told.contains(&columns), "{told}");
        let evaluate = bspm(folder, &["evaluate", "usual.csv", "--filter", "popularity"]);
        let columns = format!("columns: user = {user}; item = {item}\n");
        assert!(self::told(&evaluate).contains(&columns), "{evaluate:?}");
    }
    let other = "CustomerID,StockCode\nzoe,tea\n";
    fs::write(folder.join("other.csv"), other).unwrap();
    let both = bspm(folder, &["describe", "usual.csv", "other.csv"]);
    let warning = "other.csv: the columns of the ids are CustomerID and StockCode, but";
    assert!(!stdout(&both).contains(warning), "{both:?}");
    let both = bspm(folder, &["describe", "plain.csv", "other.csv"]);
    assert!(
        stdout(&both).contains(&format!("{warning} user and item in")),
        "{both:?}"
    );
    let names = "userId,track_id,artist_id";
    fs::write(
        folder.join("two.csv"),
        RATINGS.replace("user,item,rating", names),
    )
    .unwrap();
    let message = error(&bspm(folder, &["fit", "two.csv", "-o", "x.bspm"]));
    assert!(
        message.contains("expected a column \"item\", found userId, track_id, artist_id"),
        "{message}"
    );
}

#[test]
fn dates_are_times_and_split_the_data() {
    let shop = shop();
    let folder = shop.path();
    let mut dated = String::from("user,item,at\n");
    for (user, item, date) in [
        ("ann", "tea", "2026-01-01"),
        ("ann", "milk", "2026-02-01T08:00:00Z"),
        ("bob", "tea", "2026-01-05 10:00"),
        ("bob", "milk", "2026-01-06"),
        ("bob", "honey", "2026-02-02"),
        ("cid", "honey", "2026-01-07"),
    ] {
        dated += &format!("{user},{item},{date}\n");
    }
    fs::write(folder.join("dated.csv"), &dated).unwrap();
    let evaluate = [
        "evaluate",
        "--train",
        "dated.csv",
        "--time-column",
        "at",
        "--filter",
        "item-knn",
        "--json",
    ];
    let run = |more: &[&str]| bspm(folder, &[&evaluate[..], more].concat());
    let output = run(&["--from", "2026-02-01"]);
    assert_eq!(json_lines(&stdout(&output)).len(), 1);
    let text = told(&output);
    assert!(
        text.starts_with(
            "item-knn: 3 users x 3 items, 4 interactions; 2 users evaluated; model ready in "
        ),
        "{text}"
    );
    let message = error(&run(&["--from", "2027-01-01"]));
    assert!(
        message.contains("--from: expected a time after"),
        "{message}"
    );
    fs::write(
        folder.join("dated.csv"),
        dated.replace("2026-02-02", "yesterday"),
    )
    .unwrap();
    let message = error(&run(&["--last-out"]));
    assert!(
        message.contains("dated.csv:6: at: expected a finite number, or a date such as"),
        "{message}"
    );
}

#[test]
fn folds_are_evaluated_and_averaged() {
    let shop = shop();
    let evaluate = [
        "evaluate",
        "--train",
        "ratings.csv",
        "--factor-dim",
        "1",
        "-k",
        "1,3",
        "--folds",
        "3",
        "--json",
    ];
    let output = bspm(shop.path(), &evaluate);
    let lines = json_lines(&stdout(&output));
    assert_eq!(told(&output).lines().count(), 3);
    assert_eq!(lines.len(), 2);
    for (line, k) in lines.iter().zip([1, 3]) {
        assert_eq!(
            (&line["k"], &line["folds"]),
            (&Value::from(k), &Value::from(3))
        );
        assert!((0.0..=1.0).contains(&line["mean"]["ndcg"].as_f64().unwrap()));
        assert!(line["standard_deviation"]["ndcg"].as_f64().unwrap() >= 0.0);
    }
    let few = [&evaluate[..8], &["1"]].concat();
    assert!(error(&bspm(shop.path(), &few)).contains("at least 2 folds"));
}

#[test]
fn the_edge_of_a_grid_is_told() {
    let shop = shop();
    let sweep = [
        "sweep",
        "ratings.csv",
        "--ratio",
        "0.4",
        "--factor-dim",
        "2",
        "--beta",
        "0.1",
    ];
    let at = |times: &str| {
        told(&bspm(
            shop.path(),
            &[&sweep[..], &["--sharpen-time", times]].concat(),
        ))
    };
    let warnings = at("0.5,1");
    assert!(
        warnings.contains("warning: the best row has the"),
        "{warnings}"
    );
    assert!(warnings.contains("sharpen_time of the grid"), "{warnings}");
    assert!(!at("1").contains("warning"));
}

#[test]
fn a_sweep_has_the_settings_for_the_shape_where_none_are_named() {
    let shop = shop();
    let sweep = ["sweep", "ratings.csv", "--ratio", "0.4", "--json"];
    let rows = json_lines(&stdout(&bspm(shop.path(), &sweep)));
    let vectors: Vec<&Value> = rows
        .iter()
        .map(|row| &row["config"]["ideal_low_pass"]["factor_dim"])
        .collect();
    let fit = ["fit", "ratings.csv", "-o", "plain.bspm", "--filter", "bspm"];
    stdout(&bspm(shop.path(), &fit));
    let info = stdout(&bspm(shop.path(), &["inspect", "plain.bspm", "--json"]));
    let fitted = &json_lines(&info)[0]["config"]["bspm"]["ideal_low_pass"]["factor_dim"];
    assert!(fitted.is_u64() && !vectors.is_empty());
    assert!(vectors.iter().all(|it| *it == fitted), "{vectors:?}");
}

#[test]
fn scores_are_explained() {
    let shop = shop();
    let model = open(shop.path());
    let expected = model.explain("ann", "grinder").unwrap();
    let lines = json_lines(&stdout(&bspm(
        shop.path(),
        &["explain", "shop.bspm", "grinder", "--user", "ann", "--json"],
    )));
    let expected = json_lines(&serde_json::to_string(&expected).unwrap());
    for key in ["score", "base", "contributions"] {
        assert_eq!(lines[0][key], expected[0][key]);
    }
    let table = stdout(&bspm(
        shop.path(),
        &[
            "explain",
            "shop.bspm",
            "grinder",
            "--history",
            "milk",
            "--history",
            "tea",
        ],
    ));
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows.len(), 4, "{table}");
    let cells: Vec<Vec<&str>> = rows[1..]
        .iter()
        .map(|row| row.split_whitespace().collect())
        .collect();
    assert_eq!((cells[0][0], cells[1][0]), ("milk", "tea"));
    let number = |text: &str| text.parse::<f64>().unwrap();
    let sum = number(cells[0][1]) + number(cells[1][1]);
    assert!((sum - number(cells[2][2])).abs() < 2e-6, "{table}");
    assert_eq!(cells[2][3], "100.0%");
    assert_eq!(cells[2][..2], ["=", "grinder"]);
}

#[test]
fn a_model_is_fitted_anew_with_more_and_without_some() {
    let shop = shop();
    let folder = shop.path();
    fs::write(folder.join("more.csv"), "user,item\neve,tea\neve,scones\n").unwrap();
    let refit = [
        "refit",
        "shop.bspm",
        "more.csv",
        "-o",
        "later.bspm",
        "--forget-user",
        "bob",
        "--forget-item",
        "grinder",
    ];
    stdout(&bspm(folder, &refit));
    let without: String = RATINGS
        .lines()
        .filter(|line| !line.starts_with("bob"))
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(
        folder.join("whole.csv"),
        without + "eve,tea,5,1\neve,scones,5,1\n",
    )
    .unwrap();
    stdout(&bspm(
        folder,
        &["fit", "whole.csv", "-o", "whole.bspm", "--factor-dim", "2"],
    ));
    let lists = |model: &str| {
        stdout(&bspm(
            folder,
            &[
                "recommend",
                model,
                "ann",
                "cid",
                "eve",
                "--json",
                "--fallback",
                "none",
            ],
        ))
    };
    let (refitted, fitted) = (
        json_lines(&lists("later.bspm")),
        json_lines(&lists("whole.bspm")),
    );
    for (found, expected) in refitted.iter().zip(&fitted) {
        let items = |list: &Value| -> Vec<Value> {
            list["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["item"].clone())
                .collect()
        };
        assert_eq!(items(found), items(expected));
    }
    assert!(
        error(&bspm(folder, &["recommend", "later.bspm", "bob"]))
            .contains("user \"bob\" is unknown")
    );
    assert!(
        error(&bspm(
            folder,
            &["refit", "shop.bspm", "-o", "x.bspm", "--forget-user", "zoe"]
        ))
        .contains("user \"zoe\" is unknown")
    );

    let join = [
        "refit",
        "shop.bspm",
        "more.csv",
        "-o",
        "joined.bspm",
        "--keep-vectors",
    ];
    stdout(&bspm(folder, &join));
    let similar = stdout(&bspm(folder, &["similar", "joined.bspm", "scones"]));
    assert!(similar.contains("tea"), "{similar}");
}

#[test]
fn lists_are_written_to_files_and_what_only_fills_is_marked() {
    let shop = shop();
    let folder = shop.path();
    // No user connects nails with the items of ann and cid.
    let islands = RATINGS.to_owned() + "gil,nails,5,1\nhal,nails,5,1\n";
    fs::write(folder.join("islands.csv"), islands).unwrap();
    let fit = ["fit", "islands.csv", "-o", "islands.bspm"];
    stdout(&bspm(folder, &fit));
    let recommend = ["recommend", "islands.bspm", "cid", "-k", "5"];
    let table = stdout(&bspm(folder, &recommend));
    let last: Vec<&str> = table.lines().last().unwrap().split_whitespace().collect();
    assert_eq!((last.len(), last[3]), (4, "true"), "{table}");
    stdout(&bspm(
        folder,
        &[&recommend[..], &["-o", "lists.csv"]].concat(),
    ));
    let csv = fs::read_to_string(folder.join("lists.csv")).unwrap();
    let cells = |text: &str| -> Vec<Vec<String>> {
        text.lines()
            .map(|line| {
                line.split([' ', ','])
                    .filter(|it| !it.is_empty())
                    .map(str::to_owned)
                    .collect()
            })
            .collect()
    };
    assert_eq!(cells(&csv), cells(&table));
    stdout(&bspm(
        folder,
        &[&recommend[..], &["-o", "lists.jsonl"]].concat(),
    ));
    let lines = fs::read_to_string(folder.join("lists.jsonl")).unwrap();
    assert_eq!(
        lines,
        stdout(&bspm(folder, &[&recommend[..], &["--json"]].concat()))
    );
    let items = json_lines(&lines)[0]["items"].as_array().unwrap().clone();
    let marked: Vec<bool> = items
        .iter()
        .map(|it| it.get("fallback").is_some())
        .collect();
    assert!(
        marked.is_sorted() && marked.contains(&true) && marked.contains(&false),
        "{lines}"
    );
    assert!(
        error(&bspm(
            folder,
            &[&recommend[..], &["-o", "lists.txt"]].concat()
        ))
        .contains(".csv or .jsonl")
    );
}

#[test]
fn completions_end_with_their_reader() {
    let shop = shop();
    let mut process = command(shop.path(), &["completions", "bash"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(process.stdout.take());
    assert!(process.wait().unwrap().success());
}

#[test]
fn without_flags_a_fifth_is_held_out_and_settings_that_are_far_off_are_told() {
    let shop = shop();
    let folder = shop.path();
    let whole = bspm(folder, &["evaluate", "ratings.csv", "--json"]);
    let as_said = [
        "evaluate",
        "--train",
        "ratings.csv",
        "--ratio",
        "0.34",
        "--json",
    ];
    // One of two or three interactions is held out.
    assert_eq!(json_lines(&stdout(&whole))[0]["k"], 20);
    assert!(
        told(&whole).contains("4 users evaluated"),
        "{}",
        told(&whole)
    );
    assert!(told(&bspm(folder, &as_said)).contains("users evaluated"));
    assert!(!told(&whole).contains("warning"), "{}", told(&whole));

    let filter = ["evaluate", "ratings.csv", "--filter", "gf-cf"];
    assert!(!told(&bspm(folder, &filter)).contains("published"));
    let far = told(&bspm(
        folder,
        &[&filter[..], &["--preset", "gowalla"]].concat(),
    ));
    let expected = "warning: the settings were published for gowalla (29858 users x 40981 items), \
                    and these data have 4 users x 6 items; hint: `bspm tune`";
    assert!(far.contains(expected), "{far}");
}

#[test]
fn vectors_are_exported_for_those_who_search_by_inner_product() {
    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Float32Type;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    let shop = shop();
    let folder = shop.path();
    let export = ["export", "vectors", "shop.bspm", "-o", "items.parquet"];
    let output = bspm(folder, &export);
    assert!(
        told(&output)
            .contains("of the model's top 20 items are among the top 500 by inner product")
    );
    let vectors = |file: &str, kind: &str| -> Vec<(String, Vec<f32>)> {
        let file = fs::File::open(folder.join(file)).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let batch = reader.build().unwrap().next().unwrap().unwrap();
        let ids = batch
            .column_by_name(kind)
            .unwrap()
            .as_string::<i32>()
            .clone();
        let lists = batch
            .column_by_name("vector")
            .unwrap()
            .as_list::<i32>()
            .clone();
        let list = |row: usize| {
            lists
                .value(row)
                .as_primitive::<Float32Type>()
                .values()
                .to_vec()
        };
        (0..ids.len())
            .map(|row| (ids.value(row).to_owned(), list(row)))
            .collect()
    };
    let (items, users) = (
        vectors("items.parquet", "item"),
        vectors("items.users.parquet", "user"),
    );
    let model = open(folder);
    let found = model.filter().low_pass_vectors().unwrap();
    assert_eq!((items.len(), users.len()), (6, 4));
    assert!(items[0].1.len() == 2 && items[0].1 == found.items().row(0).to_vec());
    let history = model.dataset().interactions().history_of(2);
    assert_eq!(users[2], ("cid".to_owned(), found.of_history(history)));
    let other = [
        "fit",
        "ratings.csv",
        "-o",
        "knn.bspm",
        "--filter",
        "item-knn",
    ];
    stdout(&bspm(folder, &other));
    let refused = error(&bspm(
        folder,
        &["export", "vectors", "knn.bspm", "-o", "x.parquet"],
    ));
    assert!(
        refused.contains("expected bspm, gf-cf or cheby-cf"),
        "{refused}"
    );
}
