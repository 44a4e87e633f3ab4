//! The rating files of MovieLens 1M and 10M: `user::item::rating::time`.

use std::hash::Hash;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;

use super::fault::Fault;
use super::format::Format;
use super::header::Header;
use super::options::TableOptions;
use super::plain_text::{Lines, PlainText};
use super::rows::{Rows, TextFields};
use crate::dataset::Dataset;
use crate::error::InvalidRow;
use crate::error::{Error, Result};

/// The columns of these files, which have no header.
const COLUMNS: [&str; 4] = ["user", "item", "rating", "time"];

impl<U, I> Dataset<U, I>
where
    U: FromStr + Eq + Hash + Clone,
    I: FromStr + Eq + Hash + Clone,
{
    /// Parses `user::item::rating::time`, one interaction per line.
    ///
    /// A byte order mark, CRLF line ends and blank lines are accepted.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidField`] for a line that does not have four fields, and for an invalid id or number;
    /// [`Error::NoInteractions`]; [`Error::Read`].
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::Dataset;
    ///
    /// let file = b"1::1193::5::978300760\n1::661::3::978302109\n";
    /// let dataset: Dataset<u32, u32> = Dataset::parse_movielens(&file[..], "inline", Some(4.0))?;
    /// assert_eq!(dataset.history(&1)?, [&1193]);
    /// # Ok::<(), bspm_data::Error>(())
    /// ```
    pub fn parse_movielens(
        reader: impl Read,
        path: impl AsRef<Path>,
        rating_threshold: Option<f64>,
    ) -> Result<Self> {
        let options = TableOptions {
            rating_threshold,
            ..TableOptions::default()
        };
        let mut rows = Rows::new(&options);
        parse(reader, path.as_ref(), &options, &mut rows)?;
        Ok(rows.finish()?.0)
    }
}

/// Adds the rows of a file.
pub(super) fn parse<U, I>(
    reader: impl Read,
    path: &Path,
    options: &TableOptions,
    rows: &mut Rows<U, I>,
) -> Result<()>
where
    U: FromStr + Eq + Hash + Clone,
    I: FromStr + Eq + Hash + Clone,
{
    let _span = tracing::info_span!("load", path = %path.display()).entered();
    options.check(Format::MovieLens)?;
    rows.start(path, Format::MovieLens);
    let names = COLUMNS.map(str::to_owned).to_vec();
    let mut read = options.clone();
    if !read.is_test_set {
        read.time.get_or_insert_with(|| "time".into());
    }
    if read.rating_threshold.is_some() {
        read.rating.get_or_insert_with(|| "rating".into());
    }
    let places = read.places(path, &names, Format::MovieLens.columns())?;
    rows.note_columns(&names, places, options);
    let fields = TextFields::new(options, places, names.clone(), Header::new(&names, false));
    let mut lines = Lines::new(PlainText::new(reader, options.text_encoding()?));
    let failed = |source| Error::Read {
        path: path.into(),
        source,
    };
    while let Some((line, text)) = lines.next().map_err(failed)? {
        if text.is_empty() || text.first().copied() == options.comment {
            continue;
        }
        let parts = split(text);
        if parts.len() == fields.columns() {
            rows.push(line, &mut fields.row(|place| parts.get(place).copied()))?;
        } else {
            let found = String::from_utf8_lossy(text).into_owned();
            let expected = "user::item::rating::time";
            let fault = Fault::of_row(InvalidRow::FieldCount, expected, found);
            rows.refuse_row(line, fault)?;
        }
    }
    rows.note_times(fields.times_read());
    Ok(())
}

fn split(mut text: &[u8]) -> Vec<&[u8]> {
    let mut fields = Vec::with_capacity(4);
    while let Some(place) = text.windows(2).position(|pair| pair == b"::") {
        fields.push(&text[..place]);
        text = &text[place + 2..];
    }
    fields.push(text);
    fields
}
