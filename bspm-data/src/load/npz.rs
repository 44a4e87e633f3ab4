//! Reads SciPy CSR matrices, as saved by `scipy.sparse.save_npz`.

use std::io::{BufReader, Read, Seek};
use std::path::Path;

use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

use super::file::open;
use super::format::Format;
use super::lightgcn::{Numbered, check_side};
use super::options::TableOptions;
use super::rows::Rows;
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::interactions::Interactions;
use crate::parameter::shortened;

impl Dataset<u32, u32> {
    /// Reads a SciPy CSR matrix `users x items`; see
    /// [`parse_npz`](Self::parse_npz).
    ///
    /// # Errors
    ///
    /// [`Error::Read`], and those of [`parse_npz`](Self::parse_npz).
    pub fn read_npz(path: impl AsRef<Path>, rating_threshold: Option<f64>) -> Result<Self> {
        let path = path.as_ref();
        Self::parse_npz(BufReader::new(open(path)?), path, rating_threshold)
    }

    /// Parses a CSR matrix `users x items` as saved by `scipy.sparse.save_npz`, compressed or not. Rows
    /// and columns are the ids, including empty ones.
    ///
    /// Stored zeros, and values below the threshold if there is one, are not interactions.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFile`] if the archive is damaged, contains another kind of matrix, or has
    /// inconsistent arrays; [`Error::TooLarge`]; [`Error::NoInteractions`].
    pub fn parse_npz(
        reader: impl Read + Seek,
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

/// Adds the entries of a matrix. Every row and column is an id. With a scale, the values are weights.
pub(super) fn read(path: &Path, options: &TableOptions, rows: &mut Rows<u32, u32>) -> Result<()> {
    options.check(Format::Npz)?;
    parse(BufReader::new(open(path)?), path, options, rows)
}

fn parse(
    reader: impl Read + Seek,
    path: &Path,
    options: &TableOptions,
    rows: &mut Rows<u32, u32>,
) -> Result<()> {
    rows.start(path, Format::Npz);
    let matrix = entries(reader, path)?;
    rows.add_ids(0..matrix.users as u32, 0..matrix.items as u32)?;
    if matrix.is_symmetric() {
        rows.warn(format!(
            "{}: the matrix is square and symmetric, as the adjacency matrix of a graph of users and items; rows \
             are read as users and columns as items; hint: save the block of users x items",
            path.display()
        ));
    }
    let are_weights = options.weighting.scale.is_some();
    for (line, (user, item, value)) in (1..).zip(matrix.entries) {
        let must_be_positive = are_weights || options.rating_threshold.is_none();
        if must_be_positive && !(value.is_finite() && value >= 0.0) {
            return Err(Error::InvalidFile {
                path: path.into(),
                expected: "data: finite numbers, 0 or above".into(),
                found: value.to_string(),
            });
        }
        if value == 0.0 {
            rows.count_zero();
            continue;
        }
        let mut row = Numbered {
            user,
            item,
            rating: Some(value),
            weight: are_weights.then_some(value),
        };
        rows.push(line, &mut row)?;
    }
    Ok(())
}

/// The contents of a file: the shape, and entries `(row, column, value)`.
struct Entries {
    users: usize,
    items: usize,
    entries: Vec<(u32, u32, f64)>,
}

impl Entries {
    fn is_symmetric(&self) -> bool {
        if self.users != self.items || self.users < 2 {
            return false;
        }
        let (mut rows, mut columns) = (vec![0_u32; self.users], vec![0_u32; self.items]);
        for &(user, item, _) in &self.entries {
            rows[user as usize] += 1;
            columns[item as usize] += 1;
        }
        // Only few matrices have equal numbers and are sorted.
        rows == columns && {
            let mut pairs: Vec<_> = self.entries.iter().map(|it| (it.0, it.1)).collect();
            let mut transposed: Vec<_> = pairs.iter().map(|it| (it.1, it.0)).collect();
            pairs.sort_unstable();
            transposed.sort_unstable();
            pairs == transposed
        }
    }
}

fn entries(reader: impl Read + Seek, path: &Path) -> Result<Entries> {
    let _span = tracing::info_span!("load", path = %path.display()).entered();
    let mut archive = Archive {
        path,
        zip: ZipArchive::new(reader).map_err(|error| damaged(path, "a zip archive", &error))?,
    };
    archive.expect_csr()?;
    let (users, items) = archive.shape()?;
    // Read only as many elements as the matrix needs; headers are not trusted.
    let count = archive.count("indices")?;
    check_side(path, "user", users, count)?;
    let row_ends = archive.row_ends(users, count)?;
    let columns = archive.integers("indices", count)?;
    let values = archive.numbers("data", count)?;
    if values.len() != columns.len() {
        let expected = format!("data: {} values", columns.len());
        return Err(contradiction(path, expected, values.len()));
    }
    let mut entries = Vec::with_capacity(columns.len());
    for (user, ends) in row_ends.windows(2).enumerate() {
        for place in ends[0]..ends[1] {
            let (item, value) = (columns[place], values[place]);
            if item >= items {
                let expected = format!("indices: columns below {items}");
                return Err(contradiction(path, expected, item));
            }
            if value.is_nan() {
                return Err(contradiction(path, "data: numbers", "NaN"));
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
/// Headers are not trusted: the number of bytes in the archive must match the header of an array.
struct Archive<'a, R: Read + Seek> {
    path: &'a Path,
    zip: ZipArchive<R>,
}

/// The header of an array: the type and the number of its elements.
struct Header {
    /// `i`, `u`, `f`, `b` or `S`.
    kind: u8,
    /// Bytes of an element.
    size: usize,
    is_big_endian: bool,
    count: usize,
}

/// The maximum length of a header. NumPy writes about a hundred bytes.
const LONGEST_HEADER: usize = 4096;

impl<R: Read + Seek> Archive<'_, R> {
    /// Returns the entry of an array.
    fn entry(&mut self, name: &str) -> Result<ZipFile<'_, R>> {
        let path = self.path;
        let what = format!("an array {name:?}");
        self.zip
            .by_name(&format!("{name}.npy"))
            .map_err(|error| match error {
                ZipError::FileNotFound => {
                    let expected = format!("{what}, as scipy.sparse.save_npz writes");
                    damaged(path, &expected, &"none")
                }
                error => damaged(path, &what, &error),
            })
    }

    /// Returns the number of elements of an array.
    fn count(&mut self, name: &str) -> Result<usize> {
        let path = self.path;
        Ok(Header::read(&mut self.entry(name)?, path, name)?.count)
    }

    /// Reads an array of at most `most` elements.
    fn array(&mut self, name: &str, most: usize) -> Result<(Header, Vec<u8>)> {
        let path = self.path;
        let mut entry = self.entry(name)?;
        let header = Header::read(&mut entry, path, name)?;
        let what = format!("an array {name:?}");
        if header.count > most {
            let expected = format!("{what} of at most {most} elements");
            return Err(damaged(path, &expected, &header.count));
        }
        let needed = header.count.checked_mul(header.size);
        let mut bytes = Vec::new();
        let limit = needed.map_or(0, |bytes| bytes as u64 + 1);
        entry
            .take(limit)
            .read_to_end(&mut bytes)
            .map_err(|error| damaged(path, &what, &error))?;
        if Some(bytes.len()) != needed {
            let found = format!(
                "{} bytes or more for {} elements",
                bytes.len(),
                header.count
            );
            return Err(damaged(path, &what, &found));
        }
        Ok((header, bytes))
    }

    fn expect_csr(&mut self) -> Result<()> {
        let path = self.path;
        let (header, bytes) = self.array("format", 1)?;
        let name = String::from_utf8_lossy(&bytes);
        let name = name.trim_end_matches('\0');
        match (header.kind, name) {
            (b'S', "csr") => Ok(()),
            _ => Err(Error::InvalidFile {
                path: path.into(),
                expected: "a matrix in the format csr (convert it with tocsr())".into(),
                found: shortened(name.into()),
            }),
        }
    }

    /// Returns the numbers of users and items.
    fn shape(&mut self) -> Result<(usize, usize)> {
        let shape = self.integers("shape", 2)?;
        let &[users, items] = shape.as_slice() else {
            let expected = "a shape of two numbers";
            return Err(contradiction(self.path, expected, shape.len()));
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
        Ok((users, items))
    }

    /// Reads the row pointers of a matrix with `count` entries.
    fn row_ends(&mut self, users: usize, count: usize) -> Result<Vec<usize>> {
        let row_ends = self.integers("indptr", users.saturating_add(1))?;
        let (first, last) = (row_ends.first(), row_ends.last());
        if last != Some(&count) {
            let numbers = users + 1;
            let expected = format!("indptr: {numbers} numbers, the last of which is {count}");
            let last = last.unwrap_or(&0);
            let found = format!("{} numbers, the last {last}", row_ends.len());
            return Err(contradiction(self.path, expected, found));
        }
        if row_ends.len() != users + 1 || first != Some(&0) || !row_ends.is_sorted() {
            let numbers = users + 1;
            let expected = format!("indptr: {numbers} ascending numbers from 0 to {count}");
            let found = format!(
                "{} numbers from {} to {count} that are not ascending",
                row_ends.len(),
                first.unwrap_or(&0)
            );
            return Err(contradiction(self.path, expected, found));
        }
        Ok(row_ends)
    }

    fn integers(&mut self, name: &str, most: usize) -> Result<Vec<usize>> {
        let path = self.path;
        let (header, bytes) = self.array(name, most)?;
        let values: Vec<i64> = match (header.kind, header.size) {
            (b'i', 4) => header.values(&bytes, |it| i32::from_le_bytes(it).into()),
            (b'i', 8) => header.values(&bytes, i64::from_le_bytes),
            _ => return Err(header.wrong(path, name, "32- or 64-bit integers")),
        };
        let integers = values.into_iter().map(|value| {
            usize::try_from(value).map_err(|_| Error::InvalidFile {
                path: path.into(),
                expected: format!("{name}: numbers from 0"),
                found: value.to_string(),
            })
        });
        integers.collect()
    }

    fn numbers(&mut self, name: &str, most: usize) -> Result<Vec<f64>> {
        let path = self.path;
        let (header, bytes) = self.array(name, most)?;
        Ok(match (header.kind, header.size) {
            (b'f', 8) => header.values(&bytes, f64::from_le_bytes),
            (b'f', 4) => header.values(&bytes, |it| f32::from_le_bytes(it).into()),
            (b'i', 8) => header.values(&bytes, |it| i64::from_le_bytes(it) as f64),
            (b'i', 4) => header.values(&bytes, |it| i32::from_le_bytes(it).into()),
            (b'i', 2) => header.values(&bytes, |it| i16::from_le_bytes(it).into()),
            (b'i', 1) => header.values(&bytes, |it| i8::from_le_bytes(it).into()),
            (b'u', 8) => header.values(&bytes, |it| u64::from_le_bytes(it) as f64),
            (b'u', 4) => header.values(&bytes, |it| u32::from_le_bytes(it).into()),
            (b'u', 2) => header.values(&bytes, |it| u16::from_le_bytes(it).into()),
            (b'u' | b'b', 1) => header.values(&bytes, |it| u8::from_le_bytes(it).into()),
            _ => return Err(header.wrong(path, name, "numbers")),
        })
    }
}

impl Header {
    fn read(entry: &mut impl Read, path: &Path, name: &str) -> Result<Self> {
        let mut read = || -> Option<Self> {
            let mut start = [0; 10];
            entry.read_exact(&mut start).ok()?;
            let [.., version, _, low, high] = start;
            if &start[..6] != b"\x93NUMPY" {
                return None;
            }
            let mut length = usize::from(u16::from_le_bytes([low, high]));
            if version > 1 {
                let mut high = [0; 2];
                entry.read_exact(&mut high).ok()?;
                length += usize::from(u16::from_le_bytes(high)) << 16;
            }
            if length > LONGEST_HEADER {
                return None;
            }
            let mut text = vec![0; length];
            entry.read_exact(&mut text).ok()?;
            Self::parse(std::str::from_utf8(&text).ok()?)
        };
        read().ok_or_else(|| {
            damaged(
                path,
                &format!("an array {name:?}"),
                &"an invalid header of a NumPy array",
            )
        })
    }

    /// Parses a text such as `{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }`.
    fn parse(text: &str) -> Option<Self> {
        let (_, kind) = text.split_once("'descr':")?;
        let (kind, _) = kind.trim_start().strip_prefix('\'')?.split_once('\'')?;
        let (order, kind) = kind.split_at_checked(1)?;
        let (kind, size) = kind.split_at_checked(1)?;
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
        Some(Self {
            kind: *kind.as_bytes().first()?,
            size: size.parse().ok().filter(|size| (1..=16).contains(size))?,
            is_big_endian: order == ">",
            count: count?,
        })
    }

    /// Converts the elements with `convert`, which takes bytes in little-endian order.
    fn values<const N: usize, V>(&self, bytes: &[u8], convert: impl Fn([u8; N]) -> V) -> Vec<V> {
        let (elements, _) = bytes.as_chunks::<N>();
        let elements = elements.iter().map(|&(mut element)| {
            if self.is_big_endian {
                element.reverse();
            }
            convert(element)
        });
        elements.collect()
    }

    fn wrong(&self, path: &Path, name: &str, expected: &str) -> Error {
        Error::InvalidFile {
            path: path.into(),
            expected: format!("{name}: {expected}"),
            found: format!(
                "elements of the type {}{}",
                char::from(self.kind),
                self.size
            ),
        }
    }
}

/// Returns the error for inconsistent arrays.
fn contradiction(path: &Path, expected: impl Into<String>, found: impl ToString) -> Error {
    Error::InvalidFile {
        path: path.into(),
        expected: expected.into(),
        found: found.to_string(),
    }
}

fn damaged(path: &Path, expected: &str, found: &dyn std::fmt::Display) -> Error {
    Error::InvalidFile {
        path: path.into(),
        expected: expected.into(),
        found: shortened(found.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adjacency_matrix_is_symmetric() {
        for (users, items, pairs, expected) in [
            (3, 3, &[(0, 2), (1, 2), (2, 0), (2, 1)][..], true),
            // Equal numbers of entries in rows and columns.
            (3, 3, &[(0, 1), (1, 2), (2, 0)], false),
            (3, 3, &[(0, 1), (0, 2), (1, 2)], false),
            (2, 3, &[(0, 1), (1, 0)], false),
            (1, 1, &[(0, 0)], false),
        ] {
            let entries = pairs.iter().map(|&(user, item)| (user, item, 1.0));
            let entries = Entries {
                users,
                items,
                entries: entries.collect(),
            };
            assert_eq!(entries.is_symmetric(), expected, "{pairs:?}");
        }
    }
}
