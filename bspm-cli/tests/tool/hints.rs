//! Files whose format is not the one of their name: the hint of the error reads them, and gives the same model as a
//! plain file.

use crate::cases::Folder;

/// User, item, rating and time: 8 users, 8 items, 32 pairs.
fn rows() -> Vec<[u32; 4]> {
    let of_user = |user: u32| {
        [0, 1, 3, 6].map(|step| {
            let time = 881_250_000 + 1000 * user + step;
            [
                user + 1,
                101 + (user + step) % 8,
                1 + (user + step) % 5,
                time,
            ]
        })
    };
    (0..8).flat_map(of_user).collect()
}

/// The first fields of each row.
fn lines(fields: usize, delimiter: &str) -> String {
    let line = |row: [u32; 4]| row.map(|it| it.to_string())[..fields].join(delimiter) + "\n";
    rows().into_iter().map(line).collect()
}

/// The flags and their values in the hint of an error.
fn hinted(message: &str) -> Vec<&str> {
    let (_, hint) = message
        .split_once("hint: ")
        .unwrap_or_else(|| panic!("no hint: {message}"));
    let hint = hint.split_once("as in ").map_or(hint, |it| it.1);
    let (_, flags) = hint
        .split_once("--")
        .unwrap_or_else(|| panic!("no flag: {message}"));
    let mut rest = &hint[hint.len() - flags.len() - 2..];
    let mut found = Vec::new();
    while rest.starts_with("--") {
        let (flag, value) = rest.split_once(' ').unwrap();
        let (value, after) = match value.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').unwrap(),
            None => value.split_at(value.find([' ', ',', ';', '\n']).unwrap_or(value.len())),
        };
        // Names of columns have commas.
        let names = after
            .split([' ', ';', '\n'])
            .next()
            .filter(|it| !it.is_empty() && flag == "--no-header");
        let value = names.map_or(value, |names| {
            &rest[flag.len() + 1..][..value.len() + names.len()]
        });
        rest = rest[rest.find(value).unwrap() + value.len()..].trim_start_matches(['\'', ' ']);
        found.extend([flag, value]);
    }
    found
}

/// Checks that a file is refused with a hint that has the flags `expected`, and that these read the data of the plain
/// file.
fn assert_hint(folder: &Folder, name: &str, given: &[&str], expected: &str, plain: &[u8]) {
    let message = folder.refused(&[&[name], given].concat().join(" "));
    let flags = hinted(&message);
    assert_eq!(flags.join(" "), expected, "{name}: {message}");
    let (model, _) = folder.fit_with(&[&[name][..], &flags].concat());
    assert!(model == plain, "{name}: {message}");
}

fn with_plain() -> (Folder, Vec<u8>) {
    let folder = Folder::new();
    folder.write("plain.csv", format!("user,item\n{}", lines(2, ",")));
    let (plain, _) = folder.fit("plain.csv");
    (folder, plain)
}

#[test]
fn the_header_of_a_text_file_is_not_read_as_a_row() {
    let (folder, plain) = with_plain();
    for (name, header, delimiter, flags) in [
        ("tabs.txt", "user_id\titem_id\trating", "\t", "--format tsv"),
        (
            "spaces.txt",
            "userId movieId rating",
            " ",
            "--format csv --delimiter  ",
        ),
        ("commas.txt", "user_id,item_id,rating", ",", "--format csv"),
        (
            "other.txt",
            "from node|to node|rating",
            "|",
            "--format csv --delimiter | --user-column from node --item-column to node",
        ),
    ] {
        folder.write(name, format!("{header}\n{}", lines(3, delimiter)));
        assert_hint(&folder, name, &[], flags, &plain);
    }
}

#[test]
fn json_and_tables_are_told_apart() {
    let (folder, plain) = with_plain();
    for (name, start) in [
        ("objects.log", "{"),
        ("objects.csv", "{"),
        ("spaced.txt", "{ "),
    ] {
        let objects = rows()
            .into_iter()
            .map(|[user, item, ..]| format!("{start}\"user\":{user},\"item\":{item}}}\n"));
        folder.write(name, objects.collect::<String>());
        let message = folder.refused(name);
        assert!(message.contains("use --format jsonl"), "{message}");
        assert_eq!(
            folder.fit(&format!("{name} --format jsonl")).0,
            plain,
            "{name}"
        );
    }
    folder.write("table.json", format!("user,item\n{}", lines(2, ",")));
    assert_hint(&folder, "table.json", &[], "--format csv", &plain);
}

