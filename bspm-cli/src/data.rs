//! Flags and code to read interactions in any supported format.

mod contents;

use std::path::{Path, PathBuf};

use bspm::data::{
    Duplicates, Format, HalfLife, InvalidRow, ItemTableOptions, NumericTimes, Quoting, ReadReport,
    TableOptions, TimeUnit, WeightScale, Weighting, expand_paths, likely_time_formats,
};
use bspm::tune::choose_weighting;
use bspm::{Backend, Dataset, Error, FitOptions, Result};
use bspm_args::{ProgressBars, tell};
use clap::Args;

use crate::output::shown;

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
    /// Skip invalid rows, and report their number and the reasons
    #[arg(long)]
    skip_invalid: bool,
    /// Keep the k-core: repeatedly remove users and items with fewer than N interactions
    #[arg(long, value_name = "N")]
    k_core: Option<u32>,
}

/// Options of the library and their flags.
const FLAGS: [(&str, &str); 21] = [
    ("format", "--format"),
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
    ("columns", "--no-header"),
    ("quoting", "--quoting"),
    ("comment", "--comment"),
    ("encoding", "--encoding"),
    ("decimal_comma", "--decimal-comma"),
    ("time_format", "--time-format"),
    ("time_unit", "--time-unit"),
    ("null_values", "--null-values"),
    ("skip_invalid", "--skip-invalid"),
    ("k_core", "--k-core"),
];

/// Returns the flag of an option of the library.
fn flag_of(option: &str) -> Option<&'static str> {
    let known = FLAGS.iter().find(|(name, _)| *name == option);
    known.map(|(_, flag)| *flag)
}

/// Replaces the options that a warning names by their flags.
fn with_flags(warning: &str) -> String {
    FLAGS
        .iter()
        .fold(warning.to_owned(), |text, (option, flag)| {
            text.replace(&format!("`{option}`"), flag)
        })
}

/// An error while reading interactions, with a hint that names the flag to use.
#[derive(Debug, thiserror::Error)]
#[error("{}{}", self.message(), self.hint.as_deref().map(|hint| format!("; hint: {hint}")).unwrap_or_default())]
pub(crate) struct DataError {
    error: Box<Error>,
    hint: Option<String>,
}

