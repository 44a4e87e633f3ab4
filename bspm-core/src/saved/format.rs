//! The bytes of a model file; see [`saved`](super) for the format.

use std::collections::HashMap;
use std::hash::Hash;
use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use ndarray::ArrayView2;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3Default, xxh3_128};

use super::id::SavedId;
use crate::backend::SharedMatrix;
use crate::config::BspmConfig;
use crate::error::{Error, Result, shortened};
use crate::ids::Ids;
use crate::interactions::Interactions;

/// The format that is written, and the only one that is read.
const FORMAT: u64 = 1;

/// The tensors start at a multiple of this, a cache line.
const ALIGNMENT: usize = 64;

const METADATA_KEY: &str = "bspm";
const BASIS: &str = "ideal_low_pass.basis";
const SINGULAR_VALUES: &str = "ideal_low_pass.singular_values";
const HASH: &str = "xxh3_128";
const HASH_BYTES: usize = 16;

/// All that a model file says.
pub(super) struct Contents<'a, U: Eq + Hash, I: Eq + Hash> {
    pub(super) config: BspmConfig,
    pub(super) basis: Option<ArrayView2<'a, f32>>,
    pub(super) singular_values: &'a [f32],
    pub(super) fitted: &'a Interactions,
    /// Where they are not the fitted ones.
    pub(super) histories: Option<&'a Interactions>,
    pub(super) users: &'a Ids<U>,
    pub(super) items: &'a Ids<I>,
}

/// All that was read from a model file, checked.
pub(super) struct Parts<U: Eq + Hash, I: Eq + Hash> {
    pub(super) config: BspmConfig,
    pub(super) basis: Option<SharedMatrix>,
    pub(super) singular_values: Vec<f32>,
    pub(super) fitted: Interactions,
    pub(super) histories: Option<Interactions>,
    pub(super) users: Ids<U>,
    pub(super) items: Ids<I>,
}

/// What a model file holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SavedModelInfo {
    /// The version of the format.
    pub format: u64,
    /// The size of the file.
    pub bytes: usize,
    /// The kind of the user ids; see [`SavedId::KIND`].
    pub user_ids: String,
    /// The kind of the item ids.
    pub item_ids: String,
    /// How many users it answers.
    pub users: usize,
    /// How many items it knows.
    pub items: usize,
    /// How many interactions its filter was fitted to.
    pub fitted_interactions: usize,
    /// How many interactions it answers from.
    pub interactions: usize,
    /// How many singular vectors it holds.
    pub factors: usize,
    /// Its configuration.
    pub config: BspmConfig,
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: u64,
    config: BspmConfig,
    items: usize,
    user_ids: String,
    item_ids: String,
}

/// What is known of a header before its format is.
#[derive(Deserialize)]
struct HeaderFormat {
    format: u64,
}

