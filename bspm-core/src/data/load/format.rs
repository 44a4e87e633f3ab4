//! Which format a file has, and reading any.

use std::path::Path;

use super::file::open_text;
use super::table::TableOptions;
use crate::data::dataset::Dataset;
use crate::error::{Error, Result};
use crate::parameter::invalid;

/// How a file of interactions is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Comma-separated, with a header.
    Csv,
    /// Tab-separated, with a header.
    Tsv,
    /// `user::item::rating::time`, as MovieLens 1M and 10M.
    MovieLens,
    /// RecBole's atomic file.
    RecBole,
    /// `user item item ...`, as LightGCN.
    LightGcn,
    /// A CSR matrix that SciPy saved.
    Npz,
    /// Parquet.
    Parquet,
}

impl Format {
    /// Each format, its name, and how the names of its files end.
    const ALL: [(Self, &'static str, &'static str); 7] = [
        (Self::Csv, "csv", "csv"),
        (Self::Tsv, "tsv", "tsv"),
        (Self::MovieLens, "movielens", "dat"),
        (Self::RecBole, "recbole", "inter"),
        (Self::LightGcn, "lightgcn", "txt"),
        (Self::Npz, "npz", "npz"),
        (Self::Parquet, "parquet", "parquet"),
    ];

    /// The format that files of this name usually have, which may end in .gz or .zst too.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFile`] for another name.
    pub fn of(path: &Path) -> Result<Self> {
        let ending = |path: &Path| {
            path.extension()
                .and_then(|it| it.to_str())
                .map(str::to_owned)
        };
        let ending = match ending(path).as_deref() {
            Some("gz" | "zst") => ending(&path.with_extension("")),
            _ => ending(path),
        };
        let known = Self::ALL
            .iter()
            .find(|(_, _, it)| ending.as_deref() == Some(it));
        known.map(|it| it.0).ok_or_else(|| Error::InvalidFile {
            path: path.into(),
            expected: "a name that ends in .csv, .tsv, .dat, .inter, .txt, .npz or .parquet, or \
                       the format beside it"
                .into(),
            found: "another name".into(),
        })
    }

    /// The columns of users and items that tables in this format usually have.
    pub fn columns(self) -> (&'static str, &'static str) {
        match self {
            Self::RecBole => ("user_id", "item_id"),
            _ => ("user", "item"),
        }
    }
}

impl std::str::FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let known = Self::ALL.iter().find(|(_, name, _)| *name == text);
        known.map(|it| it.0).ok_or_else(|| {
            let names = Self::ALL.map(|(_, name, _)| name).join(", ");
            invalid("format", names, format!("{text:?}"))
        })
    }
}

impl Dataset {
    /// Reads a file in any format, every id as text. The options say what tables look like,
    /// and the rating threshold; see the method for each format, such as
    /// [`read_csv`](Self::read_csv).
    ///
    /// # Errors
    ///
    /// Those of reading that format; [`Error::InvalidParameter`] for a format that this build
    /// leaves out.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::path::Path;
    /// use bspm_core::Dataset;
    /// use bspm_core::data::{Format, TableOptions};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let directory = tempfile::tempdir()?;
    /// let path = directory.path().join("views.csv");
    /// std::fs::write(&path, "user,item\nann,tea\n")?;
    /// let format = Format::of(&path)?;
    /// let (user, item) = format.columns();
    /// let views = Dataset::read(&path, format, &TableOptions::new(user, item))?;
    /// assert_eq!(views.history("ann")?, ["tea"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn read(path: impl AsRef<Path>, format: Format, options: &TableOptions) -> Result<Self> {
        let path = path.as_ref();
        let as_text =
            |numbers: Dataset<u32, u32>| numbers.map_ids(ToString::to_string, ToString::to_string);
        match format {
            Format::Csv => Self::read_csv(path, options),
            Format::Tsv => Self::read_csv(path, &options.clone().delimiter(b'\t')),
            Format::MovieLens => Self::parse_ratings(open_text(path)?, path, options),
            Format::RecBole => Self::read_recbole(path, options),
            Format::LightGcn => as_text(Dataset::read_lightgcn(path)?),
            Format::Npz => as_text(match options.weighting {
                Some(weighting) => Dataset::read_npz_weighted(path, weighting)?,
                None => Dataset::read_npz(path, options.rating_threshold)?,
            }),
            #[cfg(feature = "parquet")]
            Format::Parquet => Self::read_parquet(path, options),
            #[cfg(not(feature = "parquet"))]
            Format::Parquet => Err(invalid("format", "the feature parquet for it", "parquet")),
        }
    }
}
