//! Files that are easily misread: each gives the same data set as a plain file, or a warning, or an error whose hint
//! works.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, StringArray};

use crate::cases::Folder;
use crate::shop::{error, stdout, told};

/// Checks that each command on standard error has a text.
fn assert_told(folder: &Folder, cases: &[(&str, &str)]) {
    for (arguments, expected) in cases {
        let (_, told) = folder.fit(arguments);
        assert!(told.contains(expected), "{arguments}: {told}");
    }
}

#[test]
fn values_inside_json_objects_are_named_by_paths() {
    let folder = Folder::new();
    folder.write("plain.csv", "user,item,n\na,x,2\na,y,1\nb,x,3\n");
    let row = |user: &str, item: &str, n: u32| {
        format!(
            "{{\"_id\":{{\"$oid\":\"{user}\"}},\"order\":{{\"id\":7,\"product\":{{\"id\":\"{item}\",\"n\":{n}}}}}}}\n"
        )
    };
    folder.write(
        "nested.jsonl",
        row("a", "x", 2) + &row("a", "y", 1) + &row("b", "x", 3),
    );
    let (plain, _) = folder.fit("plain.csv --weight-column n");
    let paths =
        "--user-column _id.$oid --item-column order.product.id --weight-column order.product.n";
    assert_eq!(folder.fit(&format!("nested.jsonl {paths}")).0, plain);

    let message = folder.refused("nested.jsonl --user-column _id.$oid --item-column product.id");
    let names = "found _id.$oid, order.id, order.product.id, order.product.n";
    assert!(message.contains(names), "{message}");
    // A key with a point is a key, and a missing member is a missing value.
    folder.write(
        "keys.jsonl",
        "{\"u\":\"a\",\"p.id\":\"x\"}\n{\"u\":\"b\",\"p\":{\"id\":\"x\"}}\n{\"u\":\"c\",\"p\":{\"n\":1}}\n",
    );
    let flags = "--user-column u --item-column p.id";
    let message = folder.refused(&format!("keys.jsonl {flags}"));
    assert!(message.contains("keys.jsonl:3: p.id: "), "{message}");
    folder.write(
        "twice.jsonl",
        "{\"u\":\"a\",\"p.id\":\"x\",\"p\":{\"id\":\"y\"}}\n",
    );
    let message = folder.refused(&format!("twice.jsonl {flags}"));
    assert!(message.contains("duplicate name"), "{message}");
}

#[test]
fn an_array_of_objects_and_objects_of_several_lines_are_read() {
    let folder = Folder::new();
    folder.write("plain.csv", "user,item\na,x\na,y\nb,x\n");
    let (plain, _) = folder.fit("plain.csv");
    for (name, text) in [
        (
            "array.json",
            r#"[{"user":"a","item":"x"},{"user":"a","item":"y"},{"user":"b","item":"x"}]"#,
        ),
        (
            "pretty.json",
            "[\n  {\n    \"user\": \"a\",\n    \"item\": \"x\"\n  },\n  {\"user\": \"a\", \"item\": \"y\"},\n  \
             {\"user\": \"b\",\n \"item\": \"x\"}\n]\n",
        ),
        (
            "spread.json",
            "{\n\"user\": \"a\",\n\"item\": \"x\"\n}\n{\"user\": \"a\", \"item\": \"y\"}\n{\n\"user\": \"b\", \"item\": \
             \"x\"}\n",
        ),
    ] {
        folder.write(name, text);
        assert_eq!(folder.fit(name).0, plain, "{name}");
    }
    folder.write(
        "cut.json",
        "[{\"user\":\"a\",\"item\":\"x\"},\n{\"user\":\"a\"",
    );
    let message = folder.refused("cut.json --skip-invalid");
    assert!(
        message.contains("the object that starts in line 2 has no end"),
        "{message}"
    );
}

