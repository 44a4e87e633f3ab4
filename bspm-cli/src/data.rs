//! Reading interactions in any of the formats.

use std::path::{Path, PathBuf};

use bspm::data::{
    Duplicates, Format, HalfLife, InvalidRow, ItemTableOptions, Quoting, ReadReport, TableOptions,
    TimeUnit, WeightScale, Weighting, expand_paths,
};
use bspm::{Dataset, Error, Result};
use bspm_args::tell;
use clap::Args;

use crate::output::shown;

/// What the files of interactions look like.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Data")]
pub(crate) struct DataArguments {
    /// Format of the data: csv, tsv, jsonl (an object on each line), movielens
    /// (user::item::rating::time), recbole, lightgcn (user item item ...), npz (a CSR matrix of
    /// SciPy) or parquet. Default: by the name of the file
    #[arg(long)]
    format: Option<Format>,
    /// Column of users. Default: user, or user_id in RecBole files
    #[arg(long, value_name = "COLUMN")]
    user_column: Option<String>,
    /// Column of items. Default: item, or item_id in RecBole files
    #[arg(long, value_name = "COLUMN")]
    item_column: Option<String>,
    /// Column of ratings; needs --rating-threshold
    #[arg(long, value_name = "COLUMN")]
    rating_column: Option<String>,
    /// Column of times: numbers, or dates as in 2026-01-31 12:30:00 UTC
    #[arg(long, value_name = "COLUMN")]
    time_column: Option<String>,
    /// Pattern of the times, as strftime has it: '%d/%m/%Y %H:%M'
    #[arg(long, value_name = "PATTERN")]
    time_format: Option<String>,
    /// Unit of times that are numbers: s, ms, us, ns or d; they become seconds
    #[arg(long, value_name = "UNIT")]
    time_unit: Option<TimeUnit>,
    /// Column of weights, such as counts or ratings: how much an interaction counts
    #[arg(long, value_name = "COLUMN")]
    weight_column: Option<String>,
    /// How the weight of a user and an item is scaled, after their repeats are combined: linear, log
    /// (log2(1 + weight)) or threshold:NUMBER (1 from this number on); with it the values of an
    /// npz matrix are weights
    #[arg(long, value_name = "SCALE")]
    weight: Option<WeightScale>,
    /// Half-life of weights, as in 90d (s, h, d, w or y; times are in seconds then), or a number in
    /// the unit of the times; needs times
    #[arg(long, value_name = "TIME")]
    half_life: Option<HalfLife>,
    /// How repeats of a user and an item are combined: sum, max or last of their weights, or count.
    /// Default: sum if there are weights, else a pair counts once
    #[arg(long, value_name = "RULE")]
    duplicates: Option<Duplicates>,
    /// Keep only interactions with at least this rating
    #[arg(long, value_name = "RATING", allow_negative_numbers = true)]
    rating_threshold: Option<f64>,
    /// Names of the columns of a table without header
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    no_header: Option<Vec<String>>,
    /// Delimiter of a CSV file: one character, or tab
    #[arg(long, value_name = "CHARACTER", value_parser = byte)]
    delimiter: Option<u8>,
    /// What quotes mean in a CSV or TSV file: checked, trusted (quoted fields may hold lines that
    /// look like rows), backslash (\" is a quote in a field) or off (ordinary characters)
    #[arg(long, value_name = "RULE")]
    quoting: Option<Quoting>,
    /// Skip lines that start with this character
    #[arg(long, value_name = "CHARACTER", value_parser = byte)]
    comment: Option<u8>,
    /// Encoding of text, such as latin1, windows-1250 or utf-16le. Default: by the byte order mark,
    /// else UTF-8
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    /// Read numbers with a decimal comma, as in 1,5
    #[arg(long)]
    decimal_comma: bool,
    /// Texts that stand for a missing id. Default: null, NULL, None, NaN, nan, <NA>, <null> and \N
    #[arg(
        long,
        value_name = "TEXT,...",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    null_values: Option<Vec<String>>,
    /// Skip rows that are no interactions, and report how many and why
    #[arg(long)]
    skip_invalid: bool,
    /// Keep only users and items with at least N interactions among those kept
    #[arg(long, value_name = "N")]
    k_core: Option<u32>,
}

/// Each option of the library and its flag.
const FLAGS: [(&str, &str); 19] = [
    ("user", "--user-column"),
    ("item", "--item-column"),
    ("rating", "--rating-column"),
    ("time", "--time-column"),
    ("weight", "--weight-column"),
    ("rating_threshold", "--rating-threshold"),
    ("weight_scale", "--weight"),
    ("half_life", "--half-life"),
    ("duplicates", "--duplicates"),
    ("delimiter", "--delimiter"),
    ("header", "--no-header"),
    ("quoting", "--quoting"),
    ("comment", "--comment"),
    ("encoding", "--encoding"),
    ("decimal_comma", "--decimal-comma"),
    ("time_format", "--time-format"),
    ("time_unit", "--time-unit"),
    ("missing", "--null-values"),
    ("skip_invalid", "--skip-invalid"),
];

