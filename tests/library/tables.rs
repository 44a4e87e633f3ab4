//! Tables of interactions: correct results for files of other programs, and otherwise an error with the
//! reason and the place.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use bspm::data::{Format, Quoting, TableOptions};
use bspm::{Dataset, Error, Result};
use bspm_arrow::FromParquet;

type Pairs = Vec<(String, String)>;

fn pairs(dataset: &Dataset) -> Pairs {
    dataset
        .interactions()
        .pairs()
        .map(|(user, item)| {
            (
                dataset.users().id(user).unwrap().clone(),
                dataset.items().id(item).unwrap().clone(),
            )
        })
        .collect()
}

fn owned(pairs: &[(&str, &str)]) -> Pairs {
    pairs
        .iter()
        .map(|&(user, item)| (user.into(), item.into()))
        .collect()
}

fn movielens() -> TableOptions {
    TableOptions::new("userId", "movieId")
        .rating("rating")
        .time("timestamp")
        .rating_threshold(4.0)
}

fn parse(text: impl AsRef<[u8]>, options: &TableOptions) -> Result<Dataset> {
    Dataset::parse_csv(text.as_ref(), "ratings.csv", options)
}

#[test]
fn a_movielens_table_is_read_whatever_wrote_it() {
    let plain = "userId,movieId,rating,timestamp\n1,31,4.5,100\n1,32,3.5,200\n2,31,4.0,300\n";
    let expected = owned(&[("1", "31"), ("2", "31")]);
    for text in [
        plain.to_owned(),
        plain.replace('\n', "\r\n"),
        plain.replace('\n', "\r"),
        format!("\u{feff}{plain}"),
        format!("\u{feff}{}", plain.replace('\n', "\r\n")),
        plain.trim_end().to_owned(),
        plain.replace('\n', "\n\n"),
        plain
            .replace("userId", "\"userId\"")
            .replace("31", "\"31\""),
        plain.replace("userId,", " userId ,"),
        plain.replace(",4.5,", ", 4.5 ,"),
    ] {
        let dataset = parse(&text, &movielens()).unwrap();
        assert_eq!(pairs(&dataset), expected, "{text:?}");
        assert_eq!(dataset.times(), Some(&[100.0, 300.0][..]));
        assert_eq!(
            dataset.items().len(),
            1,
            "32 was rated below the threshold only"
        );
    }
}

#[test]
fn quoted_fields_hold_separators_quotes_and_line_breaks() {
    let text = "title,user,item\n\"Tea, \"\"green\"\"\",\"a,b\",\"x\"\"y\"\n\"two\nlines\",c,z\n";
    let dataset = parse(text, &TableOptions::new("user", "item")).unwrap();
    assert_eq!(pairs(&dataset), owned(&[("a,b", "x\"y"), ("c", "z")]));
}

#[test]
fn repeated_pairs_count_once_with_their_latest_time() {
    let text = "user,item,at\na,x,3\na,x,9\na,x,5\nb,x,1\n";
    let dataset = parse(text, &TableOptions::new("user", "item").time("at")).unwrap();
    assert_eq!(pairs(&dataset), owned(&[("a", "x"), ("b", "x")]));
    assert_eq!(dataset.times(), Some(&[9.0, 1.0][..]));
}

#[test]
fn tabs_and_tables_without_header_are_read() {
    let options = TableOptions::new("user", "item")
        .delimiter(b'\t')
        .without_header(["user", "item", "rating", "time"])
        .rating("rating")
        .rating_threshold(3.0);
    let dataset = parse(
        "\u{feff}196\t242\t3\t881250949\n186\t302\t2\t891717742\n",
        &options,
    );
    assert_eq!(pairs(&dataset.unwrap()), owned(&[("196", "242")]));
}

