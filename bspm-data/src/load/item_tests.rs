//! Tests that read item tables from text files.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::{
    Format, InvalidRow, ItemColumnKind, ItemTable, ItemTableOptions, ItemValue, ReadReport, Result,
    TableOptions,
};

/// A temporary folder with one file.
struct File {
    path: PathBuf,
    _folder: TempDir,
}

fn file(name: &str, text: impl AsRef<[u8]>) -> File {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    File {
        path,
        _folder: folder,
    }
}

fn read(
    name: &str,
    text: impl AsRef<[u8]>,
    options: &ItemTableOptions,
) -> Result<(ItemTable, ReadReport)> {
    ItemTable::read_files([&file(name, text).path], None, options)
}

/// The message of an error, without the folder.
fn refusal(name: &str, text: impl AsRef<[u8]>, options: &ItemTableOptions) -> String {
    let file = file(name, text);
    let error = ItemTable::read_files([&file.path], None, options).unwrap_err();
    let folder = file.path.parent().unwrap().display().to_string() + "/";
    error.to_string().replace(&folder, "")
}

fn usual() -> ItemTableOptions {
    ItemTableOptions::new()
}

#[test]
fn every_format_of_text_gives_the_same_table() {
    let csv = "item,title,price,in_stock\n7,\"Tea, green\",4.5,true\n08,Milk,,false\n";
    let tsv = csv
        .replace("\"Tea, green\"", "Tea; green")
        .replace(',', "\t");
    let json = concat!(
        r#"{"item": 7, "title": "Tea, green", "price": 4.5, "in_stock": true}"#,
        "\n\n",
        r#"{"in_stock": false, "item": "08", "title": "Milk", "price": null}"#,
        "\n",
    );
    let recbole = "item_id:token\ttitle:token_seq\tprice:float\tin_stock:token\n\
                   7\tTea, green\t4.5\ttrue\n08\tMilk\t\tfalse\n";
    let tsv = tsv.replace("Tea; green", "Tea, green");
    let expected = read("items.csv", csv, &usual()).unwrap().0;
    assert_eq!(
        (expected.title("7"), expected.title("08")),
        (Some("Tea, green"), Some("Milk"))
    );
    assert_eq!(expected.value("7", "price"), Some(ItemValue::Number(4.5)));
    assert_eq!(expected.value("08", "price"), None);
    assert_eq!(
        expected.value("08", "in_stock"),
        Some(ItemValue::Boolean(false))
    );
    let kinds: Vec<_> = expected.columns().iter().map(|it| it.kind()).collect();
    use ItemColumnKind::{Boolean, Number, Text};
    assert_eq!(kinds, [Text, Number, Boolean]);
    for (name, text) in [
        ("i.tsv", tsv.as_str()),
        ("i.jsonl", json),
        ("i.item", recbole),
    ] {
        let (table, report) = read(name, text, &usual()).unwrap();
        assert_eq!(table, expected, "{name}");
        let roles: Vec<_> = report
            .columns
            .iter()
            .filter_map(|it| it.role.as_deref())
            .collect();
        assert_eq!(
            (report.rows, roles),
            (2, vec!["id", "title", "number", "boolean"]),
            "{name}"
        );
    }
}

#[test]
fn columns_are_found_by_their_usual_names_or_those_given() {
    let title = |text: &str, options: &ItemTableOptions, item: &str| {
        let (table, _) = read("items.csv", text, options).unwrap();
        table.title(item).map(str::to_owned)
    };
    let text = "sku,NAME,item,Title\na,b,c,d\n";
    assert_eq!(title(text, &usual(), "c").as_deref(), Some("d"));
    assert_eq!(
        title(text, &usual().item_column("sku"), "a").as_deref(),
        Some("d")
    );
    assert_eq!(
        title(text, &usual().item_column("none"), "c").as_deref(),
        Some("d")
    );
    assert_eq!(
        title(text, &usual().id("sku").title("NAME"), "a").as_deref(),
        Some("b")
    );
    assert_eq!(
        title("code,name\na,b\n", &usual(), "a").as_deref(),
        Some("b")
    );
    for (text, expected) in [
        ("id,movie_title,studio name\na,b,c\n", Some("b")),
        ("id,product_name\na,b\n", Some("b")),
        ("id,product_name,brand_name\na,b,c\n", None),
        ("id,label\na,b\n", None),
    ] {
        assert_eq!(title(text, &usual(), "a").as_deref(), expected, "{text}");
        let (_, report) = read("items.csv", text, &usual()).unwrap();
        let warning = report
            .warnings
            .iter()
            .any(|it| it.contains("titles of the items"));
        assert_eq!(warning, expected.is_none(), "{text}");
    }
    for (text, options, expected) in [
        (
            "id,title\na,b\n",
            usual().title("Name"),
            "items.csv: expected a column \"Name\", found id, title",
        ),
        (
            "id,title\na,b\n",
            usual().id("sku"),
            "items.csv: expected a column \"sku\", found id, title",
        ),
        (
            "title,label\na,b\n",
            usual(),
            "title: expected a column other than the id column, found \"title\"",
        ),
        ("", usual(), "items.csv: expected a column \"item\", found "),
        (
            "item,title\n",
            usual(),
            "items.csv: expected at least one item, found none in 0 rows",
        ),
        (
            "item,title,title\na,b,c\n",
            usual(),
            "items.csv: expected columns with different names, found two columns \"title\"",
        ),
    ] {
        assert_eq!(refusal("items.csv", text, &options), expected);
    }
}