pub(super) fn write<U, I>(contents: &Contents<'_, U, I>, out: impl Write) -> io::Result<()>
where
    U: SavedId + Eq + Hash,
    I: SavedId + Eq + Hash,
{
    let header = Header {
        format: FORMAT,
        config: contents.config.clone(),
        items: contents.fitted.items(),
        user_ids: U::KIND.into(),
        item_ids: I::KIND.into(),
    };
    let basis = contents
        .basis
        .as_ref()
        .map(|basis| basis.as_standard_layout());
    let (user_ends, user_bytes) = id_column(contents.users);
    let (item_ends, item_bytes) = id_column(contents.items);
    let mut tensors = Tensors::default();
    if let Some(basis) = &basis {
        tensors.add(
            BASIS,
            Dtype::F32,
            basis.shape(),
            bytemuck::cast_slice(basis.as_slice().unwrap_or_default()),
        );
        let values = contents.singular_values;
        tensors.add(
            SINGULAR_VALUES,
            Dtype::F32,
            &[values.len()],
            bytemuck::cast_slice(values),
        );
    }
    let matrices = [
        ("fitted", Some(contents.fitted)),
        ("histories", contents.histories),
    ];
    for (name, matrix) in matrices {
        if let Some(matrix) = matrix {
            let (row_ends, columns, _) = matrix.as_csr().into_raw_storage();
            tensors.add_numbers(&format!("{name}.row_ends"), row_ends);
            tensors.add_numbers(&format!("{name}.columns"), columns);
        }
    }
    for (name, ends) in [("users.id_ends", &user_ends), ("items.id_ends", &item_ends)] {
        tensors.add(name, Dtype::U64, &[ends.len()], bytemuck::cast_slice(ends));
    }
    for (name, bytes) in [("users.ids", &user_bytes), ("items.ids", &item_bytes)] {
        tensors.add(name, Dtype::U8, &[bytes.len()], bytes);
    }
    tensors.write(&header, out)
}

/// The bytes of all ids, one after the other, and where each ends; 0 comes first.
fn id_column<T: SavedId + Eq + Hash>(ids: &Ids<T>) -> (Vec<u64>, Vec<u8>) {
    let mut bytes = Vec::new();
    let mut ends = vec![0];
    for id in ids.iter() {
        id.append_to(&mut bytes);
        ends.push(bytes.len() as u64);
    }
    (ends, bytes)
}

/// The tensors of a file to be written.
#[derive(Default)]
struct Tensors<'a> {
    infos: Vec<(String, TensorInfo)>,
    data: Vec<&'a [u8]>,
    length: usize,
}

impl<'a> Tensors<'a> {
    fn add_numbers(&mut self, name: &str, numbers: &'a [u32]) {
        self.add(
            name,
            Dtype::U32,
            &[numbers.len()],
            bytemuck::cast_slice(numbers),
        );
    }

    fn add(&mut self, name: &str, dtype: Dtype, shape: &[usize], data: &'a [u8]) {
        self.reserve(name, dtype, shape, data.len());
        self.data.push(data);
    }

    fn reserve(&mut self, name: &str, dtype: Dtype, shape: &[usize], length: usize) {
        let start = self.length;
        self.length += length;
        let info = TensorInfo {
            dtype,
            shape: shape.to_vec(),
            data_offsets: (start, self.length),
        };
        self.infos.push((name.into(), info));
    }

    /// Writes the file, and in the end its hash.
    fn write(mut self, header: &Header, out: impl Write) -> io::Result<()> {
        self.reserve(HASH, Dtype::U8, &[HASH_BYTES], HASH_BYTES);
        let header = HashMap::from([(METADATA_KEY.into(), serde_json::to_string(header)?)]);
        let metadata = Metadata::new(Some(header), self.infos).map_err(io::Error::other)?;
        let mut header = serde_json::to_vec(&metadata)?;
        let padded = (8 + header.len()).next_multiple_of(ALIGNMENT) - 8;
        header.resize(padded, b' ');

        let mut out = Hashing {
            out,
            hash: Xxh3Default::new(),
        };
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(&header)?;
        for data in self.data {
            out.write_all(data)?;
        }
        let Hashing { mut out, hash } = out;
        out.write_all(&hash.digest128().to_le_bytes())
    }
}