#[test]
fn the_contents_of_a_file_tell_its_format() {
    let (folder, plain) = with_plain();
    folder.write("ratings.txt", lines(4, "::"));
    folder.write(
        "timed.csv",
        format!("user,item,rating,time\n{}", lines(4, ",")),
    );
    let (timed, _) = folder.fit("timed.csv --time-column time");
    assert_hint(&folder, "ratings.txt", &[], "--format movielens", &timed);
    let names = "--no-header user,item,rating,time";
    for (name, fields, delimiter, given, flags) in [
        (
            "commas.txt",
            3,
            ",",
            &[][..],
            "--format csv --no-header user,item,rating",
        ),
        ("u.data", 4, "\t", &[], &format!("--format tsv {names}")),
        (
            "u1.base",
            4,
            "\t",
            &["--format", "csv"],
            &format!("--format tsv {names}"),
        ),
        ("u.data", 4, "\t", &["--format", "tsv"], names),
        (
            "ua.test",
            4,
            ";",
            &[],
            &format!("--format csv --delimiter ; {names}"),
        ),
        ("tabs.dat", 4, "\t", &[], &format!("--format tsv {names}")),
        ("numbers.csv", 3, ",", &[], "--no-header user,item,rating"),
        (
            "pipes.csv",
            2,
            "|",
            &[],
            "--delimiter | --no-header user,item",
        ),
        (
            "large.txt",
            2,
            "\t",
            &["--format", "csv", "--no-header", "user,item,n"],
            "--format tsv --no-header user,item",
        ),
    ] {
        folder.write(name, lines(fields, delimiter));
        let message = folder.refused(&[&[name], given].concat().join(" "));
        let hint = hinted(&message);
        assert_eq!(hint.join(" "), *flags, "{name}: {message}");
        let given: &[&str] = match flags.starts_with("--format") {
            true => &[],
            false => &given[..given.len().min(2)],
        };
        let (model, _) = folder.fit_with(&[&[name][..], given, &hint].concat());
        assert!(model == plain, "{name}: {message}");
    }
    folder.write(
        "graph.txt",
        format!("# Edges\n# user item\n{}", lines(2, "\t")),
    );
    let flags = "--format tsv --comment # --no-header user,item";
    assert_hint(&folder, "graph.txt", &[], flags, &plain);
    // Texts alone do not tell whether the first line is a header.
    folder.write("words.txt", "who\twhat\nann\ttea\nbob\tmilk\n");
    let message = folder.refused("words.txt");
    assert!(
        message.contains("use --format tsv, and --no-header user,item ("),
        "{message}"
    );
    assert!(
        message.contains("if the first line is an interaction"),
        "{message}"
    );
    let message = folder.refused("words.txt --format tsv");
    assert!(
        message.contains("set the columns of the ids with --user-column"),
        "{message}"
    );
    folder.write("wide.data", "1\t2\t3\t4\t5\n2\t2\t3\t4\t6\n");
    let message = folder.refused("wide.data");
    let expected =
        "use --format tsv --no-header with the names of all 5 columns, two of them user and item";
    assert!(message.contains(expected), "{message}");
}

#[test]
fn a_wrong_number_of_names_is_told() {
    let (folder, plain) = with_plain();
    folder.write("u.data", lines(4, "\t"));
    let given = ["--format", "tsv", "--no-header", "user,item"];
    let message = folder.refused(&[&["u.data"][..], &given].concat().join(" "));
    assert!(
        message.contains(
            "row: expected 2 fields, found 4; hint: use --no-header user,item,rating,time"
        ),
        "{message}"
    );
    let names = [
        "u.data",
        "--format",
        "tsv",
        "--no-header",
        "user,item,rating,time",
    ];
    assert!(folder.fit_with(&names).0 == plain);
    // The same hint if all rows are skipped.
    let message = folder.refused("u.data --format tsv --no-header user,item --skip-invalid");
    let expected = "32 with a wrong number of fields (line 1: 4 fields); hint: use --no-header user,item,rating,time";
    assert!(message.contains(expected), "{message}");
    // A row that differs from the others.
    folder.write("one.csv", lines(2, ",") + "1,2,3\n");
    let message = folder.refused("one.csv --no-header user,item");
    assert!(
        message.contains("found 3; hint: use --skip-invalid"),
        "{message}"
    );
}

