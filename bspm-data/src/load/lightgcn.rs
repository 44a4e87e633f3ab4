//! The text format of the LightGCN family: `user item item ...`, one user per line.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::fault::Fault;
use super::file::open_text;
use super::format::Format;
use super::options::TableOptions;
use super::plain_text::{LONGEST_RECORD, PlainText, without_mark};
use super::rows::{Row, Rows};
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::ids::FoundId;
use crate::interactions::Interactions;
use crate::train_test::TrainTest;

/// The `(user, item)` pairs of a file, and the shape of their matrix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs {
    /// The pairs in the order of the file, including duplicates.
    pub pairs: Vec<(u32, u32)>,
    /// One more than the largest user id, including users without items.
    pub users: usize,
    /// One more than the largest item id.
    pub items: usize,
}

/// Numbers of users or items up to this are accepted for a file of any size.
const SMALL_SIDE: usize = 1 << 20;

/// The maximum ratio of users or items to interactions above [`SMALL_SIDE`]. Ids are counted from 0, so
/// a file with much larger ids has another format, or is damaged.
const SIDE_PER_INTERACTION: usize = 64;

impl Pairs {
    /// Returns an error if there are no pairs, or if the ids are too large for the number of pairs.
    fn checked(self, path: &Path) -> Result<Self> {
        if self.pairs.is_empty() {
            return Err(Error::no_interactions(path));
        }
        for (what, side) in [("user", self.users), ("item", self.items)] {
            check_side(path, what, side, self.pairs.len())?;
        }
        Ok(self)
    }
}

impl Pairs {
    /// Returns warnings if most ids have no interactions, as in a file whose ids are not counted from 0.
    fn warnings(&self, path: &Path) -> Vec<String> {
        let users = self.pairs.iter().map(|pair| pair.0);
        let items = self.pairs.iter().map(|pair| pair.1);
        let sides = [
            ("user", self.users, distinct(users, self.users)),
            ("item", self.items, distinct(items, self.items)),
        ];
        let sparse = sides
            .into_iter()
            .filter(|(_, side, found)| 2 * found < *side);
        let warnings = sparse.map(|(kind, side, found)| {
            format!(
                "{}: only {found} of the {kind} ids from 0 to {} have interactions, but in this format all of them \
                 are {kind}s; hint: if the ids are not counted from 0, read the file as a table, with `format`, \
                 `delimiter` and `columns`",
                path.display(),
                side - 1
            )
        });
        warnings.collect()
    }
}

/// The number of different ids below `side`.
fn distinct(ids: impl Iterator<Item = u32>, side: usize) -> usize {
    let mut is_found = vec![false; side];
    ids.for_each(|id| is_found[id as usize] = true);
    is_found.into_iter().filter(|&it| it).count()
}

/// Returns an error if the ids are too large for `count` interactions.
pub(super) fn check_side(path: &Path, what: &str, side: usize, count: usize) -> Result<()> {
    let most = SMALL_SIDE.max(count.saturating_mul(SIDE_PER_INTERACTION));
    if side <= most {
        return Ok(());
    }
    Err(Error::InvalidFile {
        path: path.into(),
        expected: format!(
            "consecutive {what} ids from 0, below {most} in a file of {count} interactions"
        ),
        found: (side - 1).to_string(),
    })
}

/// Reads a LightGCN text file; see [`parse_lightgcn`].
///
/// # Errors
///
/// [`Error::Read`] if the file cannot be read, [`Error::Syntax`] if it does
/// not follow the format.
pub fn read_lightgcn(path: impl AsRef<Path>) -> Result<Pairs> {
    let path = path.as_ref();
    let text = PlainText::new(open_text(path)?, None);
    parse_lightgcn(BufReader::with_capacity(1 << 16, text), path)
}

/// Adds the pairs of a file; every id from 0 to the largest gets a row or column.
pub(super) fn parse(path: &Path, options: &TableOptions, rows: &mut Rows<u32, u32>) -> Result<()> {
    let _span = tracing::info_span!("load", path = %path.display()).entered();
    options.check(Format::LightGcn)?;
    rows.start(path, Format::LightGcn);
    let text = PlainText::new(open_text(path)?, options.text_encoding()?);
    let pairs = parse_lightgcn(BufReader::with_capacity(1 << 16, text), path)?;
    if pairs.users == 0 {
        return Ok(());
    }
    let pairs = pairs.checked(path)?;
    rows.warn_all(pairs.warnings(path));
    rows.add_ids(0..pairs.users as u32, 0..pairs.items as u32)?;
    for (line, (user, item)) in pairs.pairs.into_iter().enumerate() {
        let mut row = Numbered {
            user,
            item,
            rating: None,
            weight: None,
        };
        rows.push(line as u64 + 1, &mut row)?;
    }
    Ok(())
}

/// An interaction of a file with numeric ids.
pub(super) struct Numbered {
    pub(super) user: u32,
    pub(super) item: u32,
    pub(super) rating: Option<f64>,
    pub(super) weight: Option<f64>,
}

