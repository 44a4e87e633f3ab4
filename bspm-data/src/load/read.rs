//! Reads one or more files of any format as one data set.

use std::path::Path;

use super::file::{open_text, refuse_pointer};
use super::format::Format;
use super::options::TableOptions;
use super::paths::DistinctFiles;
use super::report::ReadReport;
use super::rows::Rows;
use super::{delimited, json_lines, lightgcn, movielens, npz, plausibility, time_warnings};
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::parameter::invalid;

impl Dataset {
    /// Reads a file in any format, with all ids as text; see [`read_files`](Self::read_files).
    ///
    /// # Errors
    ///
    /// Those of the format; [`Error::UnusedOption`] for an option that the format does not use;
    /// [`Error::InvalidParameter`] for a format that this crate does not read.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::path::Path;
    /// use bspm_data::Dataset;
    /// use bspm_data::{Format, TableOptions};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let directory = tempfile::tempdir()?;
    /// let path = directory.path().join("views.csv");
    /// std::fs::write(&path, "user,item\nann,tea\n")?;
    /// let views = Dataset::read(&path, Format::of_file(&path)?, &TableOptions::default())?;
    /// assert_eq!(views.history("ann")?, ["tea"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn read(path: impl AsRef<Path>, format: Format, options: &TableOptions) -> Result<Self> {
        Ok(Self::read_files([path], Some(format), options)?.0)
    }

    /// Reads files as one data set, with all ids as text, and returns a report of read and excluded rows.
    ///
    /// Default of `format`: [`TableOptions::format_of`] each file. The files must be all tables, or all of a
    /// format with numeric ids (`lightgcn`, `npz`). Use [`expand_paths`](crate::expand_paths) to expand
    /// folders and glob patterns. See also the method of each format, such as
    /// [`read_csv`](Self::read_csv).
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and those of [`Format::of_file`].
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::Dataset;
    /// use bspm_data::TableOptions;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let directory = tempfile::tempdir()?;
    /// let january = directory.path().join("january.csv");
    /// let february = directory.path().join("february.jsonl");
    /// std::fs::write(&january, "user,item\nann,tea\n,tea\n")?;
    /// std::fs::write(&february, "{\"user\": \"ann\", \"item\": \"milk\"}\n")?;
    /// let options = TableOptions::default().skip_invalid();
    /// let (views, report) = Dataset::read_files([january, february], None, &options)?;
    /// assert_eq!((views.len(), report.rows, report.skipped()), (2, 3, 1));
    /// # Ok(())
    /// # }
    /// ```
    pub fn read_files(
        paths: impl IntoIterator<Item = impl AsRef<Path>>,
        format: Option<Format>,
        options: &TableOptions,
    ) -> Result<(Self, ReadReport)> {
        read_files_with(
            paths,
            format,
            options,
            |_, _, _| Err(parquet_is_elsewhere()),
        )
    }
}

/// Returns the error for a Parquet file, which only the crate `bspm-arrow` reads.
pub(super) fn parquet_is_elsewhere() -> Error {
    let expected = "a format that this crate reads (bspm-arrow reads Parquet)";
    invalid("format", expected, Format::Parquet.name())
}

/// Like [`Dataset::read_files`], with a reader for Parquet files, which adds their rows to its last
/// argument.
pub fn read_files_with(
    paths: impl IntoIterator<Item = impl AsRef<Path>>,
    format: Option<Format>,
    options: &TableOptions,
    parquet: impl Fn(&Path, &TableOptions, &mut Rows<String, String>) -> Result<()>,
) -> Result<(Dataset, ReadReport)> {
    let mut texts: Rows<String, String> = Rows::new(options);
    let mut numbers: Rows<u32, u32> = Rows::new(options);
    let mut first = None;
    let mut distinct = DistinctFiles::default();
    for path in paths {
        let path = path.as_ref();
        distinct.add(path)?;
        let format = match format {
            Some(format) => format,
            None => options.format_of(path)?,
        };
        options.check(format)?;
        if format.has_numbers() != first.get_or_insert(format).has_numbers() {
            return Err(Error::InvalidFile {
                path: path.into(),
                expected: "the same format as the files before it, or another table".into(),
                found: format.name().into(),
            });
        }
        if matches!(format, Format::Npz | Format::Parquet) {
            refuse_pointer(path, format.name())?;
        }
        match format {
            Format::Csv | Format::Tsv | Format::RecBole => {
                delimited::parse(open_text(path)?, path, format, options, &mut texts)?;
            }
            Format::MovieLens => movielens::parse(open_text(path)?, path, options, &mut texts)?,
            Format::JsonLines => json_lines::parse(open_text(path)?, path, options, &mut texts)?,
            Format::LightGcn => lightgcn::parse(path, options, &mut numbers)?,
            Format::Npz => npz::read(path, options, &mut numbers)?,
            Format::Parquet => parquet(path, options, &mut texts)?,
        }
    }
    let (dataset, mut report) = match first {
        None => return Err(Error::no_interactions("no file".as_ref())),
        Some(format) if format.has_numbers() => {
            let (dataset, report) = numbers.finish()?;
            let dataset = dataset.map_ids(ToString::to_string, ToString::to_string)?;
            (dataset, report)
        }
        Some(_) => texts.finish()?,
    };
    report.warnings.extend(plausibility::warnings(&dataset));
    let times = dataset.times().unwrap_or_default();
    let of_times = time_warnings::warnings(times, report.times_are_seconds, options.time_unit);
    report.warnings.extend(of_times);
    Ok((dataset, report))
}
