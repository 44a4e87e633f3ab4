//! Options to read interactions, and the formats that use each option.

use std::path::Path;

use encoding_rs::Encoding;

use super::column_names::{
    DEFAULT_ITEMS, DEFAULT_USERS, listed, usual_item_column, usual_user_column,
};
use super::format::Format;
use super::quotes::Quoting;
use super::time::{self, TimeUnit};
use crate::dataset::Weighting;
use crate::error::{Error, Result};
use crate::interactions::Duplicates;
use crate::parameter::invalid;

/// Options to read interactions. It is an error to set an option that has no effect on the format;
/// [`option_uses`](Self::option_uses) lists the formats of each option.
///
/// # Examples
///
/// ```
/// use bspm_data::TableOptions;
///
/// let movielens_25m = TableOptions::new("userId", "movieId")
///     .rating("rating")
///     .time("timestamp")
///     .rating_threshold(4.0);
/// let movielens_100k = TableOptions::new("user", "item")
///     .delimiter(b'\t')
///     .without_header(["user", "item", "rating", "time"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct TableOptions {
    pub(super) user: Option<String>,
    pub(super) item: Option<String>,
    #[doc(hidden)]
    pub rating: Option<String>,
    #[doc(hidden)]
    pub time: Option<String>,
    #[doc(hidden)]
    pub weight: Option<String>,
    pub(super) weighting: Weighting,
    pub(super) rating_threshold: Option<f64>,
    pub(super) delimiter: Option<u8>,
    pub(super) quoting: Option<Quoting>,
    pub(super) columns: Option<Vec<String>>,
    pub(super) comment: Option<u8>,
    pub(super) encoding: Option<String>,
    #[doc(hidden)]
    pub decimal_comma: bool,
    #[doc(hidden)]
    pub time_format: Option<String>,
    #[doc(hidden)]
    pub time_unit: Option<TimeUnit>,
    pub(super) null_values: Option<Vec<String>>,
    pub(super) trim_ids: bool,
    pub(super) skip_invalid: bool,
    /// Whether a table may lack the weight column.
    pub(super) is_test_set: bool,
}

/// An option of [`TableOptions`] and the formats that use it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OptionUse {
    /// The name of the option.
    pub name: &'static str,
    /// The formats that use it. It is an error for other formats.
    pub formats: &'static [Format],
    is_set: fn(&TableOptions) -> bool,
}

impl OptionUse {
    /// Whether the option is set.
    pub fn is_set(&self, options: &TableOptions) -> bool {
        (self.is_set)(options)
    }
}

const TABLES: &[Format] = &[
    Format::Csv,
    Format::Tsv,
    Format::MovieLens,
    Format::RecBole,
    Format::JsonLines,
    Format::Parquet,
];
const TEXT: &[Format] = &[
    Format::Csv,
    Format::Tsv,
    Format::MovieLens,
    Format::RecBole,
    Format::JsonLines,
    Format::LightGcn,
];
const ALL: &[Format] = &[
    Format::Csv,
    Format::Tsv,
    Format::MovieLens,
    Format::RecBole,
    Format::JsonLines,
    Format::LightGcn,
    Format::Npz,
    Format::Parquet,
];
const CSV: &[Format] = &[Format::Csv];
const QUOTED: &[Format] = &[Format::Csv, Format::Tsv];
const DELIMITED: &[Format] = &[Format::Csv, Format::Tsv, Format::MovieLens, Format::RecBole];
const WITH_VALUES: &[Format] = &[
    Format::Csv,
    Format::Tsv,
    Format::MovieLens,
    Format::RecBole,
    Format::JsonLines,
    Format::Parquet,
    Format::Npz,
];

macro_rules! uses {
    ($($name:literal $formats:ident $is_set:expr;)*) => {
        &[$(OptionUse { name: $name, formats: $formats, is_set: $is_set },)*]
    };
}

impl TableOptions {
    /// The names of the options of text alone, which do not refer to columns of interactions.
    pub(super) const TEXT_OPTIONS: &[&str] = &[
        "delimiter",
        "quoting",
        "comment",
        "encoding",
        "decimal_comma",
        "null_values",
        "trim_ids",
        "skip_invalid",
    ];

