//! Files in common variants: each gives the same data set as a plain file with the same interactions, or an
//! error that names the option that reads it.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Decimal128Array, FixedSizeBinaryArray, Float64Array, Int32Array,
    ListArray, RecordBatch, StringArray, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray, types::Int32Type,
};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

use crate::shop::{bspm, error, json_lines, stdout};

/// The text of a date, from a month and a day.
type DateForm<'a> = &'a dyn Fn(u32, u32) -> String;

/// User, item, count, and the day.
type Row = (u32, u32, u32, u32);

/// User, item, count, and the day of the year 2026, from 0: 12 users, 12 items, 48 pairs.
fn interactions() -> Vec<Row> {
    let of_user = |user: u32| {
        (0..4).map(move |step| {
            let item = (user + [0, 1, 3, 7][step as usize]) % 12;
            (user, item, 1 + (user + step) % 3, 5 * step + user)
        })
    };
    (0..12).flat_map(of_user).collect()
}

/// A table with a header and one row per interaction.
fn table(header: &str, row: impl Fn(Row) -> String) -> String {
    let rows: Vec<String> = interactions().into_iter().map(row).collect();
    format!("{header}\n{}\n", rows.join("\n"))
}

pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn write_parquet<'a>(
        &self,
        name: &str,
        columns: impl IntoIterator<Item = (&'a str, ArrayRef)>,
    ) {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        self.write_batch(name, &batch);
    }

    fn write_batch(&self, name: &str, batch: &RecordBatch) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let file = fs::File::create(path).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(batch).unwrap();
        writer.close().unwrap();
    }

    pub(crate) fn run(&self, arguments: &str) -> Output {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        bspm(self.path(), &arguments)
    }

    /// The bytes of the model of some data, and the text on standard error.
    pub(crate) fn fit(&self, arguments: &str) -> (Vec<u8>, String) {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        self.fit_with(&arguments)
    }

    /// Like [`fit`](Self::fit), for arguments with spaces.
    pub(crate) fn fit_with(&self, arguments: &[&str]) -> (Vec<u8>, String) {
        let ending = ["-o", "model.bspm", "--factor-dim", "3"];
        let output = bspm(self.path(), &[&["fit"], arguments, &ending].concat());
        stdout(&output);
        let model = fs::read(self.path().join("model.bspm")).unwrap();
        (model, String::from_utf8(output.stderr).unwrap())
    }

    pub(crate) fn refused(&self, arguments: &str) -> String {
        error(&self.run(&format!("fit {arguments} -o refused.bspm")))
    }
}

fn column<T>(of: impl Fn(Row) -> T) -> Vec<T> {
    interactions().into_iter().map(of).collect()
}

fn text_column(of: impl Fn(Row) -> String) -> ArrayRef {
    Arc::new(StringArray::from(column(of)))
}

const DAY: i64 = 86_400;
/// 2026-01-01.
const START: i64 = 1_767_225_600;

fn seconds((.., day): Row) -> i64 {
    START + DAY * i64::from(day)
}

#[test]
fn times_of_a_table_are_seconds_whatever_their_unit() {
    let folder = Folder::new();
    folder.write(
        "plain.csv",
        table("user,item,at", |row| {
            format!("u{},i{},{}", row.0, row.1, seconds(row))
        }),
    );
    let flags = "--time-column at --half-life 10d";
    let (plain, _) = folder.fit(&format!("plain.csv {flags}"));
    let times: [(&str, ArrayRef); 4] = [
        (
            "ms",
            Arc::new(TimestampMillisecondArray::from(column(|row| {
                1_000 * seconds(row)
            }))),
        ),
        (
            "us",
            Arc::new(
                TimestampMicrosecondArray::from(column(|row| 1_000_000 * seconds(row)))
                    .with_timezone("UTC"),
            ),
        ),
        (
            "ns",
            Arc::new(TimestampNanosecondArray::from(column(|row| {
                1_000_000_000 * seconds(row)
            }))),
        ),
        (
            "days",
            Arc::new(arrow_array::Date32Array::from(column(|row| {
                (seconds(row) / DAY) as i32
            }))),
        ),
    ];
    for (unit, times) in times {
        let name = format!("{unit}.parquet");
        folder.write_parquet(
            &name,
            [
                ("user", text_column(|row| format!("u{}", row.0))),
                ("item", text_column(|row| format!("i{}", row.1))),
                ("at", times),
            ],
        );
        assert_eq!(folder.fit(&format!("{name} {flags}")).0, plain, "{unit}");
        let late = folder.run(&format!(
            "evaluate {name} --time-column at --from 2030-01-01"
        ));
        assert!(error(&late).contains("2026-01-01T00:00:00Z"), "{late:?}");
        let useless = folder.refused(&format!("{name} {flags} --time-unit ms"));
        assert!(useless.contains("--time-unit has no effect"), "{useless}");
    }
}

#[test]
fn milliseconds_beside_a_half_life_in_days_are_refused_or_read() {
    let folder = Folder::new();
    folder.write(
        "s.csv",
        table("user,item,at", |row| {
            format!("u{},i{},{}", row.0, row.1, seconds(row))
        }),
    );
    folder.write(
        "ms.csv",
        table("user,item,at", |row| {
            format!("u{},i{},{}000", row.0, row.1, seconds(row))
        }),
    );
    let flags = "--time-column at --half-life 10d";
    assert!(
        folder
            .refused(&format!("ms.csv {flags}"))
            .contains("--time-unit ms")
    );
    assert_eq!(
        folder.fit(&format!("ms.csv {flags} --time-unit ms")).0,
        folder.fit(&format!("s.csv {flags}")).0
    );
    let dated = folder.run("evaluate ms.csv --time-column at --from 2026-01-10");
    assert!(error(&dated).contains("--time-unit ms"), "{dated:?}");
    stdout(&folder.run("evaluate ms.csv --time-column at --from 2026-01-10 --time-unit ms"));
    let (_, short) = folder.fit("s.csv --time-column at --half-life 30");
    assert!(short.contains("older than 14 half-lives"), "{short}");
}