#[test]
fn quotes_are_ordinary_where_quoting_is_off() {
    let options = TableOptions::new("user", "item").quoting(Quoting::Off);
    let dataset = parse("user,item\na,5\" pipe\n", &options).unwrap();
    assert_eq!(pairs(&dataset), owned(&[("a", "5\" pipe")]));
}

#[test]
fn huge_ids_are_kept_or_refused_by_their_type() {
    let huge = "9".repeat(100_000);
    let text = format!("user,item\n{huge},18446744073709551615\n");
    let options = TableOptions::new("user", "item");
    assert_eq!(parse(&text, &options).unwrap().users().id(0), Some(&huge));
    let wide: Dataset<String, u64> =
        Dataset::parse_csv(text.as_bytes(), "f.csv", &options).unwrap();
    assert_eq!(wide.items().id(0), Some(&u64::MAX));

    let error = Dataset::<u64, u64>::parse_csv(text.as_bytes(), "f.csv", &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "f.csv:2: user: expected a user id that is a u64, found \"{}…\"",
            "9".repeat(60)
        )
    );
    let error = Dataset::<String, u32>::parse_csv(text.as_bytes(), "f.csv", &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        "f.csv:2: item: expected an item id that is a u32, found \"18446744073709551615\""
    );
}

#[test]
fn every_malformed_table_is_named_with_line_column_and_text() {
    let header = "userId,movieId,rating,timestamp\n";
    for (text, expected) in [
        (
            String::new(),
            "ratings.csv: expected at least one interaction, found none",
        ),
        (
            "\u{feff}".into(),
            "ratings.csv: expected at least one interaction, found none",
        ),
        (
            "\n\r\n".into(),
            "ratings.csv: expected at least one interaction, found none",
        ),
        (
            header.into(),
            "ratings.csv: expected at least one interaction, found none",
        ),
        (
            format!("{header}1,2,3.5,100\n"),
            "ratings.csv: expected at least one interaction, found none",
        ),
        (
            "userId,rating,timestamp\n1,4,5\n".into(),
            "ratings.csv: expected a column \"movieId\", found userId, rating, timestamp",
        ),
        (
            "userId;movieId;rating;timestamp\n1;2;4;5\n".into(),
            "ratings.csv: expected a column \"userId\", found userId;movieId;rating;timestamp",
        ),
        (
            "userId,movieId,userId,rating,timestamp\n1,2,3,4,5\n".into(),
            "ratings.csv: expected a column \"userId\", found two columns with this name",
        ),
        (
            format!("{header}1,2,4\n"),
            "ratings.csv:2: row: expected 4 fields, found 3",
        ),
        (
            format!("{header}1,2,4,5\n\n1,2,4,5,6\n"),
            "ratings.csv:4: row: expected 4 fields, found 5",
        ),
        (
            format!("{header}1,2,4,5\r\n,2,4,5\r\n"),
            "ratings.csv:3: userId: expected a user id, found \"\"",
        ),
        (
            format!("{header}1,\"\",4,5\n"),
            "ratings.csv:2: movieId: expected an item id, found \"\"",
        ),
        (
            format!("{header}1,2,good,5\n"),
            "ratings.csv:2: rating: expected a finite number, found \"good\"",
        ),
        (
            format!("{header}1,2,NaN,5\n"),
            "ratings.csv:2: rating: expected a finite number, found \"NaN\"",
        ),
        (
            format!("{header}1,2,5,\n"),
            "ratings.csv:2: timestamp: expected a finite number, or a date such as 2026-01-31 or 2026-01-31T12:30:00Z, found \"\"",
        ),
        (
            format!("{header}1,2,5,1e999\n"),
            "ratings.csv:2: timestamp: expected a finite number, or a date such as 2026-01-31 or 2026-01-31T12:30:00Z, found \"1e999\"",
        ),
        (
            format!("{header}1,\"2,5,7\n3,4,5,8\n"),
            "ratings.csv:2: the quoted field that starts on this line is never closed",
        ),
        (
            format!("{header}1,2,5,7\n3,4,5,\"8"),
            "ratings.csv:3: the quoted field that starts on this line is never closed",
        ),
        (
            format!("{header}1,\"2\n3\",5,7\n"),
            "ratings.csv:2: movieId: expected an item id without a line break, found \"2\\n3\"",
        ),
    ] {
        let message = parse(&text, &movielens()).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}\nfor {text:?}");
    }
    let error = parse(
        b"userId,movieId\n1,\xff\n",
        &TableOptions::new("userId", "movieId"),
    );
    assert_eq!(
        error.unwrap_err().to_string(),
        "ratings.csv:2: movieId: expected an item id in UTF-8, found \"\u{fffd}\""
    );
}