/// Hashes what passes through.
struct Hashing<W> {
    out: W,
    hash: Xxh3Default,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.out.write(bytes)?;
        self.hash.update(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A file whose header and hash are right.
struct Checked<'a> {
    path: &'a Path,
    bytes: &'a [u8],
    header: Header,
    tensors: SafeTensors<'a>,
}

pub(super) fn read<U, I>(
    path: &Path,
    bytes: Arc<dyn AsRef<[u8]> + Send + Sync>,
) -> Result<Parts<U, I>>
where
    U: SavedId + Eq + Hash,
    I: SavedId + Eq + Hash,
{
    let file = Checked::new(path, (*bytes).as_ref())?;
    let items = file.header.items;
    let (singular_values, basis) = file.ideal_low_pass(&bytes)?;
    let fitted = file.interactions("fitted", items)?;
    let histories = match file.has("histories.row_ends") {
        true => Some(file.interactions("histories", items)?),
        false => None,
    };
    let user_count = histories.as_ref().unwrap_or(&fitted).users();
    Ok(Parts {
        users: file.ids("users", &file.header.user_ids, user_count)?,
        items: file.ids("items", &file.header.item_ids, items)?,
        config: file.header.config,
        basis,
        singular_values,
        fitted,
        histories,
    })
}

pub(super) fn info(path: &Path, bytes: &[u8]) -> Result<SavedModelInfo> {
    let file = Checked::new(path, bytes)?;
    let items = file.header.items;
    let fitted = file.interactions("fitted", items)?;
    let histories = match file.has("histories.row_ends") {
        true => file.interactions("histories", items)?,
        false => fitted.clone(),
    };
    Ok(SavedModelInfo {
        format: file.header.format,
        bytes: bytes.len(),
        user_ids: file.header.user_ids,
        item_ids: file.header.item_ids,
        users: histories.users(),
        items,
        fitted_interactions: fitted.len(),
        interactions: histories.len(),
        factors: file
            .tensors
            .tensor(SINGULAR_VALUES)
            .map_or(0, |tensor| tensor.shape().iter().product()),
        config: file.header.config,
    })
}

impl<'a> Checked<'a> {
    fn new(path: &'a Path, bytes: &'a [u8]) -> Result<Self> {
        let tensors = SafeTensors::deserialize(bytes)
            .map_err(|error| invalid(path, "a whole safetensors file", error))?;
        let (_, metadata) = SafeTensors::read_metadata(bytes)
            .map_err(|error| invalid(path, "a whole safetensors file", error))?;
        let text = metadata
            .metadata()
            .as_ref()
            .and_then(|entries| entries.get(METADATA_KEY))
            .ok_or_else(|| {
                invalid(
                    path,
                    "a model of bspm",
                    "a safetensors file of something else",
                )
            })?;
        let HeaderFormat { format } = serde_json::from_str(text)
            .map_err(|error| invalid(path, "the version of the format", error))?;
        if format != FORMAT {
            return Err(Error::ModelVersion {
                path: path.into(),
                found: format,
                supported: FORMAT,
            });
        }
        let hash = tensors
            .tensor(HASH)
            .map_err(|error| invalid(path, "a hash", error))?;
        let hashed = bytes.len() - HASH_BYTES.min(bytes.len());
        if hash.data() != &bytes[hashed..]
            || hash.data() != xxh3_128(&bytes[..hashed]).to_le_bytes()
        {
            return Err(invalid(
                path,
                "a file that ends in the hash of its bytes",
                "another hash: the file was damaged or altered",
            ));
        }
        let header = serde_json::from_str(text)
            .map_err(|error| invalid(path, "a header of format 1", error))?;
        Ok(Self {
            path,
            bytes,
            header,
            tensors,
        })
    }

    fn has(&self, name: &str) -> bool {
        self.tensors.tensor(name).is_ok()
    }

    /// The place and shape of a tensor, of this type and number of dimensions.
    fn tensor(
        &self,
        name: &str,
        dtype: Dtype,
        dimensions: usize,
    ) -> Result<(&'a [u8], Vec<usize>)> {
        let tensor = self
            .tensors
            .tensor(name)
            .map_err(|error| invalid(self.path, name, error))?;
        if tensor.dtype() != dtype || tensor.shape().len() != dimensions {
            return Err(invalid(
                self.path,
                &format!("{name}: {dtype:?} in {dimensions} dimensions"),
                format!("{:?} of shape {:?}", tensor.dtype(), tensor.shape()),
            ));
        }
        Ok((tensor.data(), tensor.shape().to_vec()))
    }

