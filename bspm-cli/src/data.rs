//! Reading interactions in any of the formats.

use std::path::{Path, PathBuf};

use bspm::data::{Duplicates, Format, TableOptions, WeightScale, Weighting};
use bspm::{Dataset, Error, Result};
use clap::Args;

/// What the files of interactions look like.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Data")]
pub(crate) struct DataArguments {
    /// Format of the data: csv, tsv, movielens (user::item::rating::time), recbole, lightgcn
    /// (user item item ...), npz (a CSR matrix of SciPy) or parquet; by the file's name unless
    /// told
    #[arg(long)]
    format: Option<Format>,
    /// Column of the users; user, or user_id in RecBole files, unless told
    #[arg(long, value_name = "COLUMN")]
    user_column: Option<String>,
    /// Column of the items; item, or item_id in RecBole files, unless told
    #[arg(long, value_name = "COLUMN")]
    item_column: Option<String>,
    /// Column of the ratings
    #[arg(long, value_name = "COLUMN")]
    rating_column: Option<String>,
    /// Column of the times: numbers, or dates as in 2026-01-31T12:30:00Z
    #[arg(long, value_name = "COLUMN")]
    time_column: Option<String>,
    /// Column of the weights, such as counts or ratings: how much an interaction counts
    #[arg(long, value_name = "COLUMN")]
    weight_column: Option<String>,
    /// What a weight becomes: linear (itself), log (log2(1 + weight)) or threshold:NUMBER (1 from
    /// there on); the values of an npz matrix are weights with it
    #[arg(long, value_name = "SCALE")]
    weight: Option<WeightScale>,
    /// In what time a weight is halved, as in 90d (with times in seconds; s, h, d, w or y), or a
    /// number in the unit of the times; needs --time-column
    #[arg(long, value_name = "TIME", value_parser = half_life)]
    half_life: Option<f64>,
    /// The weight of a pair that occurs more than once: sum, max or last
    #[arg(long, value_name = "RULE")]
    duplicates: Option<Duplicates>,
    /// Keep only interactions with at least this rating
    #[arg(long, value_name = "RATING", allow_negative_numbers = true)]
    rating_threshold: Option<f64>,
    /// The table has no header; its columns are these
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    no_header: Option<Vec<String>>,
    /// What separates the fields of a CSV file: one character, or tab
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    delimiter: Option<u8>,
    /// Keep only users and items with at least so many interactions among those kept
    #[arg(long, value_name = "N")]
    k_core: Option<u32>,
}

/// Why interactions cannot be read, and the flag that may help.
#[derive(Debug, thiserror::Error)]
#[error("{error}{}", self.hint())]
pub(crate) struct DataError {
    #[source]
    error: Error,
    flag: Option<&'static str>,
}

impl DataError {
    fn hint(&self) -> String {
        let hint = |flag: &str| {
            format!("; {flag} names it, --no-header names all where the file does not")
        };
        self.flag.map(hint).unwrap_or_default()
    }
}

impl From<Error> for DataError {
    fn from(error: Error) -> Self {
        Self { error, flag: None }
    }
}

impl DataArguments {
    /// The interactions of a file, every id as text; `-` is standard input, which holds CSV
    /// unless told.
    pub(crate) fn read(&self, path: &Path) -> Result<Dataset, DataError> {
        let is_input = path.as_os_str() == "-";
        let path = if is_input {
            Path::new(STANDARD_INPUT)
        } else {
            path
        };
        let format = match self.format {
            Some(format) => format,
            None if is_input || self.delimiter.is_some() => Format::Csv,
            None => Format::of(path)?,
        };
        let options = self.table(format);
        let dataset = Dataset::read(path, format, &options);
        let dataset = dataset.map_err(|error| self.with_hint(error, format))?;
        match self.k_core {
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
                Ok(core)
            }
            None => Ok(dataset),
        }
    }

    /// Names the flag that names a column, where one is missing.
    fn with_hint(&self, error: Error, format: Format) -> DataError {
        let flag = match &error {
            Error::MissingColumn { column, .. } => {
                let (user, item) = self.id_columns(format);
                let named = [
                    (Some(user), "--user-column"),
                    (Some(item), "--item-column"),
                    (self.rating_column.as_deref(), "--rating-column"),
                    (self.time_column.as_deref(), "--time-column"),
                    (self.weight_column.as_deref(), "--weight-column"),
                ];
                let is_it = |(name, _): &(Option<&str>, _)| *name == Some(column.as_str());
                named.into_iter().find(is_it).map(|(_, flag)| flag)
            }
            _ => None,
        };
        DataError { error, flag }
    }

    fn id_columns(&self, format: Format) -> (&str, &str) {
        let (user, item) = format.columns();
        (
            self.user_column.as_deref().unwrap_or(user),
            self.item_column.as_deref().unwrap_or(item),
        )
    }

    fn table(&self, format: Format) -> TableOptions {
        let (user, item) = self.id_columns(format);
        let mut options = TableOptions::new(user, item);
        if let Some(delimiter) = self.delimiter {
            options = options.delimiter(delimiter);
        }
        if let Some(column) = &self.rating_column {
            options = options.rating(column);
        }
        if let Some(column) = &self.time_column {
            options = options.time(column);
        }
        if let Some(column) = &self.weight_column {
            options = options.weight(column);
        }
        if self.weight.is_some() || self.half_life.is_some() || self.duplicates.is_some() {
            let mut weighting = Weighting::new()
                .scale(self.weight.unwrap_or_default())
                .duplicates(self.duplicates.unwrap_or_default());
            weighting.half_life = self.half_life;
            options = options.weighting(weighting);
        }
        if let Some(threshold) = self.rating_threshold {
            options = options.rating_threshold(threshold);
        }
        match &self.no_header {
            Some(columns) => options.without_header(columns),
            None => options,
        }
    }
}

/// Where standard input is a file.
const STANDARD_INPUT: &str = "/dev/stdin";

fn delimiter(text: &str) -> Result<u8, String> {
    match (text, text.as_bytes()) {
        ("tab" | "\\t", _) => Ok(b'\t'),
        (_, &[byte]) if byte != b'"' && byte != b'\n' => Ok(byte),
        _ => Err("expected one character of ASCII, or tab".into()),
    }
}

/// A time in seconds where it has a unit, else in that of the data.
fn half_life(text: &str) -> Result<f64, String> {
    const DAY: f64 = 86_400.0;
    let units = [
        ("s", 1.0),
        ("h", 3_600.0),
        ("d", DAY),
        ("w", 7.0 * DAY),
        ("y", 365.25 * DAY),
    ];
    let found = units
        .into_iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
    let (number, seconds) = found.unwrap_or((text, 1.0));
    match number.parse::<f64>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok(number * seconds),
        _ => Err("expected a number above 0, or one that ends in s, h, d, w or y".into()),
    }
}

/// The lines of a file, or of standard input where the path is `-`; blank ones are
/// passed over.
pub(crate) fn lines(path: &PathBuf) -> Result<Vec<String>> {
    let text = if path.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(path)
    }
    .map_err(|source| Error::Read {
        path: path.clone(),
        source,
    })?;
    Ok(text
        .lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect())
}
