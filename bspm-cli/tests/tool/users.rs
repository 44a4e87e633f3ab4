//! Tables of users and lists of users in common variants.

use std::fs::{self, File};
use std::path::Path;

use arrow_array::cast::AsArray;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::shop::{bspm, command, error, json_lines, shop, stdout};

/// The lists that `score` computes for a table, by user.
fn scored(folder: &Path, table: &str, rest: &[&str]) -> Vec<(String, Vec<String>)> {
    let score = ["score", "shop.bspm", table, "-o", "out", "-k", "6"];
    stdout(&bspm(folder, &[&score[..], rest].concat()));
    let file = File::open(folder.join("out/part-000000.parquet")).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let mut found = Vec::new();
    for batch in reader.build().unwrap().map(Result::unwrap) {
        let users = batch.column_by_name("user").unwrap().as_string::<i32>();
        let lists = batch.column_by_name("items").unwrap().as_list::<i32>();
        for (user, items) in users.iter().zip(lists.iter()) {
            let items = items.unwrap();
            let items = items.as_string::<i32>().iter().flatten();
            found.push((user.unwrap().to_owned(), items.map(str::to_owned).collect()));
        }
    }
    fs::remove_dir_all(folder.join("out")).unwrap();
    found
}

fn utf16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

/// A member of gzip with one stored block.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len() as u16;
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 1];
    let lengths = [length.to_le_bytes(), (!length).to_le_bytes()].concat();
    let crc = !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    });
    let tail = [crc.to_le_bytes(), u32::from(length).to_le_bytes()].concat();
    [&head[..], &lengths, bytes, &tail].concat()
}

/// A frame of Zstandard with one raw block.
fn zstandard(bytes: &[u8]) -> Vec<u8> {
    assert!(bytes.len() < 256);
    let length = bytes.len() as u8;
    let block = (u32::from(length) << 3 | 1).to_le_bytes();
    [&[0x28, 0xb5, 0x2f, 0xfd, 0x20, length], &block[..3], bytes].concat()
}

const TABLE: &str = "user, deny\r\nann,tea honey\r\nbob,tea\r\n";

#[test]
fn tables_of_users_are_read_as_tables_of_interactions_are() {
    let shop = shop();
    let folder = shop.path();
    let plain = TABLE.replace(", ", ",").replace("\r\n", "\n");
    fs::write(folder.join("plain.csv"), plain).unwrap();
    let expected = scored(folder, "plain.csv", &[]);
    assert_eq!(expected[0], ("ann".to_owned(), vec!["grinder".to_owned()]));
    let semicolons = TABLE.replace(',', ";");
    let with_mark = format!("\u{feff}{TABLE}");
    let objects = "{\"user\": \"ann\", \"deny\": [\"tea\", \"honey\"]}\n\n\
                   {\"deny\": [\"tea\"], \"user\": \"bob\"}\n";
    for (name, bytes, flags) in [
        ("spaced.csv", TABLE.as_bytes().to_vec(), &[][..]),
        ("MARKED.CSV", with_mark.into_bytes(), &[]),
        ("wide.csv", utf16(TABLE), &[]),
        ("packed.csv.gz", gzip(TABLE.as_bytes()), &[]),
        ("packed.csv.zst", zstandard(TABLE.as_bytes()), &[]),
        (
            "named.csv",
            format!("sep=;\r\n{semicolons}").into_bytes(),
            &[],
        ),
        ("other.csv", semicolons.into_bytes(), &["--delimiter", ";"]),
        (
            "tabs.tsv",
            TABLE.replace(", ", "\t").replace(',', "\t").into_bytes(),
            &[],
        ),
        ("old.csv", TABLE.replace("\r\n", "\r").into_bytes(), &[]),
        ("rows.jsonl", objects.as_bytes().to_vec(), &[]),
        ("rows.jsonl.gz", gzip(objects.as_bytes()), &[]),
        (
            "latin.csv",
            TABLE.as_bytes().to_vec(),
            &["--encoding", "latin1"],
        ),
    ] {
        fs::write(folder.join(name), bytes).unwrap();
        assert_eq!(scored(folder, name, flags), expected, "{name}");
    }
}