#[test]
fn market_baskets_and_matrices_need_a_row_for_each_item() {
    let folder = Folder::new();
    let baskets = [
        "milk,bread,tea,soap",
        "milk",
        "bread,tea",
        "soap,milk",
        "tea,soap,bread",
        "milk,tea,bread,soap,salt",
        "salt",
        "milk,salt",
        "bread,salt,tea,soap",
    ];
    let number = |item: &str| {
        ["milk", "bread", "tea", "soap", "salt"]
            .iter()
            .position(|it| *it == item)
            .unwrap()
    };
    let numbers = baskets.map(|basket| {
        let items: Vec<String> = basket
            .split(',')
            .map(|it| (36 + number(it)).to_string())
            .collect();
        items.join(" ") + " "
    });
    folder.write("baskets.csv", baskets.join("\n"));
    folder.write("baskets.txt", baskets.join("\n"));
    folder.write("retail.dat", numbers.join("\n"));
    let expected = "hint: the lines look like lists of items without a user; write a row for each item, with the number \
                    of the line as the user";
    for fit in [
        "baskets.csv",
        "baskets.csv --no-header user,item,c,d",
        "baskets.txt",
        "retail.dat",
    ] {
        let message = folder.refused(fit);
        assert!(message.contains(expected), "{message}");
        assert_eq!(
            message.contains("use --format lightgcn"),
            fit == "retail.dat",
            "{message}"
        );
    }
    let basket_rows = baskets.iter().enumerate().flat_map(|(line, basket)| {
        basket
            .split(',')
            .map(move |item| format!("{},{item}\n", line + 1))
    });
    folder.write(
        "rows.csv",
        format!("user,item\n{}", basket_rows.collect::<String>()),
    );
    let (_, told) = folder.fit("rows.csv");
    assert!(
        told.contains("9 users x 5 items, 24 interactions"),
        "{told}"
    );

    // The first user and the first item have no 0, so that the ids have the same order without the zeros.
    let value = |user: usize, item: usize| match user * item {
        0 => 1,
        product => (product + user) % 4,
    };
    let names: Vec<String> = (0..20).map(|item| format!("product_{item}")).collect();
    let row = |user: usize| {
        (0..20)
            .map(|item| format!(",{}", value(user, item)))
            .collect::<String>()
    };
    let matrix_rows = (0..9).map(|user| format!("{user}{}\n", row(user)));
    folder.write(
        "matrix.csv",
        format!(
            "user_id,{}\n{}",
            names.join(","),
            matrix_rows.collect::<String>()
        ),
    );
    let message = folder.refused("matrix.csv");
    let melt = "if each of the 20 columns is an item, write a row for each user and item, as with pandas: \
                table.melt(\"user_id\", var_name=\"item\", value_name=\"weight\").dropna(), and use --weight-column weight";
    assert!(message.contains(melt), "{message}");
    let pairs = (0..20).flat_map(|item| (0..9).map(move |user| (user, item, value(user, item))));
    let rows = |keeps: fn(usize) -> bool| {
        let kept = pairs.clone().filter(|it| keeps(it.2));
        let kept = kept.map(|(user, item, value)| format!("{user},product_{item},{value}\n"));
        format!("user_id,item,weight\n{}", kept.collect::<String>())
    };
    folder.write("long.csv", rows(|_| true));
    folder.write("plain.csv", rows(|value| value > 0));
    let (long, _) = folder.fit("long.csv --weight-column weight");
    assert!(long == folder.fit("plain.csv --weight-column weight").0);
}

#[test]
fn skipped_rows_have_an_example_and_its_hint() {
    let folder = Folder::new();
    let table = |time: fn(u32) -> String| {
        let row = |[user, item, day, _]: [u32; 4]| format!("{user},{item},{}\n", time(20 + day));
        format!(
            "user,item,at\n{}",
            rows().into_iter().map(row).collect::<String>()
        )
    };
    folder.write("plain.csv", table(|day| format!("2010-12-{day}")));
    folder.write(
        "days.csv",
        table(|day| format!("{day}/12/10")) + ",5,21/12/10\n",
    );
    let message = folder.refused("days.csv --time-column at --skip-invalid");
    let found = "found none in 33 rows: 1 with a missing user (line 34), 32 with ";
    assert!(message.contains(found), "{message}");
    assert!(message.contains("(line 2: \"21/12/10\")"), "{message}");
    assert!(!message.contains("use --skip-invalid"), "{message}");
    let flags = hinted(&message);
    assert_eq!(flags, ["--time-format", "%d/%m/%y"], "{message}");
    let given = ["days.csv", "--time-column", "at", "--skip-invalid"];
    let (model, told) = folder.fit_with(&[&given[..], &flags].concat());
    assert!(model == folder.fit("plain.csv --time-column at").0);
    let expected = "1 of 33 rows are skipped: 1 with a missing user (line 34)";
    assert!(told.contains(expected), "{told}");
}

#[test]
fn pointers_of_git_lfs_are_not_data() {
    let (folder, _) = with_plain();
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:5ccf\nsize 282343524\n";
    let expected = "found a Git LFS pointer instead of the data; hint: run `git lfs pull`";
    for ending in [
        "csv", "tsv", "jsonl", "json", "txt", "dat", "inter", "csv.gz", "npz", "parquet",
    ] {
        let name = format!("clicks.{ending}");
        folder.write(&name, pointer);
        let message = folder.refused(&name);
        assert!(message.contains(expected), "{name}: {message}");
    }
    for ending in ["csv", "tsv", "jsonl", "item", "parquet"] {
        let name = format!("items.{ending}");
        folder.write(&name, pointer);
        let message = folder.refused(&format!("plain.csv --items {name}"));
        assert!(message.contains(expected), "{name}: {message}");
    }
}