#[test]
fn invalid_rows_are_errors_with_line_and_value_or_counted() {
    let long = "x".repeat(100);
    let cases = [
        (
            "a.csv",
            "item,title\na,1\nb,2\na,3\n",
            "a.csv:4: item: expected an item that does not occur in an earlier row, found \"a\"",
        ),
        (
            "a.csv",
            "item,title\na,1\n,2\n",
            "a.csv:3: item: expected an item id, found \"\"",
        ),
        (
            "a.csv",
            "item,title\nnull,1\n",
            "a.csv:2: item: expected an item id, found \"null\"",
        ),
        (
            "a.csv",
            "item,title\na,1\nb\n",
            "a.csv:3: row: expected 2 fields, found 1",
        ),
        (
            "a.csv",
            "item,title\n\"a\nb\",1\n",
            "a.csv:2: item: expected an item id without a line break, found \"a\\nb\"",
        ),
        (
            "a.jsonl",
            "{\"item\": \"a\", \"title\": 1}\n{\"item\": \"a\"}\n",
            "a.jsonl:2: item: expected an item that does not occur in an earlier row, found \"a\"",
        ),
        (
            "a.jsonl",
            "{\"item\": 1.5, \"title\": 1}\n",
            "a.jsonl:1: item: expected an item id that is a string or a whole number, found \"1.5\"",
        ),
        (
            "a.jsonl",
            "{\"item\": 1, \"title\": 1}\n{\"title\": 2}\n",
            "a.jsonl:2: item: expected an item id, found \"\"",
        ),
        (
            "a.jsonl",
            "{\"item\": 1, \"title\": 1}\n7\n",
            "a.jsonl:2: row: expected a JSON object (invalid type: integer `7`, expected a JSON object), found \"7\"",
        ),
        (
            "a.jsonl",
            "[{\"item\": 1}, 7]\n",
            "a.jsonl:1: row: expected a JSON object (invalid type: integer `7`, expected a JSON object), found \"7\"",
        ),
        (
            "a.txt",
            "1 2\n",
            "a.txt: expected an item table in the format csv, tsv, jsonl, recbole or parquet, found the format lightgcn",
        ),
    ];
    for (name, text, expected) in cases {
        assert_eq!(refusal(name, text, &usual()), expected);
    }
    let shortened = refusal(
        "a.csv",
        format!("item,title\n{long},1\n{long},2\n"),
        &usual(),
    );
    assert!(
        shortened.ends_with("xxx…\"") && shortened.len() < 160,
        "{shortened}"
    );
    let latin = b"item,title\na,caf\xe9\n";
    assert_eq!(
        refusal("a.csv", latin, &usual()),
        "a.csv:2: title: expected text in UTF-8 (or set another encoding), found \"caf\u{fffd}\""
    );
    let skipping = usual().text(TableOptions::default().skip_invalid());
    let text = b"item,title\na,1\n,2\na,3\nb\nc,caf\xe9\nd,4\n";
    let (table, report) = read("a.csv", text, &skipping).unwrap();
    assert!(table.ids().iter().eq(["a", "d"]));
    let counts: Vec<_> = report.invalid.into_iter().collect();
    use InvalidRow::{Encoding, FieldCount, MissingItem, RepeatedItem};
    assert_eq!(
        counts,
        [
            (FieldCount, 1),
            (MissingItem, 1),
            (Encoding, 1),
            (RepeatedItem, 1)
        ]
    );
    assert!(
        report.warnings[0].contains("1 with a duplicate item"),
        "{:?}",
        report.warnings
    );
}

