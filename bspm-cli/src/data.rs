//! Flags and code to read interactions in any supported format.

mod error;
mod weighting;

use std::path::{Path, PathBuf};

use bspm::data::{
    ColumnReason, Duplicates, Format, HalfLife, ItemTableOptions, NumericTimes, Quoting,
    ReadReport, TableOptions, TimeUnit, WeightScale, Weighting, expand_paths, hint,
};
use bspm::{Dataset, Error};
use bspm_args::tell;
use clap::Args;

use crate::output::shown;

use error::flag_of;
pub(crate) use error::{DataError, with_flags};

/// Flags that describe the interaction files.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Data")]
pub(crate) struct DataArguments {
    /// Format of the files: csv, tsv, jsonl (JSON objects: one per line, or one array of them),
    /// movielens (user::item::rating::time), recbole, lightgcn (user item item ...), npz (a SciPy CSR matrix)
    /// or parquet. Default: from the file name
    #[arg(long)]
    format: Option<Format>,
    /// Column with the user ids. Default: user or user_id, else a usual name such as userId or CustomerID
    #[arg(long, value_name = "COLUMN")]
    user_column: Option<String>,
    /// Column with the item ids. Default: item or item_id, else a usual name such as movieId or ISBN. In JSON,
    /// a.b is the member b of the object a, for every column
    #[arg(long, value_name = "COLUMN")]
    item_column: Option<String>,
    /// Column with the ratings; requires --rating-threshold
    #[arg(long, value_name = "COLUMN")]
    rating_column: Option<String>,
    /// Column with the times: numbers, or dates such as 2026-01-31 12:30:00 UTC
    #[arg(long, value_name = "COLUMN")]
    time_column: Option<String>,
    /// Format of the times in strftime syntax, such as '%d/%m/%Y %H:%M'
    #[arg(long, value_name = "PATTERN")]
    time_format: Option<String>,
    /// Unit of numeric times since 1970: s, ms, us, ns, min, h or d (days); or excel (serial numbers of dates
    /// in spreadsheets), ticks (of .NET) or filetime (of Windows). Times are converted to seconds
    #[arg(long, value_name = "UNIT")]
    time_unit: Option<TimeUnit>,
    /// Column with the weights of the interactions, such as counts or ratings
    #[arg(long, value_name = "COLUMN")]
    weight_column: Option<String>,
    /// Scaling of the weights after duplicates are combined: linear, log (log2(1 + weight)) or
    /// threshold:NUMBER (1 if the weight is at least NUMBER; other interactions are removed). With this
    /// flag, the values of an npz matrix are read as weights. Default: linear; tune, and fit and evaluate
    /// if they choose the filter, choose the scale by NDCG@20 on held-out interactions
    #[arg(long, value_name = "SCALE")]
    weight: Option<WeightScale>,
    /// Half-life of the weights: a duration such as 90d (s, h, d, w or y; requires times in seconds),
    /// or a number in the unit of the times. Requires times. Default: none; chosen like --weight
    #[arg(long, value_name = "TIME")]
    half_life: Option<HalfLife>,
    /// How to combine duplicates (rows with the same user and item): sum, max or last of their
    /// weights, or count. Default: sum if the data have weights, else duplicates count once
    #[arg(long, value_name = "RULE")]
    duplicates: Option<Duplicates>,
    /// Keep only interactions with a rating of at least this value
    #[arg(long, value_name = "RATING", allow_negative_numbers = true)]
    rating_threshold: Option<f64>,
    /// Column names of a table without a header
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    no_header: Option<Vec<String>>,
    /// Field delimiter of a CSV file: one character, or tab
    #[arg(long, value_name = "CHARACTER", value_parser = byte)]
    delimiter: Option<u8>,
    /// How to read quotes in CSV and TSV files: checked, trusted (quoted fields may contain lines
    /// that look like rows), backslash (\" is a quote in a field) or off (quotes are ordinary
    /// characters). Default: checked
    #[arg(long, value_name = "RULE")]
    quoting: Option<Quoting>,
    /// Skip lines that start with this character
    #[arg(long, value_name = "CHARACTER", value_parser = byte)]
    comment: Option<u8>,
    /// Text encoding, such as latin1, windows-1250 or utf-16le. Default: detected from the byte order
    /// mark, else UTF-8
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    /// Read numbers with a decimal comma, such as 1,5
    #[arg(long)]
    decimal_comma: bool,
    /// Texts that mean a missing id. Default: null, NULL, None, NaN, nan, <NA>, <null> and \N
    #[arg(
        long,
        value_name = "TEXT,...",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    null_values: Option<Vec<String>>,
    /// Remove spaces at the start and at the end of ids in text tables, as in ann, tea
    #[arg(long)]
    trim_ids: bool,
    /// Skip invalid rows, and report their number and the reasons
    #[arg(long)]
    skip_invalid: bool,
    /// Keep the k-core: repeatedly remove users and items with fewer than N interactions
    #[arg(long, value_name = "N")]
    k_core: Option<u32>,
}

