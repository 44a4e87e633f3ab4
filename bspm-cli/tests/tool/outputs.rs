//! Output files: no input is replaced, files are complete, and their contents are unambiguous.

use std::fs;
use std::path::Path;

use crate::shop::{RATINGS, bspm, error, json_lines, shop, stdout};

const TUNE: [&str; 6] = [
    "tune",
    "ratings.csv",
    "--filters",
    "popularity",
    "--trials",
    "1",
];

const SWEEP: [&str; 7] = [
    "sweep",
    "ratings.csv",
    "--last-out",
    "--time-column=at",
    "--no-idl",
    "--sharpen-time",
    "1",
];

#[test]
fn an_output_that_is_an_input_is_refused_before_anything_is_read() {
    let shop = shop();
    let folder = shop.path();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    write("users.csv", "ann\n");
    write("people.csv", "user\nann\n");
    // Invalid data: the output files are checked before the data is read.
    write("broken.csv", "nothing of the kind\n");
    write("config.json", "no configuration");
    for name in ["lists", "parts", "parts/deep"] {
        fs::create_dir(folder.join(name)).unwrap();
    }
    write("parts/a.csv", RATINGS);
    write("parts/deep/b.csv", RATINGS);
    write("lists/part-000000.parquet", "a table");
    fs::hard_link(folder.join("ratings.csv"), folder.join("linked.csv")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("ratings.csv", folder.join("link.csv")).unwrap();
    #[cfg(not(unix))]
    fs::hard_link(folder.join("ratings.csv"), folder.join("link.csv")).unwrap();
    let fit = |data: &'static str, output: &'static str| vec!["fit", data, "-o", output];
    let tune = |rest: &[&'static str]| [&TUNE[..], rest].concat();
    let sweep = |rest: &[&'static str]| [&SWEEP[..], rest].concat();
    let before = contents(folder);
    for (arguments, expected) in [
        (fit("broken.csv", "broken.csv"), "the input broken.csv"),
        (fit("ratings.csv", "./ratings.csv"), "the input ratings.csv"),
        (
            fit("ratings.csv", "parts/../ratings.csv"),
            "the input ratings.csv",
        ),
        (fit("ratings.csv", "link.csv"), "the input ratings.csv"),
        (fit("link.csv", "ratings.csv"), "the input link.csv"),
        (fit("linked.csv", "ratings.csv"), "the input linked.csv"),
        (fit("parts", "parts/deep/b.csv"), "parts"),
        (
            fit("parts", "parts/deep/new.bspm"),
            "the input folder parts",
        ),
        (fit("parts/*.csv", "parts/a.csv"), "the input parts/a.csv"),
        (
            [
                &fit("ratings.csv", "config.json")[..],
                &["--config", "config.json"],
            ]
            .concat(),
            "the input config.json",
        ),
        (
            vec!["refit", "shop.bspm", "ratings.csv", "-o", "ratings.csv"],
            "the input ratings.csv",
        ),
        (tune(&["-o", "ratings.csv"]), "--output ratings.csv"),
        (tune(&["--csv", "ratings.csv"]), "--csv ratings.csv"),
        (
            tune(&["--checkpoint", "ratings.csv"]),
            "--checkpoint ratings.csv",
        ),
        (
            tune(&["-o", "x", "--csv", "./x"]),
            "the same file as --output x",
        ),
        (sweep(&["--csv", "ratings.csv"]), "--csv ratings.csv"),
        (
            sweep(&["--checkpoint", "ratings.csv"]),
            "--checkpoint ratings.csv",
        ),
        (
            sweep(&["--csv", "x.svg", "--plot", "x.svg"]),
            "--plot x.svg: the output is the same file as --csv x.svg",
        ),
        (
            vec![
                "recommend",
                "shop.bspm",
                "--users-from",
                "users.csv",
                "-o",
                "users.csv",
            ],
            "the input users.csv",
        ),
        (
            vec!["score", "shop.bspm", "people.csv", "-o", "people.csv"],
            "the input people.csv",
        ),
        (
            vec![
                "score",
                "shop.bspm",
                "lists/part-000000.parquet",
                "-o",
                "lists",
            ],
            "the folder contains the input lists/part-000000.parquet",
        ),
        (
            vec![
                "export",
                "neighbours",
                "shop.bspm",
                "-o",
                "x.parquet",
                "--model-output",
                "shop.bspm",
            ],
            "--model-output shop.bspm: the output would replace the input shop.bspm",
        ),
        (
            vec![
                "export",
                "neighbours",
                "shop.bspm",
                "-o",
                "x.parquet",
                "--model-output",
                "x.items.parquet",
            ],
            "the same file as",
        ),
    ] {
        let found = error(&bspm(folder, &arguments));
        assert!(found.contains(expected), "{arguments:?}: {found}");
    }
    assert_eq!(contents(folder), before);
    // A model file may be replaced by a new model.
    stdout(&bspm(folder, &["refit", "shop.bspm", "-o", "shop.bspm"]));
}

/// The files of a folder and their bytes.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// A replaced file is a new file, so a process that reads the old file can read all of it.
#[cfg(unix)]
#[test]
fn tables_and_plots_are_replaced_as_a_whole() {
    use std::os::unix::fs::MetadataExt;
    let shop = shop();
    let folder = shop.path();
    let outputs = [
        "rows.csv",
        "rows.svg",
        "rows.png",
        "trials.csv",
        "trials.svg",
    ];
    let inode = |name: &str| fs::metadata(folder.join(name)).unwrap().ino();
    let mut held = Vec::new();
    for name in outputs {
        fs::write(folder.join(name), "before").unwrap();
        // An open file keeps its inode.
        held.push((inode(name), fs::File::open(folder.join(name)).unwrap()));
    }
    stdout(&bspm(
        folder,
        &[&SWEEP[..], &["--csv", "rows.csv", "--plot", "rows.svg"]].concat(),
    ));
    stdout(&bspm(
        folder,
        &[&SWEEP[..], &["--plot", "rows.png"]].concat(),
    ));
    stdout(&bspm(
        folder,
        &[&TUNE[..], &["--csv", "trials.csv", "--plot", "trials.svg"]].concat(),
    ));
    for (name, (before, file)) in outputs.iter().zip(held) {
        assert_ne!(inode(name), before, "{name}");
        assert_eq!(std::io::read_to_string(file).unwrap(), "before", "{name}");
    }
    // A pipe or a device is written to.
    let text = stdout(&bspm(
        folder,
        &[&SWEEP[..], &["--csv", "/dev/stdout"]].concat(),
    ));
    assert!(text.starts_with("blur_solver,"), "{text}");
}

#[cfg(unix)]
#[test]
fn a_model_keeps_its_owner_and_no_rights_to_run_and_dangling_links_are_refused() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
    let shop = shop();
    let folder = shop.path();
    let model = folder.join("shop.bspm");
    let fit = ["fit", "ratings.csv", "--no-idl", "-o"];
    fs::set_permissions(&model, PermissionsExt::from_mode(0o6640)).unwrap();
    // Only root may give files away.
    let is_given = chown(&model, Some(4321), Some(8765)).is_ok();
    if is_given {
        fs::set_permissions(&model, PermissionsExt::from_mode(0o6640)).unwrap();
    }
    let before = fs::metadata(&model).unwrap();
    stdout(&bspm(folder, &[&fit[..], &["shop.bspm"]].concat()));
    let after = fs::metadata(&model).unwrap();
    assert_ne!(after.ino(), before.ino());
    assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
    assert_eq!(after.mode() & 0o7777, 0o640);

    symlink("nowhere.bspm", folder.join("dangling.bspm")).unwrap();
    let refused = error(&bspm(folder, &[&fit[..], &["dangling.bspm"]].concat()));
    assert!(
        refused.contains(
            "cannot write dangling.bspm: expected a file, found a symbolic link to nowhere.bspm"
        ),
        "{refused}"
    );
    assert!(folder.join("dangling.bspm").is_symlink());
    // A link to a file is kept.
    symlink("shop.bspm", folder.join("link.bspm")).unwrap();
    stdout(&bspm(folder, &[&fit[..], &["link.bspm"]].concat()));
    assert!(folder.join("link.bspm").is_symlink());
}

#[test]
fn tables_escape_what_a_terminal_would_obey() {
    let shop = shop();
    let folder = shop.path();
    let lines = [
        r#"{"user": "ann", "item": "tea"}"#,
        r#"{"user": "ann", "item": "milk"}"#,
        r#"{"user": "bob", "item": "milk"}"#,
        r#"{"user": "bob", "item": "a\u001b[2J\tb\u202ed\u2066e"}"#,
    ];
    fs::write(folder.join("odd.jsonl"), lines.join("\n")).unwrap();
    stdout(&bspm(
        folder,
        &["fit", "odd.jsonl", "-o", "odd.bspm", "--no-idl"],
    ));
    let recommend = ["recommend", "odd.bspm", "ann", "-k", "1"];
    let table = stdout(&bspm(folder, &recommend));
    assert!(
        table.contains(r"a\u{1b}[2J\tb\u{202e}d\u{2066}e"),
        "{table}"
    );
    assert_eq!(table.lines().count(), 2);
    let json = stdout(&bspm(folder, &[&recommend[..], &["--json"]].concat()));
    let list = &json_lines(&json)[0];
    assert_eq!(list["items"][0]["item"], "a\u{1b}[2J\tb\u{202e}d\u{2066}e");
}

#[test]
fn a_column_has_one_name_and_one_kind_of_value() {
    let shop = shop();
    let folder = shop.path();
    // No user connects nails with the items of cid.
    let islands = RATINGS.to_owned() + "gil,nails,5,1\nhal,nails,5,1\n";
    fs::write(folder.join("islands.csv"), islands).unwrap();
    stdout(&bspm(folder, &["fit", "islands.csv", "-o", "islands.bspm"]));
    let recommend = [
        "recommend",
        "islands.bspm",
        "cid",
        "-k",
        "5",
        "-o",
        "lists.csv",
    ];
    stdout(&bspm(folder, &recommend));
    let csv = fs::read_to_string(folder.join("lists.csv")).unwrap();
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    assert_eq!(
        lines.next().unwrap(),
        ["user", "rank", "item", "score", "fallback"]
    );
    let mut filled = 0;
    for row in lines {
        match row[4] {
            "true" => assert_eq!(row[3], ""),
            _ => assert!(row[3].parse::<f64>().unwrap() != 0.0, "{csv}"),
        }
        filled += usize::from(row[4] == "true");
    }
    assert!(filled > 0, "{csv}");

    // In a column of numbers, the settings of a disabled process are empty.
    let sweep = [
        "sweep",
        "ratings.csv",
        "--last-out",
        "--time-column=at",
        "--no-idl",
    ];
    let table = stdout(&bspm(
        folder,
        &[&sweep[..], &["--sharpen-time=off,1"]].concat(),
    ));
    assert!(
        table.contains("sharpen_time") && !table.contains("off"),
        "{table}"
    );

    for (header, flags, column) in [
        ("user,score", &["--long"][..], "score"),
        ("user,rank", &["--long"], "rank"),
        ("user,item", &["--long"], "item"),
        ("user,items", &[], "items"),
        ("user,scores", &[], "scores"),
        ("user,place,place", &[], "place"),
        ("user,user", &[], "user"),
    ] {
        let row = header
            .split(',')
            .map(|_| "ann")
            .collect::<Vec<_>>()
            .join(",");
        fs::write(folder.join("people.csv"), format!("{header}\n{row}\n")).unwrap();
        let score = ["score", "shop.bspm", "people.csv", "-o", "lists"];
        let refused = error(&bspm(folder, &[&score[..], flags].concat()));
        let named = format!("{column:?}");
        assert!(
            refused.contains("people.csv") && refused.contains(&named),
            "{refused}"
        );
    }
    // These names are allowed if the lists do not use them.
    fs::write(folder.join("people.csv"), "user,score\nann,7\n").unwrap();
    stdout(&bspm(
        folder,
        &["score", "shop.bspm", "people.csv", "-o", "lists"],
    ));
}