#[test]
fn a_table_in_one_object_and_formats_that_are_not_read_are_named() {
    let folder = Folder::new();
    for (name, text, what) in [
        (
            "columns.json",
            r#"{"user":{"0":"ann","1":"bob"},"item":{"0":"tea","1":"milk"}}"#,
            r#"found an object with an object for each column; hint: in pandas, write it with table.to_json(path, orient="records", lines=True)"#,
        ),
        (
            "split.json",
            r#"{"columns":["user","item"],"index":[0,1],"data":[["ann","tea"],["bob","milk"]]}"#,
            "found an object with an array of all rows; hint: in pandas",
        ),
        (
            "rows.json",
            r#"{"rows":[{"user":"ann","item":"tea"}]}"#,
            r#"found an object with the array "rows"; hint: convert it with jq -c '.["rows"][]'"#,
        ),
        (
            "python.json",
            "{'user': 'ann', 'item': 'tea'}\n{'user': 'bob', 'item': 'tea'}\n",
            "hint: the lines are dictionaries of Python; write each as JSON",
        ),
        (
            "netflix.txt",
            "1:\n1488844,3,2005-09-06\n822109,5,2005-05-13\n",
            "and use --no-header item,user,rating,time",
        ),
        (
            "netflix.csv",
            "1:\n1488844,3,2005-09-06\n822109,5,2005-05-13\n",
            "blocks of the Netflix Prize",
        ),
        (
            "vectors.svm",
            "0 1:1 7:3.5\n1 2:1\n",
            "sklearn.datasets.load_svmlight_file",
        ),
    ] {
        folder.write(name, text);
        let message = folder.refused(name);
        assert!(message.contains(what), "{message}");
    }
}

#[test]
fn ratings_in_32_bits_equal_the_threshold_that_they_are_written_as() {
    let folder = Folder::new();
    folder.write("plain.csv", "user,item,stars\na,x,4.1\na,y,0.1\nb,x,3.3\n");
    let texts = |values: [&str; 3]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    folder.write_parquet(
        "stars.parquet",
        [
            ("user", texts(["a", "a", "b"])),
            ("item", texts(["x", "y", "x"])),
            (
                "stars",
                Arc::new(Float32Array::from(vec![4.1, 0.1, 3.3])) as _,
            ),
        ],
    );
    for threshold in ["0.1", "3.3", "3.4", "4.1"] {
        let flags = format!("--rating-column stars --rating-threshold {threshold}");
        let (plain, _) = folder.fit(&format!("plain.csv {flags}"));
        assert_eq!(folder.fit(&format!("stars.parquet {flags}")).0, plain);
    }
}

#[test]
fn a_byte_order_mark_inside_a_file_is_not_a_part_of_an_id() {
    let folder = Folder::new();
    folder.write("plain.tsv", "a\tx\nb\tx\n");
    folder.write("joined.tsv", "\u{feff}a\tx\n\u{feff}b\tx\n");
    folder.write(
        "joined.jsonl",
        "{\"user\":\"a\",\"item\":\"x\"}\n\u{feff}{\"user\":\"b\",\"item\":\"x\"}\n",
    );
    let (plain, _) = folder.fit("plain.tsv --no-header user,item");
    assert_eq!(folder.fit("joined.tsv --no-header user,item").0, plain);
    assert_eq!(folder.fit("joined.jsonl").0, plain);
    folder.write("plain.txt", "0 1 2\n1 1\n");
    folder.write("joined.txt", "0 1 2\n\u{feff}1 1\n");
    assert_eq!(folder.fit("joined.txt").0, folder.fit("plain.txt").0);
}

