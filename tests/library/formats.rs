//! The same interactions in every format and through every interface: the same data set, to the last bit,
//! or an error that names the column and its type.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::types::{
    Decimal128Type, Decimal256Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Date64Array, FixedSizeBinaryArray,
    Float64Array, IntervalYearMonthArray, LargeStringArray, ListArray, PrimitiveArray, RecordBatch,
    StringArray, StringViewArray, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray, TimestampSecondArray,
};
use bspm::data::{Duplicates, Format, TableOptions, WeightScale, Weighting};
use bspm::{CpuBackend, Dataset, Error, Model};
use bspm_arrow::FromArrow;
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;
use zip::write::SimpleFileOptions;

/// An event: user and item as numbers, a weight, and a day.
#[derive(Clone, Copy, Debug)]
struct Row {
    user: u8,
    item: u8,
    weight: u8,
    day: u16,
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (0..12_u8, 0..12_u8, 1..9_u8, 0..400_u16);
    let row = row.prop_map(|(user, item, weight, day)| Row {
        user,
        item,
        weight,
        day,
    });
    prop::collection::vec(row, 1..60)
}

/// How interactions are weighted, and whether a weight and a time are read.
#[derive(Clone, Copy, Debug)]
struct Reading {
    has_weight: bool,
    has_time: bool,
    threshold: Option<u8>,
    weighting: Weighting,
}

fn readings() -> impl Strategy<Value = Reading> {
    let scale = prop::option::of(prop_oneof![
        Just(WeightScale::Linear),
        Just(WeightScale::Log),
        Just(WeightScale::Threshold(3.0)),
    ]);
    let duplicates = prop::option::of(prop_oneof![
        Just(Duplicates::Sum),
        Just(Duplicates::Max),
        Just(Duplicates::Last),
    ]);
    let half_life = prop::option::of(1.0e6..1.0e7_f64);
    let threshold = prop::option::of(2..5_u8);
    (
        any::<bool>(),
        any::<bool>(),
        scale,
        duplicates,
        half_life,
        threshold,
    )
        .prop_map(
            |(has_weight, has_time, scale, duplicates, half_life, threshold)| {
                let mut weighting = Weighting::new();
                weighting.half_life = half_life.filter(|_| has_time);
                let chooses = has_weight || weighting.half_life.is_some();
                let has_effect = |rule: &Duplicates| chooses || *rule == Duplicates::Sum;
                weighting.duplicates = duplicates.filter(has_effect);
                let counts = has_weight || weighting.duplicates == Some(Duplicates::Sum);
                weighting.scale = scale.filter(|_| counts);
                Reading {
                    has_weight,
                    has_time,
                    threshold,
                    weighting,
                }
            },
        )
}

impl Reading {
    fn options(&self, [user, item, weight, time]: [&str; 4]) -> TableOptions {
        let mut options = TableOptions::new(user, item).weighting(self.weighting);
        if self.has_weight {
            options = options.weight(weight);
        }
        if self.has_time {
            options = options.time(time);
        }
        if let Some(threshold) = self.threshold {
            options = options.rating(weight).rating_threshold(threshold.into());
        }
        options
    }
}

const NAMES: [&str; 4] = ["user", "item", "weight", "at"];
const DAY: i64 = 86_400;

/// Seconds, some of them before 1970.
fn seconds(row: &Row) -> i64 {
    i64::from(row.day) * DAY - 100 * DAY
}

/// A table with a field for each column.
fn table(rows: &[Row], delimiter: &str, header: &str) -> String {
    let lines = rows.iter().map(|row| {
        let fields = [
            row.user.to_string(),
            row.item.to_string(),
            row.weight.to_string(),
            seconds(row).to_string(),
        ];
        format!("{}\n", fields.join(delimiter))
    });
    format!("{header}{}", lines.collect::<String>())
}

/// The interactions that are read, or the error that there are none: the only error that a form may return.
fn read(path: &Path, options: &TableOptions) -> Option<Dataset> {
    read_files(&[path.to_owned()], None, options)
}

