//! The commands of the program `bspm`.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::json;

use crate::shop::{bspm, command, error, json_lines, open, shop, stdout};

#[test]
fn lists_are_those_of_the_library() {
    let shop = shop();
    let folder = shop.path();
    let model = open(folder);
    let users = ["dora", "ann", "bob"];
    let lists = model.recommend_many(users, 2).unwrap();
    let lines: String = users
        .iter()
        .zip(lists)
        .map(|(user, list)| {
            let items = serde_json::to_string(&list).unwrap();
            format!("{{\"user\":\"{user}\",\"items\":{items}}}\n")
        })
        .collect();

    let recommend = [
        "recommend",
        "shop.bspm",
        "dora",
        "ann",
        "bob",
        "-k2",
        "--json",
    ];
    assert_eq!(stdout(&bspm(folder, &recommend)), lines);

    let from_input = [
        "recommend",
        "shop.bspm",
        "--users-from",
        "-",
        "-k2",
        "--json",
    ];
    let mut child = command(folder, &from_input)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"dora\r\nann\n\nbob").unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert_eq!(stdout(&output), lines);

    let all = stdout(&bspm(
        folder,
        &["recommend", "shop.bspm", "--all", "--json"],
    ));
    let users: Vec<_> = json_lines(&all)
        .into_iter()
        .map(|line| line["user"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(users, ["ann", "bob", "cid", "dora"]);
}

#[test]
fn options_reach_the_lists() {
    let shop = shop();
    let folder = shop.path();
    let items = |arguments: &[&str]| -> Vec<String> {
        let arguments = [&["recommend", "shop.bspm", "--json"][..], arguments].concat();
        let lines = json_lines(&stdout(&bspm(folder, &arguments)));
        lines[0]["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["item"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(items(&["ann"]).len(), 3);
    assert_eq!(items(&["ann", "--keep-seen"]).len(), 6);
    assert_eq!(
        items(&["ann", "--deny", "tea", "--deny", "honey"]),
        ["grinder"]
    );
    assert_eq!(items(&["ann", "--allow", "honey"]), ["honey"]);
    assert!(items(&["ann", "--minimum-score", "1000"]).is_empty());
    let nobody = ["nobody", "--skip-unknown"];
    assert_eq!(items(&[&nobody[..], &["-k2"]].concat()).len(), 2);
    assert!(items(&[&nobody[..], &["--fallback", "none"]].concat()).is_empty());
    assert_eq!(
        items(&[&nobody[..], &["--fallback", "unscored"]].concat()).len(),
        6
    );
    assert_eq!(
        items(&["--history", "tea", "--history", "honey", "-k1"]),
        ["biscuits"]
    );
}

#[test]
fn tables_are_aligned_and_similar_items_are_listed() {
    let shop = shop();
    let text = stdout(&bspm(
        shop.path(),
        &["similar", "shop.bspm", "tea", "-k", "1"],
    ));
    let words: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(words[0], ["history", "rank", "item", "score"]);
    assert_eq!(words[1][..3], ["tea", "1", "honey"]);
    assert_eq!(words.len(), 2);
}

#[test]
fn inspect_tells_what_the_file_holds() {
    let shop = shop();
    let info = stdout(&bspm(shop.path(), &["inspect", "shop.bspm", "--json"]));
    let info = &json_lines(&info)[0];
    assert_eq!(info["users"], 4);
    assert_eq!(info["items"], 6);
    assert_eq!(info["factors"], 2);
    assert_eq!(info["user_ids"], "string");
    assert_eq!(
        info["bytes"],
        fs::metadata(shop.path().join("shop.bspm")).unwrap().len()
    );
}

#[test]
fn evaluate_splits_or_takes_a_test_file() {
    let shop = shop();
    let folder = shop.path();
    let last_out = [
        "evaluate",
        "--train",
        "ratings.csv",
        "--last-out",
        "--time-column",
        "at",
        "--no-idl",
        "-k",
        "1,3",
        "--json",
    ];
    let lines = json_lines(&stdout(&bspm(folder, &last_out)));
    assert_eq!(
        (lines[0]["k"].as_u64(), lines[1]["k"].as_u64()),
        (Some(1), Some(3))
    );
    let recall = lines[1]["recall"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&recall));

    // Of two test items, the model can recommend only the known one.
    fs::write(
        folder.join("test.csv"),
        "user,item\ncid,biscuits\ncid,scones\n",
    )
    .unwrap();
    let test = [
        "evaluate",
        "--model",
        "shop.bspm",
        "--test",
        "test.csv",
        "--json",
    ];
    let line = &json_lines(&stdout(&bspm(folder, &test)))[0];
    assert_eq!(line["recall"], 0.5);

    // A model does not differ from itself, and a list of three items contains all items.
    let detailed = [&test[..], &["--detailed", "--against", "shop.bspm"]].concat();
    let lines = json_lines(&stdout(&bspm(folder, &detailed)));
    assert_eq!(lines[0]["recall"], 0.5);
    let interval = json!({"mean": 0.5, "low": 0.5, "high": 0.5});
    assert_eq!(lines[0]["recall_interval"], interval);
    assert!(lines[0]["catalogue"]["coverage"].as_f64().unwrap() > 0.0);
    assert_eq!(
        (&lines[1]["metric"], &lines[2]["metric"]),
        (&json!("recall"), &json!("ndcg"))
    );
    assert_eq!(
        (&lines[1]["wins"], &lines[1]["losses"]),
        (&json!(0), &json!(0))
    );
    // A model of the same rows in another order has other row numbers.
    let ratings = fs::read_to_string(folder.join("ratings.csv")).unwrap();
    let (header, rows) = ratings.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().rev().collect();
    fs::write(
        folder.join("backwards.csv"),
        [header, &rows.join("\n")].join("\n"),
    )
    .unwrap();
    let fit = [
        "fit",
        "backwards.csv",
        "-o",
        "backwards.bspm",
        "--filter",
        "popularity",
    ];
    stdout(&bspm(folder, &fit));
    let against = [&test[..], &["--against", "backwards.bspm"]].concat();
    let lines = json_lines(&stdout(&bspm(folder, &against)));
    assert_eq!(lines[1]["metric"], "recall");
    let table = stdout(&bspm(folder, &[&detailed[..5], &detailed[6..]].concat()));
    for text in [
        "coverage",
        "diversity",
        "bits",
        "0.0000 to 0.0000",
        "0.5000 to 0.5000",
    ] {
        assert!(table.contains(text), "no {text}: {table}");
    }
    assert!(
        !table.contains("+0.0000") && !table.contains("-0.0000"),
        "{table}"
    );

    fs::write(
        folder.join("test.csv"),
        "user,item\nzoe,biscuits\ncid,biscuits\n",
    )
    .unwrap();
    let refused = error(&bspm(folder, &test));
    assert!(
        refused.contains("1 of 2 users") && refused.contains("--skip-unknown"),
        "{refused}"
    );
    let skipping = [&test[..], &["--skip-unknown"]].concat();
    assert_eq!(
        json_lines(&stdout(&bspm(folder, &skipping)))[0]["recall"],
        1.0
    );
}

#[test]
fn every_format_gives_the_same_model() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (name, text, arguments) in [
        ("a.csv", "user,item\n0,0\n0,1\n1,1\n2,0\n", &[][..]),
        ("a.tsv", "user\titem\n0\t0\n0\t1\n1\t1\n2\t0\n", &[]),
        (
            "a.dat",
            "0::0::5::1\n0::1::5::1\n1::1::5::1\n2::0::5::1\n",
            &[],
        ),
        (
            "a.inter",
            "user_id:token\titem_id:token\n0\t0\n0\t1\n1\t1\n2\t0\n",
            &[],
        ),
        ("a.txt", "0 0 1\n1 1\n2 0\n", &[]),
        (
            "a.log",
            "0,0\n0,1\n1,1\n2,0\n",
            &["--format", "csv", "--no-header", "user,item"],
        ),
    ] {
        fs::write(folder.join(name), text).unwrap();
        let fit = ["fit", name, "-o", "shop.bspm", "--preset", "amazon-book"];
        stdout(&bspm(folder, &[&fit[..], arguments].concat()));
        let model = open(folder);
        assert_eq!(model.dataset().history("0").unwrap(), ["0", "1"], "{name}");
        assert_eq!(model.dataset().users().len(), 3, "{name}");
    }
}

#[test]
fn a_configuration_file_is_read_and_changed_by_flags() {
    let shop = shop();
    let folder = shop.path();
    let config = stdout(&bspm(folder, &["inspect", "shop.bspm", "--json"]));
    let config = json_lines(&config)[0]["config"].to_string();
    fs::write(folder.join("config.json"), &config).unwrap();
    let fit = [
        "fit",
        "ratings.csv",
        "-o",
        "shop.bspm",
        "--config",
        "config.json",
        "--beta",
        "0.75",
    ];
    stdout(&bspm(folder, &fit));
    let filter = open(folder)
        .filter()
        .config()
        .bspm()
        .unwrap()
        .ideal_low_pass();
    let filter = filter.unwrap();
    assert_eq!((filter.factor_dim, filter.beta), (2, 0.75));

    let fit_knn = [
        "fit",
        "ratings.csv",
        "-o",
        "knn.bspm",
        "--filter",
        "item-knn",
    ];
    stdout(&bspm(
        folder,
        &[&fit_knn[..], &["--set", "neighbours=1"]].concat(),
    ));
    let info = stdout(&bspm(folder, &["inspect", "knn.bspm", "--json"]));
    assert_eq!(
        json_lines(&info)[0]["config"]["item-knn"]["neighbours"],
        json!(1)
    );

    fs::write(folder.join("config.json"), config.replace("rk4", "heun")).unwrap();
    let refused = error(&bspm(folder, &fit));
    assert!(
        refused.starts_with("error: config.json: unknown variant `heun`"),
        "{refused}"
    );
}

#[test]
fn what_is_wrong_is_said_and_nothing_is_written() {
    let shop = shop();
    let folder = shop.path();
    fs::write(folder.join("empty.csv"), "user,item\n").unwrap();
    fs::write(folder.join("noise.bspm"), "noise").unwrap();
    for (arguments, expected) in [
        (
            &[
                "fit",
                "ratings.csv",
                "-o",
                "x.bspm",
                "--filter",
                "bspm",
                "--memory-budget",
                "300",
            ][..],
            "a truncated SVD of 6 items with 6 vectors needs ",
        ),
        (
            &["fit", "ratings.csv", "-o", "x.bspm", "--user-column", "who"],
            "ratings.csv: expected a column \"who\", found user, item, rating, at",
        ),
        (
            &["fit", "ratings.csv", "-o", "x.bspm", "--filter", "slim"],
            "invalid value 'slim' for '--filter <NAME>'",
        ),
        (
            &[
                "fit",
                "ratings.csv",
                "-o",
                "x.bspm",
                "--filter",
                "gf-cf",
                "--beta",
                "1",
            ],
            "do not apply to the filter gf-cf",
        ),
        (
            &[
                "fit",
                "ratings.csv",
                "-o",
                "x.bspm",
                "--filter",
                "gf-cf",
                "--set",
                "alpha=x",
            ],
            "--set alpha=x: alpha: expected a number, found \"x\"",
        ),
        (
            &[
                "fit",
                "ratings.csv",
                "-o",
                "x.bspm",
                "--filter",
                "gf-cf",
                "--set",
                "beta=1",
            ],
            "--set beta=1: setting: expected factor_dim, alpha, offset, found \"beta\"",
        ),
        (
            &[
                "fit",
                "ratings.csv",
                "-o",
                "x.bspm",
                "--filter",
                "gf-cf",
                "--set",
                "alpha=-1",
            ],
            "alpha: expected a finite number, 0 or above, found -1",
        ),
        (
            &["fit", "empty.csv", "-o", "x.bspm"],
            "empty.csv: expected at least one interaction, found none",
        ),
        (
            &["fit", "nowhere.csv", "-o", "x.bspm"],
            "cannot read nowhere.csv",
        ),
        (
            &["fit", "ratings.xml", "-o", "x.bspm"],
            "ratings.xml: expected a file name that ends in .csv",
        ),
        (
            &["fit", "ratings.csv", "-o", "nowhere/x.bspm", "--no-idl"],
            "cannot write nowhere/x.bspm",
        ),
        (
            &["recommend", "noise.bspm", "ann"],
            "noise.bspm: expected a bspm model (a complete safetensors file)",
        ),
        (
            &["recommend", "shop.bspm", "nobody"],
            "user \"nobody\" is unknown",
        ),
        (
            &["recommend", "shop.bspm", "ann", "-k0"],
            "k: expected at least 1, found 0",
        ),
        (
            &["recommend", "shop.bspm"],
            "required arguments were not provided",
        ),
        (
            &["evaluate", "--train", "ratings.csv", "--last-out"],
            "expected a data set with times",
        ),
        (
            &[
                "evaluate",
                "--model",
                "shop.bspm",
                "--test",
                "ratings.csv",
                "--beta",
                "1",
            ],
            "cannot be used with",
        ),
        (
            &["evaluate", "--train", "ratings.csv", "--ratio", "2"],
            "ratio: expected",
        ),
    ] {
        let found = error(&bspm(folder, arguments));
        assert!(found.contains(expected), "{arguments:?}: {found}");
    }
    let mut left: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(
        left,
        ["empty.csv", "noise.bspm", "ratings.csv", "shop.bspm"]
    );
}

#[test]
fn a_sweep_sorts_its_rows_and_writes_them_everywhere() {
    let shop = shop();
    let folder = shop.path();
    let sweep = [
        "sweep",
        "ratings.csv",
        "--last-out",
        "--time-column",
        "at",
        "--sharpen-time",
        "0.5:1.5:0.5",
        "--factor-dim",
        "1",
        "--beta",
        "0.1,0.3",
        "-k",
        "2,1",
        "--json",
    ];
    let plain = stdout(&bspm(folder, &sweep));
    let files = [
        "--csv",
        "rows.csv",
        "--plot",
        "rows.svg",
        "--checkpoint",
        "done.json",
    ];
    let lines = stdout(&bspm(folder, &[&sweep[..], &files].concat()));
    assert_eq!(lines, plain);
    let rows = json_lines(&lines);
    assert_eq!(rows.len(), 12);
    let ndcg: Vec<f64> = rows
        .iter()
        .filter(|row| row["k"] == 2)
        .map(|row| row["ndcg"].as_f64().unwrap())
        .collect();
    assert!(ndcg.is_sorted_by(|left, right| left >= right), "{ndcg:?}");

    let csv = fs::read_to_string(folder.join("rows.csv")).unwrap();
    assert_eq!(csv.lines().count(), 13);
    assert!(csv.starts_with("blur_solver,blur_time,blur_steps,sharpen_solver,"));
    let svg = fs::read_to_string(folder.join("rows.svg")).unwrap();
    for text in ["NDCG@2", "T_s", "beta 0.1", "beta 0.3"] {
        assert!(svg.contains(text), "no {text}");
    }
    let png = [&sweep[..], &["--plot", "rows.png"]].concat();
    stdout(&bspm(folder, &png));
    let png = fs::read(folder.join("rows.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG") && png.len() > 5_000);

    // A completed checkpoint is not computed again, and is not used with other settings.
    let again = bspm(folder, &[&sweep[..], &files].concat());
    assert!(String::from_utf8_lossy(&again.stderr).contains("done.json: 4 users are done"));
    assert_eq!(stdout(&again), plain);
    let other = [
        "sweep",
        "ratings.csv",
        "--ratio",
        "0.7",
        "--no-idl",
        "--checkpoint",
        "done.json",
    ];
    let refused = error(&bspm(folder, &other));
    assert!(
        refused.contains("done.json: expected a checkpoint of this sweep, found one of other data"),
        "{refused}"
    );
    for (arguments, expected) in [
        (
            &["--sharpen-time", "3:1:1"][..],
            "--sharpen-time: expected START:END:STEP",
        ),
        (&["--plot", "rows.pdf"], "ends in .svg or .png"),
        (
            &["--beta", "-1"],
            "beta: expected a finite number, 0 or above, found -1",
        ),
    ] {
        let arguments = [&["sweep", "ratings.csv", "--ratio", "0.3"], arguments].concat();
        let refused = error(&bspm(folder, &arguments));
        assert!(refused.contains(expected), "{arguments:?}: {refused}");
    }
}

#[test]
fn an_exported_neighbour_table_has_what_its_model_serves_from() {
    let shop = shop();
    let folder = shop.path();
    let export = [
        "export",
        "neighbours",
        "shop.bspm",
        "-k",
        "9",
        "-o",
        "table.parquet",
        "--model-output",
        "table.bspm",
    ];
    let said = bspm(folder, &export);
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains("agreement with the model: "), "{said}");
    let lists = |model: &str| {
        let lists = stdout(&bspm(
            folder,
            &["recommend", model, "ann", "-k", "2", "--json"],
        ));
        json_lines(&lists)[0]["items"].clone()
    };
    let items = |list: serde_json::Value| -> Vec<String> {
        let entries = list.as_array().cloned().unwrap_or_default();
        entries.iter().map(|it| it["item"].to_string()).collect()
    };
    assert_eq!(items(lists("table.bspm")), items(lists("shop.bspm")));
    for file in ["table.parquet", "table.items.parquet"] {
        let file = fs::File::open(folder.join(file)).unwrap();
        let rows = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        assert!(rows.metadata().file_metadata().num_rows() > 0);
    }
    // The neighbour table of a neighbour table is the table itself.
    let again = [&["export", "neighbours", "table.bspm"][..], &export[3..7]].concat();
    let before = fs::read(folder.join("table.parquet")).unwrap();
    assert!(bspm(folder, &again).status.success());
    assert_eq!(fs::read(folder.join("table.parquet")).unwrap(), before);
    for (arguments, expected) in [
        (&["-k", "0", "-o", "none.parquet"][..], "keep: expected"),
        (&["-o", "none.csv"], "ends in .parquet"),
        (&["-o", "no/folder/none.parquet"], "cannot write"),
    ] {
        let arguments = [&["export", "neighbours", "shop.bspm"][..], arguments].concat();
        let refused = error(&bspm(folder, &arguments));
        assert!(refused.contains(expected), "{arguments:?}: {refused}");
    }
    assert!(!folder.join("none.parquet").exists());
}