#[test]
fn a_quote_that_is_never_closed_loses_no_record_in_silence() {
    let text = "user,item,title\na,x,one\nb,y,\"two\nc,z,three\nd,w,four\n";
    let error = parse(text, &TableOptions::new("user", "item")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "ratings.csv:3: the quoted field that starts on this line is never closed"
    );
}

#[test]
fn a_threshold_needs_a_column_of_ratings() {
    let options = TableOptions::new("user", "item").rating_threshold(3.0);
    assert_eq!(
        parse("user,item\na,b\n", &options).unwrap_err().to_string(),
        "rating_threshold: has no effect on this input; it requires a rating column"
    );
}

#[test]
fn recbole_names_are_read_without_their_types() {
    let text = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n\
                196\t242\t3\t881250949\n186\t\"302\t4\t891717742\n";
    let options = TableOptions::new("user_id", "item_id").time("timestamp");
    let dataset: Dataset = Dataset::parse_recbole(text.as_bytes(), "a.inter", &options).unwrap();
    assert_eq!(pairs(&dataset), owned(&[("196", "242"), ("186", "\"302")]));
    let error =
        Dataset::<String, String>::parse_recbole(text.as_bytes(), "a.inter", &options.rating("r"));
    let error = error.unwrap_err();
    assert!(
        matches!(
            &error,
            Error::UnusedOption {
                option: "rating",
                ..
            }
        ),
        "{error}"
    );
    let missing = TableOptions::new("user", "item_id");
    let error = Dataset::<String, String>::parse_recbole(text.as_bytes(), "a.inter", &missing);
    assert_eq!(
        error.unwrap_err().to_string(),
        "a.inter: expected a column \"user\", found user_id, item_id, rating, timestamp"
    );
}

#[test]
fn columns_with_usual_names_need_no_options() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let (dataset, _) = Dataset::read_files([path], None, &TableOptions::default()).unwrap();
        pairs(&dataset)
    };
    for (name, text) in [
        ("a.csv", "at,item_id,user_id\n7,tea,ann\n"),
        ("b.csv", "user,item_id\nann,tea\n"),
        ("a.inter", "user:token\titem:token\nann\ttea\n"),
        ("b.inter", "user_id:token\titem_id:token\nann\ttea\n"),
        ("a.jsonl", "\n{\"item_id\":\"tea\",\"user_id\":\"ann\"}\n"),
        (
            "b.jsonl",
            "{\"item\":\"tea\",\"user\":\"ann\",\"user_id\":7}\n",
        ),
        ("c.csv", "user_id,user,item,item_id\n7,ann,tea,8\n"),
    ] {
        assert_eq!(read(name, text), owned(&[("ann", "tea")]), "{name}");
    }
}