#[test]
fn ids_of_a_table_are_what_other_systems_call_them() {
    let folder = Folder::new();
    let user = |user: u32| 17_001 + user;
    let uuid = |user: u32| format!("1ab07425-1201-5a4f-ba37-c9023da8d{user:03x}");
    folder.write(
        "plain.csv",
        table("user,item", |row| format!("{},i{}", user(row.0), row.1)),
    );
    folder.write(
        "uuid.csv",
        table("user,item", |row| format!("{},i{}", uuid(row.0), row.1)),
    );
    let decimals = |scale: i8| -> ArrayRef {
        let unit = 10_i128.pow(scale as u32);
        let users = column(|row| i128::from(user(row.0)) * unit);
        let users = Decimal128Array::from(users).with_precision_and_scale(12, scale);
        Arc::new(users.unwrap())
    };
    let items = || text_column(|row| format!("i{}", row.1));
    let columns: [(&str, ArrayRef); 4] = [
        ("decimal", decimals(0)),
        ("decimals", decimals(2)),
        (
            "double",
            Arc::new(Float64Array::from(column(|row| f64::from(user(row.0))))),
        ),
        (
            "int",
            Arc::new(Int32Array::from(column(|row| user(row.0) as i32))),
        ),
    ];
    let (plain, _) = folder.fit("plain.csv");
    for (kind, users) in columns {
        let name = format!("{kind}.parquet");
        folder.write_parquet(&name, [("user", users), ("item", items())]);
        assert_eq!(folder.fit(&name).0, plain, "{kind}");
    }
    folder.write(
        "floats.jsonl",
        table("", |row| {
            format!("{{\"user\": {}.0, \"item\": \"i{}\"}}", user(row.0), row.1)
        }),
    );
    assert_eq!(folder.fit("floats.jsonl").0, plain);

    let bytes = column(|row| {
        let hex: String = uuid(row.0).replace('-', "");
        let byte = |place: usize| u8::from_str_radix(&hex[2 * place..][..2], 16).unwrap();
        std::array::from_fn::<u8, 16, _>(byte)
    });
    let users = FixedSizeBinaryArray::try_from_iter(bytes.iter()).unwrap();
    let uuids = Field::new("user", DataType::FixedSizeBinary(16), false)
        .with_metadata([("ARROW:extension:name".to_owned(), "arrow.uuid".to_owned())]);
    let plain_bytes = Field::new("user", DataType::FixedSizeBinary(16), false);
    for (name, users_field) in [("uuid.parquet", uuids), ("bytes.parquet", plain_bytes)] {
        let schema = Schema::new(vec![users_field, Field::new("item", DataType::Utf8, false)]);
        let batch =
            RecordBatch::try_new(schema.into(), vec![Arc::new(users.clone()), items()]).unwrap();
        folder.write_batch(name, &batch);
    }
    assert_eq!(folder.fit("uuid.parquet").0, folder.fit("uuid.csv").0);
    assert!(folder.refused("bytes.parquet").contains("FixedSizeBinary"));

    let lists = column(|row| Some([Some(row.0 as i32)]));
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(lists);
    folder.write_parquet(
        "lists.parquet",
        [("user", Arc::new(lists) as _), ("item", items())],
    );
    let halves = Float64Array::from(column(|row| f64::from(row.0) + 0.5));
    folder.write_parquet(
        "halves.parquet",
        [("user", Arc::new(halves) as _), ("item", items())],
    );
    for name in ["lists.parquet", "halves.parquet"] {
        assert!(folder.refused(name).contains("user"), "{name}");
    }
}

#[test]
fn quotes_in_names_lose_no_rows() {
    let folder = Folder::new();
    let name = |place: u32| format!("the {place} band");
    let named = |quotes: [&str; 2]| {
        table("user\titem\tname\tplays", |row| {
            let name = match (row.0, row.1) {
                (3, 3) => quotes[0].to_owned(),
                (7, 8) => quotes[1].to_owned(),
                _ => name(row.1),
            };
            format!("u{}\ti{}\t{name}\t{}", row.0, row.1, row.2)
        })
    };
    folder.write("plain.tsv", named(["the 3 band", "the 8 band"]));
    let flags = "--weight-column plays";
    let (plain, _) = folder.fit(&format!("plain.tsv {flags}"));
    for (place, quotes) in [
        ["\"Weird\" Al", "the 8 band"],
        ["\"Heroes", "\"Low"],
        ["\"Heroes", "12\""],
        ["the 3 band", "\"Low"],
    ]
    .into_iter()
    .enumerate()
    {
        let file = format!("quotes-{place}.tsv");
        folder.write(&file, named(quotes));
        let message = folder.refused(&format!("{file} {flags}"));
        assert!(message.contains("--quoting off"), "{quotes:?}: {message}");
        assert!(message.contains(&format!("{file}:")), "{message}");
        let off = folder.fit(&format!("{file} {flags} --quoting off"));
        assert_eq!(off.0, plain, "{quotes:?}");
    }
    folder.write("backslash.tsv", named(["\"an \\\"odd\\\" name\"", "x"]));
    assert_eq!(
        folder
            .fit(&format!("backslash.tsv {flags} --quoting backslash"))
            .0,
        plain
    );
}

#[test]
fn tables_are_not_taken_for_lists() {
    let folder = Folder::new();
    let rows = |delimiter: &str, time: bool| {
        let row = |(user, item, count, day): Row| {
            let mut fields = vec![user.to_string(), item.to_string(), count.to_string()];
            fields.extend(time.then(|| day.to_string()));
            fields.join(delimiter)
        };
        table("", row).trim_start().to_owned()
    };
    for (file, delimiter, time) in [
        ("tabs.txt", "\t", false),
        ("spaces.txt", " ", false),
        ("times.TXT", "\t", true),
    ] {
        folder.write(file, rows(delimiter, time));
        let message = folder.refused(file);
        assert!(
            message.contains("--no-header user,item,rating"),
            "{message}"
        );
        let format = match delimiter {
            "\t" => ["--format", "tsv"].as_slice(),
            _ => &["--format", "csv", "--delimiter", " "],
        };
        let header = [
            "--no-header",
            if time {
                "user,item,rating,time"
            } else {
                "user,item,rating"
            },
        ];
        let fit = ["fit", file, "-o", "table.bspm", "--weight-column", "rating"];
        let fit = bspm(folder.path(), &[&fit[..], format, &header].concat());
        stdout(&fit);
        let told = String::from_utf8(fit.stderr).unwrap();
        assert!(
            told.contains("12 users x 12 items, 48 interactions"),
            "{told}"
        );
        // With an explicit format, lists are read.
        folder.fit(&format!("{file} --format lightgcn"));
    }
    folder.write("lists.txt", "0 1 2\n1 0 2\n2 0 1 3\n");
    folder.fit("lists.txt");
    folder.write("pairs.txt", "0 1\n0 2\n1 2\n");
    folder.fit("pairs.txt");
}

#[test]
fn repeats_count_as_their_number() {
    let folder = Folder::new();
    let rows = |weight: &str| {
        let lines = interactions().into_iter().flat_map(|row| {
            let line = format!("u{},i{}{weight}\n", row.0, row.1);
            std::iter::repeat_n(line, row.2 as usize)
        });
        lines.collect::<String>()
    };
    folder.write("rows.csv", format!("user,item\n{}", rows("")));
    folder.write("ones.csv", format!("user,item,n\n{}", rows(",1")));
    folder.write(
        "counts.csv",
        table("user,item,n", |row| {
            format!("u{},i{},{}", row.0, row.1, row.2)
        }),
    );
    folder.write(
        "once.csv",
        table("user,item", |row| format!("u{},i{}", row.0, row.1)),
    );
    for scale in ["", " --weight log", " --weight threshold:2"] {
        let (counts, _) = folder.fit(&format!("counts.csv --weight-column n{scale}"));
        for twin in [
            "rows.csv --duplicates sum",
            "rows.csv --duplicates count",
            "ones.csv --weight-column n",
            "ones.csv --weight-column n --duplicates sum",
        ] {
            assert_eq!(
                folder.fit(&format!("{twin}{scale}")).0,
                counts,
                "{twin}{scale}"
            );
        }
    }
    let (once, _) = folder.fit("once.csv");
    for twin in ["rows.csv", "ones.csv --weight-column n --duplicates last"] {
        assert_eq!(folder.fit(twin).0, once, "{twin}");
    }
    let useless = folder.refused("rows.csv --duplicates max");
    assert!(useless.contains("--duplicates has no effect"), "{useless}");
    let useless = folder.refused("counts.csv --weight-column n --duplicates count");
    assert!(useless.contains("duplicates"), "{useless}");
}

