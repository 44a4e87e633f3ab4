//! Reading interactions in any of the formats.

use std::path::{Path, PathBuf};

use bspm::data::TableOptions;
use bspm::{Dataset, Error, Result};
use clap::{Args, ValueEnum};

/// How a file of interactions is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Comma-separated, with a header
    Csv,
    /// Tab-separated, with a header
    Tsv,
    /// `user::item::rating::time`, as MovieLens 1M and 10M
    Movielens,
    /// RecBole's atomic file
    Recbole,
    /// `user item item ...`, as LightGCN
    Lightgcn,
    /// A CSR matrix that SciPy saved
    Npz,
    /// Parquet
    Parquet,
}

impl Format {
    /// The format that files of this name usually have.
    fn of(path: &Path) -> Option<Self> {
        Some(match path.extension()?.to_str()? {
            "csv" => Self::Csv,
            "tsv" => Self::Tsv,
            "dat" => Self::Movielens,
            "inter" => Self::Recbole,
            "txt" => Self::Lightgcn,
            "npz" => Self::Npz,
            "parquet" => Self::Parquet,
            _ => return None,
        })
    }
}

/// What the files of interactions look like.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Data")]
pub(crate) struct DataArguments {
    /// Format of the data; by the file's name unless told
    #[arg(long, value_enum)]
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
    /// Column of the times
    #[arg(long, value_name = "COLUMN")]
    time_column: Option<String>,
    /// Keep only interactions with at least this rating
    #[arg(long, value_name = "RATING", allow_negative_numbers = true)]
    rating_threshold: Option<f64>,
    /// The table has no header; its columns are these
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    no_header: Option<Vec<String>>,
    /// Keep only users and items with at least so many interactions among those kept
    #[arg(long, value_name = "N")]
    k_core: Option<u32>,
}

impl DataArguments {
    /// The interactions of a file, every id as text.
    pub(crate) fn read(&self, path: &Path) -> Result<Dataset> {
        let format = match self.format.or_else(|| Format::of(path)) {
            Some(format) => format,
            None => {
                return Err(Error::InvalidFile {
                    path: path.into(),
                    expected: "a name that ends in .csv, .tsv, .dat, .inter, .txt, .npz or \
                               .parquet, or --format"
                        .into(),
                    found: "another name".into(),
                });
            }
        };
        let dataset = match format {
            Format::Csv => Dataset::read_csv(path, &self.table("user", "item")),
            Format::Tsv => Dataset::read_csv(path, &self.table("user", "item").delimiter(b'\t')),
            Format::Movielens => Dataset::read_movielens(path, self.rating_threshold),
            Format::Recbole => Dataset::read_recbole(path, &self.table("user_id", "item_id")),
            Format::Parquet => Dataset::read_parquet(path, &self.table("user", "item")),
            Format::Lightgcn => Dataset::read_lightgcn(path).and_then(|it| as_text(&it)),
            Format::Npz => {
                Dataset::read_npz(path, self.rating_threshold).and_then(|it| as_text(&it))
            }
        }?;
        match self.k_core {
            Some(degree) => dataset.k_core(degree, degree),
            None => Ok(dataset),
        }
    }

    fn table(&self, user: &str, item: &str) -> TableOptions {
        let mut options = TableOptions::new(
            self.user_column.as_deref().unwrap_or(user),
            self.item_column.as_deref().unwrap_or(item),
        );
        if let Some(column) = &self.rating_column {
            options = options.rating(column);
        }
        if let Some(column) = &self.time_column {
            options = options.time(column);
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

fn as_text(numbers: &Dataset<u32, u32>) -> Result<Dataset> {
    numbers.map_ids(ToString::to_string, ToString::to_string)
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