fn read_files(
    paths: &[PathBuf],
    format: Option<Format>,
    options: &TableOptions,
) -> Option<Dataset> {
    match bspm_arrow::read_files(paths, format, options) {
        Ok((dataset, _)) => Some(dataset),
        Err(Error::NoInteractions { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

/// The same model file, to the last bit.
fn assert_same(found: &Option<Dataset>, expected: &Option<Dataset>, form: &str) {
    assert_eq!(found, expected, "{form}");
    let bytes = |dataset: &Option<Dataset>| {
        let config = bspm::FilterConfig::published("popularity", bspm::Preset::Gowalla).unwrap();
        let model = Model::fit(CpuBackend::new(), dataset.clone()?, config).unwrap();
        Some(model.to_bytes().unwrap())
    };
    assert!(bytes(found) == bytes(expected), "{form}");
}

fn batch<'a>(columns: impl IntoIterator<Item = (&'a str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).unwrap()
}

fn write_parquet(path: &Path, batch: &RecordBatch) {
    let file = fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

macro_rules! primitive {
    ($rows:expr, $kind:ty, $of:expr) => {{
        let values = $rows.iter().map($of);
        Arc::new(PrimitiveArray::<$kind>::from_iter_values(values)) as ArrayRef
    }};
}

/// Columns of users in every type that is accepted.
fn id_columns(rows: &[Row]) -> Vec<(&'static str, ArrayRef)> {
    let texts: Vec<String> = rows.iter().map(|row| row.user.to_string()).collect();
    let mut dictionary = StringDictionaryBuilder::<Int32Type>::new();
    texts.iter().for_each(|text| dictionary.append_value(text));
    let decimals = primitive!(rows, Decimal128Type, |row| i128::from(row.user) * 100);
    let decimals = decimals
        .as_any()
        .downcast_ref::<PrimitiveArray<Decimal128Type>>();
    let decimals = decimals
        .unwrap()
        .clone()
        .with_precision_and_scale(9, 2)
        .unwrap();
    vec![
        ("Utf8", Arc::new(StringArray::from(texts.clone()))),
        ("LargeUtf8", Arc::new(LargeStringArray::from(texts.clone()))),
        (
            "Utf8View",
            Arc::new(StringViewArray::from_iter_values(&texts)),
        ),
        ("Binary", Arc::new(BinaryArray::from_iter_values(&texts))),
        ("Dictionary", Arc::new(dictionary.finish())),
        ("Int8", primitive!(rows, Int8Type, |row| row.user as i8)),
        ("Int16", primitive!(rows, Int16Type, |row| row.user.into())),
        ("Int32", primitive!(rows, Int32Type, |row| row.user.into())),
        ("Int64", primitive!(rows, Int64Type, |row| row.user.into())),
        ("UInt8", primitive!(rows, UInt8Type, |row| row.user)),
        (
            "UInt16",
            primitive!(rows, UInt16Type, |row| row.user.into()),
        ),
        (
            "UInt32",
            primitive!(rows, UInt32Type, |row| row.user.into()),
        ),
        (
            "UInt64",
            primitive!(rows, UInt64Type, |row| row.user.into()),
        ),
        (
            "Float32",
            primitive!(rows, Float32Type, |row| row.user.into()),
        ),
        (
            "Float64",
            primitive!(rows, Float64Type, |row| row.user.into()),
        ),
        ("Decimal128", Arc::new(decimals)),
    ]
}

/// Columns of times in every type that is accepted.
fn time_columns(rows: &[Row]) -> Vec<(&'static str, ArrayRef)> {
    let at = |unit: i64| rows.iter().map(move |row| seconds(row) * unit);
    let dates = |pattern: &str| {
        let texts = rows.iter().map(|row| date(seconds(row), pattern));
        Arc::new(StringArray::from_iter_values(texts)) as ArrayRef
    };
    vec![
        ("Int64", primitive!(rows, Int64Type, seconds)),
        (
            "Int32",
            primitive!(rows, Int32Type, |row| seconds(row) as i32),
        ),
        (
            "Float64",
            primitive!(rows, Float64Type, |row| seconds(row) as f64),
        ),
        ("s", Arc::new(TimestampSecondArray::from_iter_values(at(1)))),
        (
            "ms",
            Arc::new(TimestampMillisecondArray::from_iter_values(at(1_000))),
        ),
        (
            "us",
            Arc::new(
                TimestampMicrosecondArray::from_iter_values(at(1_000_000))
                    .with_timezone("Europe/Berlin"),
            ),
        ),
        (
            "ns",
            Arc::new(TimestampNanosecondArray::from_iter_values(at(
                1_000_000_000,
            ))),
        ),
        (
            "Date32",
            Arc::new(Date32Array::from_iter_values(
                rows.iter().map(|row| (seconds(row) / DAY) as i32),
            )),
        ),
        ("Date64", Arc::new(Date64Array::from_iter_values(at(1_000)))),
        ("text", dates("T00:00:00Z")),
        ("text in UTC", dates(" 00:00:00 UTC")),
    ]
}

/// The date of a whole day, with a text after it.
fn date(seconds: i64, after: &str) -> String {
    // Days to a civil date (Hinnant's algorithm).
    let days = seconds / DAY + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    format!(
        "{:04}-{month:02}-{day:02}{after}",
        year_of_era + era * 400 + carry
    )
}

fn compressed(text: &str, ending: &str) -> Vec<u8> {
    match ending {
        "gz" => {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), Default::default());
            gzip.write_all(text.as_bytes()).unwrap();
            gzip.finish().unwrap()
        }
        _ => {
            let level = ruzstd::encoding::CompressionLevel::Fastest;
            ruzstd::encoding::compress_to_vec(text.as_bytes(), level)
        }
    }
}

fn utf16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_be_bytes).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_text_says_the_same(rows in rows(), reading in readings(), cut in 0.0..1.0_f64) {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let header = "user,item,weight,at\n";
        let csv = table(&rows, ",", header);
        let options = reading.options(NAMES);
        fs::write(at("plain.csv"), &csv).unwrap();
        let expected = read(&at("plain.csv"), &options);

        let quoted: Vec<String> = csv
            .lines()
            .map(|line| format!("\"{}\"", line.replace(',', "\",\"")))
            .collect();
        let json: String = rows
            .iter()
            .map(|row| {
                format!(
                    "{{\"at\": {}, \"user\": \"{}\", \"more\": {{\"user\": 7}}, \"item\": {}, \
                     \"weight\": {}.0}}\n",
                    seconds(row), row.user, row.item, row.weight
                )
            })
            .collect();
        let reordered: String = rows
            .iter()
            .map(|row| {
                format!("{},{},x,{},{}\n", seconds(row), row.weight, row.item, row.user)
            })
            .collect();
        let files: Vec<(&str, Vec<u8>)> = vec![
            ("marked.csv", format!("\u{feff}{csv}").into_bytes()),
            ("crlf.CSV", csv.replace('\n', "\r\n").into_bytes()),
            ("utf16.csv", utf16(&csv)),
            ("quoted.csv", quoted.join("\n").into_bytes()),
            ("named.csv", format!("sep=;\n{}", csv.replace(',', ";")).into_bytes()),
            ("spaced.csv", csv.replacen("user,item,weight,at", " user, item ,weight, at", 1).into()),
            ("reordered.csv", format!("at,weight,note,item,user\n{reordered}").into_bytes()),
            ("table.tsv", table(&rows, "\t", "user\titem\tweight\tat\n").into_bytes()),
            ("lines.jsonl", json.into_bytes()),
            ("plain.csv.gz", compressed(&csv, "gz")),
            ("plain.tsv.zst", compressed(&csv.replace(',', "\t"), "zst")),
        ];
        for (name, bytes) in files {
            fs::write(at(name), bytes).unwrap();
            assert_same(&read(&at(name), &options), &expected, name);
        }
        let typed = "user:token\titem:token\tweight:float\tat:float\n";
        fs::write(at("table.inter"), table(&rows, "\t", typed)).unwrap();
        assert_same(&read(&at("table.inter"), &options), &expected, "recbole");

        // Even without a time column, the fourth column of MovieLens would be read.
        if reading.has_time {
            fs::write(at("ratings.dat"), table(&rows, "::", "")).unwrap();
            let options = reading.options(["user", "item", "rating", "time"]);
            assert_same(&read(&at("ratings.dat"), &options), &expected, "movielens");
        }

        let cut = (cut * rows.len() as f64) as usize;
        fs::create_dir(at("parts")).unwrap();
        fs::write(at("parts/1.csv"), table(&rows[..cut], ",", header)).unwrap();
        let second = table(&rows[cut..], "\t", "user\titem\tweight\tat\n");
        fs::write(at("parts/2.tsv"), second).unwrap();
        let paths = bspm::data::expand_paths([at("parts")]).unwrap();
        assert_same(&read_files(&paths, None, &options), &expected, "parts");
    }

    #[test]
    fn every_type_of_a_column_says_the_same(rows in rows(), reading in readings()) {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let options = reading.options(NAMES);
        fs::write(at("plain.csv"), table(&rows, ",", "user,item,weight,at\n")).unwrap();
        let expected = read(&at("plain.csv"), &options);
        let items = || primitive!(rows, Int64Type, |row| row.item.into());
        let weights: Vec<(&str, ArrayRef)> = vec![
            ("UInt8", primitive!(rows, UInt8Type, |row| row.weight)),
            ("Int64", primitive!(rows, Int64Type, |row| row.weight.into())),
            ("Float32", primitive!(rows, Float32Type, |row| row.weight.into())),
            ("Float64", primitive!(rows, Float64Type, |row| row.weight.into())),
            ("Utf8", Arc::new(StringArray::from_iter_values(
                rows.iter().map(|row| row.weight.to_string()),
            ))),
        ];
        let mut batches = Vec::new();
        for (kind, users) in id_columns(&rows) {
            let time = primitive!(rows, Int64Type, seconds);
            let columns = [("user", users), ("item", items()), ("weight", weights[0].1.clone()), ("at", time)];
            batches.push((format!("user {kind}"), batch(columns)));
        }
        for (kind, times) in time_columns(&rows) {
            let users = primitive!(rows, Int16Type, |row| row.user.into());
            let columns = [("user", users), ("item", items()), ("weight", weights[0].1.clone()), ("at", times)];
            batches.push((format!("time {kind}"), batch(columns)));
        }
        for (kind, weight) in weights {
            let users = primitive!(rows, Int16Type, |row| row.user.into());
            let time = primitive!(rows, Int64Type, seconds);
            let columns = [("user", users), ("item", items()), ("weight", weight), ("at", time)];
            batches.push((format!("weight {kind}"), batch(columns)));
        }
        for (form, batch) in batches {
            write_parquet(&at("table.parquet"), &batch);
            assert_same(&read(&at("table.parquet"), &options), &expected, &form);
            let half = batch.num_rows() / 2;
            let halves = [batch.slice(0, half), batch.slice(half, batch.num_rows() - half)];
            let found = match Dataset::<String, String>::from_batches(halves.map(Ok), &options) {
                Ok(dataset) => Some(dataset),
                Err(Error::NoInteractions { .. }) => None,
                Err(error) => panic!("{form}: {error}"),
            };
            assert_same(&found, &expected, &form);
        }
    }

    #[test]
    fn matrices_and_lists_say_the_same(rows in rows()) {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let side = 12_u32;
        // Ids from 0 to 11 in this order, because these formats number them.
        let mut builder = Dataset::builder();
        let ids = || (0..side).map(|id| id.to_string());
        builder.add_ids(ids(), ids()).unwrap();
        for row in &rows {
            let event = bspm::data::Event::new(row.user.to_string(), row.item.to_string());
            builder.push(event).unwrap();
        }
        builder.push(bspm::data::Event::new("11".to_owned(), "11".to_owned())).unwrap();
        let expected = Some(builder.finish().unwrap());

        let mut lists = vec![Vec::new(); side as usize];
        for row in &rows {
            lists[usize::from(row.user)].push(u32::from(row.item));
        }
        lists[11].push(11);
        let lines = lists.iter().enumerate().map(|(user, items)| {
            let items: Vec<String> = items.iter().map(u32::to_string).collect();
            format!("{user} {}\n", items.join(" "))
        });
        fs::write(at("lists.txt"), lines.collect::<String>()).unwrap();
        let plain = TableOptions::default();
        let lightgcn = read_files(&[at("lists.txt")], Some(Format::LightGcn), &plain);
        assert_same(&lightgcn, &expected, "lightgcn");

        for list in &mut lists {
            list.sort_unstable();
            list.dedup();
        }
        fs::write(at("matrix.npz"), npz(&lists, side)).unwrap();
        assert_same(&read(&at("matrix.npz"), &plain), &expected, "npz");
    }
}

