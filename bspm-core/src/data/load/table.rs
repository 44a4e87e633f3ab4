//! Tables with one interaction per record: which column is what, and what a field may hold.

use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::time;
use crate::data::dataset::{Dataset, DatasetBuilder, Event, Weighting};
use crate::error::{Error, Result, shortened};
use crate::parameter::invalid;

/// How to read a table of interactions.
///
/// # Examples
///
/// ```
/// use bspm_core::data::TableOptions;
///
/// let movielens_25m = TableOptions::new("userId", "movieId")
///     .rating("rating")
///     .time("timestamp")
///     .rating_threshold(4.0);
/// let movielens_100k = TableOptions::new("user", "item")
///     .delimiter(b'\t')
///     .without_header(["user", "item", "rating", "time"]);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct TableOptions {
    pub(crate) user: String,
    pub(crate) item: String,
    pub(crate) rating: Option<String>,
    pub(crate) time: Option<String>,
    pub(crate) weight: Option<String>,
    pub(crate) weighting: Option<Weighting>,
    pub(crate) rating_threshold: Option<f64>,
    pub(super) delimiter: u8,
    pub(super) quoting: bool,
    pub(super) header: Option<Vec<String>>,
}

impl TableOptions {
    /// A comma-separated table with a header, quoting, and these two columns.
    pub fn new(user: impl Into<String>, item: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            item: item.into(),
            rating: None,
            time: None,
            weight: None,
            weighting: None,
            rating_threshold: None,
            delimiter: b',',
            quoting: true,
            header: None,
        }
    }

    /// The column of ratings. It is read only where there is a threshold.
    pub fn rating(mut self, column: impl Into<String>) -> Self {
        self.rating = Some(column.into());
        self
    }

    /// The column of times: numbers in any unit, or dates (ISO 8601), which become seconds.
    pub fn time(mut self, column: impl Into<String>) -> Self {
        self.time = Some(column.into());
        self
    }

    /// The column of weights, such as counts or ratings: numbers, 0 or above.
    pub fn weight(mut self, column: impl Into<String>) -> Self {
        self.weight = Some(column.into());
        self
    }

    /// What weights and times make an interaction count. In a SciPy matrix the values are the
    /// weights then.
    pub fn weighting(mut self, weighting: Weighting) -> Self {
        self.weighting = Some(weighting);
        self
    }

    /// Keeps only records with at least this rating; needs a column of ratings.
    pub fn rating_threshold(mut self, threshold: f64) -> Self {
        self.rating_threshold = Some(threshold);
        self
    }

    /// What separates the fields of a text table.
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// Takes `"` in a text table for an ordinary character.
    pub fn without_quoting(mut self) -> Self {
        self.quoting = false;
        self
    }

    /// The first line is a record already, and the columns have these names.
    pub fn without_header(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.header = Some(columns.into_iter().map(Into::into).collect());
        self
    }

    /// Where the columns are among `names`.
    pub(super) fn places(&self, path: &Path, names: &[String]) -> Result<Places> {
        let find = |column: &str| {
            let mut found = (0..names.len()).filter(|&place| names[place] == column);
            match (found.next(), found.next()) {
                (Some(place), None) => Ok(place),
                (first, _) => Err(Error::MissingColumn {
                    path: path.into(),
                    column: column.into(),
                    found: match first {
                        Some(_) => "it twice".into(),
                        None => shortened(names.join(", ")),
                    },
                }),
            }
        };
        let rating = match (&self.rating, self.rating_threshold) {
            (Some(column), Some(_)) => Some(find(column)?),
            (None, Some(threshold)) => {
                return Err(invalid(
                    "rating_threshold",
                    "a column of ratings beside it",
                    threshold,
                ));
            }
            (_, None) => None,
        };
        Ok(Places {
            user: find(&self.user)?,
            item: find(&self.item)?,
            rating,
            time: self.time.as_deref().map(find).transpose()?,
            weight: self.weight.as_deref().map(find).transpose()?,
        })
    }
}

/// The places of the columns in a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    pub(super) user: usize,
    pub(super) item: usize,
    pub(super) rating: Option<usize>,
    pub(super) time: Option<usize>,
    pub(super) weight: Option<usize>,
}

