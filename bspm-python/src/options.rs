//! Options for reading: columns, ratings and weights.

use std::cell::Cell;
use std::path::Path;

use bspm::data::{
    Duplicates, Format, HalfLife, NumericTimes, Quoting, TableOptions, TimeUnit, WeightScale,
    Weighting, hint,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::error::{to_python, with_hint};

/// The options for reading, as Python arguments.
#[derive(Debug, FromPyObject)]
pub(crate) struct ReadOptions {
    #[pyo3(item)]
    pub(crate) user: Option<String>,
    #[pyo3(item)]
    pub(crate) item: Option<String>,
    #[pyo3(item)]
    pub(crate) weight: Option<String>,
    #[pyo3(item)]
    pub(crate) time: Option<String>,
    #[pyo3(item)]
    pub(crate) rating: Option<String>,
    #[pyo3(item)]
    rating_threshold: Option<f64>,
    #[pyo3(item)]
    weight_scale: Option<String>,
    #[pyo3(item)]
    half_life: Option<GivenHalfLife>,
    #[pyo3(item)]
    duplicates: Option<String>,
}

/// The options for reading that only files have, as Python arguments.
#[derive(Debug, FromPyObject)]
pub(crate) struct FileOptions {
    #[pyo3(item)]
    format: Option<String>,
    #[pyo3(item)]
    columns: Option<Vec<String>>,
    #[pyo3(item)]
    delimiter: Option<char>,
    #[pyo3(item)]
    quoting: Option<String>,
    #[pyo3(item)]
    comment: Option<char>,
    #[pyo3(item)]
    encoding: Option<String>,
    #[pyo3(item)]
    decimal_comma: bool,
    #[pyo3(item)]
    time_format: Option<String>,
    #[pyo3(item)]
    time_unit: Option<String>,
    #[pyo3(item)]
    null_values: Option<Vec<String>>,
    #[pyo3(item)]
    trim_ids: bool,
    #[pyo3(item)]
    skip_invalid: bool,
}

impl FileOptions {
    const NAMES: [&str; 12] = [
        "format",
        "columns",
        "delimiter",
        "quoting",
        "comment",
        "encoding",
        "decimal_comma",
        "time_format",
        "time_unit",
        "null_values",
        "trim_ids",
        "skip_invalid",
    ];

    /// Returns the format, if it is named.
    pub(crate) fn format(&self) -> PyResult<Option<Format>> {
        let named = self.format.as_ref();
        named
            .map(|name| name.parse().map_err(to_python))
            .transpose()
    }

    /// Adds these options to those of a table.
    pub(crate) fn add_to(&self, mut options: TableOptions) -> PyResult<TableOptions> {
        let ascii = |name: &str, given: char| {
            let byte = u8::try_from(given).ok().filter(u8::is_ascii);
            byte.ok_or_else(|| refused(name, "one ASCII character", format!("{given:?}")))
        };
        if let Some(columns) = &self.columns {
            options = options.without_header(columns);
        }
        if let Some(delimiter) = self.delimiter {
            options = options.delimiter(ascii("delimiter", delimiter)?);
        }
        if let Some(quoting) = &self.quoting {
            options = options.quoting(quoting.parse::<Quoting>().map_err(to_python)?);
        }
        if let Some(comment) = self.comment {
            options = options.comment(ascii("comment", comment)?);
        }
        if let Some(encoding) = &self.encoding {
            options = options.encoding(encoding);
        }
        if self.decimal_comma {
            options = options.decimal_comma();
        }
        if let Some(pattern) = &self.time_format {
            options = options.time_format(pattern);
        }
        if let Some(unit) = &self.time_unit {
            options = options.time_unit(unit.parse::<TimeUnit>().map_err(to_python)?);
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
        Ok(options)
    }
}

#[derive(Debug, FromPyObject)]
enum GivenHalfLife {
    Number(f64),
    Text(String),
}

/// The data that a source has in addition to users and items.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Has {
    pub(crate) weights: bool,
    pub(crate) times: bool,
    pub(crate) ratings: bool,
}

impl ReadOptions {
    /// The data of the named columns.
    pub(crate) fn named(&self) -> Has {
        Has {
            weights: self.weight.is_some(),
            times: self.time.is_some(),
            ratings: self.rating.is_some(),
        }
    }

    /// The threshold of ratings, which must be a number.
    pub(crate) fn rating_threshold(&self) -> PyResult<Option<f64>> {
        match self.rating_threshold {
            Some(threshold) if threshold.is_nan() => {
                Err(refused("rating_threshold", "a number", threshold))
            }
            threshold => Ok(threshold),
        }
    }

    /// Returns the weighting, if each option has an effect on a source with these data.
    pub(crate) fn weighting(&self, has: Has) -> PyResult<Weighting> {
        let weighting = self.parsed()?;
        match (has.ratings, self.rating_threshold) {
            (false, Some(threshold)) => {
                let expected = "ratings beside it; rating= names their column";
                return Err(refused("rating_threshold", expected, threshold));
            }
            (true, None) => {
                let expected =
                    "rating_threshold= beside it, or weight= for ratings that are weights";
                return Err(refused("rating", expected, "neither"));
            }
            _ => {}
        }
        if let (false, Some(half_life)) = (has.times, &self.half_life) {
            let expected = "times beside it; time= names their column";
            let found = match half_life {
                GivenHalfLife::Number(number) => number.to_string(),
                GivenHalfLife::Text(text) => format!("{text:?}"),
            };
            return Err(refused("half_life", expected, found));
        }
        let duplicates = weighting.duplicates;
        if has.weights && duplicates == Some(Duplicates::Count) {
            let expected = "'sum', 'max' or 'last' beside weights";
            return Err(refused("duplicates", expected, "'count'"));
        }
        let counts = matches!(duplicates, Some(Duplicates::Sum | Duplicates::Count));
        if has.weights || counts {
            return Ok(weighting);
        }
        if let Some(text) = &self.weight_scale {
            let expected = "weights beside it; weight= names their column, \
                            duplicates='sum' makes weights of repeated pairs";
            return Err(refused("weight_scale", expected, format!("{text:?}")));
        }
        if let (None, Some(text)) = (weighting.half_life, &self.duplicates) {
            let expected = "'sum' or 'count' without weights (weight= names their column)";
            return Err(refused("duplicates", expected, format!("{text:?}")));
        }
        Ok(weighting)
    }

    /// Rejects a half-life that does not fit the times. Warns if it has almost no effect. Only the times of files
    /// have options.
    pub(crate) fn check_half_life(
        &self,
        py: Python<'_>,
        times: Option<&[f64]>,
        is_file: bool,
    ) -> PyResult<()> {
        let Some(half_life) = &self.half_life else {
            return Ok(());
        };
        let times = times.unwrap_or_default();
        let error = match half_life.parsed()?.check_times(times) {
            Ok(Some(warning)) => return warn(py, &warning),
            Ok(None) => return Ok(()),
            Err(error) => error,
        };
        let hint = match (is_file, NumericTimes::of(times)) {
            (true, likely) => arguments_of_file(&hint::of_times(likely)),
            (false, likely) => {
                let what = likely.map(|likely| format!("the times look like {likely}; "));
                let what = what.unwrap_or_default();
                format!("{what}convert them to seconds since 1970, or to dates")
            }
        };
        Err(with_hint(error, Some(hint)))
    }

    fn parsed(&self) -> PyResult<Weighting> {
        let mut weighting = Weighting::new();
        if let Some(text) = &self.weight_scale {
            weighting = weighting.scale(scale(text)?);
        }
        if let Some(half_life) = &self.half_life {
            weighting = weighting.half_life(half_life.parsed()?.time);
        }
        if let Some(text) = &self.duplicates {
            weighting = weighting.duplicates(text.parse().map_err(to_python)?);
        }
        Ok(weighting)
    }

    /// Returns the options for a table.
    pub(crate) fn table(&self, weighting: Weighting) -> TableOptions {
        let mut options = TableOptions::default().weighting(weighting);
        if let Some(column) = &self.user {
            options = options.user(column);
        }
        if let Some(column) = &self.item {
            options = options.item(column);
        }
        if let Some(column) = &self.weight {
            options = options.weight(column);
        }
        if let Some(column) = &self.time {
            options = options.time(column);
        }
        if let Some(column) = &self.rating {
            options = options.rating(column);
        }
        if let Some(threshold) = self.rating_threshold {
            options = options.rating_threshold(threshold);
        }
        options
    }

    /// Returns the options for a file, and its format. Each option must have an effect.
    pub(crate) fn file(
        &self,
        py: Python<'_>,
        path: &Path,
        of_file: &FileOptions,
    ) -> PyResult<(TableOptions, Format)> {
        let options = of_file.add_to(self.table(self.parsed()?))?;
        let format = match of_file.format()? {
            Some(format) => format,
            None => py
                .detach(|| options.format_of(path))
                .map_err(|error| of_reading(error, None, &options))?,
        };
        for option in TableOptions::option_uses() {
            if option.is_set(&options) && !option.formats.contains(&format) {
                let names: Vec<&str> = option.formats.iter().map(|it| it.name()).collect();
                let expected = format!("a format that uses it ({})", names.join(", "));
                return Err(refused(option.name, &expected, format.name()));
            }
        }
        // These formats have times or ratings without a named column.
        let has_columns = format == Format::MovieLens;
        let has_values = format == Format::Npz;
        let _ = self.weighting(Has {
            weights: self.weight.is_some() || has_values,
            times: self.time.is_some() || has_columns,
            ratings: match has_columns || has_values {
                true => self.rating_threshold.is_some(),
                false => self.rating.is_some(),
            },
        })?;
        Ok((options, format))
    }
}

impl GivenHalfLife {
    fn parsed(&self) -> PyResult<HalfLife> {
        let parsed = match self {
            Self::Number(number) => number.to_string().parse(),
            Self::Text(text) => text.parse(),
        };
        parsed.map_err(to_python)
    }
}

/// Parses a scale of weights.
pub(crate) fn scale(text: &str) -> PyResult<WeightScale> {
    text.parse().map_err(|_| {
        let expected = "'linear', 'log' or 'threshold:NUMBER'";
        refused("weight_scale", expected, format!("{text:?}"))
    })
}

/// Returns the exception for an error of reading files, with a hint.
pub(crate) fn of_reading(
    error: bspm::Error,
    format: Option<Format>,
    options: &TableOptions,
) -> PyErr {
    let hint = hint::of_file(&error, format, options);
    with_hint(error, hint.map(|hint| arguments_of_file(&hint)))
}

/// Replaces the options that a hint names by arguments, and adds which function has those of files.
fn arguments_of_file(hint: &str) -> String {
    let is_of_file = Cell::new(false);
    let text = hint::with_options(hint, ", ", |option, value| {
        is_of_file.set(is_of_file.get() || FileOptions::NAMES.contains(&option));
        argument(option, value)
    });
    match is_of_file.get() {
        true => format!("{text} (arguments of bspm.Interactions.from_file)"),
        false => text,
    }
}

/// Replaces the options that a warning names by arguments.
pub(crate) fn with_arguments(warning: &str) -> String {
    hint::with_options(warning, ", ", argument)
}

/// Returns an option with its value as an argument.
fn argument(option: &str, value: Option<&str>) -> String {
    match (option, value) {
        ("skip_invalid" | "trim_ids" | "decimal_comma", _) => format!("{option}=True"),
        ("columns" | "null_values", Some(value)) => {
            let elements: Vec<&str> = value.split(',').collect();
            format!("{option}={elements:?}")
        }
        (_, Some(value)) => format!("{option}={value:?}"),
        (_, None) => format!("{option}="),
    }
}

/// Issues a `UserWarning` for the line that called the package.
pub(crate) fn warn(py: Python<'_>, text: &str) -> PyResult<()> {
    let module = py.import("bspm._warnings")?;
    module.call_method1("warn", (text,)).map(drop)
}

pub(crate) fn refused(what: &str, expected: &str, found: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(format!("{what}: expected {expected}, found {found}"))
}
