//! Every option with every format: it is used, or it returns an error.

use std::fs;
use std::path::PathBuf;

use bspm::data::{Duplicates, Format, Quoting, TableOptions, TimeUnit, WeightScale, Weighting};
use bspm::{Dataset, Error};

/// Each option with a value, and with the other options that it requires.
fn set(name: &str, format: Format) -> TableOptions {
    let (user, item) = format.columns();
    let (rating, time) = match format {
        Format::MovieLens => ("rating", "time"),
        _ => ("stars", "at"),
    };
    let options = TableOptions::default();
    let has_values = matches!(format, Format::Npz);
    match name {
        "user" => options.user(user),
        "item" => options.item(item),
        "rating" => options.rating(rating).rating_threshold(1.0),
        "time" => options.time(time),
        "weight" => options.weight(rating),
        "rating_threshold" if has_values => options.rating_threshold(1.0),
        "rating_threshold" => options.rating(rating).rating_threshold(1.0),
        "weight_scale" if has_values => options.weighting(Weighting::new().scale(WeightScale::Log)),
        "weight_scale" => options
            .weight(rating)
            .weighting(Weighting::new().scale(WeightScale::Log)),
        "half_life" => options
            .time(time)
            .weighting(Weighting::new().half_life(9.0)),
        "duplicates" => options.weighting(Weighting::new().duplicates(Duplicates::Sum)),
        "delimiter" => options.delimiter(b','),
        "columns" => options.without_header(["user", "item", "stars", "at"]),
        "quoting" => options.quoting(Quoting::Off),
        "comment" => options.comment(b'#'),
        "encoding" => options.encoding("latin1"),
        "decimal_comma" => options.weight(rating).decimal_comma(),
        "time_format" => options.time(time).time_format("%Y-%m-%d"),
        "time_unit" => options.time(time).time_unit(TimeUnit::Milliseconds),
        "null_values" => options.null_values(["-"]),
        "trim_ids" => options.trim_ids(),
        "skip_invalid" => options.skip_invalid(),
        other => panic!("an option without a case here: {other}"),
    }
}

fn formats() -> [(Format, &'static str, Vec<u8>); 6] {
    [
        (
            Format::Csv,
            "f.csv",
            "user,item,stars,at\nu,i,2,5\nu,i,3,6\nu,j,2,1\n".into(),
        ),
        (
            Format::Tsv,
            "f.tsv",
            "user\titem\tstars\tat\nu\ti\t2\t5\nu\ti\t3\t6\nu\tj\t2\t1\n".into(),
        ),
        (
            Format::MovieLens,
            "f.dat",
            "u::i::2::5\nu::i::3::6\nu::j::2::1\n".into(),
        ),
        (
            Format::RecBole,
            "f.inter",
            "user_id:token\titem_id:token\tstars:float\tat:float\nu\ti\t2\t5\nu\ti\t3\t6\nu\tj\t2\t1\n".into(),
        ),
        (
            Format::JsonLines,
            "f.jsonl",
            "{\"user\": \"u\", \"item\": \"i\", \"stars\": 2, \"at\": 5}\n{\"user\": \"u\", \"item\": \"i\", \"stars\": 3, \"at\": 6}\n{\"user\": \"u\", \"item\": \"j\", \"stars\": 2, \"at\": 1}\n".into(),
        ),
        (Format::LightGcn, "f.txt", "0 1 1\n1 0\n".into()),
    ]
}

#[test]
fn every_option_is_used_or_refused_by_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let mut tried = 0;
    for (format, name, text) in formats() {
        let path: PathBuf = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let plain = Dataset::read_files([&path], Some(format), &TableOptions::default()).unwrap();
        for option in TableOptions::option_uses() {
            let options = set(option.name, format);
            assert!(option.is_set(&options), "{}", option.name);
            let read = Dataset::read_files([&path], Some(format), &options);
            let is_used = option.formats.contains(&format);
            match read {
                Err(Error::UnusedOption {
                    option: named,
                    needed,
                    ..
                }) => {
                    assert!(!is_used, "{}: {}", option.name, format.name());
                    // The error may name an option that it requires.
                    let is_beside = matches!(
                        option.name,
                        "half_life"
                            | "time_format"
                            | "time_unit"
                            | "decimal_comma"
                            | "weight_scale"
                            | "rating_threshold"
                    );
                    assert!(
                        named == option.name || is_beside,
                        "{named} for {}",
                        option.name
                    );
                    assert!(!needed.is_empty());
                }
                Err(Error::InvalidField { .. })
                    if matches!(option.name, "time_format" | "columns") =>
                {
                    assert!(is_used);
                }
                Err(error) => panic!("{} for {}: {error}", option.name, format.name()),
                Ok((dataset, report)) => {
                    assert!(
                        is_used,
                        "{} had no effect on {}",
                        option.name,
                        format.name()
                    );
                    let must_differ = matches!(
                        option.name,
                        "time" | "weight" | "weight_scale" | "half_life" | "duplicates"
                    );
                    // The times of MovieLens are read by default.
                    let must_differ =
                        must_differ && (option.name, format) != ("time", Format::MovieLens);
                    let is_same = dataset == plain.0 && report == plain.1;
                    assert!(
                        !must_differ || !is_same,
                        "{} for {}",
                        option.name,
                        format.name()
                    );
                }
            }
            tried += 1;
        }
    }
    assert_eq!(tried, 6 * TableOptions::option_uses().len());
}

#[test]
fn binary_formats_refuse_the_options_of_text() {
    for format in [Format::Parquet, Format::Npz] {
        for option in TableOptions::option_uses() {
            let options = set(option.name, format);
            // The file does not exist: unused options are an error before the file is opened.
            let error = Dataset::read_files(["missing.file"], Some(format), &options).unwrap_err();
            let is_refused = matches!(error, Error::UnusedOption { .. });
            let is_used = option.formats.contains(&format);
            assert_eq!(
                is_refused,
                !is_used,
                "{} for {}: {error}",
                option.name,
                format.name()
            );
        }
    }
}

#[test]
fn the_guide_has_the_table_of_options() {
    let guide = include_str!("../../src/guide/data.md");
    let header = guide
        .lines()
        .find(|line| line.starts_with("| option |"))
        .unwrap();
    let formats: Vec<&str> = header.split('|').map(str::trim).collect();
    let mut rows = 0;
    for option in TableOptions::option_uses() {
        let start = format!("| `{}` |", option.name);
        let row = guide.lines().find(|line| line.starts_with(&start));
        let row = row.unwrap_or_else(|| panic!("no row of {}", option.name));
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        for (name, cell) in formats.iter().zip(cells).skip(2).take(8) {
            let format: Format = name.parse().unwrap();
            let is_used = option.formats.contains(&format);
            assert_eq!(
                cell,
                if is_used { "yes" } else { "" },
                "{} for {name}",
                option.name
            );
        }
        rows += 1;
    }
    assert_eq!(
        rows,
        guide
            .lines()
            .filter(|line| line.starts_with("| `") && line.contains("| yes |"))
            .count()
    );
}