/// The file that `scipy.sparse.save_npz` writes for a CSR matrix of ones.
fn npz(lists: &[Vec<u32>], items: u32) -> Vec<u8> {
    let array = |kind: &str, count: Option<usize>, bytes: Vec<u8>| {
        let shape = count.map(|count| format!("{count},")).unwrap_or_default();
        let header =
            format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}\n");
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend((header.len() as u16).to_le_bytes());
        file.extend(header.as_bytes());
        file.extend(bytes);
        file
    };
    let integers = |values: Vec<u32>| {
        let count = values.len();
        let bytes = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        array("<i4", Some(count), bytes)
    };
    let columns: Vec<u32> = lists.iter().flatten().copied().collect();
    let mut ends = vec![0];
    for list in lists {
        ends.push(ends[ends.len() - 1] + list.len() as u32);
    }
    let ones: Vec<u8> = columns.iter().flat_map(|_| 1_f64.to_le_bytes()).collect();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in [
        ("format", array("|S3", None, b"csr".to_vec())),
        ("shape", integers(vec![lists.len() as u32, items])),
        ("data", array("<f8", Some(columns.len()), ones)),
        ("indices", integers(columns)),
        ("indptr", integers(ends)),
    ] {
        zip.start_file(format!("{name}.npy"), SimpleFileOptions::default())
            .unwrap();
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn columns_that_are_not_read_are_named_with_their_type() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.parquet");
    let ids = || -> ArrayRef { Arc::new(StringArray::from(vec!["a", "b"])) };
    let bytes = FixedSizeBinaryArray::try_from_iter([[1_u8, 2], [3, 4]].iter()).unwrap();
    let list =
        ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1)]), Some([Some(2)])]);
    let flags = || -> ArrayRef { Arc::new(BooleanArray::from(vec![true, false])) };
    let halves = || -> ArrayRef { Arc::new(Float64Array::from(vec![0.5, 2.0])) };
    let times = || -> ArrayRef { Arc::new(TimestampSecondArray::from(vec![1, 2])) };
    let days: ArrayRef = Arc::new(Date32Array::from(vec![1, 2]));
    let months: ArrayRef = Arc::new(IntervalYearMonthArray::from(vec![1, 2]));
    let options = TableOptions::new("user", "item");
    for (column, array, options, expected) in [
        (
            "user",
            Arc::new(bytes) as ArrayRef,
            options.clone(),
            "FixedSizeBinary",
        ),
        ("item", Arc::new(list) as ArrayRef, options.clone(), "List"),
        ("user", flags(), options.clone(), "Boolean"),
        ("item", days, options.clone(), "Date32"),
        ("user", times(), options.clone(), "Timestamp"),
        ("item", halves(), options.clone(), "an item id, found"),
        ("more", times(), options.clone().weight("more"), "Timestamp"),
        ("more", months, options.clone().time("more"), "Interval"),
        ("more", flags(), options.clone().time("more"), "Boolean"),
    ] {
        let mut columns = vec![("user", ids()), ("item", ids())];
        columns.retain(|(name, _)| *name != column);
        columns.push((column, array));
        let batch = batch(columns);
        let of_batch = Dataset::<String, String>::from_batches([Ok(batch.clone())], &options);
        let message = of_batch.unwrap_err().to_string();
        assert!(
            message.contains(column) && message.contains(expected),
            "{message}"
        );
        // Arrow cannot read intervals of months from Parquet.
        if expected != "Interval" {
            write_parquet(&path, &batch);
            let message = bspm_arrow::read_files([&path], None, &options)
                .unwrap_err()
                .to_string();
            assert!(
                message.contains(column) && message.contains(expected),
                "{message}"
            );
        }
    }
}

