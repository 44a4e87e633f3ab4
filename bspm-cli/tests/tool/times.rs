//! Times: dates in other formats, dates as numbers, other units, and times that are far from the others.

use std::fs;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

use crate::shop::{bspm, error, json_lines, stdout};

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Writes interactions with these times.
    fn write<T: ToString>(&self, name: &str, times: impl IntoIterator<Item = T>) {
        let rows = times
            .into_iter()
            .enumerate()
            .map(|(row, time)| format!("u{},i{},{}\n", row % 3, row / 2, time.to_string()));
        let text = format!("user,item,at\n{}", rows.collect::<String>());
        fs::write(self.0.path().join(name), text).unwrap();
    }

    /// The output and the text on standard error.
    fn run(&self, arguments: &[&str]) -> (String, String) {
        let output = bspm(self.0.path(), arguments);
        let told = String::from_utf8(output.stderr.clone()).unwrap();
        (stdout(&output), told)
    }

    fn describe(&self, flags: &[&str]) -> String {
        let command = ["describe", "d.csv", "--time-column", "at"];
        self.run(&[&command, flags].concat()).0
    }

    fn refused(&self, flags: &[&str]) -> String {
        let command = ["describe", "d.csv", "--time-column", "at"];
        error(&bspm(self.0.path(), &[&command, flags].concat()))
    }
}

/// The 28 days of February 2024, from a day.
fn days<T>(of: impl Fn(u32) -> T) -> Vec<T> {
    (1..=28).map(of).collect()
}

/// Seconds since 1970 of days of February 2024.
fn seconds() -> Vec<f64> {
    days(|day| 1_706_745_600.0 + 86_400.0 * f64::from(day - 1))
}

#[test]
fn a_year_of_two_digits_is_refused_with_the_format_that_reads_it() {
    let folder = Folder::new();
    for (first, format, hint) in [
        (
            "31/01/24 10:30",
            "%d/%m/%Y %H:%M",
            "--time-format '%d/%m/%y %H:%M'",
        ),
        ("31-JAN-24", "%d-%b-%Y", "--time-format '%d-%b-%y'"),
    ] {
        folder.write("d.csv", [first]);
        let refused = folder.refused(&["--time-format", format]);
        assert!(refused.contains("d.csv:2: at"), "{refused}");
        assert!(refused.contains("a year of four digits"), "{refused}");
        assert!(
            refused.contains("%y") && refused.contains(hint),
            "{refused}"
        );
        let without = folder.refused(&[]);
        assert!(without.contains(hint), "{without}");
        let right = hint
            .trim_start_matches("--time-format '")
            .trim_end_matches('\'');
        let read = folder.describe(&["--time-format", right]);
        assert!(read.contains("2024-01-31T"), "{read}");
    }
    folder.write("d.csv", ["31/01/24", "15/01/2024"]);
    let refused = folder.refused(&["--time-format", "%d/%m/%y"]);
    assert!(
        refused.contains("write all years with four digits"),
        "{refused}"
    );
    let output = bspm(
        folder.0.path(),
        &[
            "describe",
            "d.csv",
            "--time-column",
            "at",
            "--time-format",
            "%d/%m/%Y",
            "--skip-invalid",
        ],
    );
    let read = stdout(&output);
    assert!(read.contains("1 with a year of two digits"), "{read}");
    assert!(read.contains("%y in --time-format reads them"), "{read}");
}

#[test]
fn a_date_that_does_not_exist_is_named() {
    let folder = Folder::new();
    for (date, flags) in [
        ("9999-12-31", &[][..]),
        ("2024-02-30 10:00", &[]),
        ("0000-00-00", &[]),
        ("30/02/2024", &["--time-format", "%d/%m/%Y"]),
    ] {
        folder.write("d.csv", [date]);
        let refused = folder.refused(flags);
        assert!(
            refused.contains("a date that exists and is before 9999-12-30"),
            "{refused}"
        );
        assert!(refused.contains("hint: correct the date"), "{refused}");
        assert!(!refused.contains("--time-format"), "{refused}");
    }
}