#[test]
fn options_without_effect_are_refused_in_every_command() {
    let folder = Folder::new();
    folder.write(
        "ratings.csv",
        table("user,item,stars", |row| {
            format!("u{},i{},{}", row.0, row.1, row.2)
        }),
    );
    folder.write("lists.txt", "0 1 2\n1 0\n2 0 1 3\n");
    folder.fit("ratings.csv");
    for (options, flag) in [
        ("ratings.csv --rating-column stars", "--rating-column"),
        ("ratings.csv --rating-column nosuch", "--rating-column"),
        ("ratings.csv --weight log", "--weight "),
        ("ratings.csv --half-life 30d", "--half-life"),
        ("ratings.csv --time-unit ms", "--time-unit"),
        ("ratings.csv --time-format %Y", "--time-format"),
        ("ratings.csv --decimal-comma", "--decimal-comma"),
        ("ratings.csv --rating-threshold 2", "--rating-threshold"),
        ("lists.txt --weight-column plays", "--weight-column"),
        ("lists.txt --user-column user", "--user-column"),
        ("lists.txt --time-column at", "--time-column"),
        ("lists.txt --no-header user,item", "--no-header"),
        ("lists.txt --skip-invalid", "--skip-invalid"),
    ] {
        for command in [
            "fit {} -o x.bspm",
            "evaluate {}",
            "tune {} --time 1s",
            "sweep {}",
            "describe {}",
        ] {
            let output = folder.run(&command.replace("{}", options));
            let message = error(&output);
            assert!(
                message.contains(flag) && message.contains("no effect"),
                "{command}: {message}"
            );
        }
    }
    let refit = error(&folder.run("refit model.bspm -o model.bspm --user-column who"));
    assert!(refit.contains("--user-column has no effect"), "{refit}");
    let refit = error(&folder.run("refit model.bspm lists.txt -o model.bspm --user-column who"));
    assert!(refit.contains("--user-column has no effect"), "{refit}");
}

