//! Help, tables and errors of the tool as snapshots in `snapshots/`. `INSTA_UPDATE=always cargo test
//! -p bspm-cli snapshots` updates them; their differences show what a change means for users.

use insta::{Settings, assert_snapshot};

use crate::shop::{bspm, error, shop, stdout};

const COMMANDS: [&str; 18] = [
    "describe",
    "fit",
    "recommend",
    "score",
    "similar",
    "explain",
    "refit",
    "evaluate",
    "evaluate-log",
    "sweep",
    "tune",
    "inspect",
    "export",
    "serve",
    "mcp",
    "schema",
    "demo",
    "completions",
];

#[test]
fn help_of_every_command() {
    let folder = tempfile::tempdir().unwrap();
    assert_snapshot!("help", stdout(&bspm(folder.path(), &["--help"])));
    for command in COMMANDS {
        let help = stdout(&bspm(folder.path(), &[command, "--help"]));
        assert_snapshot!(format!("help_{command}"), help);
    }
}

#[test]
fn tables_of_a_small_shop() {
    let folder = shop();
    let mut settings = Settings::clone_current();
    // Values that depend on the rounding of the processor.
    settings.add_filter(r"residual \d\.\de-\d+", "residual [residual]");
    settings.add_filter(r"[0-9a-f]{32}", "[hash]");
    let _bound = settings.bind_to_scope();
    for (name, arguments) in [
        (
            "recommend",
            &["recommend", "shop.bspm", "ann", "-k", "3"][..],
        ),
        ("similar", &["similar", "shop.bspm", "tea", "-k", "3"]),
        (
            "explain",
            &["explain", "shop.bspm", "grinder", "--user", "ann"],
        ),
        ("inspect", &["inspect", "shop.bspm"]),
        (
            "describe",
            &["describe", "ratings.csv", "--time-column", "at"],
        ),
    ] {
        assert_snapshot!(name, stdout(&bspm(folder.path(), arguments)));
    }
}

#[test]
fn errors() {
    let folder = shop();
    std::fs::write(
        folder.path().join("broken.csv"),
        "user,item\nann,tea\nbob\n",
    )
    .unwrap();
    std::fs::write(folder.path().join("short.bspm"), "bspm").unwrap();
    for (name, arguments) in [
        ("missing_file", &["fit", "nowhere.csv", "-o", "x.bspm"][..]),
        (
            "missing_column",
            &["fit", "ratings.csv", "-o", "x.bspm", "--user-column", "who"],
        ),
        ("missing_field", &["fit", "broken.csv", "-o", "x.bspm"]),
        ("unknown_user", &["recommend", "shop.bspm", "zoe"]),
        ("no_model", &["inspect", "short.bspm"]),
        (
            "setting_out_of_range",
            &["fit", "ratings.csv", "-o", "x.bspm", "--beta", "-1"],
        ),
        (
            "unknown_filter",
            &["fit", "ratings.csv", "-o", "x.bspm", "--filter", "als"],
        ),
    ] {
        assert_snapshot!(
            format!("error_{name}"),
            error(&bspm(folder.path(), arguments))
        );
    }
}