#[test]
fn ids_that_are_likely_wrong_are_told() {
    let folder = Folder::new();
    folder.write("edges.txt", "1 900001 900002\n2 900001 5\n");
    folder.write("float.csv", "user,item\n1.0,a\n2.0,b\n1.0,b\n");
    folder.write(
        "comma.csv",
        "user;item\n1,23457E+11;a\n1,23457E+11;b\n9,87654E+11;b\n",
    );
    folder.write("object.csv", "user,item\n{'id':1},a\n{'id':2},a\n");
    folder.write("null.csv", "user,item\nNULL,a\nNA,a\nu1,a\nu2,b\n");
    folder.write("numbers.csv", "2,1,5\n3,1,4\n3,2,2\n2,4,1\n");
    assert_told(
        &folder,
        &[
            (
                "edges.txt",
                "only 3 of the item ids from 0 to 900002 have interactions",
            ),
            (
                "edges.txt",
                "hint: if the ids are not counted from 0, read the file as a table, with --format, --delimiter and --no-header",
            ),
            (
                "float.csv",
                "2 of 2 user ids are whole numbers with .0, such as \"1.0\"",
            ),
            (
                "comma.csv --delimiter ;",
                "2 user ids are numbers in scientific notation, such as \"1,23457E+11\"",
            ),
            (
                "object.csv",
                "2 user ids look like lists, such as \"{'id':1}\"",
            ),
            (
                "null.csv --skip-invalid",
                "set --null-values to all texts that mean one, with NA",
            ),
            (
                "null.csv --null-values NA --skip-invalid",
                "the user \"NULL\" has 1 interactions",
            ),
            (
                "numbers.csv --user-column 1 --item-column 2",
                "the names of the columns are numbers (2, 1, 5), so the first line may be an interaction; \
                 hint: if it is, set --no-header to the names of the columns",
            ),
        ],
    );
    let (_, told) = folder.fit("null.csv --null-values NULL,NA --skip-invalid");
    assert!(!told.contains("has 1 interactions"), "{told}");
    folder.write("large.txt", "1000001\t2000001\n1000001\t2000002\n");
    let message = folder.refused("large.txt");
    assert!(
        message.contains("use --format tsv --no-header user,item"),
        "{message}"
    );
    folder.fit("large.txt --format tsv --no-header user,item");
}

#[test]
fn a_decimal_comma_is_read_only_where_it_is_one() {
    let folder = Folder::new();
    let weights = |name: &str, rows: [&str; 2]| {
        folder.write(
            name,
            format!("user;item;n\na;x;{}\nb;y;{}\n", rows[0], rows[1]),
        );
    };
    let flags = "--weight-column n --delimiter ; --decimal-comma";
    for wrong in ["0.500", "1.5e3", "1,234,567", "$1,5"] {
        weights("wrong.csv", [wrong, "0,125"]);
        let message = folder.refused(&format!("wrong.csv {flags}"));
        assert!(message.contains(&format!("found {wrong:?}")), "{message}");
        assert!(!message.contains("set --decimal-comma"), "{message}");
    }
    weights("right.csv", ["1.500", "-0"]);
    weights("plain.csv", ["1500", "0"]);
    let plain = folder.fit("plain.csv --weight-column n --delimiter ;").0;
    assert_eq!(folder.fit(&format!("right.csv {flags}")).0, plain);

    weights("skipped.csv", ["like", "1"]);
    let flags = "--weight-column n --delimiter ; --skip-invalid";
    let (_, told) = folder.fit(&format!("skipped.csv {flags}"));
    assert!(!told.contains("--decimal-comma"), "{told}");
    weights("skipped.csv", ["1,5", "1"]);
    let (_, told) = folder.fit(&format!("skipped.csv {flags}"));
    let expected = "1 skipped weights have a comma; hint: set --decimal-comma to read 1,5 as 1.5";
    assert!(told.contains(expected), "{told}");
}

