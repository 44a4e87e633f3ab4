//! Reading interactions in any of the formats.

use std::path::{Path, PathBuf};

use bspm::data::{Format, TableOptions};
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
        let format = match self.format {
            Some(format) => format,
            None => Format::of(path)?,
        };
        let dataset = Dataset::read(path, format, &self.table(format))?;
        match self.k_core {
            Some(degree) => dataset.k_core(degree, degree),
            None => Ok(dataset),
        }
    }

    fn table(&self, format: Format) -> TableOptions {
        let (user, item) = format.columns();
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