    /// Returns only the options of text (delimiter, quoting, comments, encoding, decimal comma, null
    /// values, trimming of ids, skipping of invalid rows) that a format uses: for another table than that of the
    /// interactions.
    pub fn text_for(&self, format: Format) -> Self {
        let mut text = Self::default();
        let uses = |name: &str| {
            let option = Self::option_uses().iter().find(|it| it.name == name);
            option.is_some_and(|it| it.formats.contains(&format))
        };
        for &name in Self::TEXT_OPTIONS.iter().filter(|name| uses(name)) {
            match name {
                "delimiter" => text.delimiter = self.delimiter,
                "quoting" => text.quoting = self.quoting,
                "comment" => text.comment = self.comment,
                "encoding" => text.encoding.clone_from(&self.encoding),
                "decimal_comma" => text.decimal_comma = self.decimal_comma,
                "null_values" => text.null_values.clone_from(&self.null_values),
                "trim_ids" => text.trim_ids = self.trim_ids,
                _ => text.skip_invalid = self.skip_invalid,
            }
        }
        text
    }

    /// Returns the options for a test set. Weights and times apply only to the training set, so the weight
    /// column of a test set is optional and the time column is not read. Rows with weight 0 are not
    /// interactions of the test set.
    pub fn for_test_set(&self) -> Self {
        Self {
            weighting: Weighting::default(),
            time: None,
            time_format: None,
            time_unit: None,
            is_test_set: true,
            ..self.clone()
        }
    }

    /// The weight column of a table with the columns `names`; `None` for a test set without it.
    #[doc(hidden)]
    pub fn weight_column(&self, names: &[impl AsRef<str>]) -> Option<&str> {
        let exists = |column: &str| names.iter().any(|it| it.as_ref().trim() == column.trim());
        let weight = self.weight.as_deref();
        weight.filter(|column| !self.is_test_set || exists(column))
    }