#[test]
fn spaces_around_ids_are_removed_on_request() {
    let folder = Folder::new();
    folder.write("plain.csv", "user,item,n\na,x y,2\na,y,1\nb,x y,3\n");
    folder.write(
        "spaces.csv",
        "user, item, n\na, x y, 2\n a , y, 1\nb,\tx y , 3\n",
    );
    folder.write("items.csv", "item, title\nx y, X\n y, Y\n");
    let flags = "--weight-column n --items items.csv --skip-invalid";
    let (plain, _) = folder.fit(&format!("plain.csv {flags} --trim-ids"));
    let (spaces, told) = folder.fit(&format!("spaces.csv {flags} --trim-ids"));
    assert_eq!(spaces, plain);
    assert!(!told.contains("start or end"), "{told}");
    let (kept, told) = folder.fit(&format!("spaces.csv {flags}"));
    assert_ne!(kept, plain);
    let hint = "which is part of the id; hint: --trim-ids removes the spaces";
    assert!(told.contains(hint), "{told}");
    folder.write("a.jsonl", "{\"user\": 1, \"item\": 2}\n");
    let message = folder.refused("a.jsonl --trim-ids");
    assert!(message.contains("--trim-ids has no effect"), "{message}");
}

#[test]
fn ids_in_two_unicode_forms_are_reported() {
    let folder = Folder::new();
    folder.write("a.csv", "user,item\nJos\u{e9},x\nJose\u{301},y\nann,x\n");
    let (_, told) = folder.fit("a.csv");
    assert!(
        told.contains("1 user ids differ from another user id only by"),
        "{told}"
    );
    assert!(
        told.contains("\"Jose\\u{301}\" and \"Jos\u{e9}\""),
        "{told}"
    );
    folder.write("b.csv", "user,item\nJose\u{301},x\nJose\u{301},y\nann,x\n");
    assert!(!folder.fit("b.csv").1.contains("differ"));
}

#[test]
fn added_weights_have_the_scale_of_the_model() {
    let folder = Folder::new();
    let rows = "user,item,n\na,x,3\na,y,15\nb,y,7\nb,z,1\nc,x,63\nc,z,1\n";
    folder.write("data.csv", rows);
    let (model, _) = folder.fit("data.csv --weight-column n --weight log");
    // The same rows again change nothing.
    for flags in ["", " --weight log"] {
        let again = format!("refit model.bspm data.csv -o again.bspm --weight-column n{flags}");
        stdout(&folder.run(&again));
        assert_eq!(
            std::fs::read(folder.path().join("again.bspm")).unwrap(),
            model
        );
    }
    let inspected = stdout(&folder.run("inspect model.bspm"));
    let has_scale = |line: &str| line.split_whitespace().eq(["weight", "scale", "log"]);
    assert!(inspected.lines().any(has_scale), "{inspected}");
    // New weights are scaled: log2(1 + 3) = 2.
    folder.write("more.csv", "user,item,n\nd,x,3\n");
    stdout(&folder.run("refit model.bspm more.csv -o more.bspm --weight-column n"));
    folder.write("all.csv", format!("{rows}d,x,3\n"));
    let more = std::fs::read(folder.path().join("more.bspm")).unwrap();
    assert_eq!(folder.fit("all.csv --weight-column n --weight log").0, more);
    folder.fit("data.csv --weight-column n --weight log");
    let other = "refit model.bspm data.csv -o again.bspm --weight-column n --weight linear";
    let refused = error(&folder.run(other));
    let expected = "--weight: expected log, the scale of the weights of the model, found linear";
    assert!(refused.contains(expected), "{refused}");
    folder.write(
        "rated.dat",
        "a::x::3::1\na::y::1::1\nb::x::4::2\nb::z::5::3\nc::z::1::4\n",
    );
    for (fit, refit, hint) in [
        (
            "data.csv --weight-column n --weight log",
            "data.csv",
            "set their column with --weight-column",
        ),
        (
            "rated.dat --weight-column rating --weight log",
            "rated.dat",
            "use the ratings as weights with --weight-column rating",
        ),
    ] {
        let (model, _) = folder.fit(fit);
        let told = told(&folder.run(&format!("refit model.bspm {refit} -o again.bspm")));
        assert!(
            told.contains("the new interactions have weight 1") && told.contains(hint),
            "{told}"
        );
        stdout(&folder.run(&format!("refit model.bspm {fit} -o again.bspm")));
        assert_eq!(
            std::fs::read(folder.path().join("again.bspm")).unwrap(),
            model
        );
    }
}