#[test]
fn movielens_lines_are_read_or_named() {
    let parse = |text: &[u8]| Dataset::<u32, u32>::parse_movielens(text, "r.dat", Some(3.0));
    let dataset = parse(b"\xef\xbb\xbf1::10::5::7\r\n\r\n1::11::2::8\r\n2::10::3::9").unwrap();
    assert_eq!(
        dataset.interactions().pairs().collect::<Vec<_>>(),
        [(0, 0), (1, 0)]
    );
    assert_eq!(dataset.times(), Some(&[7.0, 9.0][..]));
    for (text, expected) in [
        (
            &b""[..],
            "r.dat: expected at least one interaction, found none",
        ),
        (
            b"1::10::5::7\n1::10::5\n",
            "r.dat:2: row: expected user::item::rating::time, found \"1::10::5\"",
        ),
        (
            b"1:10:5:7\n",
            "r.dat:1: row: expected user::item::rating::time, found \"1:10:5:7\"",
        ),
        (
            b"1::10::5::7::8\n",
            "r.dat:1: row: expected user::item::rating::time, found",
        ),
        (
            b"a::10::5::7\n",
            "r.dat:1: user: expected a user id that is a u32, found \"a\"",
        ),
        (
            b"1::-1::5::7\n",
            "r.dat:1: item: expected an item id that is a u32, found \"-1\"",
        ),
        (
            b"1::1::5::\n",
            "r.dat:1: time: expected a finite number, or a date such as 2026-01-31 or 2026-01-31T12:30:00Z, found \"\"",
        ),
        (
            b"1::1::x::1\n",
            "r.dat:1: rating: expected a finite number, found \"x\"",
        ),
    ] {
        let message = parse(text).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn missing_files_are_named() {
    let options = TableOptions::new("user", "item");
    for error in [
        Dataset::<u32, u32>::read_csv("/nowhere/a", &options).unwrap_err(),
        Dataset::read("/nowhere/a", Format::RecBole, &options).unwrap_err(),
        Dataset::read("/nowhere/a", Format::MovieLens, &TableOptions::default()).unwrap_err(),
        Dataset::read_lightgcn("/nowhere/a").unwrap_err(),
        Dataset::read_npz("/nowhere/a", None).unwrap_err(),
    ] {
        assert!(
            error.to_string().starts_with("cannot read /nowhere/a"),
            "{error}"
        );
    }
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data")
        .join(name)
}

#[test]
fn a_csr_matrix_of_scipy_is_read() {
    for name in ["csr.npz", "csr_stored.npz"] {
        let dataset = Dataset::read_npz(data(name), None).unwrap();
        assert_eq!((dataset.users().len(), dataset.items().len()), (4, 3));
        assert_eq!(
            dataset.interactions().pairs().collect::<Vec<_>>(),
            [(0, 0), (0, 2), (2, 1), (2, 2), (3, 0)]
        );
        let liked = Dataset::read_npz(data(name), Some(3.0)).unwrap();
        assert_eq!(
            liked.interactions().pairs().collect::<Vec<_>>(),
            [(0, 0), (0, 2), (2, 2)]
        );
    }
    let error = Dataset::read_npz(data("coo.npz"), None)
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with(
            "coo.npz: expected a matrix in the format csr (convert it with tocsr()), found coo"
        ),
        "{error}"
    );
}

#[test]
fn damaged_archives_are_errors() {
    let whole = std::fs::read(data("csr_stored.npz")).unwrap();
    let parse = |bytes: Vec<u8>| Dataset::parse_npz(Cursor::new(bytes), "m.npz", None);
    for length in 0..whole.len() {
        assert!(
            parse(whole[..length].to_vec()).is_err(),
            "the first {length} bytes"
        );
    }
    for place in 0..whole.len() {
        let mut altered = whole.clone();
        altered[place] ^= 0x41;
        // The checksums of the archive detect damage that does not make the arrays inconsistent. Bytes that
        // are not read may change.
        if let Ok(dataset) = parse(altered) {
            assert_eq!(dataset.len(), 5);
        }
    }
    let error = parse(b"no archive".to_vec()).unwrap_err().to_string();
    assert!(
        error.starts_with("m.npz: expected a zip archive, found "),
        "{error}"
    );
}

#[test]
fn parquet_of_arrow_is_read() {
    let options = TableOptions::new("user", "item")
        .rating("stars")
        .rating_threshold(4.0)
        .time("at");
    for codec in ["snappy", "zstd", "gzip"] {
        let path = data(&format!("{codec}.parquet"));
        let dataset: Dataset<String, i64> = Dataset::read_parquet(&path, &options).unwrap();
        assert_eq!(dataset.history("ann").unwrap(), [&7]);
        assert_eq!(dataset.history("cid").unwrap(), [&(1 << 40)]);
        assert_eq!(dataset.times(), Some(&[0.01, 0.03, 0.04][..]));
    }
    let path = data("snappy.parquet");
    let message = |options: &TableOptions| {
        let error = Dataset::<String, u32>::read_parquet(&path, options).unwrap_err();
        let message = error.to_string();
        message[message.find("snappy").unwrap()..].to_owned()
    };
    assert_eq!(
        message(&TableOptions::new("user", "item")),
        "snappy.parquet:4: item: expected an item id that is a u32, found \"1099511627776\""
    );
    assert_eq!(
        message(&TableOptions::new("note", "item")),
        "snappy.parquet:1: note: expected a user id, found \"null\""
    );
    assert_eq!(
        message(&TableOptions::new("who", "item")),
        "snappy.parquet: expected a column \"who\", found user, item, stars, at, note"
    );
    let error = Dataset::<String, u32>::read_parquet(data("csr.npz"), &options).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("csr.npz: expected a Parquet file"),
        "{error}"
    );
}