    const USES: &'static [OptionUse] = uses! {
        "user" TABLES |it| it.user.is_some();
        "item" TABLES |it| it.item.is_some();
        "rating" TABLES |it| it.rating.is_some();
        "time" TABLES |it| it.time.is_some();
        "weight" TABLES |it| it.weight.is_some();
        "rating_threshold" WITH_VALUES |it| it.rating_threshold.is_some();
        "weight_scale" WITH_VALUES |it| it.weighting.scale.is_some();
        "half_life" TABLES |it| it.weighting.half_life.is_some();
        "duplicates" ALL |it| it.weighting.duplicates.is_some();
        "delimiter" CSV |it| it.delimiter.is_some();
        "columns" QUOTED |it| it.columns.is_some();
        "quoting" QUOTED |it| it.quoting.is_some();
        "comment" DELIMITED |it| it.comment.is_some();
        "encoding" TEXT |it| it.encoding.is_some();
        "decimal_comma" TABLES |it| it.decimal_comma;
        "time_format" TABLES |it| it.time_format.is_some();
        "time_unit" TABLES |it| it.time_unit.is_some();
        "null_values" TABLES |it| it.null_values.is_some();
        "trim_ids" DELIMITED |it| it.trim_ids;
        "skip_invalid" TABLES |it| it.skip_invalid;
    };

    /// Sets the user column and the item column.
    pub fn new(user: impl Into<String>, item: impl Into<String>) -> Self {
        Self::default().user(user).item(item)
    }

    /// Sets the user column. Default: [`Format::columns`]. In JSON lines, `a.b` is the member `b` of the object
    /// `a`, for every column.
    pub fn user(mut self, column: impl Into<String>) -> Self {
        self.user = Some(column.into());
        self
    }

    /// Sets the item column. Default: [`Format::columns`].
    pub fn item(mut self, column: impl Into<String>) -> Self {
        self.item = Some(column.into());
        self
    }

    /// Sets the rating column: numbers, or Booleans (`true` is 1, `false` is 0). Requires a
    /// [`rating_threshold`](Self::rating_threshold).
    pub fn rating(mut self, column: impl Into<String>) -> Self {
        self.rating = Some(column.into());
        self
    }

    /// Sets the time column: numbers in any unit, or dates, which are converted to seconds since 1970
    /// ([`parse_time`](crate::parse_time)).
    pub fn time(mut self, column: impl Into<String>) -> Self {
        self.time = Some(column.into());
        self
    }

    /// Sets the weight column, such as counts or ratings: numbers of at least 0, or Booleans (`true` is 1,
    /// `false` is 0).
    pub fn weight(mut self, column: impl Into<String>) -> Self {
        self.weight = Some(column.into());
        self
    }

    /// Sets how weights are scaled, how duplicates are combined, and how weights decay with time. With a
    /// scale, the values of a SciPy matrix are weights.
    pub fn weighting(mut self, weighting: Weighting) -> Self {
        self.weighting = weighting;
        self
    }

    /// Keeps only rows with a rating of at least this value; requires a rating column.
    pub fn rating_threshold(mut self, threshold: f64) -> Self {
        self.rating_threshold = Some(threshold);
        self
    }

    /// Sets the field delimiter of a CSV file. Default: the one of a first line such as `sep=;`, else a
    /// comma.
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = Some(delimiter);
        self
    }

    /// Sets how `"` is read in a CSV or TSV file. Default: [`Quoting::Checked`].
    pub fn quoting(mut self, quoting: Quoting) -> Self {
        self.quoting = Some(quoting);
        self
    }

    /// Sets the column names of a file without a header, whose first line is a row.
    pub fn without_header(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.columns = Some(columns.into_iter().map(Into::into).collect());
        self
    }

    /// Skips lines that start with this byte, such as `#`.
    pub fn comment(mut self, start: u8) -> Self {
        self.comment = Some(start);
        self
    }

    /// Sets the encoding of a text without a byte order mark, as a label of the Encoding Standard, such
    /// as `latin1`, `windows-1250` or `utf-16le`. Underscores and additional hyphens are accepted, as in
    /// `latin_1`. Default: UTF-8.
    pub fn encoding(mut self, label: impl Into<String>) -> Self {
        self.encoding = Some(label.into());
        self
    }

    /// Reads numbers with a decimal comma, such as `1,5`.
    pub fn decimal_comma(mut self) -> Self {
        self.decimal_comma = true;
        self
    }

    /// Sets the format of the times in a text column in `strftime` syntax, such as `%d/%m/%Y %H:%M`. A
    /// time without an offset is in UTC. `%Y` reads a year of four digits, and `%y` one of two. A week requires
    /// a weekday (`%G-W%V-%u`), and the name of a time zone (`%Q`) requires an offset (`%z`).
    pub fn time_format(mut self, pattern: impl Into<String>) -> Self {
        self.time_format = Some(pattern.into());
        self
    }

    /// Sets the unit of numeric times, which are converted to seconds. Default: times are not converted.
    pub fn time_unit(mut self, unit: TimeUnit) -> Self {
        self.time_unit = Some(unit);
        self
    }

    /// Sets the texts that mean a missing id. Default: `null`, `NULL`, `None`, `NaN`, `nan`, `<NA>`,
    /// `<null>` and `\N`.
    pub fn null_values(mut self, texts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.null_values = Some(texts.into_iter().map(Into::into).collect());
        self
    }

    /// Removes spaces at the start and at the end of ids, as in `ann, tea`. Default: they are part of the id.
    pub fn trim_ids(mut self) -> Self {
        self.trim_ids = true;
        self
    }

    /// Whether ids of a format are trimmed.
    pub(super) fn trims_ids_of(&self, format: Format) -> bool {
        self.trim_ids && DELIMITED.contains(&format)
    }

    /// Skips invalid rows instead of returning an error for the first one. The
    /// [`ReadReport`](crate::ReadReport) counts them by reason.
    pub fn skip_invalid(mut self) -> Self {
        self.skip_invalid = true;
        self
    }

    /// Returns the format of a file without a named format: CSV for a text with a [`delimiter`](Self::delimiter), else
    /// [`Format::of_file`].
    ///
    /// # Errors
    ///
    /// Those of [`Format::of_file`].
    pub fn format_of(&self, path: &Path) -> Result<Format> {
        match self.delimiter {
            Some(_) => self.format_of_name(path),
            None => Format::of_file(path),
        }
    }

    /// Like [`format_of`](Self::format_of), from the name alone.
    pub(super) fn format_of_name(&self, path: &Path) -> Result<Format> {
        match (Format::of(path), self.delimiter) {
            (Ok(Format::Csv | Format::Tsv | Format::LightGcn) | Err(_), Some(_)) => Ok(Format::Csv),
            (format, _) => format,
        }
    }

    /// All options and the formats that use them, in the order of the documentation.
    pub fn option_uses() -> &'static [OptionUse] {
        Self::USES
    }

    /// Returns an error if an option has no effect on a format, or with the other options.
    pub(super) fn check(&self, format: Format) -> Result<()> {
        for option in Self::USES {
            if option.is_set(self) && !option.formats.contains(&format) {
                let names: Vec<&str> = option.formats.iter().map(|it| it.name()).collect();
                return Err(Error::UnusedOption {
                    option: option.name,
                    context: format!("the format {}", format.name()),
                    needed: format!("a format that uses it ({})", names.join(", ")),
                });
            }
        }
        self.check_combination(format == Format::Npz, format == Format::MovieLens)
    }

    /// Returns an error if an option has no effect on record batches and Parquet files, which use the
    /// same options.
    #[doc(hidden)]
    pub fn check_batches(&self) -> Result<()> {
        self.check(Format::Parquet)
    }

    /// Returns an error if an option has no effect with the other options.
    fn check_combination(&self, has_values: bool, has_columns: bool) -> Result<()> {
        let has_weights = self.weight.is_some() || self.weighting.counts_events() || has_values;
        let has_time = self.time.is_some() || has_columns;
        let has_rating = self.rating.is_some() || has_values || has_columns;
        let rules = [
            (
                self.rating.is_some() && self.rating_threshold.is_none(),
                "rating",
                "a rating threshold (to use ratings as weights, set them as the weight column)",
            ),
            (
                self.rating_threshold.is_some() && !has_rating,
                "rating_threshold",
                "a rating column",
            ),
            (
                self.weighting.scale.is_some() && !has_weights,
                "weight_scale",
                "weights (a weight column, or duplicates = sum or count)",
            ),
            (
                self.weighting.half_life.is_some() && !has_time,
                "half_life",
                "a time column",
            ),
            (
                self.time_format.is_some() && !has_time,
                "time_format",
                "a time column",
            ),
            (
                self.time_unit.is_some() && !has_time,
                "time_unit",
                "a time column",
            ),
            (
                self.time_unit.is_some() && self.time_format.is_some(),
                "time_unit",
                "numeric times without a time_format",
            ),
            (
                matches!(
                    self.weighting.duplicates,
                    Some(Duplicates::Max | Duplicates::Last)
                ) && !(self.weight.is_some() || has_values && self.weighting.scale.is_some())
                    && self.weighting.half_life.is_none(),
                "duplicates",
                "a weight column or a half-life (sum and count do not require them)",
            ),
            (
                self.comment.is_some() && self.comment == self.delimiter.or(Some(b',')),
                "comment",
                "a character other than the delimiter",
            ),
            (
                self.decimal_comma && self.weight.is_none() && self.rating_threshold.is_none(),
                "decimal_comma",
                "a weight column or a rating column",
            ),
        ];
        if self
            .rating_threshold
            .is_some_and(|threshold| !threshold.is_finite())
        {
            let found = self.rating_threshold.unwrap_or_default();
            return Err(invalid("rating_threshold", "a finite number", found));
        }
        if let Some(delimiter @ (b'"' | b'\n' | b'\r')) = self.delimiter {
            let expected = "a character other than quotes and line breaks";
            return Err(invalid(
                "delimiter",
                expected,
                format!("{:?}", char::from(delimiter)),
            ));
        }
        self.check_time_format()?;
        match rules.into_iter().find(|(is_unused, ..)| *is_unused) {
            Some((_, option, needed)) => Err(Error::UnusedOption {
                option,
                context: "this input".into(),
                needed: needed.into(),
            }),
            None => Ok(()),
        }
    }

    /// Returns an error if a time format cannot parse its own output, such as one without a year or with a
    /// time zone and no offset.
    fn check_time_format(&self) -> Result<()> {
        match &self.time_format {
            Some(pattern) if !time::is_readable(pattern) => Err(invalid(
                "time_format",
                "a format in strftime syntax with a year, a weekday if it has a week (%G-W%V-%u) and an offset \
                 (%z) if it has the name of a time zone, such as %d/%m/%Y %H:%M",
                format!("{pattern:?}"),
            )),
            _ => Ok(()),
        }
    }

    /// The requested encoding.
    pub(super) fn text_encoding(&self) -> Result<Option<&'static Encoding>> {
        let Some(label) = &self.encoding else {
            return Ok(None);
        };
        // Python also writes latin_1, iso8859-15 and utf-8-sig.
        let plain = label.to_ascii_lowercase().replace('_', "-");
        let plain = plain.strip_suffix("-sig").unwrap_or(&plain);
        let spellings = [label, plain, &plain.replace('-', "")];
        let encoding = spellings
            .into_iter()
            .find_map(|label| Encoding::for_label(label.as_bytes()));
        let expected = "a label of the Encoding Standard, such as latin1 or utf-16le";
        encoding
            .map(Some)
            .ok_or_else(|| invalid("encoding", expected, format!("{label:?}")))
    }

    /// The user column and the item column of a table with the columns `names`: as requested, or the
    /// default of the format, or `user` or `user_id`, and `item` or `item_id`, or another usual name.
    #[doc(hidden)]
    pub fn id_columns<'n>(
        &'n self,
        (user, item): (&'static str, &'static str),
        names: &'n [impl AsRef<str>],
    ) -> (&'n str, &'n str) {
        let exists = |name: &&str| names.iter().any(|it| it.as_ref().trim() == *name);
        let exact = |format: &'static str, defaults: [&'static str; 2]| {
            [format].into_iter().chain(defaults).find(exists)
        };
        let users = || exact(user, DEFAULT_USERS).or_else(|| usual_user_column(names));
        let items = || exact(item, DEFAULT_ITEMS).or_else(|| usual_item_column(names));
        (
            self.user.as_deref().or_else(users).unwrap_or(user),
            self.item.as_deref().or_else(items).unwrap_or(item),
        )
    }

    /// Returns the indices of the columns in `names`.
    #[doc(hidden)]
    pub fn places(
        &self,
        path: &Path,
        names: &[String],
        defaults: (&'static str, &'static str),
    ) -> Result<Places> {
        let find = |column: &str| {
            let is_it = |place: &usize| names[*place].trim() == column.trim();
            let mut found = (0..names.len()).filter(is_it);
            match (found.next(), found.next()) {
                (Some(place), None) => Ok(place),
                (first, _) => Err(Error::MissingColumn {
                    path: path.into(),
                    column: column.into(),
                    found: match first {
                        Some(_) => "two columns with this name".into(),
                        None => listed(names),
                    },
                }),
            }
        };
        let (user, item) = self.id_columns(defaults, names);
        let places = Places {
            user: find(user)?,
            item: find(item)?,
            rating: self.rating.as_deref().map(find).transpose()?,
            time: self.time.as_deref().map(find).transpose()?,
            weight: self.weight_column(names).map(find).transpose()?,
        };
        match places.user == places.item {
            true => Err(invalid("item", "a column other than the user column", item)),
            false => Ok(places),
        }
    }
}

/// The indices of the columns in a row.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    pub(super) user: usize,
    pub(super) item: usize,
    pub(super) rating: Option<usize>,
    pub(super) time: Option<usize>,
    pub(super) weight: Option<usize>,
}

impl Places {
    /// The role of each column that is read.
    pub fn roles(&self) -> impl Iterator<Item = (usize, &'static str)> {
        [
            (Some(self.user), "user"),
            (Some(self.item), "item"),
            (self.rating, "rating"),
            (self.time, "time"),
            (self.weight, "weight"),
        ]
        .into_iter()
        .filter_map(|(place, role)| Some((place?, role)))
    }
}