#[test]
fn ids_that_other_systems_write_as_numbers_are_whole() {
    let column = |array: ArrayRef| {
        let items: ArrayRef = Arc::new(StringArray::from(vec!["a"; array.len()]));
        let batch = batch([("user", array), ("item", items)]);
        let options = TableOptions::new("user", "item");
        let dataset = Dataset::<String, String>::from_batches([Ok(batch)], &options)?;
        Ok::<_, Error>(dataset.users().iter().cloned().collect::<Vec<_>>())
    };
    let wide = PrimitiveArray::<Decimal256Type>::from_iter_values([7.into(), 8.into()])
        .with_precision_and_scale(60, 0)
        .unwrap();
    assert_eq!(column(Arc::new(wide)).unwrap(), ["7", "8"]);
    let half = PrimitiveArray::<Float16Type>::from_iter_values([half::f16::from_f32(3.0)]);
    assert_eq!(column(Arc::new(half)).unwrap(), ["3"]);
    let large = Float64Array::from(vec![9_007_199_254_740_991.0, -0.0]);
    assert_eq!(column(Arc::new(large)).unwrap(), ["9007199254740991", "0"]);
    for number in [1e17, f64::NAN, f64::INFINITY, 1.5] {
        let error = column(Arc::new(Float64Array::from(vec![number]))).unwrap_err();
        assert!(error.to_string().contains("user"), "{error}");
    }
}

#[test]
fn a_quote_or_a_line_break_is_no_delimiter() {
    for delimiter in [b'"', b'\n', b'\r'] {
        let options = TableOptions::new("user", "item").delimiter(delimiter);
        let found = Dataset::<String, String>::parse_csv(&b"user,item\n"[..], "a.csv", &options);
        let error = found.unwrap_err().to_string();
        assert!(
            error.starts_with("delimiter: expected a character other than quotes"),
            "{error}"
        );
    }
}
