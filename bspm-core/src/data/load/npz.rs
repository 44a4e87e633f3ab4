//! Sparse matrices of SciPy: `scipy.sparse.save_npz` of a CSR matrix.

use std::io::{self, BufReader, Cursor, Read, Seek};
use std::path::Path;

use npyz::{DType, Deserialize, NpyFile, TypeChar};
use zip::ZipArchive;
use zip::result::ZipError;

use super::file::open;
use crate::data::dataset::{Dataset, Event, Weighting};
use crate::data::interactions::Interactions;
use crate::error::{Error, Result, shortened};
use crate::parameter::invalid;

impl Dataset<u32, u32> {
    /// Reads a CSR matrix `users x items` that SciPy saved; see
    /// [`parse_npz`](Self::parse_npz).
    ///
    /// # Errors
    ///
    /// [`Error::Read`], and those of [`parse_npz`](Self::parse_npz).
    pub fn read_npz(path: impl AsRef<Path>, rating_threshold: Option<f64>) -> Result<Self> {
        let path = path.as_ref();
        Self::parse_npz(BufReader::new(open(path)?), path, rating_threshold)
    }

    /// Reads a CSR matrix whose values are weights.
    ///
    /// # Errors
    ///
    /// Those of [`read_npz`](Self::read_npz), and [`Error::InvalidFile`] for a value below 0 or
    /// infinite; [`Error::InvalidParameter`] for a half-life, since the matrix has no times.
    pub fn read_npz_weighted(path: impl AsRef<Path>, weighting: Weighting) -> Result<Self> {
        let path = path.as_ref();
        let matrix = entries(BufReader::new(open(path)?), path)?;
        if let Some(half_life) = weighting.half_life {
            return Err(invalid(
                "half_life",
                "none, as a matrix has no times",
                half_life,
            ));
        }
        let mut builder = Dataset::builder().weighting(weighting);
        builder.add_ids(0..matrix.users as u32, 0..matrix.items as u32)?;
        for (user, item, value) in matrix.entries {
            if !(value.is_finite() && value >= 0.0) {
                return Err(Error::InvalidFile {
                    path: path.into(),
                    expected: "data: finite numbers, 0 or above".into(),
                    found: value.to_string(),
                });
            }
            builder.push(Event::new(user, item).weight(value))?;
        }
        let dataset = builder.finish()?;
        if dataset.is_empty() {
            return Err(Error::NoInteractions { path: path.into() });
        }
        Ok(dataset)
    }

    /// Parses a CSR matrix `users x items` that `scipy.sparse.save_npz` wrote,
    /// compressed or not. Rows and columns are the ids, empty ones included.
    ///
    /// Stored zeros are no interactions. With a threshold, neither are values below it.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFile`] when the archive is damaged, holds another kind of
    /// matrix, or its arrays contradict each other; [`Error::TooLarge`];
    /// [`Error::NoInteractions`].
    pub fn parse_npz(
        reader: impl Read + Seek,
        path: impl AsRef<Path>,
        rating_threshold: Option<f64>,
    ) -> Result<Self> {
        let path = path.as_ref();
        let matrix = entries(reader, path)?;
        let is_kept = |value: f64| {
            value != 0.0 && rating_threshold.is_none_or(|threshold| value >= threshold)
        };
        let pairs: Vec<(u32, u32)> = matrix
            .entries
            .into_iter()
            .filter(|entry| is_kept(entry.2))
            .map(|(user, item, _)| (user, item))
            .collect();
        if pairs.is_empty() {
            return Err(Error::NoInteractions { path: path.into() });
        }
        Self::from_interactions(
            (0..matrix.users as u32).collect(),
            (0..matrix.items as u32).collect(),
            Interactions::from_pairs(matrix.users, matrix.items, pairs)?,
        )
    }
}

/// What a file holds: its shape, and `(row, column, value)`.
struct Entries {
    users: usize,
    items: usize,
    entries: Vec<(u32, u32, f64)>,
}

