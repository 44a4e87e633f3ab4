//! Runs the examples, and tests the download of their data.

mod program;
mod small_split;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use program::{error_text, example, run};
use serde_json::Value;
use small_split::small_split;

#[test]
fn json_is_one_object_with_every_documented_key() {
    let split = small_split();
    for name in ["gowalla", "yelp2018", "amazon_book"] {
        let mut command = example(name);
        command
            .args(["--json", "--k", "1,2"])
            .arg("--data")
            .arg(split.path());
        if name != "amazon_book" {
            command.args(["--factor-dim", "2"]);
        }
        let output = run(&mut command, ["--threads", "1"]);
        assert!(output.status.success(), "{output:?}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["dataset"]["users"], 4);
        assert_eq!(report["dataset"]["items"], 5);
        assert_eq!(report["dataset"]["train"], 9);
        assert_eq!(report["dataset"]["test"], 4);
        assert_eq!(report["dataset"]["synthetic"], false);
        assert_eq!(report["backend"], "cpu");
        assert_eq!(
            report["config"]["ideal_low_pass"].is_null(),
            name == "amazon_book"
        );
        for cutoff in ["1", "2"] {
            for metric in ["recall", "precision", "ndcg", "hit_rate", "mrr", "map"] {
                let value = report["metrics"][cutoff][metric].as_f64().unwrap();
                assert!((0.0..=1.0).contains(&value), "{metric}@{cutoff}: {value}");
            }
        }
        for stage in [
            "open_device",
            "load",
            "fit",
            "score",
            "rank",
            "evaluate",
            "total",
        ] {
            assert!(report["stages"][format!("{stage}_s")].as_f64().unwrap() >= 0.0);
        }
        if cfg!(target_os = "linux") {
            assert!(report["peak_rss_bytes"].as_u64().unwrap() > 0);
        }
    }
}

#[test]
fn the_table_names_the_data_the_model_and_the_stages() {
    let split = small_split();
    let mut command = example("gowalla");
    command.arg("--data").arg(split.path());
    let output = run(
        &mut command,
        [
            "--factor-dim",
            "2",
            "--sharpen-time",
            "1.5",
            "--merge",
            "late",
        ],
    );
    let text = String::from_utf8(output.stdout).unwrap();
    for expected in [
        "4 users x 5 items, 9 training and 4 test interactions",
        "  factor_dim          2\n",
        "  sharpen_solver      rk4\n",
        "  sharpen_time        1.5\n",
        "  merge               late\n",
        "recall",
        "total",
    ] {
        assert!(text.contains(expected), "no {expected:?} in\n{text}");
    }
}

#[test]
fn fewer_vectors_than_asked_for_are_a_warning_that_names_the_rank() {
    let split = small_split();
    let output = run(
        example("gowalla").arg("--data").arg(split.path()),
        ["--factor-dim", "50"],
    );
    assert!(output.status.success(), "{output:?}");
    let warning = String::from_utf8(output.stderr).unwrap();
    let expected = "warning: the matrix has rank 4, so 4 singular vectors are used instead of 50";
    assert!(warning.contains(expected), "{warning}");
}

#[test]
fn a_filter_that_fails_is_a_row_and_the_others_go_on() {
    let split = small_split();
    for flags in [&["--json"][..], &[]] {
        let mut command = example("gowalla");
        command
            .args(["--filters", "bspm,popularity", "--memory-budget", "300"])
            .args(flags)
            .arg("--data")
            .arg(split.path());
        let output = run(&mut command, ["--k", "2"]);
        assert!(!output.status.success(), "{output:?}");
        let rows = String::from_utf8(output.stdout).unwrap();
        let row = |filter: &str| {
            let is_of = |line: &&str| line.contains(filter) && !line.contains("settings");
            rows.lines().find(is_of).unwrap().to_owned()
        };
        let reason = "bytes of memory, but the memory budget has 300 bytes left";
        assert!(row("bspm").contains(reason), "{rows}");
        assert!(row("popularity").contains("0."), "{rows}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.ends_with("error: failed: bspm\n"), "{error}");
    }
}

#[test]
fn malformed_arguments_are_errors_before_anything_is_loaded() {
    let nowhere = ["--data", "/nonexistent"];
    for (arguments, expected) in [
        (
            &["--beta", "-1"][..],
            "beta: expected a finite number, 0 or above, found -1",
        ),
        (
            &["--blur-time", "0"],
            "blur_time: expected a number above 0, at most 1000, found 0",
        ),
        (&["--k", "0"], "k: expected one or more cut-offs"),
        (
            &["--sharpen-solver", "heun"],
            "sharpen_solver: expected euler, rk4, dormand-prince or exact",
        ),
        (&["--no-idl", "--beta", "1"], "cannot be used with"),
        (&["--synthetic", "--require-real"], "cannot be used with"),
        (&[], "cannot read /nonexistent"),
    ] {
        let error = error_text(&run(example("gowalla").args(nowhere), arguments));
        assert!(error.contains(expected), "no {expected:?} in\n{error}");
    }
}

#[test]
fn without_data_or_network_require_real_is_an_error_that_names_the_ways() {
    let cache = tempfile::tempdir().unwrap();
    let mut command = example("gowalla");
    command
        .env("BSPM_CACHE", cache.path())
        .env("BSPM_DATA", "/nonexistent")
        .env("BSPM_MIRROR", "http://127.0.0.1:1");
    let error = error_text(&run(&mut command, ["--require-real"]));
    for expected in [
        "no real gowalla data: http://127.0.0.1:1/gowalla/train.txt could not be fetched",
        "--data DIR",
        "BSPM_DATA=FOLDER, where FOLDER/gowalla holds them (now: nothing at /nonexistent/gowalla)",
        "downloaded from http://127.0.0.1:1/gowalla",
    ] {
        assert!(error.contains(expected), "no {expected:?} in\n{error}");
    }
    assert_eq!(
        fs::read_dir(cache.path()).unwrap().count(),
        0,
        "something was left behind"
    );
}

/// Serves each body once, in order, announcing the given length.
fn serve(bodies: Vec<(usize, &'static str)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (length, body) in bodies {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines
                .next()
                .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
            {}
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            )
            .unwrap();
        }
    });
    address
}

#[test]
fn a_download_that_is_not_the_whole_split_leaves_nothing_behind() {
    let wrong = ("0 1\n", "0 2\n");
    let cases = [
        (vec![(100, wrong.0)], "gowalla/train.txt"),
        (
            vec![(wrong.0.len(), wrong.0), (wrong.1.len(), wrong.1)],
            "are not the gowalla split: expected [29858, 40981, 810128, 217242] users, items, \
             training and test interactions, found [1, 3, 1, 1]",
        ),
        (
            vec![(6, "<html>"), (wrong.1.len(), wrong.1)],
            "are not the gowalla split: ",
        ),
    ];
    for (bodies, expected) in cases {
        let cache = tempfile::tempdir().unwrap();
        let mut command = example("gowalla");
        command
            .env("BSPM_CACHE", cache.path())
            .env("BSPM_MIRROR", serve(bodies));
        let error = error_text(&run(&mut command, ["--require-real"]));
        assert!(error.contains(expected), "no {expected:?} in\n{error}");
        assert_eq!(
            fs::read_dir(cache.path()).unwrap().count(),
            0,
            "something was left behind"
        );
    }
}