impl Row<u32, u32> for Numbered {
    fn user(&mut self) -> Result<FoundId<u32>, Fault> {
        Ok(FoundId::Other(self.user))
    }

    fn item(&mut self) -> Result<FoundId<u32>, Fault> {
        Ok(FoundId::Other(self.item))
    }

    fn rating(&mut self) -> Result<Option<f64>, Fault> {
        Ok(self.rating)
    }

    fn weight(&mut self) -> Result<Option<f64>, Fault> {
        Ok(self.weight)
    }

    fn time(&mut self) -> Result<Option<f64>, Fault> {
        Ok(None)
    }
}

impl TrainTest {
    /// Loads a split in the text format of LightGCN, NGCF, GF-CF and BSPM.
    ///
    /// Both matrices have the same shape, which is given by the largest ids of the two
    /// files. See [`parse_lightgcn`] for the format.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] and [`Error::Syntax`] as [`read_lightgcn`];
    /// [`Error::NoInteractions`] if one of the files has none.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::TrainTest;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let directory = tempfile::tempdir()?;
    /// let (train, test) = (directory.path().join("train.txt"), directory.path().join("test.txt"));
    /// std::fs::write(&train, "0 0 1\n1 1\n")?;
    /// std::fs::write(&test, "1 2\n")?;
    /// let split = TrainTest::from_lightgcn(&train, &test)?;
    /// assert_eq!((split.train.users(), split.train.items()), (2, 3));
    /// assert_eq!(split.test.items_of(1), [2]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_lightgcn(train: impl AsRef<Path>, test: impl AsRef<Path>) -> Result<Self> {
        let read = |path: &Path| read_lightgcn(path)?.checked(path);
        let (train, test) = (read(train.as_ref())?, read(test.as_ref())?);
        let users = train.users.max(test.users);
        let items = train.items.max(test.items);
        Ok(Self {
            train: Interactions::from_pairs(users, items, train.pairs)?,
            test: Interactions::from_pairs(users, items, test.pairs)?,
        })
    }

    /// Loads `train.txt` and `test.txt` of a directory with
    /// [`from_lightgcn`](Self::from_lightgcn).
    ///
    /// # Errors
    ///
    /// As [`from_lightgcn`](Self::from_lightgcn).
    pub fn from_lightgcn_directory(directory: impl AsRef<Path>) -> Result<Self> {
        let directory = directory.as_ref();
        Self::from_lightgcn(directory.join("train.txt"), directory.join("test.txt"))
    }
}

impl Dataset<u32, u32> {
    /// Reads a LightGCN text file; see [`parse_lightgcn`]. The ids are all numbers from 0 to the largest
    /// in the file, including those without interactions.
    ///
    /// # Errors
    ///
    /// Those of [`read_lightgcn`]; [`Error::NoInteractions`].
    pub fn read_lightgcn(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let _span = tracing::info_span!("load", path = %path.display()).entered();
        let pairs = read_lightgcn(path)?.checked(path)?;
        Self::from_interactions(
            (0..pairs.users as u32).collect(),
            (0..pairs.items as u32).collect(),
            Interactions::from_pairs(pairs.users, pairs.items, pairs.pairs)?,
        )
    }
}

/// Parses the LightGCN text format: one user per line, `user item item ...`.
///
/// Ids are decimal, from 0, below [`Interactions::MAX_SIDE`], and separated by
/// spaces or tabs. Blank lines, lines of a user without items, repeated users,
/// repeated items and CRLF line ends are accepted; anything else is an error.
/// The text is streamed, so the memory is that of the pairs.
///
/// `path` is only used in errors.
///
/// # Errors
///
/// [`Error::Syntax`] with line, column and the invalid text;
/// [`Error::Read`] if the reader fails.
///
/// # Examples
///
/// ```
/// let pairs = bspm_data::parse_lightgcn(&b"0 4 2\r\n\n1\n0 3\n"[..], "inline")?;
/// assert_eq!(pairs.pairs, [(0, 4), (0, 2), (0, 3)]);
/// assert_eq!((pairs.users, pairs.items), (2, 5));
///
/// let error = bspm_data::parse_lightgcn(&b"0 1\n1 2 x3\n"[..], "train.txt").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "train.txt:2:5: expected an item id (0 to 134217727), found \"x3\""
/// );
/// # Ok::<(), bspm_data::Error>(())
/// ```
pub fn parse_lightgcn(mut reader: impl BufRead, path: impl Into<PathBuf>) -> Result<Pairs> {
    let mut parser = Parser::new(path.into());
    loop {
        let chunk = match reader.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(source) => {
                return Err(Error::Read {
                    path: parser.path,
                    source,
                });
            }
        };
        if chunk.is_empty() {
            break;
        }
        for &byte in chunk {
            parser.push(byte)?;
        }
        let length = chunk.len();
        reader.consume(length);
    }
    parser.end_token()?;
    Ok(parser.parsed)
}