fn entries(reader: impl Read + Seek, path: &Path) -> Result<Entries> {
    let _span = tracing::info_span!("load", path = %path.display()).entered();
    let mut archive = Archive {
        path,
        zip: ZipArchive::new(reader).map_err(|error| damaged(path, "a zip archive", &error))?,
    };
    archive.expect_csr()?;
    let shape = archive.integers("shape")?;
    let row_ends = archive.integers("indptr")?;
    let columns = archive.integers("indices")?;
    let values = archive.numbers("data")?;
    let contradiction = |expected: String, found: String| Error::InvalidFile {
        path: path.into(),
        expected,
        found,
    };
    let &[users, items] = shape.as_slice() else {
        return Err(contradiction(
            "a shape of two numbers".into(),
            format!("{}", shape.len()),
        ));
    };
    for (what, side) in [("users", users), ("items", items)] {
        if side > Interactions::MAX_SIDE {
            return Err(Error::TooLarge {
                what,
                found: side,
                limit: Interactions::MAX_SIDE,
            });
        }
    }
    if row_ends.len() != users + 1
        || row_ends.first() != Some(&0)
        || row_ends.last() != Some(&columns.len())
        || !row_ends.is_sorted()
    {
        return Err(contradiction(
            format!(
                "indptr: {} ascending numbers from 0 to {}",
                users + 1,
                columns.len()
            ),
            format!(
                "{} numbers from {:?} to {:?}",
                row_ends.len(),
                row_ends.first(),
                row_ends.last()
            ),
        ));
    }
    if values.len() != columns.len() {
        return Err(contradiction(
            format!("data: {} values", columns.len()),
            values.len().to_string(),
        ));
    }
    let mut entries = Vec::with_capacity(columns.len());
    for (user, ends) in row_ends.windows(2).enumerate() {
        for place in ends[0]..ends[1] {
            let (item, value) = (columns[place], values[place]);
            if item >= items {
                return Err(contradiction(
                    format!("indices: columns below {items}"),
                    item.to_string(),
                ));
            }
            if value.is_nan() {
                return Err(contradiction("data: numbers".into(), "NaN".into()));
            }
            entries.push((user as u32, item as u32, value));
        }
    }
    Ok(Entries {
        users,
        items,
        entries,
    })
}

/// The archive that SciPy writes: a zip file of NumPy arrays.
///
/// Nothing is taken on trust: an array is as long as its bytes in the archive are, whatever its
/// header says.
struct Archive<'a, R: Read + Seek> {
    path: &'a Path,
    zip: ZipArchive<R>,
}

/// An array whose header fits its bytes.
type Array = NpyFile<Cursor<Vec<u8>>>;

/// Headers of NumPy arrays have about a hundred bytes and no nesting to speak of.
const LONGEST_HEADER: usize = 4096;
const MOST_BRACKETS: usize = 16;

impl<R: Read + Seek> Archive<'_, R> {
    fn array(&mut self, name: &str) -> Result<Array> {
        let path = self.path;
        let what = format!("an array {name:?}");
        let failed = |found: &dyn std::fmt::Display| damaged(path, &what, found);
        let mut entry = match self.zip.by_name(&format!("{name}.npy")) {
            Ok(entry) => entry,
            Err(ZipError::FileNotFound) => {
                let expected = format!("{what}, as scipy.sparse.save_npz writes");
                return Err(damaged(path, &expected, &"none"));
            }
            Err(error) => return Err(failed(&error)),
        };
        let mut bytes = Vec::new();
        entry
            .read_to_end(&mut bytes)
            .map_err(|error| failed(&error))?;
        let data = header_end(&bytes).ok_or_else(|| failed(&"no header of a NumPy array"))?;
        let data = bytes.len() - data;
        let array = NpyFile::new(Cursor::new(bytes)).map_err(|error| failed(&error))?;
        let size = element_kind(&array).map_or(0, |(_, size)| size);
        let needed = array
            .shape()
            .iter()
            .try_fold(size, |bytes, side| bytes.checked_mul(*side));
        if size > 0 && needed != Some(data as u64) {
            let shape = array.shape();
            return Err(failed(&format!("{data} bytes for the shape {shape:?}")));
        }
        Ok(array)
    }

    fn expect_csr(&mut self) -> Result<()> {
        let path = self.path;
        let array = self.array("format")?;
        let is_name = matches!(element_kind(&array), Some((TypeChar::ByteStr, 1..=16)));
        if !is_name || array.len() != 1 {
            let found = array.dtype().descr();
            return Err(damaged(path, "the name of a sparse format", &found));
        }
        let format: Vec<Vec<u8>> = array
            .into_vec()
            .map_err(|error| damaged(path, "the name of a sparse format", &error))?;
        match format.as_slice() {
            [name] if name == b"csr" => Ok(()),
            other => Err(Error::InvalidFile {
                path: path.into(),
                expected: "a matrix in the format csr (its tocsr() makes one)".into(),
                found: other
                    .iter()
                    .map(|name| String::from_utf8_lossy(name))
                    .collect(),
            }),
        }
    }

    fn integers(&mut self, name: &str) -> Result<Vec<usize>> {
        let path = self.path;
        let array = self.array(name)?;
        let values = match element_kind(&array) {
            Some((TypeChar::Int, 4)) => collect::<i32, i64>(array, i64::from),
            Some((TypeChar::Int, 8)) => collect::<i64, i64>(array, |value| value),
            _ => return Err(wrong_kind(path, name, "32- or 64-bit integers", &array)),
        };
        values
            .map_err(|error| damaged(path, &format!("integers in {name:?}"), &error))?
            .into_iter()
            .map(|value| {
                usize::try_from(value).map_err(|_| Error::InvalidFile {
                    path: path.into(),
                    expected: format!("{name}: numbers from 0"),
                    found: value.to_string(),
                })
            })
            .collect()
    }

    fn numbers(&mut self, name: &str) -> Result<Vec<f64>> {
        let path = self.path;
        let array = self.array(name)?;
        let values = match element_kind(&array) {
            Some((TypeChar::Float, 8)) => collect::<f64, f64>(array, |value| value),
            Some((TypeChar::Float, 4)) => collect::<f32, f64>(array, f64::from),
            Some((TypeChar::Int, 8)) => collect::<i64, f64>(array, |value| value as f64),
            Some((TypeChar::Int, 4)) => collect::<i32, f64>(array, f64::from),
            Some((TypeChar::Int, 2)) => collect::<i16, f64>(array, f64::from),
            Some((TypeChar::Int, 1)) => collect::<i8, f64>(array, f64::from),
            Some((TypeChar::Uint, 8)) => collect::<u64, f64>(array, |value| value as f64),
            Some((TypeChar::Uint, 4)) => collect::<u32, f64>(array, f64::from),
            Some((TypeChar::Uint, 2)) => collect::<u16, f64>(array, f64::from),
            Some((TypeChar::Uint, 1)) => collect::<u8, f64>(array, f64::from),
            Some((TypeChar::Bool, 1)) => {
                collect::<bool, f64>(array, |value| f64::from(u8::from(value)))
            }
            _ => return Err(wrong_kind(path, name, "numbers", &array)),
        };
        values.map_err(|error| damaged(path, &format!("numbers in {name:?}"), &error))
    }
}