#[cfg(not(feature = "mcp"))]
#[test]
fn the_model_context_protocol_needs_its_feature() {
    let shop = shop();
    for arguments in [&["mcp", "shop.bspm"][..], &["serve", "shop.bspm", "--mcp"]] {
        let refused = error(&bspm(shop.path(), arguments));
        let expected = "no Model Context Protocol; hint: build with --features mcp";
        assert!(refused.contains(expected), "{arguments:?}: {refused}");
    }
}

#[cfg(not(feature = "otlp"))]
#[test]
fn the_export_of_spans_needs_its_feature() {
    let shop = shop();
    let refused = error(&bspm(shop.path(), &["serve", "shop.bspm", "--otlp"]));
    let expected = "--otlp: this program has no OpenTelemetry; hint: build with --features otlp";
    assert!(refused.contains(expected), "{refused}");
}

#[test]
fn completions_name_the_subcommands() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let text = stdout(&bspm(folder.path(), &["completions", shell]));
        for name in ["recommend", "--minimum-score", "inspect"] {
            assert!(
                text.contains(name.trim_start_matches('-')),
                "{shell}: no {name}"
            );
        }
    }
}

#[test]
fn a_search_goes_on_from_its_checkpoint_and_saves_the_best_model() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let number = |place: u32| place.wrapping_mul(2_654_435_761) >> 8;
    let mut table = String::from("user,item,plays,at\n");
    for user in 0..90_u32 {
        for step in 0..9 {
            let item = user % 6 * 12 + number(user * 9 + step) % 12;
            table += &format!("u{user},i{item},{},{}\n", 1 + number(step) % 5, step * 7);
        }
    }
    fs::write(folder.join("plays.csv"), table).unwrap();
    let search = |output: &str, checkpoint: &str| -> Vec<serde_json::Value> {
        let arguments = [
            "tune",
            "plays.csv",
            "-o",
            output,
            "--trials",
            "40",
            "-k",
            "5",
            "--json",
            "--top",
            "99",
            "--time-column",
            "at",
            "--weight-column",
            "plays",
            "--weight",
            "log",
            "--half-life",
            "30",
            "--csv",
            "trials.csv",
            "--plot",
            "trials.svg",
            "--checkpoint",
            checkpoint,
        ];
        let mut trials = json_lines(&stdout(&bspm(folder, &arguments)));
        for trial in &mut trials {
            let trial = trial.as_object_mut().unwrap();
            trial.remove("fit_seconds");
            trial.remove("score_seconds");
        }
        trials
    };
    let whole = search("whole.bspm", "whole.tune");
    assert_eq!(whole.len(), 40);
    let svg = fs::read_to_string(folder.join("trials.svg")).unwrap();
    for text in [
        "40 trials: ndcg@5 against time",
        "seconds for fitting",
        "item-knn",
        "best: ",
    ] {
        assert!(svg.contains(text), "no {text}");
    }
    let trials = fs::read_to_string(folder.join("whole.tune")).unwrap();
    assert_eq!(trials.lines().count(), 41);
    for end in [trials.len() / 3, trials.len() * 9 / 10, 20] {
        fs::write(folder.join("cut.tune"), &trials[..end]).unwrap();
        assert_eq!(search("cut.bspm", "cut.tune"), whole);
    }
    let config = |model: &str| {
        json_lines(&stdout(&bspm(folder, &["inspect", model, "--json"])))[0]["config"].clone()
    };
    assert_eq!(config("whole.bspm"), whole[0]["config"]);
    assert_eq!(config("cut.bspm"), whole[0]["config"]);
    let rows = fs::read_to_string(folder.join("trials.csv")).unwrap();
    assert_eq!(rows.lines().count(), 41);

    let other = [
        "tune",
        "plays.csv",
        "--trials",
        "2",
        "--checkpoint",
        "whole.tune",
    ];
    let refused = bspm(folder, &other);
    assert!(error(&refused).contains("expected trials of a search with the same data"));
    for (arguments, expected) in [
        (
            &["tune", "plays.csv", "--time", "soon"][..],
            "expected a number of minutes",
        ),
        (
            &["tune", "plays.csv", "--filters", "slim"],
            "invalid value 'slim'",
        ),
        (
            &["fit", "plays.csv", "-o", "x", "--half-life", "0d"],
            "expected a number above 0",
        ),
        (
            &["fit", "plays.csv", "-o", "x", "--weight", "cube"],
            "weight: expected linear, log",
        ),
        (
            &["fit", "plays.csv", "-o", "x", "--k-core", "999"],
            "--k-core: expected a value that keeps",
        ),
    ] {
        let message = error(&bspm(folder, arguments));
        assert!(message.contains(expected), "{message}");
        assert!(!folder.join("x").exists());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_an_error_and_no_panic() {
    let shop = shop();
    let full = || {
        fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap()
    };
    let command = |arguments: &[&str]| command(shop.path(), arguments);
    let refit = [
        "fit",
        "ratings.csv",
        "-o",
        "again.bspm",
        "--factor-dim",
        "2",
    ];
    let told = command(&refit).stderr(full()).status().unwrap();
    assert_eq!(told.code(), Some(0), "the model is written");
    assert!(shop.path().join("again.bspm").exists());
    let refused = command(&["fit", "missing.csv", "-o", "x.bspm"])
        .stderr(full())
        .status();
    assert_eq!(refused.unwrap().code(), Some(1));
    for arguments in [
        &["recommend", "shop.bspm", "ann"][..],
        &["inspect", "shop.bspm", "--json"],
        &[
            "evaluate",
            "--train",
            "ratings.csv",
            "--ratio",
            "0.4",
            "--factor-dim",
            "1",
        ],
        &["completions", "bash"],
    ] {
        let output = command(arguments).stdout(full()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        assert!(error(&output).contains("No space left"), "{output:?}");
    }
}

#[test]
fn a_sweep_measures_what_evaluate_does_of_weighted_files_with_ids_in_another_order() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let train = "user,item,count\na,x,9\na,y,1\nb,x,1\nb,z,6\nc,y,5\nc,z,1\nd,x,3\nd,v,8\n";
    fs::write(folder.join("train.csv"), train).unwrap();
    let same_ids = "user,item,count\nd,z,1\nd,y,1\nc,v,1\nb,v,1\nb,y,1\na,z,1\nc,x,1\n";
    let other_ids = "user,item,count\nc,x,1\na,w,1\nb,y,1\na,v,1\n";
    for test in [same_ids, other_ids] {
        fs::write(folder.join("test.csv"), test).unwrap();
        let common =
            "--test test.csv --weight-column count -k 1,2 --json --beta 0.3 --factor-dim 2";
        let common: Vec<&str> = common.split(' ').collect();
        let sweep = [
            &["sweep", "train.csv", "--sharpen-time", "1.0"],
            &common[..],
        ]
        .concat();
        let evaluate = ["evaluate", "--train", "train.csv", "--sharpen-time", "1.0"];
        let evaluate = [&evaluate[..], &common].concat();
        let swept = json_lines(&stdout(&bspm(folder, &sweep)));
        let evaluated = json_lines(&stdout(&bspm(folder, &evaluate)));
        assert_eq!((swept.len(), evaluated.len()), (2, 2));
        for (swept, evaluated) in swept.iter().zip(&evaluated) {
            for metric in ["k", "recall", "ndcg"] {
                assert_eq!(swept[metric], evaluated[metric], "{metric} of {test}");
            }
        }
    }
}