/// The flag of an option of the library.
fn flag_of(option: &str) -> Option<&'static str> {
    let known = FLAGS.iter().find(|(name, _)| *name == option);
    known.map(|(_, flag)| *flag)
}

/// Why interactions cannot be read, and the flag that may help.
#[derive(Debug, thiserror::Error)]
#[error("{}{}", self.message(), self.hint.as_deref().map(|hint| format!("; hint: {hint}")).unwrap_or_default())]
pub(crate) struct DataError {
    error: Box<Error>,
    hint: Option<String>,
}

impl DataError {
    /// The error, with the flag of an option that has no effect.
    fn message(&self) -> String {
        match &*self.error {
            Error::UnusedOption {
                option,
                context,
                needed,
            } => {
                let flag = flag_of(option).unwrap_or(option);
                format!("{flag} has no effect on {context}: it needs {needed}")
            }
            error => bspm::with_sources(error),
        }
    }
}

impl From<Error> for DataError {
    fn from(error: Error) -> Self {
        let hint = hint(&error);
        let error = Box::new(error);
        Self { error, hint }
    }
}

impl DataError {
    /// An error of an item table.
    pub(crate) fn of_items(error: Error) -> Self {
        let text = match &error {
            Error::MissingColumn { found, .. } if found.contains([';', '\t', '|']) => {
                "--delimiter separates the fields of a .csv file, as in --delimiter ';'; a first line sep=; \
                 in the file does so for it alone"
            }
            Error::MissingColumn { .. } => {
                "--title-column names the column of titles, --item-id-column that of ids"
            }
            Error::InvalidParameter {
                parameter: "title", ..
            } => "--item-id-column names the column of ids",
            Error::InvalidFile { found, .. } if found == "another name" => {
                "the name of an item table ends in .csv, .tsv, .jsonl, .parquet or .item"
            }
            _ => return error.into(),
        };
        Self {
            error: Box::new(error),
            hint: Some(text.into()),
        }
    }
}

/// The flag that may help.
fn hint(error: &Error) -> Option<String> {
    let text = match error {
        Error::InvalidField { reason, found, .. } => match reason {
            InvalidRow::InvalidWeight | InvalidRow::InvalidRating if found.contains(',') => {
                "--decimal-comma reads a comma as the decimal point (1,5 is one and a half; 1,000 is 1); \
                 --skip-invalid skips such rows"
            }
            InvalidRow::InvalidTime => {
                "--time-format reads other dates, as in --time-format '%d/%m/%Y %H:%M'; \
                 --skip-invalid skips such rows"
            }
            InvalidRow::Encoding => "--encoding names the encoding, as in --encoding latin1",
            InvalidRow::MissingUser | InvalidRow::MissingItem if !found.is_empty() => {
                "--skip-invalid skips such rows; --null-values lists the texts that stand for a \
                 missing id"
            }
            _ => "--skip-invalid skips such rows, and reports how many",
        },
        Error::Quotes { .. } => {
            "--quoting off reads quotes as ordinary characters; --quoting trusted allows quoted \
             fields of several lines, and --quoting backslash reads \\\" as a quote"
        }
        Error::AmbiguousFormat {
            fields, delimiter, ..
        } => {
            let names = ["user", "item", "weight", "time"];
            let more = (names.len()..*fields).map(|place| format!("column{}", place + 1));
            let names = names
                .map(str::to_owned)
                .into_iter()
                .take(*fields)
                .chain(more);
            let names: Vec<String> = names.collect();
            let format = match delimiter {
                '\t' => "--format tsv",
                _ => "--format csv --delimiter ' '",
            };
            return Some(format!(
                "{format} --no-header {} reads a table, --format lightgcn reads lists of items",
                names.join(",")
            ));
        }
        Error::Syntax { .. } => {
            "--format names another format, as in --format tsv; lightgcn is user item item ..., with \
             numbers from 0"
        }
        Error::Read { source, .. } if source.to_string().starts_with("malformed") => {
            "--encoding names the encoding of a text"
        }
        Error::InvalidParameter {
            parameter: "time", ..
        } => "--time-unit ms reads milliseconds, us microseconds, ns nanoseconds",
        Error::InvalidFile { found, .. } if found == "another name" => {
            "--format names the format, as in --format csv"
        }
        _ => return None,
    };
    Some(text.into())
}

impl DataArguments {
    /// The interactions of a file, a folder of part files or a pattern; see
    /// [`read_all`](Self::read_all).
    pub(crate) fn read(&self, path: &Path) -> Result<Dataset, DataError> {
        self.read_all(&[path.to_owned()])
    }