/// Turns records into a data set.
pub(super) struct Records<U: Eq + Hash, I: Eq + Hash> {
    path: PathBuf,
    names: Vec<String>,
    places: Places,
    builder: DatasetBuilder<U, I>,
}

impl<U, I> Records<U, I>
where
    U: FromStr + Eq + Hash + Clone,
    I: FromStr + Eq + Hash + Clone,
{
    pub(super) fn new(
        path: &Path,
        names: Vec<String>,
        places: Places,
        options: &TableOptions,
    ) -> Self {
        let mut builder = Dataset::builder().weighting(options.weighting.unwrap_or_default());
        if let Some(threshold) = options.rating_threshold {
            builder = builder.rating_threshold(threshold);
        }
        Self {
            path: path.into(),
            names,
            places,
            builder,
        }
    }

    /// Adds the record that starts on `line`; `field` tells what is at a place.
    pub(super) fn push<'f>(
        &mut self,
        line: u64,
        field: impl Fn(usize) -> Option<&'f [u8]>,
    ) -> Result<()> {
        let wrong = |place: usize, expected: &str, found: &[u8]| Error::InvalidField {
            path: self.path.clone(),
            line,
            column: self.names[place].clone(),
            expected: expected.into(),
            found: shortened(String::from_utf8_lossy(found).into_owned()),
        };
        let text = |place: usize, expected: &str| {
            let bytes = field(place).unwrap_or_default();
            match std::str::from_utf8(bytes) {
                Ok(text) if !text.is_empty() => Ok(text),
                _ => Err(wrong(place, expected, bytes)),
            }
        };
        let number = |place: usize| {
            let text = text(place, "a finite number")?;
            match text.trim().parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(number),
                _ => Err(wrong(place, "a finite number", text.as_bytes())),
            }
        };
        let Places {
            user,
            item,
            rating,
            time,
            weight,
        } = self.places;
        let user_text = id_text(text, wrong, user, "a user id")?;
        let item_text = id_text(text, wrong, item, "an item id")?;
        let mut event = Event::new(
            parse_id::<U>(user_text, "a user id")
                .map_err(|expected| wrong(user, &expected, user_text.as_bytes()))?,
            parse_id::<I>(item_text, "an item id")
                .map_err(|expected| wrong(item, &expected, item_text.as_bytes()))?,
        );
        event.rating = rating.map(number).transpose()?;
        let read_time = |place: usize| {
            let text = text(place, time::EXPECTED)?;
            time::parse_time(text).ok_or_else(|| wrong(place, time::EXPECTED, text.as_bytes()))
        };
        event.time = time.map(read_time).transpose()?;
        event.weight = weight.map(number).transpose()?;
        if let (Some(place), Some(value)) = (weight, event.weight)
            && value < 0.0
        {
            let text = field(place).unwrap_or_default();
            return Err(wrong(place, "a number, 0 or above", text));
        }
        self.builder.push(event)
    }

    /// The data set, which must not be empty.
    pub(super) fn finish(self) -> Result<Dataset<U, I>> {
        let dataset = self.builder.finish()?;
        if dataset.is_empty() {
            return Err(Error::NoInteractions { path: self.path });
        }
        Ok(dataset)
    }
}

/// An id on one line: a line break says that a quote was left open before it.
fn id_text<'f>(
    text: impl Fn(usize, &str) -> Result<&'f str>,
    wrong: impl Fn(usize, &str, &[u8]) -> Error,
    place: usize,
    what: &str,
) -> Result<&'f str> {
    let id = text(place, what)?;
    if id.contains(['\n', '\r']) {
        let expected = format!("{what} without a line break");
        return Err(wrong(place, &expected, id.as_bytes()));
    }
    Ok(id)
}

fn parse_id<T: FromStr>(text: &str, what: &str) -> Result<T, String> {
    text.parse().map_err(|_| {
        let kind = std::any::type_name::<T>();
        format!(
            "{what} that is a {}",
            kind.rsplit("::").next().unwrap_or(kind)
        )
    })
}