#[test]
fn dates_as_numbers_are_reported_with_a_format_that_reads_them() {
    let folder = Folder::new();
    for (form, format) in [
        ("202402{}", "%Y%m%d"),
        ("202402{}.0", "%Y%m%d"),
        ("202402{}10", "%Y%m%d%H"),
        ("202402{}1030", "%Y%m%d%H%M"),
        ("202402{}103000", "%Y%m%d%H%M%S"),
    ] {
        let times = || days(|day| form.replace("{}", &format!("{day:02}")));
        folder.write("d.csv", times());
        let told = folder.describe(&[]);
        let hint = format!("set the time format {format} to read them as dates");
        assert!(told.contains("all times look like dates"), "{told}");
        assert!(told.contains(&hint), "{told}");
        let read = folder.describe(&["--time-format", format]);
        assert!(
            read.contains("2024-02-01T") && !read.contains("warning"),
            "{read}"
        );
        let unit = folder.describe(&["--time-unit", "ns"]);
        assert!(
            unit.contains(&format!(
                "set the time format {format} instead of the unit ns"
            )),
            "{unit}"
        );
        folder.write("d.csv", [times(), vec!["0".into()]].concat());
        let told = folder.describe(&[]);
        assert!(told.contains("28 of 29 times look like dates"), "{told}");
    }
    let wrong = ["--half-life", "30d", "--time-unit", "ns"];
    assert!(!folder.describe(&wrong).contains("--time-unit"));
    let half_life = folder.refused(&["--half-life", "30d"]);
    assert!(
        half_life.contains("--time-format '%Y%m%d%H%M%S'"),
        "{half_life}"
    );
}