struct Parser {
    path: PathBuf,
    parsed: Pairs,
    line: usize,
    column: usize,
    user: Option<u32>,
    token: Vec<u8>,
    after_carriage_return: bool,
}

impl Parser {
    /// Longer than any id: a longer token is invalid.
    const LONGEST_TOKEN: usize = 40;

    fn new(path: PathBuf) -> Self {
        Self {
            path,
            parsed: Pairs::default(),
            line: 1,
            column: 1,
            user: None,
            token: Vec::with_capacity(Self::LONGEST_TOKEN + 4),
            after_carriage_return: false,
        }
    }

    fn push(&mut self, byte: u8) -> Result<()> {
        if self.after_carriage_return && byte != b'\n' {
            let expected = "a line feed after the carriage return".into();
            return Err(self.syntax(self.column, expected, &[byte]));
        }
        match byte {
            b'\n' => {
                self.end_token()?;
                self.user = None;
                self.after_carriage_return = false;
                self.line += 1;
                self.column = 1;
                return Ok(());
            }
            b'\r' => {
                self.end_token()?;
                self.after_carriage_return = true;
            }
            b' ' | b'\t' => self.end_token()?,
            _ => {
                self.token.push(byte);
                if self.token.len() > Self::LONGEST_TOKEN {
                    self.column += 1;
                    return Err(self.not_an_id());
                }
            }
        }
        self.column += 1;
        if self.column > LONGEST_RECORD {
            let expected = format!("a line of at most {LONGEST_RECORD} bytes");
            return Err(self.syntax(self.column, expected, &[byte]));
        }
        Ok(())
    }

    fn end_token(&mut self) -> Result<()> {
        if self.token.is_empty() {
            return Ok(());
        }
        let Some(id) = parse_id(without_mark(&self.token)) else {
            return Err(self.not_an_id());
        };
        self.token.clear();
        match self.user {
            None => {
                self.user = Some(id);
                self.parsed.users = self.parsed.users.max(id as usize + 1);
            }
            Some(user) => {
                self.parsed.pairs.push((user, id));
                self.parsed.items = self.parsed.items.max(id as usize + 1);
            }
        }
        Ok(())
    }

    /// Returns the error for the token that ends before the current column.
    fn not_an_id(&self) -> Error {
        let kind = if self.user.is_some() {
            "an item"
        } else {
            "a user"
        };
        let expected = format!("{kind} id (0 to {})", Interactions::MAX_SIDE - 1);
        self.syntax(self.column - self.token.len(), expected, &self.token)
    }

    fn syntax(&self, column: usize, expected: String, found: &[u8]) -> Error {
        let mut text = String::from_utf8_lossy(found).into_owned();
        if found.len() > Self::LONGEST_TOKEN {
            text.push('…');
        }
        Error::Syntax {
            path: self.path.clone(),
            line: self.line,
            column,
            expected,
            found: text,
        }
    }
}

fn parse_id(token: &[u8]) -> Option<u32> {
    let mut id = 0_usize;
    for &byte in token {
        if !byte.is_ascii_digit() {
            return None;
        }
        id = id * 10 + usize::from(byte - b'0');
        if id >= Interactions::MAX_SIDE {
            return None;
        }
    }
    Some(id as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &[u8]) -> Result<Pairs> {
        parse_lightgcn(text, "f.txt")
    }

    #[test]
    fn the_last_line_needs_no_line_feed() {
        assert_eq!(parse(b"0 1\n1 0").unwrap(), parse(b"0 1\n1 0\n").unwrap());
        assert_eq!(parse(b"0 1\r").unwrap(), parse(b"0 1\r\n").unwrap());
    }

    #[test]
    fn tabs_runs_of_spaces_and_trailing_spaces_separate() {
        assert_eq!(parse(b"  3\t1  2 \n").unwrap().pairs, [(3, 1), (3, 2)]);
    }

    #[test]
    fn the_largest_id_is_accepted_and_the_next_refused() {
        assert_eq!(parse(b"0 134217727").unwrap().items, 1 << 27);
        assert!(parse(b"0 134217728").is_err());
    }

    #[test]
    fn a_parse_does_not_depend_on_how_the_reader_cuts_the_text() {
        let text = b"12 345 6\r\n7\n\n8 9\n";
        for capacity in 1..text.len() {
            let reader = BufReader::with_capacity(capacity, &text[..]);
            assert_eq!(
                parse_lightgcn(reader, "f.txt").unwrap(),
                parse(text).unwrap()
            );
        }
    }

    #[test]
    fn a_token_of_too_many_zeros_is_not_cut_in_two() {
        let text = format!("{}5 1", "0".repeat(41));
        assert!(parse(text.as_bytes()).is_err());
    }

    #[test]
    fn an_endless_token_is_refused_early_and_shortened() {
        let error = parse(&[b'7'; 100_000]).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "f.txt:1:1: expected a user id (0 to 134217727), found \"{}…\"",
                "7".repeat(41)
            )
        );
    }
}