    /// The interactions of files, folders of part files and patterns, every id as text; `-` is
    /// standard input. Warnings go to standard error.
    pub(crate) fn read_all(&self, paths: &[PathBuf]) -> Result<Dataset, DataError> {
        let (dataset, report) = self.load(paths)?;
        for warning in &report.warnings {
            tell!("warning: {}", shown(warning));
        }
        if report.below_threshold + report.zero_weight > 0 {
            tell!(
                "{} of {} rows are left out: {} below the rating threshold, {} of weight 0",
                report.below_threshold + report.zero_weight,
                report.rows,
                report.below_threshold,
                report.zero_weight
            );
        }
        Ok(dataset)
    }

    /// The interactions of files, and what was read.
    pub(crate) fn load(&self, paths: &[PathBuf]) -> Result<(Dataset, ReadReport), DataError> {
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
            None if self.delimiter.is_some() => paths.first().and_then(|path| self.delimited(path)),
            None => None,
        };
        let read = bspm_arrow::read_files(&paths, format, &self.table());
        let (dataset, mut report) = read.map_err(|error| self.with_hint(error))?;
        let before = dataset.len();
        let dataset = match self.k_core {
            Some(degree) => {
                let core = dataset.k_core(degree, degree)?;
                if core.is_empty() {
                    return Err(Error::InvalidParameter {
                        parameter: "k_core",
                        expected: "a number that leaves some interactions".into(),
                        found: degree.to_string(),
                    }
                    .into());
                }
                tell!(
                    "{} of {before} interactions are left out by the k-core",
                    before - core.len()
                );
                core
            }
            None => dataset,
        };
        if let Some(half_life) = self.half_life {
            report.warnings.extend(half_life.check(&dataset)?);
        }
        Ok((dataset, report))
    }

    /// CSV for a file whose name does not name a format that has another delimiter.
    fn delimited(&self, path: &Path) -> Option<Format> {
        match Format::of(path) {
            Ok(Format::Csv | Format::Tsv | Format::LightGcn) | Err(_) => Some(Format::Csv),
            Ok(_) => None,
        }
    }

    /// The first flag, if there is one, that says how to read interactions, and not an item table too.
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

    /// Whether no flag says how to read, and the first that does.
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

    /// The first flag, if there is one, that says how much interactions count.
    pub(crate) fn weighting(&self) -> Option<&'static str> {
        match (self.weight, self.half_life, self.duplicates) {
            (Some(_), ..) => Some("--weight"),
            (_, Some(_), _) => Some("--half-life"),
            (.., Some(_)) => Some("--duplicates"),
            _ => None,
        }
    }

    /// Whether weights are halved with time.
    pub(crate) fn has_half_life(&self) -> bool {
        self.half_life.is_some()
    }

    /// Names the flag that names a column, if one is missing.
    fn with_hint(&self, error: Error) -> DataError {
        let Error::MissingColumn { column, found, .. } = &error else {
            return error.into();
        };
        let named = [
            (&self.user_column, "user", "--user-column"),
            (&self.item_column, "item", "--item-column"),
            (&self.rating_column, "", "--rating-column"),
            (&self.time_column, "", "--time-column"),
            (&self.weight_column, "", "--weight-column"),
        ];
        let is_it = |(name, default, _): &(&Option<String>, &str, _)| match name {
            Some(name) => name == column,
            None => !default.is_empty() && column.starts_with(default),
        };
        let flag = named.into_iter().find(is_it).map(|(.., flag)| flag);
        let names: Vec<&str> = found.split(", ").collect();
        let delimiters = [
            (';', "--delimiter ';' separates the fields"),
            ('\t', "--format tsv reads fields between tabs"),
            ('|', "--delimiter '|' separates the fields"),
            (
                ',',
                match self.delimiter {
                    Some(_) => "--delimiter ',' separates the fields",
                    None => "--format csv reads fields between commas",
                },
            ),
        ];
        let other = delimiters
            .into_iter()
            .find(|(delimiter, _)| names.len() == 1 && found.contains(*delimiter));
        let in_case = names.iter().find(|name| name.eq_ignore_ascii_case(column));
        let hint = match (other, flag) {
            (Some((_, hint)), _) => Some(hint.to_owned()),
            (None, _) if found == "it twice" => None,
            (None, Some(flag)) => Some(match in_case {
                Some(name) => format!("{flag} {name}"),
                None => format!(
                    "{flag} names it; --no-header names all columns of a table without header"
                ),
            }),
            (None, None) => None,
        };
        let error = Box::new(error);
        DataError { error, hint }
    }

    /// The column of items, if it is named.
    pub(crate) fn item_column(&self) -> Option<&str> {
        self.item_column.as_deref()
    }

    /// How the files are read.
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
            options = options.missing(texts);
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

/// Where standard input is a file.
pub(crate) const STANDARD_INPUT: &str = "/dev/stdin";

/// One character of ASCII, or tab.
pub(crate) fn byte(text: &str) -> Result<u8, String> {
    match (text, text.as_bytes()) {
        ("tab" | "\\t", _) => Ok(b'\t'),
        (_, &[byte]) if byte != b'"' && byte != b'\n' && byte.is_ascii() => Ok(byte),
        _ => Err("expected one character of ASCII, or tab".into()),
    }
}