#[test]
fn a_column_that_is_almost_read_is_refused() {
    let shop = shop();
    let folder = shop.path();
    for (header, read, given) in [
        ("user,Deny", "deny", "Deny"),
        ("user,denied", "deny", "denied"),
        ("user,alow", "allow", "alow"),
        ("user,allowed", "allow", "allowed"),
        ("user,histories", "history", "histories"),
        ("history,weight", "weights", "weight"),
        ("User,history", "user", "User"),
        ("users,history", "user", "users"),
        ("history,d eny", "deny", "d eny"),
    ] {
        fs::write(folder.join("people.csv"), format!("{header}\nann,tea\n")).unwrap();
        let refused = error(&bspm(
            folder,
            &["score", "shop.bspm", "people.csv", "-o", "out"],
        ));
        for part in ["people.csv", &format!("{read:?}"), &format!("{given:?}")] {
            assert!(refused.contains(part), "{header}: {refused}");
        }
        assert!(!folder.join("out").exists());
    }
    for (text, expected) in [
        ("user;deny\nann;tea\n", "--delimiter ';'"),
        ("user\tdeny\nann\ttea\n", "--delimiter tab"),
        (
            "user,deny\nann,\"tea\nbob,\n",
            "people.csv:2: the quoted field",
        ),
        ("user,deny\nann\n", "people.csv:2: row: expected 2 fields"),
        (
            "user,deny\nann,tea,honey\n",
            "people.csv:2: row: expected 2 fields",
        ),
    ] {
        fs::write(folder.join("people.csv"), text).unwrap();
        let refused = error(&bspm(
            folder,
            &["score", "shop.bspm", "people.csv", "-o", "out"],
        ));
        assert!(refused.contains(expected), "{text}: {refused}");
    }
    for (text, expected) in [
        (
            "{\"user\": \"ann\"}\n{\"user\": \"bob\", \"deny\": []}\n",
            "people.jsonl:2",
        ),
        ("{\"user\": \"ann\", \"user\": \"bob\"}\n", "duplicate name"),
        ("[\"ann\"]\n", "people.jsonl:1"),
        ("{\"user\": \"ann\", \"Deny\": [\"tea\"]}\n", "\"deny\""),
    ] {
        fs::write(folder.join("people.jsonl"), text).unwrap();
        let refused = error(&bspm(
            folder,
            &["score", "shop.bspm", "people.jsonl", "-o", "out"],
        ));
        assert!(refused.contains(expected), "{text}: {refused}");
    }
    for (arguments, expected) in [
        (&["--delimiter", ";"][..], "no effect without a table"),
        (&["people.jsonl", "--delimiter", ";"], "--delimiter"),
    ] {
        let score = ["score", "shop.bspm", "-o", "out"];
        let refused = error(&bspm(folder, &[&score[..], arguments].concat()));
        assert!(refused.contains(expected), "{refused}");
    }
}

#[test]
fn lists_of_users_may_be_any_text() {
    let shop = shop();
    let folder = shop.path();
    let users = "ann\r\n\r\nbob\r\n";
    for (name, bytes) in [
        ("plain.txt", users.as_bytes().to_vec()),
        ("marked.txt", format!("\u{feff}{users}").into_bytes()),
        ("wide.txt", utf16(users)),
        ("packed.txt.gz", gzip(users.as_bytes())),
        ("packed.txt.zst", zstandard(users.as_bytes())),
        ("old.txt", users.replace("\r\n", "\r").into_bytes()),
    ] {
        fs::write(folder.join(name), &bytes).unwrap();
        let from_file = [
            "recommend",
            "shop.bspm",
            "-k1",
            "--json",
            "--users-from",
            name,
        ];
        let from_input = [
            "recommend",
            "shop.bspm",
            "-k1",
            "--json",
            "--users-from",
            "-",
        ];
        let mut piped = command(folder, &from_input);
        piped.stdin(File::open(folder.join(name)).unwrap());
        for output in [bspm(folder, &from_file), piped.output().unwrap()] {
            let lists = json_lines(&stdout(&output));
            let found: Vec<_> = lists
                .iter()
                .map(|list| list["user"].as_str().unwrap())
                .collect();
            assert_eq!(found, ["ann", "bob"], "{name}");
        }
    }
    fs::write(folder.join("bytes.txt"), b"ann\nb\xf6b\n").unwrap();
    let recommend = ["recommend", "shop.bspm", "--users-from", "bytes.txt"];
    let refused = error(&bspm(folder, &recommend));
    assert!(
        refused.contains("bytes.txt:2: line: expected text in UTF-8"),
        "{refused}"
    );
}