#[test]
fn options_of_text_apply_if_the_format_uses_them() {
    let text = TableOptions::new("buyer", "sku")
        .delimiter(b';')
        .encoding("latin1")
        .decimal_comma()
        .null_values(["-"]);
    let options = usual().item_column("sku").text(text);
    let csv = b"sku;title;price\na;caf\xe9;1,5\nb;-;-\n";
    let (table, _) = read("items.csv", csv, &options).unwrap();
    assert_eq!(table.title("a"), Some("café"));
    assert_eq!(table.value("a", "price"), Some(ItemValue::Number(1.5)));
    assert_eq!(
        (table.title("b"), table.value("b", "price")),
        (Some("-"), None)
    );
    let json = b"{\"sku\": \"a\", \"title\": \"caf\xe9\", \"price\": 1.5}\n";
    let (table, _) = read("items.jsonl", json, &options).unwrap();
    assert_eq!(table.value("a", "price"), Some(ItemValue::Number(1.5)));
    assert_eq!(table.title("a"), Some("café"));
}

#[test]
fn several_files_are_one_table_whose_columns_have_the_same_names() {
    let first = file("1.csv", "item,title\na,A\nb,B\n");
    let second = file(
        "2.jsonl",
        "{\"price\": 2, \"item\": \"c\", \"title\": \"C\"}\n",
    );
    let read = |paths: &[&PathBuf]| ItemTable::read_files(paths, None, &usual());
    let (table, report) = read(&[&first.path, &second.path]).unwrap();
    assert_eq!((table.len(), report.files.len()), (3, 2));
    assert_eq!(report.files[1].1, Format::JsonLines);
    assert_eq!(table.value("c", "price"), Some(ItemValue::Number(2.0)));
    assert_eq!(
        (table.value("a", "price"), table.title("b")),
        (None, Some("B"))
    );
    let third = file("3.csv", "title,code\nA,a\n");
    let error = read(&[&first.path, &third.path]).unwrap_err().to_string();
    assert!(
        error.ends_with("expected a column \"item\", found title, code"),
        "{error}"
    );
    assert!(read(&[&first.path, &first.path]).is_err());
    let none: [&PathBuf; 0] = [];
    assert!(read(&none).is_err());
}

#[test]
fn hostile_tables_are_refused_or_read_as_text() {
    let names: Vec<String> = (0..2000).map(|it| format!("c{it}")).collect();
    let wide = format!("item,title,{}\n", names.join(","));
    assert!(refusal("a.csv", wide, &usual()).contains("at most 1000"));
    let lines: String = (0..1100)
        .map(|it| format!("{{\"item\": {it}, \"title\": \"x\", \"c{it}\": 1}}\n"))
        .collect();
    assert!(refusal("a.jsonl", lines, &usual()).contains("at most 1000"));
    let keys: Vec<String> = (0..5000).map(|it| format!("\"c{it}\":1")).collect();
    let object = format!("{{{}}}\n", keys.join(","));
    assert!(refusal("a.jsonl", object, &usual()).contains("more than 1000 names"));
    let nested = format!(
        "{{\"item\": 1, \"title\": \"x\", \"deep\": {}1{}}}\n",
        "[".repeat(100),
        "]".repeat(100)
    );
    let (table, _) = read("a.jsonl", nested, &usual()).unwrap();
    assert_eq!(table.column("deep").unwrap().kind(), ItemColumnKind::Text);
    let odd = "item,title\n1,\"<script>\u{202e}\u{1b}[31m\n\"\n";
    let (table, _) = read("a.csv", odd, &usual()).unwrap();
    assert_eq!(table.title("1"), Some("<script>\u{202e}\u{1b}[31m\n"));
}

#[test]
fn the_id_column_is_a_usual_id_or_the_first_column() {
    for (header, id) in [
        ("title,movieId,rating", "x2"),
        ("title,sku,rating", "x2"),
        ("title,item,movieId", "x2"),
        // A first column `id` is the id, and a word alone is none.
        ("id,title,sku", "x1"),
        ("code,title,artist", "x1"),
        ("code,title,product", "x1"),
    ] {
        let table = read("a.csv", format!("{header}\nx1,x2,x3\n"), &usual())
            .unwrap()
            .0;
        assert!(table.title(id).is_some(), "{header}");
    }
}
