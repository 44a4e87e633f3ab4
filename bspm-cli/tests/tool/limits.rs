//! Errors for commands that would exhaust the machine, or replace a valid model with a damaged one.

use std::fs;

use crate::shop::{bspm, command, error, shop};

#[test]
fn a_million_threads_are_refused() {
    let shop = shop();
    let fit = [
        "fit",
        "ratings.csv",
        "-o",
        "other.bspm",
        "--threads",
        "1000000",
    ];
    let refused = error(&bspm(shop.path(), &fit));
    for part in ["--threads", "1000000", "1024"] {
        assert!(refused.contains(part), "{refused}");
    }
    let serve = ["serve", "shop.bspm", "--workers", "1000000"];
    let refused = error(&bspm(shop.path(), &serve));
    for part in ["--workers", "1000000", "1024"] {
        assert!(refused.contains(part), "{refused}");
    }
}

#[test]
fn a_model_that_is_of_no_use_takes_no_good_one_with_it() {
    let shop = shop();
    let path = shop.path().join("shop.bspm");
    let before = fs::read(&path).unwrap();
    let fit = ["fit", "ratings.csv", "-o", "shop.bspm", "--factor-dim", "2"];
    let refused = error(&bspm(
        shop.path(),
        &[&fit[..], &["--beta", "3.4e38"]].concat(),
    ));
    assert!(refused.contains("beta: expected a value"), "{refused}");
    let weights = "user,item,count\na,x,1e20\na,y,1e20\nb,x,1\nb,z,1\n";
    fs::write(shop.path().join("weights.csv"), weights).unwrap();
    let fit = [
        "fit",
        "weights.csv",
        "-o",
        "shop.bspm",
        "--weight-column",
        "count",
    ];
    let refused = error(&bspm(
        shop.path(),
        &[&fit[..], &["--filter", "item-knn"]].concat(),
    ));
    assert!(refused.contains("weight: expected weights"), "{refused}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn the_budget_holds_for_filters_without_singular_vectors() {
    let shop = shop();
    for filter in [
        "ease-r",
        "ease-dan",
        "item-knn",
        "rp3beta",
        "turbo-cf",
        "popularity",
    ] {
        let fit = [
            "fit",
            "ratings.csv",
            "-o",
            "other.bspm",
            "--memory-budget",
            "20",
        ];
        let refused = error(&bspm(
            shop.path(),
            &[&fit[..], &["--filter", filter]].concat(),
        ));
        assert!(
            refused.contains("the memory budget has 20"),
            "{filter}: {refused}"
        );
    }
}

#[test]
fn counts_beyond_their_ranges_are_refused_with_the_range() {
    let shop = shop();
    let most = u64::MAX.to_string();
    let half = (1_u64 << 63).to_string();
    let (most, half) = (most.as_str(), half.as_str());
    let evaluate = ["evaluate", "ratings.csv", "--folds"];
    let score = ["score", "shop.bspm", "-o", "out"];
    let serve = ["serve", "shop.bspm", "--address", "127.0.0.1:0"];
    for (command, rest, expected) in [
        (
            &evaluate[..],
            &["1000000000"][..],
            "folds: expected at most 3, the largest number of interactions",
        ),
        (&evaluate, &[most], "folds: expected at most 3"),
        (&evaluate, &["0"], "at least 2 folds"),
        (&score, &["--part-rows", half], "from 1 to 2147483647"),
        (&score, &["--part-rows", most], "from 1 to 2147483647"),
        (&score, &["--part-rows", "0"], "from 1 to 2147483647"),
        (&score, &["-k", most], "from 1 to 2147483647"),
        (&serve, &["--timeout", most], "1..=86400"),
        (&serve, &["--timeout", "0"], "1..=86400"),
        (&serve, &["--queue", most], "1..=65536"),
        (&serve, &["--queue", "0"], "1..=65536"),
        (&serve, &["--workers", most], "1..=1024"),
        (&serve, &["--workers", "0"], "1..=1024"),
        (&serve, &["--connections", most], "1..=1000000"),
        (&serve, &["--connections", "0"], "1..=1000000"),
    ] {
        let arguments = [command, rest].concat();
        let refused = error(&bspm(shop.path(), &arguments));
        assert!(refused.contains(expected), "{arguments:?}: {refused}");
        assert!(!refused.contains("panicked"), "{arguments:?}: {refused}");
    }
}

#[test]
fn lists_may_be_asked_for_longer_than_they_can_be() {
    let shop = shop();
    let most = u64::MAX.to_string();
    let most = most.as_str();
    for arguments in [
        &["recommend", "shop.bspm", "ann", "-k", most][..],
        &["similar", "shop.bspm", "tea", "-k", most],
        &[
            "score",
            "shop.bspm",
            "-o",
            "out",
            "-k",
            "2147483647",
            "--part-rows",
            "2147483647",
        ],
        &["evaluate", "ratings.csv", "--ratio", "0.4", "-k", most],
        &[
            "export",
            "neighbours",
            "shop.bspm",
            "-o",
            "n.parquet",
            "-k",
            most,
            "--sample",
            most,
        ],
        &[
            "tune",
            "ratings.csv",
            "--trials",
            "1",
            "-k",
            most,
            "--time",
            "1e15",
            "--top",
            most,
        ],
    ] {
        let found = bspm(shop.path(), arguments);
        let told = String::from_utf8(found.stderr).unwrap();
        assert!(
            matches!(found.status.code(), Some(0 | 1)),
            "{arguments:?}: {told}"
        );
        assert!(!told.contains("panicked"), "{arguments:?}: {told}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn logs_that_nobody_takes_end_no_command() {
    let shop = shop();
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    for arguments in [
        &["recommend", "shop.bspm", "ann"][..],
        &["fit", "ratings.csv", "-o", "again.bspm", "--no-idl"],
    ] {
        let mut logged = command(shop.path(), arguments);
        logged
            .env("BSPM_LOG", "trace")
            .stderr(full.try_clone().unwrap());
        assert!(logged.output().unwrap().status.success(), "{arguments:?}");
        // The shell closes the stream before it starts the program.
        let mut closed = std::process::Command::new("sh");
        closed.args(["-c", "exec \"$0\" \"$@\" 2>&-", env!("CARGO_BIN_EXE_bspm")]);
        closed
            .args(arguments)
            .env("BSPM_LOG", "trace")
            .current_dir(shop.path());
        assert!(closed.output().unwrap().status.success(), "{arguments:?}");
    }
    // A pipe that nobody reads.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut logged = command(shop.path(), &["recommend", "shop.bspm", "ann"]);
    logged.env("BSPM_LOG", "trace").stderr(writer);
    assert!(logged.output().unwrap().status.success());
}