impl DataError {
    /// Returns the message; an option without effect or with an invalid value is shown as its flag.
    fn message(&self) -> String {
        match &*self.error {
            Error::UnusedOption {
                option,
                context,
                needed,
            } => {
                let flag = flag_of(option).unwrap_or(option);
                format!("{flag} has no effect on {context}; it requires {needed}")
            }
            Error::InvalidParameter {
                parameter,
                expected,
                found,
            } => {
                let flag = flag_of(parameter).unwrap_or(parameter);
                format!("{flag}: expected {expected}, found {found}")
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
    /// Adds a hint to an error.
    pub(crate) fn with_hint(error: Error, hint: &str) -> Self {
        Self {
            error: Box::new(error),
            hint: Some(hint.into()),
        }
    }

    /// Converts an error of an item table.
    pub(crate) fn of_items(error: Error) -> Self {
        let text = match &error {
            Error::MissingColumn { found, .. } if found.contains([';', '\t', '|']) => {
                "set the delimiter of .csv files with --delimiter, as in --delimiter ';', or of this file \
                 only with a first line sep=;"
            }
            Error::MissingColumn { .. } => {
                "set the title column with --title-column, and the id column with --item-id-column"
            }
            Error::InvalidParameter {
                parameter: "title", ..
            } => "set the id column with --item-id-column",
            Error::InvalidFile { found, .. } if found == "another name" => {
                "use an item table whose name ends in .csv, .tsv, .jsonl, .parquet or .item"
            }
            _ => return error.into(),
        };
        Self::with_hint(error, text)
    }
}

/// Whether a folder of a path is named `column=value`, as in a partitioned table.
fn has_partition(path: &Path, column: &str) -> bool {
    let prefix = format!("{column}=");
    let mut folders = path.iter().map(|name| name.to_string_lossy());
    folders.any(|name| name.starts_with(&prefix))
}

/// Whether a text is a number with a decimal comma.
fn has_decimal_comma(text: &str) -> bool {
    let number = text.replace('.', "").replace(',', ".");
    text.contains(',') && number.parse::<f64>().is_ok()
}

/// Returns a hint for an error, which names the flag to use.
fn hint(error: &Error) -> Option<String> {
    let text = match error {
        Error::InvalidField {
            expected, found, ..
        } if expected == "user::item::rating::time" && !found.contains("::") => {
            "set the format with --format, as in --format tsv or --format csv"
        }
        Error::InvalidField {
            reason,
            expected,
            found,
            ..
        } => match reason {
            InvalidRow::InvalidWeight | InvalidRow::InvalidRating if has_decimal_comma(found) => {
                "use --decimal-comma to read the comma as a decimal point (1,5 as 1.5, and 1,000 as 1), \
                 or --skip-invalid to skip invalid rows"
            }
            InvalidRow::InvalidWeight | InvalidRow::InvalidRating if found.contains(',') => {
                "remove the separators of thousands and the currency from the column, or use --skip-invalid to \
                 skip invalid rows"
            }
            InvalidRow::InvalidTime | InvalidRow::ShortYear => {
                return Some(hint_of_format(*reason, expected, found));
            }
            InvalidRow::ImpossibleDate => {
                "correct the date, or use --skip-invalid to skip invalid rows and report their number"
            }
            InvalidRow::OtherHeader => {
                "the columns may have another order below this line: split the file there, and give both parts; \
                 if the line is an interaction, rename the columns of the header"
            }
            InvalidRow::NotAnObject => {
                "the file must have one JSON object per line, or be one array of objects; use --skip-invalid to skip \
                 invalid rows and report their number"
            }
            InvalidRow::Encoding => "set the encoding with --encoding, as in --encoding latin1",
            InvalidRow::MissingUser | InvalidRow::MissingItem if !found.is_empty() => {
                "use --null-values to list the texts that mean a missing id, or use --skip-invalid to skip invalid \
                 rows"
            }
            _ => "use --skip-invalid to skip invalid rows and report their number",
        },
        Error::Quotes { problem, .. } if problem.contains("separated by") => {
            "set the delimiter with --delimiter, as in --delimiter ';', or the format with --format csv or \
             --format tsv"
        }
        Error::Quotes { .. } => {
            "use --quoting off to read quotes as ordinary characters, --quoting trusted to allow quoted \
             fields of several lines, or --quoting backslash to read \\\" as a quote"
        }
        Error::AmbiguousFormat {
            fields, delimiter, ..
        } => {
            let format = match delimiter {
                '\t' => "--format tsv",
                _ => "--format csv --delimiter ' '",
            };
            let names = ["user", "item", "rating", "time"];
            let names = match names.get(..*fields) {
                Some(names) => names.join(","),
                None => format!("with the names of the {fields} columns"),
            };
            return Some(format!(
                "use {format} --no-header {names} to read a table, or --format lightgcn to read lists of items"
            ));
        }
        Error::Syntax { .. } => {
            "a lightgcn file has lines of the form user item item ..., with ids that are numbers from 0; \
             set another format with --format, as in --format tsv"
        }
        Error::Read { source, .. } if source.to_string().starts_with("malformed") => {
            "set the text encoding with --encoding"
        }
        Error::InvalidParameter {
            parameter: "time", ..
        } => "set the unit of the times with --time-unit",
        Error::UnusedOption {
            option: "rating", ..
        } => {
            "add --rating-threshold to keep the interactions with a high rating, or use --weight-column instead of \
             --rating-column to use the ratings as weights"
        }
        Error::InvalidFile { found, .. } if found == "another name" => {
            "set the format with --format, as in --format csv"
        }
        Error::InvalidFile { expected, .. } if expected.starts_with("consecutive") => {
            "use --format tsv --no-header user,item for a table of ids that are not counted from 0"
        }
        _ => return None,
    };
    Some(text.into())
}

/// Returns a hint for a time that has no known format or a year of two digits. It proposes a format.
fn hint_of_format(reason: InvalidRow, expected: &str, found: &str) -> String {
    let formats = likely_time_formats(found);
    let first = formats.first().map(String::as_str);
    let has_long_year = first.is_some_and(|it| it.contains("%Y"));
    let example = match formats.as_slice() {
        [day_first, month_first] => {
            format!("'{day_first}' if the day is first, or '{month_first}' if the month is first")
        }
        _ if reason == InvalidRow::ShortYear => format!("'{}'", first.unwrap_or("%d/%m/%y")),
        _ => format!("'{}'", first.unwrap_or("%d/%m/%Y %H:%M")),
    };
    match reason {
        InvalidRow::ShortYear => format!(
            "if all years have two digits, read them with %y, as in --time-format {example}; else write all of them \
             with four digits, or use --skip-invalid to skip invalid rows"
        ),
        _ if has_long_year && expected.contains("%y") => {
            "write all years with four digits, and read them with %Y, or use --skip-invalid to skip invalid rows".into()
        }
        // The rows before this one may be misread.
        _ if first.is_some() && expected.starts_with("a time in the format") => {
            format!("set the format of all times with --time-format, as in --time-format {example}")
        }
        _ => format!(
            "set the format of the times with --time-format, as in --time-format {example}, or use --skip-invalid to \
             skip invalid rows"
        ),
    }
}

/// Returns what times likely are, unless they are seconds or no dates.
pub(crate) fn other_than_seconds(times: &[f64]) -> Option<NumericTimes> {
    NumericTimes::of(times).filter(|kind| *kind != NumericTimes::InUnit(TimeUnit::Seconds))
}

/// Returns a hint for times that are not seconds, which names the flag to use.
pub(crate) fn hint_of_times(times: &[f64]) -> String {
    match NumericTimes::of(times) {
        Some(NumericTimes::InUnit(unit)) => {
            format!("set the unit of the times with --time-unit {unit}")
        }
        Some(NumericTimes::Digits(format)) => {
            format!("set the format of the times with --time-format '{format}'")
        }
        _ => "set the unit of the times with --time-unit, or convert them to seconds since 1970"
            .into(),
    }
}

/// Writes the columns that no flag names, the warnings of a report, and the number of excluded rows to standard
/// error.
fn tell_report(report: &ReadReport) {
    let found = report.columns.iter().filter(|it| it.has_usual_name());
    let found = found.filter_map(|it| Some(format!("{} = {}", it.role.as_ref()?, it.name)));
    let found: Vec<String> = found.collect();
    if !found.is_empty() {
        tell!("columns: {}", shown(&found.join("; ")));
    }
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
            let times = dataset.times().unwrap_or_default();
            let warning = half_life.check(&dataset);
            // A warning may give the reason for the error.
            let warning = warning.map_err(|error| {
                tell_report(&report);
                match report.times_are_seconds {
                    true => error.into(),
                    false => DataError::with_hint(error, &hint_of_times(times)),
                }
            })?;
            report.warnings.extend(warning);
            if half_life.has_unit
                && !report.times_are_seconds
                && let Some(kind) = other_than_seconds(times)
            {
                report.warnings.push(format!(
                    "a half-life with a unit requires times in seconds, but the times look like {kind}; hint: {}",
                    hint_of_times(times)
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
            None if self.delimiter.is_some() => paths.first().and_then(|path| self.delimited(path)),
            None => None,
        };
        let read = bspm_arrow::read_files(&paths, format, table);
        let (dataset, mut report) = read.map_err(|error| self.with_hint(error))?;
        for warning in &mut report.warnings {
            *warning = with_flags(warning);
        }
        let is_skipped = |reason: InvalidRow| report.invalid.contains_key(&reason);
        if is_skipped(InvalidRow::ShortYear) {
            let hint = "some years have two digits; hint: %y in --time-format reads them";
            report.warnings.push(hint.into());
        }
        if is_skipped(InvalidRow::InvalidTime) {
            let hint = "some times cannot be read; hint: --time-format sets their format, as in '%d/%m/%Y'";
            report.warnings.push(hint.into());
        }
        Ok((dataset, report))
    }

    /// Returns CSV if the file name does not imply a format with its own delimiter.
    fn delimited(&self, path: &Path) -> Option<Format> {
        match Format::of(path) {
            Ok(Format::Csv | Format::Tsv | Format::LightGcn) | Err(_) => Some(Format::Csv),
            Ok(_) => None,
        }
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

    /// Chooses how the interactions are weighted, if they have weights or times and no flag sets it.
    pub(crate) fn with_chosen_weighting<B: Backend>(
        &self,
        backend: B,
        dataset: Dataset,
        bars: &ProgressBars,
    ) -> Result<Dataset> {
        if self.weight.is_some() || self.half_life.is_some() {
            return Ok(dataset);
        }
        let options = FitOptions::new().observer(bars.observer());
        let choice = choose_weighting(backend, &dataset, &options)?;
        bars.clear();
        let is_chosen = |trial: &&(Weighting, f64)| trial.0 == choice.weighting;
        let Some((_, value)) = choice.trials.iter().find(is_chosen) else {
            return Ok(dataset);
        };
        if *value == 0.0 {
            tell!(
                "weights: {}; other weights cannot be compared, because no filter has a hit on held-out interactions",
                name_of(&choice.weighting, false)
            );
            return Ok(dataset);
        }
        let times = dataset.times().unwrap_or_default();
        let are_dates = NumericTimes::of(times) == Some(NumericTimes::InUnit(TimeUnit::Seconds));
        let others = choice.trials.iter().filter(|trial| !is_chosen(trial));
        let others: Vec<String> = others
            .map(|(weighting, value)| format!("{} {value:.4}", name_of(weighting, are_dates)))
            .collect();
        let repeat = match choice.weighting.half_life {
            None => "`bspm refit` and comparisons need the same weights",
            Some(_) => "comparisons need the same weights, and new interactions a new fit",
        };
        tell!(
            "weights: {}, selected by NDCG@20 on held-out interactions with two filters: {value:.4} \
             (others: {}); other weights are selected only if they are better by one percent; hint: \
             {repeat}: {}",
            name_of(&choice.weighting, are_dates),
            others.join(", "),
            flags_of(&choice.weighting)
        );
        dataset.reweighted(&choice.weighting)
    }

    /// Returns whether `--weight` is given.
    pub(crate) fn has_weight_scale(&self) -> bool {
        self.weight.is_some()
    }

    /// Returns whether `--half-life` is given.
    pub(crate) fn has_half_life(&self) -> bool {
        self.half_life.is_some()
    }

    /// Whether a file is a text table, whose header can be missing.
    fn has_text_table(&self, path: &Path) -> bool {
        let format = self.format.or_else(|| Format::of(path).ok());
        matches!(format, Some(Format::Csv | Format::Tsv) | None)
    }

    /// Adds a hint to an error; for a missing column, it names the flag of that column.
    fn with_hint(&self, error: Error) -> DataError {
        if let Some(hint) = self.hint_of_contents(&error) {
            return DataError::with_hint(error, &hint);
        }
        let Error::MissingColumn {
            path,
            column,
            found,
        } = &error
        else {
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
        let is_other = |delimiter: &char| names.len() == 1 && found.contains(*delimiter);
        let other = [';', '\t', '|', ','].into_iter().find(is_other);
        let in_case = names.iter().find(|name| name.eq_ignore_ascii_case(column));
        let has_no_ids = self.user_column.is_none() && self.item_column.is_none();
        let flags = match flag {
            Some("--user-column" | "--item-column") if has_no_ids => {
                "set the columns of the ids with --user-column and --item-column".to_owned()
            }
            flag => format!("set the column with {}", flag.unwrap_or_default()),
        };
        let hint = match (other, flag) {
            (Some(delimiter), _) => Some(self.hint_of_delimiter(delimiter, path)),
            (None, _) if found == "two columns with this name" => {
                Some("rename one of the columns in the header".to_owned())
            }
            (None, Some(_)) if has_partition(path, column) => Some(format!(
                "the names of the folders contain {column}, but the files do not; write the files with this \
                 column"
            )),
            (None, Some(flag)) => Some(match in_case {
                Some(name) => format!("use {flag} {name}"),
                None if self.has_text_table(path) => format!(
                    "{flags}, or name all columns of a table without a header with --no-header"
                ),
                None => flags,
            }),
            (None, None) => None,
        };
        let error = Box::new(error);
        DataError { error, hint }
    }

    /// Returns a hint for a header that has one name, with a delimiter in it.
    fn hint_of_delimiter(&self, delimiter: char, path: &Path) -> String {
        match (
            delimiter,
            self.delimiter,
            self.format.or(Format::of(path).ok()),
        ) {
            ('\t', ..) => "use --format tsv for fields separated by tabs".into(),
            (',', None, Some(Format::Csv)) => {
                "if each line is enclosed in quotes, remove these quotes".into()
            }
            (',', None, _) => "use --format csv for fields separated by commas".into(),
            _ => format!(
                "set the delimiter of all files with --delimiter '{delimiter}', or of this file with a first line \
                 sep={delimiter}"
            ),
        }
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

/// Returns the flags that set a weighting.
fn flags_of(weighting: &Weighting) -> String {
    let scale = weighting.scale.unwrap_or_default();
    match weighting.half_life {
        None => format!("--weight {scale}"),
        Some(half_life) => format!("--weight {scale} --half-life {half_life}"),
    }
}

/// Describes a weighting. `are_dates` says whether the times are seconds since 1970.
fn name_of(weighting: &Weighting, are_dates: bool) -> String {
    let scale = weighting.scale.unwrap_or_default();
    match (weighting.half_life, are_dates) {
        (None, _) => scale.to_string(),
        (Some(half_life), true) => {
            format!(
                "{scale} with a half-life of {:.1} days",
                half_life / 86_400.0
            )
        }
        (Some(half_life), false) => {
            format!("{scale} with a half-life of {half_life:.0} in the unit of the times")
        }
    }
}

/// Parses one ASCII character, or `tab`.
pub(crate) fn byte(text: &str) -> Result<u8, String> {
    match (text, text.as_bytes()) {
        ("tab" | "\\t", _) => Ok(b'\t'),
        (_, &[byte]) if byte != b'"' && byte != b'\n' && byte.is_ascii() => Ok(byte),
        _ => Err("expected one ASCII character, or tab".into()),
    }
}
