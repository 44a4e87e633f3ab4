//! The `::` files of MovieLens 1M and 10M.

use std::hash::Hash;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::str::FromStr;

use super::file::open_text;
use super::plain_text::PlainText;
use super::table::{Records, TableOptions};
use crate::data::dataset::Dataset;
use crate::error::{Error, Result, shortened};

impl<U, I> Dataset<U, I>
where
    U: FromStr + Eq + Hash + Clone,
    I: FromStr + Eq + Hash + Clone,
{
    /// Reads a `ratings.dat` of MovieLens; see [`parse_movielens`](Self::parse_movielens).
    ///
    /// # Errors
    ///
    /// [`Error::Read`], and those of [`parse_movielens`](Self::parse_movielens).
    pub fn read_movielens(path: impl AsRef<Path>, rating_threshold: Option<f64>) -> Result<Self> {
        let path = path.as_ref();
        Self::parse_movielens(open_text(path)?, path, rating_threshold)
    }

    /// Parses `user::item::rating::time`, one interaction per line.
    ///
    /// A byte order mark, CRLF line ends and blank lines are accepted.
    ///
    /// # Errors
    ///
    /// [`Error::Syntax`] for a line that has not four fields; [`Error::InvalidField`]
    /// for an id or a number that is none; [`Error::NoInteractions`]; [`Error::Read`].
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_core::Dataset;
    ///
    /// let file = b"1::1193::5::978300760\n1::661::3::978302109\n";
    /// let dataset: Dataset<u32, u32> = Dataset::parse_movielens(&file[..], "inline", Some(4.0))?;
    /// assert_eq!(dataset.history(&1)?, [&1193]);
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn parse_movielens(
        reader: impl Read,
        path: impl AsRef<Path>,
        rating_threshold: Option<f64>,
    ) -> Result<Self> {
        let options = TableOptions {
            rating_threshold,
            ..TableOptions::new("user", "item")
        };
        Self::parse_ratings(reader, path.as_ref(), &options)
    }

    /// The columns are called user, item, rating and time.
    pub(super) fn parse_ratings(
        reader: impl Read,
        path: &Path,
        options: &TableOptions,
    ) -> Result<Self> {
        let _span = tracing::info_span!("load", path = %path.display()).entered();
        let names = ["user", "item", "rating", "time"].map(str::to_owned);
        let options = TableOptions {
            user: "user".into(),
            item: "item".into(),
            rating: options.rating_threshold.map(|_| "rating".into()),
            time: Some("time".into()),
            ..options.clone()
        };
        let places = options.places(path, &names)?;
        let mut records = Records::new(path, names.to_vec(), places, &options);
        let mut reader = BufReader::new(PlainText::new(reader));
        let mut buffer = Vec::new();
        for line in 1.. {
            buffer.clear();
            let length = reader
                .read_until(b'\n', &mut buffer)
                .map_err(|source| Error::Read {
                    path: path.into(),
                    source,
                })?;
            if length == 0 {
                break;
            }
            let text = buffer.strip_suffix(b"\n").unwrap_or(&buffer);
            if text.is_empty() {
                continue;
            }
            let fields = split(text);
            if fields.len() != names.len() {
                return Err(Error::Syntax {
                    path: path.into(),
                    line: line as usize,
                    column: 1,
                    expected: "user::item::rating::time".into(),
                    found: shortened(String::from_utf8_lossy(text).into_owned()),
                });
            }
            records.push(line, |place| fields.get(place).copied())?;
        }
        records.finish()
    }
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