#[test]
fn numbers_of_a_parquet_file_are_read_with_a_format() {
    let folder = Folder::new();
    let texts = |prefix: &str| -> ArrayRef {
        Arc::new(StringArray::from(days(|day| {
            format!("{prefix}{}", day / 2)
        })))
    };
    let times: ArrayRef = Arc::new(Int64Array::from(days(|day| 20_240_200 + i64::from(day))));
    let columns = [("user", texts("u")), ("item", texts("i")), ("at", times)];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = fs::File::create(folder.0.path().join("d.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let describe = ["describe", "d.parquet", "--time-column", "at"];
    let (plain, _) = folder.run(&describe);
    assert!(plain.contains("set the time format %Y%m%d"), "{plain}");
    let (read, _) = folder.run(&[&describe[..], &["--time-format", "%Y%m%d"]].concat());
    assert!(
        read.contains("2024-02-01T00:00:00Z to 2024-02-28T"),
        "{read}"
    );
    let refused = bspm(
        folder.0.path(),
        &[&describe[..], &["--time-format", "%d/%m/%Y"]].concat(),
    );
    assert!(
        error(&refused).contains("a time in the format"),
        "{refused:?}"
    );
}

#[test]
fn the_hint_for_numbers_names_the_unit_that_fits() {
    let folder = Folder::new();
    let day = |day: f64| (day - 1_706_745_600.0) / 86_400.0;
    let convert: [(&str, &dyn Fn(f64) -> f64); 9] = [
        ("ms", &|time| time * 1e3),
        ("us", &|time| time * 1e6),
        ("ns", &|time| time * 1e9),
        ("min", &|time| time / 60.0),
        ("h", &|time| time / 3_600.0),
        ("d", &|time| time / 86_400.0),
        ("excel", &|time| 45_323.0 + day(time)),
        ("ticks", &|time| time * 1e7 + 621_355_968_000_000_000.0),
        ("filetime", &|time| time * 1e7 + 116_444_736_000_000_000.0),
    ];
    for (unit, convert) in convert {
        folder.write("d.csv", seconds().into_iter().map(convert));
        let told = folder.describe(&[]);
        let hint = format!("--time-unit {unit}\n");
        let last = told
            .lines()
            .filter(|line| line.contains("look like"))
            .collect::<Vec<_>>();
        assert!(
            last.len() == 1 && format!("{}\n", last[0].trim()).contains(&hint),
            "{told}"
        );
        let read = folder.describe(&["--time-unit", unit]);
        assert!(
            read.contains("2024-02-01T") && !read.contains("warning"),
            "{unit}: {read}"
        );
        let half_life = bspm(
            folder.0.path(),
            &[
                "describe",
                "d.csv",
                "--time-column",
                "at",
                "--half-life",
                "30d",
            ],
        );
        let half_life = format!(
            "{}{}",
            String::from_utf8_lossy(&half_life.stdout),
            String::from_utf8_lossy(&half_life.stderr)
        );
        assert!(
            half_life.contains(&format!("--time-unit {unit}")),
            "{half_life}"
        );
        let wrong = folder.describe(&["--time-unit", "s"]);
        assert!(
            wrong.contains("the times are from the year"),
            "{unit}: {wrong}"
        );
        assert!(
            wrong.contains(&format!("set the time unit {unit}")),
            "{wrong}"
        );
    }
    folder.write("d.csv", days(f64::from));
    let steps = folder.describe(&[]);
    assert!(
        !steps.contains("look like") && steps.contains("in the unit of the data"),
        "{steps}"
    );
}

#[test]
fn a_refit_warns_of_times_in_another_unit() {
    let folder = Folder::new();
    folder.write("s.csv", seconds());
    folder.write("more.csv", seconds().into_iter().map(|time| time + 3_600.0));
    folder.write("ms.csv", seconds().into_iter().map(|time| 1e3 * time));
    let column = ["--time-column", "at"];
    let fit = ["fit", "s.csv", "-o", "m.bspm", "--filter", "popularity"];
    folder.run(&[&fit[..], &column].concat());
    let told = |data: &str, flags: &[&str]| {
        let refit = ["refit", "m.bspm", data, "-o", "n.bspm"];
        folder.run(&[&refit[..], &column, flags].concat()).1
    };
    let warning = "the times of the new interactions look like milliseconds since 1970";
    assert!(told("ms.csv", &[]).contains(warning));
    assert!(!told("ms.csv", &["--time-unit", "ms"]).contains("the times of the new"));
    assert!(!told("more.csv", &[]).contains("the times of the new"));
}

#[test]
fn a_few_times_far_from_the_others_are_reported() {
    let folder = Folder::new();
    let dates = || days(|day| format!("2024-02-{day:02}"));
    folder.write("d.csv", [dates(), vec!["1970-01-01".into()]].concat());
    let told = folder.describe(&[]);
    assert!(
        told.contains("1970-01-01T00:00:00Z to 2024-02-28T00:00:00Z"),
        "{told}"
    );
    let expected = "1 of 29 times are far from the others, such as 1970-01-01T00:00:00Z";
    assert!(told.contains(expected), "{told}");
    folder.write("d.csv", [dates(), vec!["2999-12-31".into()]].concat());
    assert!(
        folder
            .describe(&[])
            .contains("such as 2999-12-31T00:00:00Z")
    );
    folder.write("d.csv", days(|year| format!("{}-01-01", 1955 + 2 * year)));
    let long = folder.describe(&["--json"]);
    assert_eq!(
        json_lines(&long)[0]["warnings"].as_array().unwrap().len(),
        0,
        "{long}"
    );
}

#[test]
fn a_day_that_may_be_a_month_gives_both_formats() {
    let folder = Folder::new();
    folder.write("d.csv", ["12/1/2010 8:26", "12/13/2010 9:00"]);
    let hint = "--time-format '%d/%m/%Y %H:%M' if the day is first, or --time-format '%m/%d/%Y %H:%M' if the month is \
                first";
    let refused = folder.refused(&[]);
    assert!(refused.contains(hint), "{refused}");
    let refused = folder.refused(&["--time-format", "%d/%m/%Y %H:%M"]);
    assert!(
        refused.contains("--time-format '%m/%d/%Y %H:%M'"),
        "{refused}"
    );
    // The first row is misread, so rows that cannot be read must not be skipped.
    assert!(!refused.contains("--skip-invalid"), "{refused}");
    let read = folder.describe(&["--time-format", "%m/%d/%Y %H:%M"]);
    assert!(
        read.contains("2010-12-01T08:26:00Z to 2010-12-13T09:00:00Z"),
        "{read}"
    );
}

#[test]
fn repeated_pairs_count_in_the_range_of_the_times_and_not_in_a_split() {
    let folder = Folder::new();
    let dates = ["2025-01-01", "2025-02-01", "2025-03-01", "2025-04-01"];
    let rows = dates.map(|date| format!("a,x,{date}\nb,x,{date}\n"));
    fs::write(
        folder.0.path().join("d.csv"),
        format!("user,item,at\n{}", rows.concat()),
    )
    .unwrap();
    let read = folder.describe(&[]);
    assert!(
        read.contains("2025-01-01T00:00:00Z to 2025-04-01T00:00:00Z (90.0 days)"),
        "{read}"
    );
    let command = [
        "evaluate",
        "d.csv",
        "--time-column",
        "at",
        "--from",
        "2025-02-01",
    ];
    let refused = error(&bspm(folder.0.path(), &command));
    assert!(
        refused.contains("--from: expected a time after 2025-04-01"),
        "{refused}"
    );
    assert!(refused.contains("the time of its latest row"), "{refused}");
}