#[test]
fn compressed_text_and_utf_16_are_read_as_they_are() {
    let plain: Dataset = Dataset::from_pairs(
        [("ann", "tea"), ("ann", "milk"), ("bob", "tea")]
            .map(|(user, item)| (user.to_owned(), item.to_owned())),
    )
    .unwrap();
    for name in ["two_frames.csv.zst", "two_members.csv.gz", "utf16.csv"] {
        let path = data(name);
        let format = Format::of(&path).unwrap();
        let found = Dataset::read(&path, format, &TableOptions::new("user", "item")).unwrap();
        assert_eq!(found.interactions(), plain.interactions(), "{name}");
        assert!(found.items().iter().eq(plain.items().iter()), "{name}");
    }
    let folder = tempfile::tempdir().unwrap();
    for name in ["two_frames.csv.zst", "two_members.csv.gz"] {
        let whole = std::fs::read(data(name)).unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, &whole[..whole.len() - 6]).unwrap();
        let error = Dataset::read(&path, Format::Csv, &TableOptions::new("user", "item"));
        let error = error.unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
}

/// A Zstandard file of some text, with a checksum.
fn zstandard(text: &str) -> Vec<u8> {
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    let mut frame = ruzstd::encoding::compress_to_vec(text.as_bytes(), level);
    // The encoder writes a checksum: the third lowest bit of the descriptor is set.
    assert_eq!(frame[4] & 4, 4, "a frame with a checksum");
    // A skippable frame before it, as pzstd writes.
    let mut file = vec![0x5e, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4];
    file.append(&mut frame);
    file
}

#[test]
fn a_damaged_zstandard_file_is_never_read_as_other_data() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.csv.zst");
    let text: String = (0..60)
        .map(|row| format!("u{},i{}\n", row % 17, row * row % 23))
        .collect();
    let whole = zstandard(&format!("user,item\n{text}"));
    let read = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Dataset::read(&path, Format::Csv, &TableOptions::default())
    };
    let plain = read(&whole).unwrap();
    assert_eq!(plain.users().len(), 17);
    let (mut refused, mut same) = (0, 0);
    for bit in 0..8 * whole.len() {
        let mut damaged = whole.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        match read(&damaged) {
            Ok(dataset) => {
                assert_eq!(dataset, plain, "bit {bit}");
                same += 1;
            }
            Err(_) => refused += 1,
        }
    }
    // The contents of the skippable frame and the size of the window have no effect.
    assert!(refused > 10 * same, "{refused} and {same}");
}