/// Writes the columns that no flag names to standard error.
fn tell_columns(report: &ReadReport) {
    let found = report
        .columns
        .iter()
        .filter(|it| it.reason == ColumnReason::UsualName);
    let found = found.filter_map(|it| Some(format!("{} = {}", it.role.as_ref()?, it.name)));
    let found: Vec<String> = found.collect();
    if !found.is_empty() {
        tell!("columns: {}", shown(&found.join("; ")));
    }
}

/// Writes the warnings of a report, and the number of excluded rows, to standard error.
fn tell_report(report: &ReadReport) {
    for warning in &report.warnings {
        tell!("warning: {}", shown(warning));
    }
    let excluded = [
        (report.below_threshold, "below the rating threshold"),
        (report.zero_weight, "with weight 0"),
    ];
    let excluded = excluded.iter().filter(|(count, _)| *count > 0);
    let excluded: Vec<String> = excluded
        .map(|(count, why)| format!("{count} {why}"))
        .collect();
    if !excluded.is_empty() {
        let count = report.below_threshold + report.zero_weight;
        tell!(
            "{count} of {} rows are excluded: {}",
            report.rows,
            excluded.join(", ")
        );
    }
}

impl DataArguments {
    /// Reads a test set from a file, a folder of part files or a glob pattern. Flags that
    /// [change the training set](Self::changes_training) do not apply to it, and the weight column is
    /// optional.
    pub(crate) fn read_test(&self, path: &Path) -> Result<Dataset, DataError> {
        let table = self.table().for_test_set();
        let (dataset, report) = self.read_rows(&[path.to_owned()], &table)?;
        tell_report(&report);
        Ok(dataset)
    }

    /// Reads the interactions of files, folders of part files and glob patterns; all ids are read as
    /// text, and `-` is standard input. Warnings are written to standard error.
    pub(crate) fn read_all(&self, paths: &[PathBuf]) -> Result<Dataset, DataError> {
        let (dataset, report) = self.load(paths)?;
        tell_columns(&report);
        tell_report(&report);
        Ok(dataset)
    }

    /// Reads interactions, and returns them with a report of the reading.
    pub(crate) fn load(&self, paths: &[PathBuf]) -> Result<(Dataset, ReadReport), DataError> {
        let (mut dataset, mut report) = self.read_rows(paths, &self.table())?;
        if let Some(degree) = self.k_core {
            let before = dataset.len();
            dataset = dataset.k_core(degree, degree)?;
            if dataset.is_empty() {
                return Err(Error::InvalidParameter {
                    parameter: "k_core",
                    expected: "a value that keeps at least one interaction".into(),
                    found: degree.to_string(),
                }
                .into());
            }
            tell!(
                "k-core: {} of {before} interactions are removed",
                before - dataset.len()
            );
        }
        if let Some(half_life) = self.half_life {
            let likely = NumericTimes::of(dataset.times().unwrap_or_default());
            let warning = half_life.check(&dataset);
            // A warning may give the reason for the error.
            let warning = warning.map_err(|error| {
                tell_report(&report);
                match report.times_are_seconds {
                    true => error.into(),
                    false => DataError::with_hint(error, &hint::of_times(likely)),
                }
            })?;
            report.warnings.extend(warning);
            if half_life.has_unit
                && !report.times_are_seconds
                && let Some(kind) = likely.filter(|kind| !kind.are_seconds())
            {
                report.warnings.push(format!(
                    "a half-life with a unit requires times in seconds, but the times look like {kind}; hint: {}",
                    with_flags(&hint::of_times(likely))
                ));
            }
        }
        Ok((dataset, report))
    }