    fn numbers<T: bytemuck::Pod>(&self, name: &str, dtype: Dtype) -> Result<Vec<T>> {
        Ok(bytemuck::pod_collect_to_vec(self.tensor(name, dtype, 1)?.0))
    }

    /// The singular values and vectors, which the configuration and the file must agree
    /// on having.
    fn ideal_low_pass(
        &self,
        bytes: &Arc<dyn AsRef<[u8]> + Send + Sync>,
    ) -> Result<(Vec<f32>, Option<SharedMatrix>)> {
        if self.header.config.ideal_low_pass().is_none() {
            return Ok((Vec::new(), None));
        }
        let values: Vec<f32> = self.numbers(SINGULAR_VALUES, Dtype::F32)?;
        let (data, shape) = self.tensor(BASIS, Dtype::F32, 2)?;
        let items = if values.is_empty() {
            0
        } else {
            self.header.items
        };
        if shape != [items, values.len()] {
            return Err(invalid(
                self.path,
                &format!("{BASIS}: shape {:?}", [items, values.len()]),
                format!("{shape:?}"),
            ));
        }
        let start = data.as_ptr() as usize - self.bytes.as_ptr() as usize;
        let place = start..start + data.len();
        let basis = SharedMatrix::new(bytes.clone(), place, shape[0], shape[1])
            .or_else(|| aligned_copy(data, shape[0], shape[1]))
            .ok_or_else(|| invalid(self.path, BASIS, "another number of values"))?;
        Ok((values, Some(basis)))
    }

    fn interactions(&self, name: &str, items: usize) -> Result<Interactions> {
        let row_ends = self.numbers(&format!("{name}.row_ends"), Dtype::U32)?;
        let columns = self.numbers(&format!("{name}.columns"), Dtype::U32)?;
        Interactions::from_csr(items, row_ends, columns).map_err(|found| {
            let expected = format!("{name}: ascending rows of columns below {items}");
            invalid(self.path, &expected, found)
        })
    }

    fn ids<T: SavedId + Eq + Hash>(&self, name: &str, kind: &str, count: usize) -> Result<Ids<T>> {
        if !T::accepts(kind) {
            return Err(invalid(
                self.path,
                &format!("{name} with ids of kind {:?}", T::KIND),
                format!("{kind:?}"),
            ));
        }
        let ends: Vec<u64> = self.numbers(&format!("{name}.id_ends"), Dtype::U64)?;
        let (bytes, _) = self.tensor(&format!("{name}.ids"), Dtype::U8, 1)?;
        let expected = format!("{name}: {count} different ids of kind {kind:?}");
        let reads_all = ends.first() == Some(&0) && ends.last() == Some(&(bytes.len() as u64));
        let ids: Option<Ids<T>> = ends
            .windows(2)
            .map(|ends| T::read(kind, bytes.get(ends[0] as usize..ends[1] as usize)?))
            .collect();
        match ids {
            Some(ids) if reads_all && ids.len() == count && ends.len() == count + 1 => Ok(ids),
            Some(ids) => Err(invalid(self.path, &expected, format!("{} ids", ids.len()))),
            None => Err(invalid(self.path, &expected, "bytes that are no id")),
        }
    }
}

/// A copy, for bytes that do not lie as `f32` must.
fn aligned_copy(data: &[u8], rows: usize, columns: usize) -> Option<SharedMatrix> {
    struct Copied(Vec<f32>);
    impl AsRef<[u8]> for Copied {
        fn as_ref(&self) -> &[u8] {
            bytemuck::cast_slice(&self.0)
        }
    }
    let copied = Arc::new(Copied(bytemuck::pod_collect_to_vec(data)));
    let place: Range<usize> = 0..data.len();
    SharedMatrix::new(copied, place, rows, columns)
}

fn invalid(path: &Path, expected: &str, found: impl std::fmt::Display) -> Error {
    Error::InvalidFile {
        path: path.into(),
        expected: expected.into(),
        found: shortened(found.to_string()),
    }
}