/// Where the header of a NumPy array ends; none where there is none worth reading. Deep nesting
/// would take its parser forever.
fn header_end(bytes: &[u8]) -> Option<usize> {
    let version = *bytes.strip_prefix(b"\x93NUMPY")?.first()?;
    let start = if version == 1 { 10 } else { 12 };
    let length = match bytes.get(8..start)? {
        &[low, high] => usize::from(u16::from_le_bytes([low, high])),
        long => u32::from_le_bytes(long.try_into().ok()?) as usize,
    };
    let header = bytes.get(start..)?.get(..length)?;
    let brackets = header.iter().filter(|byte| b"([{".contains(byte)).count();
    if length > LONGEST_HEADER || brackets > MOST_BRACKETS {
        return None;
    }
    // No more elements than bytes, and no overflow in counting them.
    let text = std::str::from_utf8(header).ok()?;
    let (_, shape) = text.split_once("'shape':")?;
    let (shape, _) = shape.trim_start().strip_prefix('(')?.split_once(')')?;
    let sides = shape
        .split(',')
        .map(str::trim)
        .filter(|side| !side.is_empty());
    let count = sides
        .map(|side| side.parse().ok())
        .try_fold(1_usize, |count, side: Option<usize>| {
            count.checked_mul(side?)
        });
    (count? <= bytes.len()).then_some(start + length)
}

/// What the elements of an array are, and their size in bytes; `None` for records.
fn element_kind(array: &Array) -> Option<(TypeChar, u64)> {
    match array.dtype() {
        DType::Plain(kind) => Some((kind.type_char(), kind.size_field())),
        _ => None,
    }
}

fn collect<T: Deserialize, V>(array: Array, convert: impl Fn(T) -> V) -> io::Result<Vec<V>> {
    array
        .data::<T>()
        .map_err(io::Error::other)?
        .map(|value| value.map(&convert))
        .collect()
}

fn wrong_kind(path: &Path, name: &str, expected: &str, array: &Array) -> Error {
    Error::InvalidFile {
        path: path.into(),
        expected: format!("{name}: {expected}"),
        found: array.dtype().descr(),
    }
}

fn damaged(path: &Path, expected: &str, found: &dyn std::fmt::Display) -> Error {
    Error::InvalidFile {
        path: path.into(),
        expected: expected.into(),
        found: shortened(found.to_string()),
    }
}