    fn read_rows(
        &self,
        paths: &[PathBuf],
        table: &TableOptions,
    ) -> Result<(Dataset, ReadReport), DataError> {
        let named = paths.iter().map(|path| match path.as_os_str() == "-" {
            true => Path::new(STANDARD_INPUT),
            false => path.as_path(),
        });
        let paths = expand_paths(named)?;
        let format = match self.format {
            Some(format) => Some(format),
            None if paths.iter().any(|path| path.as_os_str() == STANDARD_INPUT) => {
                Some(Format::Csv)
            }
            None => None,
        };
        let read = bspm_arrow::read_files(&paths, format, table);
        let (dataset, mut report) = read.map_err(|error| {
            let hint = hint::of_file(&error, self.format, table);
            DataError::new(error, hint)
        })?;
        for warning in &mut report.warnings {
            *warning = with_flags(warning);
        }
        Ok((dataset, report))
    }

    /// Returns the first given flag that applies to interactions but not to an item table.
    pub(crate) fn given_beside_items(&self) -> Option<&'static str> {
        let table = self.table();
        let applies = |name| name == "item" || ItemTableOptions::text_options().contains(&name);
        let mut uses = TableOptions::option_uses().iter();
        let own = uses.find(|it| it.is_set(&table) && !applies(it.name));
        match (self.format, self.k_core, own) {
            (Some(_), ..) => Some("--format"),
            (_, Some(_), _) => Some("--k-core"),
            (.., own) => own.and_then(|it| flag_of(it.name)),
        }
    }

    /// Returns the first given flag that describes interaction files.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let table = self.table();
        let mut uses = TableOptions::option_uses().iter();
        match (self.format, self.k_core) {
            (Some(_), _) => Some("--format"),
            (_, Some(_)) => Some("--k-core"),
            _ => uses
                .find(|it| it.is_set(&table))
                .and_then(|it| flag_of(it.name)),
        }
    }

    /// Returns the first given flag that changes the training set, but not a test set.
    pub(crate) fn changes_training(&self) -> Option<&'static str> {
        [
            ("--weight", self.weight.is_some()),
            ("--half-life", self.half_life.is_some()),
            ("--duplicates", self.duplicates.is_some()),
            ("--k-core", self.k_core.is_some()),
            ("--time-column", self.time_column.is_some()),
            ("--time-format", self.time_format.is_some()),
            ("--time-unit", self.time_unit.is_some()),
        ]
        .into_iter()
        .find_map(|(flag, is_given)| is_given.then_some(flag))
    }

    /// Returns the item column, if it is given.
    pub(crate) fn item_column(&self) -> Option<&str> {
        self.item_column.as_deref()
    }

    /// Returns the options of the library for these flags.
    pub(crate) fn table(&self) -> TableOptions {
        let mut options = TableOptions::default();
        let mut weighting = Weighting::new();
        weighting.scale = self.weight;
        weighting.half_life = self.half_life.map(|it| it.time);
        weighting.duplicates = self.duplicates;
        options = options.weighting(weighting);
        if let Some(column) = &self.user_column {
            options = options.user(column);
        }
        if let Some(column) = &self.item_column {
            options = options.item(column);
        }
        if let Some(delimiter) = self.delimiter {
            options = options.delimiter(delimiter);
        }
        if let Some(column) = &self.rating_column {
            options = options.rating(column);
        }
        if let Some(column) = &self.time_column {
            options = options.time(column);
        }
        if let Some(pattern) = &self.time_format {
            options = options.time_format(pattern);
        }
        if let Some(unit) = self.time_unit {
            options = options.time_unit(unit);
        }
        if let Some(column) = &self.weight_column {
            options = options.weight(column);
        }
        if let Some(threshold) = self.rating_threshold {
            options = options.rating_threshold(threshold);
        }
        if let Some(quoting) = self.quoting {
            options = options.quoting(quoting);
        }
        if let Some(comment) = self.comment {
            options = options.comment(comment);
        }
        if let Some(encoding) = &self.encoding {
            options = options.encoding(encoding);
        }
        if self.decimal_comma {
            options = options.decimal_comma();
        }
        if let Some(texts) = &self.null_values {
            options = options.null_values(texts);
        }
        if self.trim_ids {
            options = options.trim_ids();
        }
        if self.skip_invalid {
            options = options.skip_invalid();
        }
        match &self.no_header {
            Some(columns) => options.without_header(columns),
            None => options,
        }
    }
}

/// The path of standard input.
pub(crate) const STANDARD_INPUT: &str = "/dev/stdin";

/// Parses one ASCII character, or `tab`.
pub(crate) fn byte(text: &str) -> Result<u8, String> {
    match (text, text.as_bytes()) {
        ("tab" | "\\t", _) => Ok(b'\t'),
        (_, &[byte]) if byte != b'"' && byte != b'\n' && byte.is_ascii() => Ok(byte),
        _ => Err("expected one ASCII character, or tab".into()),
    }
}