#[test]
fn dates_are_read_in_the_forms_that_can_be_read_in_one_way_or_by_a_pattern() {
    let folder = Folder::new();
    let date = |row: Row| (1 + row.3 / 28, 1 + row.3 % 28);
    let with = |of: &dyn Fn(u32, u32) -> String| {
        table("user;item;at", |row| {
            let (month, day) = date(row);
            format!("u{};i{};{}", row.0, row.1, of(month, day))
        })
    };
    folder.write(
        "iso.csv",
        with(&|month, day| format!("2026-{month:02}-{day:02}T08:26:00Z")),
    );
    let flags = "--delimiter ; --time-column at --half-life 5d";
    let (iso, _) = folder.fit(&format!("iso.csv {flags}"));
    let forms: [(&str, DateForm<'_>); 6] = [
        ("utc", &|month, day| {
            format!("2026-{month:02}-{day:02} 08:26:00 UTC")
        }),
        ("offset", &|month, day| {
            format!("2026-{month:02}-{day:02} 10:26:00 +0200")
        }),
        ("compact", &|month, day| {
            format!("2026-{month:02}-{day:02}T08:26:00+0000")
        }),
        ("slashes", &|month, day| {
            format!("2026/{month:02}/{day:02} 08:26")
        }),
        ("short", &|month, day| format!("2026-{month}-{day} 8:26")),
        ("fraction", &|month, day| {
            format!("2026-{month:02}-{day:02} 08:26:00.000")
        }),
    ];
    for (name, form) in forms {
        folder.write("other.csv", with(form));
        assert_eq!(folder.fit(&format!("other.csv {flags}")).0, iso, "{name}");
    }
    let patterns: [(&str, DateForm<'_>); 3] = [
        ("%m/%d/%Y", &|month, day| format!("{month}/{day}/2026")),
        ("%d.%m.%Y", &|month, day| {
            format!("{day:02}.{month:02}.2026")
        }),
        ("%Y%m%d", &|month, day| format!("2026{month:02}{day:02}")),
    ];
    folder.write(
        "days.csv",
        with(&|month, day| format!("2026-{month:02}-{day:02}")),
    );
    let (days, _) = folder.fit(&format!("days.csv {flags}"));
    for (pattern, form) in patterns {
        folder.write("other.csv", with(form));
        if pattern.contains(['/', '.']) {
            let message = folder.refused(&format!("other.csv {flags}"));
            assert!(message.contains("--time-format"), "{message}");
        }
        let (read, _) = folder.fit(&format!("other.csv {flags} --time-format {pattern}"));
        assert_eq!(read, days, "{pattern}");
    }
}

#[test]
fn rows_that_are_no_interactions_are_refused_or_counted() {
    let folder = Folder::new();
    let flags = "--weight-column n";
    let rows = |more: &str| {
        let text = table("user,item,n", |row| {
            format!("u{},i{},{}", row.0, row.1, row.2)
        });
        format!("{text}{more}")
    };
    folder.write("clean.csv", rows(""));
    let (clean, _) = folder.fit(&format!("clean.csv {flags}"));
    let bad = [
        (",i1,1", "a missing user"),
        ("u1,,1", "a missing item"),
        ("NULL,i1,1", "a missing user"),
        ("NaN,i1,1", "a missing user"),
        ("u1,None,1", "a missing item"),
        ("\\N,i1,1", "a missing user"),
        ("u1,i1,-1", "a negative weight"),
        ("u1,i1,many", "an invalid weight"),
        ("u1,i1", "a wrong number of fields"),
        ("user,item,n", "a repeated header"),
        ("----,----,---", "only dashes"),
    ];
    for (row, reason) in bad {
        folder.write("one.csv", rows(&format!("{row}\n")));
        let message = folder.refused(&format!("one.csv {flags}"));
        assert!(
            message.contains("one.csv:50:") && message.contains("--skip-invalid"),
            "{message}"
        );
        let (read, told) = folder.fit(&format!("one.csv {flags} --skip-invalid"));
        assert_eq!(read, clean, "{row}");
        let expected = format!("1 of 49 rows are skipped: 1 with {reason}");
        assert!(told.contains(&expected), "{row}: {told}");
    }
    let all: Vec<&str> = bad.iter().map(|it| it.0).collect();
    folder.write("all.csv", rows(&format!("{}\n", all.join("\n"))));
    let (read, told) = folder.fit(&format!("all.csv {flags} --skip-invalid"));
    assert_eq!(read, clean);
    assert!(
        told.contains(
            "11 of 59 rows are skipped: 1 with a wrong number of fields (line 58: 2 fields), "
        ),
        "{told}"
    );
    // The threshold excludes a row before its other fields are checked.
    folder.write("cancelled.csv", rows("u1,i1,-1\n,i2,-3\n"));
    let threshold = "--rating-column n --rating-threshold 1";
    assert_eq!(
        folder.fit(&format!("cancelled.csv {flags} {threshold}")).0,
        clean
    );
    // An id that is equal to the text of a missing value.
    folder.write("names.csv", rows("None,i1,1\n"));
    assert!(
        folder
            .fit(&format!("names.csv {flags} --null-values null"))
            .1
            .contains("13 users")
    );
}

#[test]
fn an_evaluation_of_nothing_is_an_error() {
    let folder = Folder::new();
    folder.write("once.csv", "user,item\na,x\nb,x\nc,y\n");
    folder.write("train.csv", "user,item\n1,x\n1,y\n2,x\n");
    folder.write("other.csv", "user,item\n1.0,y\n2.0,y\n");
    folder.write("items.csv", "user,item\n1,X\n2,Y\n");
    folder.write("mixed.csv", "user,item\n2,y\n3,x\n2,z\n1,x\n");
    folder.fit("train.csv");
    for evaluation in [
        "evaluate once.csv",
        "evaluate once.csv --ratio 0.5",
        "evaluate once.csv --folds 2",
        "evaluate --train train.csv --test other.csv --skip-unknown",
        "evaluate --train train.csv --test items.csv",
        "evaluate --train train.csv --test train.csv",
        "evaluate --model model.bspm --test items.csv",
        "evaluate --model model.bspm --test items.csv --detailed",
        "tune once.csv --time 1s",
        "sweep once.csv",
    ] {
        let message = error(&folder.run(evaluation));
        assert!(
            message.contains("nothing to evaluate"),
            "{evaluation}: {message}"
        );
    }
    let unknown = error(&folder.run("evaluate --train train.csv --test mixed.csv"));
    assert!(
        unknown.contains("1 of 3 users") && unknown.contains("--skip-unknown"),
        "{unknown}"
    );
    let mixed = folder.run("evaluate --train train.csv --test mixed.csv --skip-unknown");
    stdout(&mixed);
    let told = String::from_utf8(mixed.stderr).unwrap();
    for part in [
        "1 of 3 users",
        "1 items of the test set",
        "1 of 4 interactions",
    ] {
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn files_folders_patterns_and_json_lines_are_one_data_set() {
    let folder = Folder::new();
    let csv = |from: usize, to: usize| {
        let rows = interactions();
        let rows = rows[from..to]
            .iter()
            .map(|row| format!("u{},i{}\n", row.0, row.1));
        format!("user,item\n{}", rows.collect::<String>())
    };
    folder.write("whole.csv", csv(0, 48));
    let (whole, _) = folder.fit("whole.csv");
    folder.write("parts/month=1/a.csv", csv(0, 20));
    folder.write("parts/month=2/b.csv", csv(20, 48));
    folder.write("parts/_SUCCESS", "");
    folder.write("parts/month=1/.a.csv.crc", "x");
    for (name, rows) in [("table/a.parquet", 0..20), ("table/b.parquet", 20..48)] {
        let rows = &interactions()[rows];
        let texts = |of: &dyn Fn(&Row) -> String| -> ArrayRef {
            Arc::new(StringArray::from(rows.iter().map(of).collect::<Vec<_>>()))
        };
        folder.write_parquet(
            name,
            [
                ("user", texts(&|row| format!("u{}", row.0))),
                ("item", texts(&|row| format!("i{}", row.1))),
            ],
        );
    }
    let json = table("", |row| {
        format!(
            "{{\"note\": [1, {{}}], \"item\": \"i{}\", \"user\": \"u{}\"}}",
            row.1, row.0
        )
    });
    folder.write("reviews.jsonl", &json);
    folder.write("reviews.JSON", &json);
    for data in [
        "parts/month=1/a.csv parts/month=2/b.csv",
        "parts",
        "parts/*/*.csv",
        "table",
        "table/a.parquet parts/month=2",
        "reviews.jsonl",
        "reviews.JSON",
    ] {
        assert_eq!(folder.fit(data).0, whole, "{data}");
    }
    folder.write(
        "inner.json",
        "{\n\"rows\": [{\"user\": 1, \"item\": 2}]\n}\n",
    );
    assert!(
        folder
            .refused("inner.json")
            .contains("jq -c '.[\"rows\"][]'")
    );
    folder.write("zip.csv", "PK\x03\x04rest");
    assert!(folder.refused("zip.csv").contains("unpack"));
}

#[test]
fn a_spreadsheets_export_is_read() {
    let folder = Folder::new();
    let rows = table("Kunde;Artikel;Menge", |row| {
        format!("{};{};{},5", 100 + row.0, row.1, row.2)
    });
    folder.write("plain.csv", rows.replace(',', ".").replace(';', ","));
    let columns = "--user-column Kunde --item-column Artikel --weight-column Menge";
    let (plain, _) = folder.fit(&format!("plain.csv {columns}"));
    folder.write(
        "export.csv",
        format!("sep=;\r\n{}", rows.replace('\n', "\r\n")),
    );
    let message = folder.refused(&format!("export.csv {columns}"));
    assert!(
        message.contains("export.csv:3: Menge") && message.contains("--decimal-comma"),
        "{message}"
    );
    assert_eq!(
        folder
            .fit(&format!("export.csv {columns} --decimal-comma"))
            .0,
        plain
    );
    let both = format!("export.csv {columns} --decimal-comma --delimiter ;");
    assert_eq!(folder.fit(&both).0, plain);
    folder.write("without.csv", &rows);
    let message = folder.refused(&format!("without.csv {columns}"));
    assert!(message.contains("--delimiter ';'"), "{message}");
    let latin: Vec<u8> = rows
        .chars()
        .map(|it| if it == '1' { 0xe9 } else { it as u8 })
        .collect();
    folder.write("latin.csv", latin);
    let flags = format!("latin.csv {columns} --decimal-comma --delimiter ;");
    assert!(folder.refused(&flags).contains("--encoding"));
}

#[test]
fn a_refit_keeps_the_weights_and_times_of_new_interactions() {
    let folder = Folder::new();
    let csv = |from: usize, to: usize| {
        let rows = interactions();
        let rows = rows[from..to].iter();
        let rows = rows.map(|row| format!("u{},i{},{},{}\n", row.0, row.1, row.2, row.3));
        format!("user,item,n,at\n{}", rows.collect::<String>())
    };
    folder.write("whole.csv", csv(0, 48));
    folder.write("old.csv", csv(0, 44));
    folder.write("new.csv", csv(44, 48));
    let flags = "--weight-column n --time-column at";
    let (whole, _) = folder.fit(&format!("whole.csv {flags}"));
    folder.fit(&format!("old.csv {flags}"));
    stdout(&folder.run(&format!("refit model.bspm new.csv -o later.bspm {flags}")));
    assert_eq!(fs::read(folder.path().join("later.bspm")).unwrap(), whole);
    stdout(&folder.run(&format!(
        "refit model.bspm new.csv -o kept.bspm --keep-vectors {flags}"
    )));
    let export = |model: &str| {
        let model: bspm::CpuModel =
            bspm::Model::open(bspm::CpuBackend::new(), folder.path().join(model)).unwrap();
        let dataset = model.dataset();
        let weights = dataset.interactions().weights().map(<[f32]>::to_vec);
        (weights, dataset.times().map(<[f64]>::to_vec))
    };
    assert_eq!(export("kept.bspm"), export("later.bspm"));
}

#[test]
fn data_are_described_before_they_are_fitted() {
    let folder = Folder::new();
    let text = table("user,item,n,at,note", |row| {
        format!("u{},i{},{},{},x", row.0, row.1, row.2, seconds(row))
    });
    folder.write("data.csv", format!("{text},i1,1,0,x\nu1,i5,2,{START},y\n"));
    let flags = "--weight-column n --time-column at --skip-invalid";
    let json = stdout(&folder.run(&format!("describe data.csv {flags} --json")));
    let found = &json_lines(&json)[0];
    assert_eq!(found["rows"], 50);
    assert_eq!(found["skipped"]["missing_user"], 1);
    assert_eq!((&found["users"], &found["items"]), (&12.into(), &12.into()));
    assert_eq!(
        found["interactions"].as_u64().unwrap() + found["repeats"].as_u64().unwrap(),
        49
    );
    assert_eq!(found["columns"][4]["role"], serde_json::Value::Null);
    let table = stdout(&folder.run(&format!("describe data.csv {flags}")));
    for part in [
        "2026-01-01T00:00:00Z to ",
        "column note",
        "density",
        "skipped rows",
    ] {
        assert!(table.contains(part), "{table}");
    }
    let (_, told) = folder.fit(&format!("data.csv {flags}"));
    assert!(told.contains("read 50 rows (1 excluded): "), "{told}");
    assert!(
        told.contains("user = user; item = item; weight = n; time = at; not read: note"),
        "{told}"
    );
}

#[test]
fn a_damaged_parquet_file_is_one_line_of_error() {
    let folder = Folder::new();
    let damaged = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/hostile");
    let mut tried = 0;
    for entry in fs::read_dir(damaged).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|it| it != "parquet") {
            continue;
        }
        fs::copy(&path, folder.path().join("damaged.parquet")).unwrap();
        let columns = "--weight-column rating --time-column time";
        let output = folder.run(&format!("fit damaged.parquet -o x.bspm {columns}"));
        if output.status.success() {
            continue;
        }
        let message = error(&output);
        assert_eq!(message.lines().count(), 1, "{path:?}: {message}");
        assert!(message.starts_with("error: "), "{message}");
        tried += 1;
    }
    assert!(tried > 1, "{tried}");
}

#[test]
fn what_is_most_likely_misread_is_reported_with_counts() {
    let folder = Folder::new();
    let plain = table("user,item,at", |row| {
        format!("{},i{},{}", 100 + row.0, row.1, 20_260_101 + row.3 % 28)
    });
    for (more, flags, expected) in [
        (
            "101.0,i1,20260101\n",
            "",
            "1 user ids differ from another user id",
        ),
        ("0101,i1,20260101\n", "", "\"0101\" and \"101\""),
        (
            "101 ,i1,20260101\n",
            "",
            "1 user ids differ from another user id",
        ),
        ("NA,i1,20260101\n", "", "the user \"NA\" has 1 interactions"),
        ("1.01E2,i1,20260101\n", "", "\"1.01E2\" and \"101\""),
        ("101,I1\u{200b},20260101\n", "", "1 item ids differ"),
        (
            "101,5.90123E+12,20260101\n",
            "",
            "1 item ids are numbers in scientific notation",
        ),
        (
            "101,\"[614, 736]\",20260101\n",
            "",
            "1 item ids look like lists",
        ),
        ("", " --time-column at", "all times look like dates"),
        (
            "101,i1,2026-01-05\n",
            " --time-column at",
            "1 times are dates and 48 are numbers",
        ),
    ] {
        folder.write("data.csv", format!("{plain}{more}"));
        let (_, told) = folder.fit(&format!("data.csv{flags}"));
        assert!(told.contains(expected), "{more}: {told}");
        let described = stdout(&folder.run(&format!("describe data.csv{flags}")));
        assert!(described.contains("warning"), "{described}");
    }
    for (name, item, expected) in [
        (
            "spaces.csv",
            " i{}",
            "12 of 12 item ids start or end with a space or a quote",
        ),
        (
            "quotes.csv",
            "'i{}'",
            "12 of 12 item ids start or end with a space or a quote",
        ),
        ("joined.csv", "i{}|i13", "12 of 12 item ids contain \"|\""),
    ] {
        let item = |row: Row| item.replace("{}", &row.1.to_string());
        folder.write(
            name,
            table("user,item", |row| format!("u{},{}", row.0, item(row))),
        );
        let (_, told) = folder.fit(name);
        assert!(told.contains(expected), "{told}");
    }
    // Hexadecimal ids, ids in braces, titles with commas, and upper case alone are as they are.
    folder.write(
        "plain.csv",
        table("user,item", |row| {
            let items = [
                "10e5,\"{6F9619FF}\"",
                "1e06,\"Berlin, Germany\"",
                "0e1,\"Bonn, Germany\"",
                "AB,(other)",
            ];
            items[row.0 as usize % 4].to_string()
        }),
    );
    let (_, told) = folder.fit("plain.csv");
    assert!(!told.contains(" ids "), "{told}");
    folder.write("dates.csv", &plain);
    let (_, told) = folder.fit("dates.csv --time-column at --time-format %Y%m%d");
    assert!(!told.contains("warning"), "{told}");
    folder.write("names.csv", "customer,product\n1,2\n1,3\n2,3\n");
    let (_, told) = folder.fit("names.csv --no-header user,item");
    assert!(told.contains("looks like a header"), "{told}");
    folder.write(
        "stars.csv",
        "user,item,stars\nu,a,1\nu,b,5\nv,a,5\nv,c,4\nu,c,5\n",
    );
    let flags = "--rating-column stars --rating-threshold 4";
    let evaluated = folder.run(&format!("evaluate stars.csv {flags}"));
    let told = String::from_utf8(evaluated.stderr).unwrap();
    assert!(
        told.contains("1 of 5 rows are excluded: 1 below the rating threshold\n"),
        "{told}"
    );
}

#[test]
fn what_cannot_be_right_is_refused() {
    let folder = Folder::new();
    let plain = table("user,item", |row| format!("u{},i{}", row.0, row.1));
    folder.write("plain.csv", &plain);
    fs::hard_link(
        folder.path().join("plain.csv"),
        folder.path().join("link.csv"),
    )
    .unwrap();
    for (heading, data) in [("User, Item", "a.csv"), ("\u{feff}user,item", "b.csv")] {
        folder.write(data, format!("{plain}{heading}\nu1,i9\n"));
        assert!(
            folder.refused(data).contains("a repeated header"),
            "{heading}"
        );
    }
    folder.write("padded.csv", format!("{plain} NULL ,i1\n"));
    folder.write("blank.csv", format!("{plain} ,i1\n"));
    folder.write(
        "odd.txt",
        "0\t3\t5\n0\t4\t1\n1\t3\t2\n1\t5\t2\n2\t4\t1\n2\t5\n",
    );
    folder.write("counted.txt", "2 4 5\n1 9\n3 1 2 3\n");
    let one_line = |value: fn(u32) -> u32| {
        let lines = (0..24).map(|user| format!("{user} {} {}\n", 31 * user % 97, value(user)));
        lines.collect::<String>()
    };
    folder.write("ratings.txt", one_line(|user| 1 + user % 5));
    folder.write("times.txt", one_line(|user| 1_767_225_600 + user));
    folder.write("lists.txt", one_line(|user| 100 + user));
    folder.fit("lists.txt");
    folder.write("swapped.csv", format!("{plain}item,user\ni1,u9\n"));
    folder.write(
        "other.csv",
        "user_id,item,n\na,x,1\nUser ID,item,at\nb,x,2\n",
    );
    folder.write("rows.csv", "\"User-ID\";\"ISBN\"\n\"1\";\"2\"\n");
    folder.write("tabs.dat", "1\t2\t3\n1\t3\t4\n");
    folder.write(
        "matrix.csv",
        "%%MatrixMarket matrix coordinate integer general\n3 3 1\n1 1 5\n",
    );
    for name in ["sheet.xlsx", "all.zip", "all.csv.bz2", "matrix.mtx"] {
        folder.write(name, "");
    }
    folder.write("hudi/part.csv", &plain);
    folder.write("hudi/.hoodie/properties", "");
    folder.write("days/day=1/part.csv", &plain);
    for (fit, expected) in [
        ("plain.csv ./plain.csv", "expected distinct files"),
        ("plain.csv link.csv", "expected distinct files"),
        ("padded.csv", "a user id"),
        ("blank.csv", "a user id"),
        ("odd.txt", "3 fields on most lines, as in a table"),
        ("counted.txt", "the number of the fields that follow"),
        ("ratings.txt", "3 fields on most lines"),
        ("times.txt", "expected an item id"),
        (
            "swapped.csv --skip-invalid",
            "not a header with other columns",
        ),
        (
            "other.csv --skip-invalid --weight-column n --user-column user_id",
            "split the file there",
        ),
        (
            "other.csv --skip-invalid --rating-column n --rating-threshold 1 --user-column user_id",
            "not a header with other columns",
        ),
        ("rows.csv", "as in --delimiter ';'"),
        ("tabs.dat", "use --format tsv --no-header user,item,rating"),
        ("matrix.csv", "scipy.io.mmread"),
        ("matrix.mtx", "scipy.io.mmread"),
        ("sheet.xlsx", "export the sheet as CSV"),
        ("all.zip", "unpack it"),
        ("all.csv.bz2", "decompress it"),
        ("hudi", "a Hudi table"),
        (
            "days --time-column day",
            "the names of the folders contain day",
        ),
        ("plain.csv --comment , ", "--comment has no effect"),
        (
            "plain.csv --rating-column item --rating-threshold NaN",
            "--rating-threshold: expected a finite number",
        ),
        (
            "plain.csv --time-column item --time-format %H:%M",
            "strftime syntax with a year",
        ),
        (
            "plain.csv --user-column User",
            "hint: use --user-column user",
        ),
    ] {
        let message = folder.refused(fit.trim_end());
        assert!(message.contains(expected), "{fit}: {message}");
    }
    folder.write("\u{1b}[31m.csv", "\u{1b}[31mPWN,item\nu,a\n");
    let message = folder.refused("\u{1b}[31m.csv");
    assert!(!message.contains('\u{1b}'), "{message:?}");
}

#[test]
fn numbers_and_headers_of_spreadsheets_are_read_in_their_forms() {
    let folder = Folder::new();
    folder.write("plain.csv", "user,item,n\na,x,1234.5\na,y,1000\nb,x,2\n");
    let (plain, _) = folder.fit("plain.csv --weight-column n");
    let rows = "user;item;n\na;x;1.234,5\na;y;1.000\nb;x;2\n";
    for first in ["sep=;\n", "\"sep=;\"\n", "sep=;;;\n"] {
        folder.write("sheet.csv", format!("{first}{rows}"));
        let (read, _) = folder.fit("sheet.csv --weight-column n --decimal-comma");
        assert_eq!(read, plain, "{first:?}");
    }
    for (rows, has_warning) in [
        ("a;x;1.400\na;y;200\n", true),
        ("a;x;1.400\na;y;1.5\n", false),
        ("a;x;0.125\na;y;200\n", false),
        ("a;x;1.400\na;y;2000\n", false),
    ] {
        folder.write("points.csv", format!("user;item;n\n{rows}"));
        let flags = "points.csv --delimiter ; --weight-column n";
        let (_, told) = folder.fit(flags);
        let warning = "points.csv: the points of 1 weights, as in 1.400, are read";
        assert_eq!(told.contains(warning), has_warning, "{rows}: {told}");
        let (_, told) = folder.fit(&format!("{flags} --decimal-comma --skip-invalid"));
        assert!(!told.contains(warning), "{told}");
    }
    folder.write("wrong.csv", "user;item;n\na;x;12.34,5\n");
    let flags = "--delimiter ; --weight-column n --decimal-comma";
    assert!(
        folder
            .refused(&format!("wrong.csv {flags}"))
            .contains("12.34,5")
    );
    folder.write(
        "months.csv",
        "user,item,at\na,x,2026-01\na,y,2026-03\nb,x,2026-02\n",
    );
    folder.fit("months.csv --time-column at --time-format %Y-%m");
}

#[test]
fn a_refit_takes_what_compares_with_the_model() {
    let folder = Folder::new();
    folder.write(
        "old.csv",
        "user,item,at\na,x,1767225600\nb,x,1767225601\nb,y,1767225602\n",
    );
    folder.write("new.csv", "user,item,at\na,y,1772323200\n");
    folder.write("more.csv", "user,item,at\nc,y,1772323201\n");
    folder.fit("old.csv");
    let times = "refit model.bspm new.csv -o later.bspm --time-column at";
    assert!(error(&folder.run(times)).contains("have times, but the model has none"));
    folder.fit("old.csv --time-column at");
    folder.write(
        "again.csv",
        "user,item,at\nA,x,1772323200\nd,z,1772323200\n",
    );
    let again = folder.run("refit model.bspm again.csv -o later.bspm --time-column at");
    let told = String::from_utf8(again.stderr).unwrap();
    assert!(told.contains("new users: 2; new items: 1"), "{told}");
    assert!(told.contains("1 user ids differ"), "{told}");
    assert!(told.contains("\"A\" and \"a\""), "{told}");
    // Only pairs with a new id are reported.
    folder.write("third.csv", "user,item,at\nB,x,1772323200\n");
    let third = folder.run("refit later.bspm third.csv -o last.bspm --time-column at");
    let told = String::from_utf8(third.stderr).unwrap();
    assert!(told.contains("1 user ids differ"), "{told}");
    assert!(told.contains("\"B\" and \"b\""), "{told}");
    let half = format!("{times} --half-life 30d");
    assert!(error(&folder.run(&half)).contains("--half-life: expected none, the half-life"));
    folder.fit("old.csv --time-column at --half-life 30d");
    assert!(error(&folder.run(&format!("{times} --half-life 3d"))).contains("expected 2592000"));
    for refit in [times, &half] {
        let output = folder.run(refit);
        stdout(&output);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!told.contains("weight 1"), "{told}");
        let inspected = stdout(&folder.run("inspect later.bspm"));
        assert!(
            inspected.contains("2592000 in the unit of the times"),
            "{inspected}"
        );
    }
    folder.fit("old.csv --time-column at");
    stdout(&folder.run("refit model.bspm new.csv more.csv -o later.bspm --time-column at"));
    let test =
        folder.run("evaluate --model later.bspm --test new.csv --half-life 3d --time-column at");
    assert!(
        error(&test).contains("--half-life has no effect on a test set"),
        "{test:?}"
    );
    let seed = folder.run("evaluate old.csv --time-column at --seed 3");
    assert!(error(&seed).contains("--seed has no effect"), "{seed:?}");
    folder.write(
        "dates.csv",
        "user,item,at\na,x,2026-01-01\nb,x,2026-01-02\n",
    );
    let unit = folder.refused("dates.csv --time-column at --time-unit ms");
    assert!(unit.contains("--time-unit has no effect"), "{unit}");
}

#[test]
fn large_weights_and_json_numbers_keep_their_values() {
    let folder = Folder::new();
    folder.write(
        "large.csv",
        "user,item,w\na,x,1e308\na,x,1e308\na,y,2\nb,y,3\n",
    );
    let refused = folder.refused("large.csv --weight-column w");
    assert!(
        refused.contains("a sum below 3.4e38, or a logarithmic scale"),
        "{refused}"
    );
    let log = "describe large.csv --weight-column w --weight log --json";
    let described = stdout(&folder.run(log));
    assert_eq!(json_lines(&described)[0]["interactions"], 3);
    folder.write("plain.csv", "user,item,w\na,x,1.234\na,y,2\nb,y,1.5\n");
    let (plain, _) = folder.fit("plain.csv --weight-column w");
    folder.write(
        "n.jsonl",
        "{\"user\":\"a\",\"item\":\"x\",\"w\":1.234}\n{\"user\":\"a\",\"item\":\"y\",\"w\":2}\n\
         {\"user\":\"b\",\"item\":\"y\",\"w\":\"1,5\"}\n",
    );
    let (read, _) = folder.fit("n.jsonl --weight-column w --decimal-comma");
    assert_eq!(read, plain);
}

#[test]
fn a_json_number_is_the_same_id_in_every_command() {
    let folder = Folder::new();
    let id = "12345678901234567890123";
    folder.write(
        "d.jsonl",
        format!("{{\"user\":{id},\"item\":5}}\n{{\"user\":{id},\"item\":6}}\n{{\"user\":\"b\",\"item\":5}}\n"),
    );
    folder.fit("d.jsonl");
    folder.write("people.jsonl", format!("{{\"user\":{id}}}\n"));
    stdout(&folder.run("score model.bspm people.jsonl -o out"));
    folder.write(
        "lists.jsonl",
        format!(
            "{{\"user\":{id},\"items\":[{{\"item\":5.0}},6]}}\n{{\"user\":\"b\",\"items\":[5]}}\n"
        ),
    );
    let found = stdout(&folder.run("evaluate --lists lists.jsonl --test d.jsonl -k 2 --json"));
    assert_eq!(json_lines(&found)[0]["recall"], 1.0, "{found}");
}

#[test]
fn a_test_set_is_evaluated_whole() {
    let folder = Folder::new();
    folder.write(
        "train.csv",
        "user,item\na,x\na,y\nb,y\nb,z\nc,x\nc,z\nd,x\n",
    );
    folder.write("test.csv", "user,item\na,z\nb,x\n");
    stdout(&folder.run("evaluate --train train.csv --test test.csv --k-core 2 --filter rp3beta"));
    folder.fit("train.csv");
    folder.write("lists.csv", "user,item,rank\na,z,1\n");
    for (command, expected) in [
        (
            "evaluate --model model.bspm --test test.csv",
            "no effect on a test set",
        ),
        (
            "evaluate --lists lists.csv --test test.csv",
            "no effect without --train",
        ),
    ] {
        let refused = error(&folder.run(&format!("{command} --k-core 2")));
        assert!(
            refused.contains(&format!("--k-core has {expected}")),
            "{refused}"
        );
    }
}

#[test]
fn a_test_set_needs_neither_weights_nor_times() {
    let folder = Folder::new();
    let row = |row: Row| format!("u{},i{},{},{}", row.0, row.1, row.2, seconds(row));
    folder.write("train.csv", table("user,item,n,at", row));
    let flags = "--weight-column n --time-column at --half-life 30d --filter rp3beta --json";
    let test = |name: &str, text: &str| folder.write(name, text);
    test("pairs.csv", "user,item\nu0,i2\nu1,i5\n");
    test("zero.csv", "user,item,n\nu0,i2,3\nu1,i5,1\nu2,i6,0\n");
    let json = |user: u32, item: u32| format!("{{\"user\":\"u{user}\",\"item\":\"i{item}\"}}\n");
    test("pairs.jsonl", &(json(0, 2) + &json(1, 5)));
    let texts = |values: [&str; 2]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    folder.write_parquet(
        "pairs.parquet",
        [("user", texts(["u0", "u1"])), ("item", texts(["i2", "i5"]))],
    );
    let metrics = |command: &str, test: &str| {
        let output = folder.run(&format!("{command} --test {test} {flags}"));
        stdout(&output)
    };
    let evaluate = "evaluate --train train.csv";
    let plain = metrics(evaluate, "pairs.csv");
    for name in ["zero.csv", "pairs.jsonl", "pairs.parquet"] {
        assert_eq!(metrics(evaluate, name), plain, "{name}");
    }
    folder.write("lists.csv", "user,item,rank\nu0,i2,1\n");
    for command in [
        "evaluate --lists lists.csv --train train.csv --weight-column n --time-column at --test pairs.csv",
        "sweep train.csv --weight-column n --time-column at --test pairs.csv",
    ] {
        stdout(&folder.run(command));
    }
    let rated =
        "evaluate --train train.csv --test pairs.csv --rating-column n --rating-threshold 1";
    let message = error(&folder.run(rated));
    assert!(message.contains("expected a column \"n\""), "{message}");
    folder.fit("train.csv");
    let unused = folder.run("evaluate --model model.bspm --test pairs.csv --time-column at");
    assert!(
        error(&unused).contains("--time-column has no effect on a test set"),
        "{unused:?}"
    );
}

#[test]
fn times_in_several_units_are_reported() {
    let folder = Folder::new();
    let in_unit = |of: &dyn Fn(Row) -> String| {
        table("user,item,at", |row| {
            format!("u{},i{},{}", row.0, row.1, of(row))
        })
    };
    folder.write("s.csv", in_unit(&|row| seconds(row).to_string()));
    let late = |row: Row| format!("u{},j{},{}000", row.0, row.1, seconds(row));
    folder.write("ms.csv", table("user,item,at", late));
    let mixed = |row: Row| match row.0 {
        0 => format!("{}000", seconds(row)),
        1 => "0".into(),
        _ => seconds(row).to_string(),
    };
    folder.write("mixed.csv", in_unit(&mixed));
    let expected = "the times are in several units (";
    for (data, counts) in [
        (
            "mixed.csv",
            "40 in seconds, such as 1767830400; 4 in milliseconds, such as 1767225600000)",
        ),
        (
            "s.csv ms.csv",
            "48 in seconds, such as 1767225600; 48 in milliseconds, such as 1767225600000)",
        ),
    ] {
        for flags in ["", " --time-unit ms", " --time-unit ms --half-life 30d"] {
            let (_, told) = folder.fit(&format!("{data} --time-column at{flags}"));
            assert!(
                told.contains(&format!("{expected}{counts}")),
                "{data}{flags}: {told}"
            );
        }
        let refused = folder.run(&format!(
            "fit {data} -o x.bspm --time-column at --half-life 30d"
        ));
        let told = String::from_utf8(refused.stderr).unwrap();
        assert!(
            told.contains(expected) && told.contains("error: "),
            "{told}"
        );
    }
    folder.write(
        "steps.csv",
        in_unit(&|row| (1 + u64::from(row.3) * 1_000_000_000).to_string()),
    );
    for data in ["s.csv", "ms.csv", "steps.csv"] {
        let (_, told) = folder.fit(&format!("{data} --time-column at"));
        assert!(!told.contains(expected), "{data}: {told}");
    }
}

#[test]
fn booleans_are_weights_and_ratings_of_1_and_0() {
    let folder = Folder::new();
    let is_liked = |row: Row| row.2 > 1;
    let csv = |texts: [&str; 2]| {
        table("user,item,liked", |row| {
            format!(
                "u{},i{},{}",
                row.0,
                row.1,
                texts[usize::from(is_liked(row))]
            )
        })
    };
    folder.write("plain.csv", csv(["0", "1"]));
    folder.write("words.csv", csv(["False", " TRUE"]));
    let json = |row: Row| {
        let (user, item, is_liked) = (row.0, row.1, is_liked(row));
        format!("{{\"user\": \"u{user}\", \"item\": \"i{item}\", \"liked\": {is_liked}}}")
    };
    folder.write("words.jsonl", table("", json));
    folder.write_parquet(
        "words.parquet",
        [
            ("user", text_column(|row| format!("u{}", row.0))),
            ("item", text_column(|row| format!("i{}", row.1))),
            ("liked", Arc::new(BooleanArray::from(column(is_liked)))),
        ],
    );
    for flags in [
        "--weight-column liked",
        "--rating-column liked --rating-threshold 1",
    ] {
        let (plain, _) = folder.fit(&format!("plain.csv {flags}"));
        for data in ["words.csv", "words.jsonl", "words.parquet"] {
            let (read, _) = folder.fit(&format!("{data} {flags}"));
            assert_eq!(read, plain, "{data} {flags}");
        }
    }
    for data in ["words.csv", "words.jsonl", "words.parquet"] {
        let message = folder.refused(&format!("{data} --time-column liked"));
        assert!(message.contains("liked"), "{data}: {message}");
    }
}

#[test]
fn nan_in_json_lines_is_a_missing_value() {
    let folder = Folder::new();
    let row = |[price, user, item, n]: [&str; 4]| {
        format!("{{\"price\": {price}, \"user\": {user}, \"item\": {item}, \"n\": {n}}}\n")
    };
    let rows = |first: &str, last: &str| {
        row([first, r#""a""#, r#""x""#, "1"])
            + &row(["2", r#""a""#, r#""NaN, y""#, "2"])
            + &row([last, r#""b""#, r#""x""#, "1"])
    };
    folder.write("plain.jsonl", rows("1", "1"));
    folder.write("nan.jsonl", rows("NaN", "-Infinity"));
    let flags = "--weight-column n";
    let (plain, _) = folder.fit(&format!("plain.jsonl {flags}"));
    assert_eq!(folder.fit(&format!("nan.jsonl {flags}")).0, plain);
    for (reason, bad) in [
        ("a missing user", ["1", "NaN", r#""x""#, "1"]),
        ("a missing weight", ["1", r#""a""#, r#""x""#, "Infinity"]),
    ] {
        folder.write("bad.jsonl", rows("NaN", "1") + &row(bad));
        let message = folder.refused(&format!("bad.jsonl {flags}"));
        assert!(message.contains("bad.jsonl:4: "), "{message}");
        let (read, told) = folder.fit(&format!("bad.jsonl {flags} --skip-invalid"));
        assert_eq!(read, plain, "{reason}");
        assert!(told.contains(&format!("1 with {reason}")), "{told}");
    }
    folder.write(
        "items.jsonl",
        r#"{"item": "x", "title": "Tea", "price": NaN}
{"item": "NaN, y", "title": "Milk", "price": 2}
"#,
    );
    folder.fit("plain.jsonl --items items.jsonl");
    folder.write("people.jsonl", r#"{"user": "a", "age": NaN}"#);
    stdout(&folder.run("score model.bspm people.jsonl -o scores"));
}

#[test]
fn errors_name_the_flag_and_the_reason() {
    let folder = Folder::new();
    folder.write("pairs.csv", "user,item,n,at\na,x,0,1\na,y,0,2\n");
    folder.write("counts.csv", "user,item,n\na,x,0\na,y,1\na,z,-1\n");
    folder.write("short.csv", "user,item\na\n");
    folder.write("tags.csv", "item,tag\nx,\n");
    for (fit, expected) in [
        (
            "pairs.csv --weight-column n",
            "found none in 2 rows: 2 with weight 0",
        ),
        (
            "pairs.csv --rating-column n --rating-threshold 4",
            "in 2 rows: 2 with a rating below the threshold",
        ),
        (
            "counts.csv --weight-column n --weight threshold:2 --skip-invalid",
            "in 3 rows: 1 with a negative weight (line 4: \"-1\"), 1 with weight 0, 1 with weight 0 after scaling",
        ),
        ("pairs.csv --k-core 9", "--k-core: expected a value"),
        ("pairs.csv --encoding odd", "--encoding: expected a label"),
        (
            "pairs.csv --time-column at --time-format %H",
            "--time-format: expected a format",
        ),
        ("short.csv", "row: expected 2 fields, found 1"),
        (
            "pairs.csv --tags tags.csv",
            "tags.csv:2: tag: expected a tag, found \"\"",
        ),
    ] {
        let message = folder.refused(fit);
        assert!(message.contains(expected), "{fit}: {message}");
    }
}

#[test]
fn missing_numbers_and_times_have_hints_of_their_own() {
    let folder = Folder::new();
    let rows = "{\"user\":\"a\",\"item\":\"x\",\"n\":2,\"at\":1}\n";
    let null = "{\"user\":\"b\",\"item\":\"x\",\"n\":null,\"at\":null}\n";
    folder.write("null.jsonl", format!("{rows}{null}"));
    folder.write("empty.csv", "user,item,n,at\na,x,2,1\nb,x,,\n");
    let numbers: ArrayRef = Arc::new(Float64Array::from(vec![Some(2.0), None]));
    folder.write_parquet(
        "null.parquet",
        [
            ("user", Arc::new(StringArray::from(vec!["a", "b"])) as _),
            ("item", Arc::new(StringArray::from(vec!["x", "x"])) as _),
            ("n", numbers.clone()),
            ("at", numbers),
        ],
    );
    for data in ["null.jsonl", "empty.csv", "null.parquet"] {
        for (flags, reason) in [
            ("--weight-column n", "a missing weight"),
            ("--rating-column n --rating-threshold 1", "a missing rating"),
            ("--time-column at", "a missing time"),
        ] {
            let message = folder.refused(&format!("{data} {flags}"));
            let (_, told) = folder.fit(&format!("{data} {flags} --skip-invalid"));
            assert!(told.contains(&format!("1 with {reason}")), "{told}");
            for text in [message, told] {
                let has_other = text.contains("--decimal-comma") || text.contains("--time-format");
                assert!(!has_other, "{data}: {text}");
            }
        }
    }
}

#[test]
fn weights_and_column_names_are_shown_and_read_as_written() {
    let folder = Folder::new();
    folder.write("n.csv", "user,item,n\na,x,1.1\na,y,1.1\nb,x,2.3\n");
    let described = stdout(&folder.run("describe n.csv --weight-column n --json"));
    let weights = &json_lines(&described)[0]["weights"];
    assert_eq!(
        (&weights["min"], &weights["max"]),
        (&1.1.into(), &2.3.into())
    );
    let texts = |values: [&str; 3]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    folder.write_parquet(
        "n.parquet",
        [
            (" user", texts(["a", "a", "b"])),
            ("item ", texts(["x", "y", "x"])),
            ("n", Arc::new(Float64Array::from(vec![1.1, 1.1, 2.3])) as _),
        ],
    );
    let flags = "--weight-column n";
    let (plain, _) = folder.fit(&format!("n.csv {flags}"));
    assert_eq!(folder.fit(&format!("n.parquet {flags}")).0, plain);
}
