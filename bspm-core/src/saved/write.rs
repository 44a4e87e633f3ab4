//! Writes the bytes of a model file.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::Hash;
use std::io::{self, Write};

use bytemuck::NoUninit;
use ndarray::Array2;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use twox_hash::XxHash3_128;

use super::format::{
    ALIGNMENT, FORMAT, FORMAT_WITH_WEIGHTS, HASH, HASH_BYTES, Header, METADATA_KEY, TAGS, TIMES,
    TagsHeader,
};
use super::id::SavedId;
use super::item_table;
use crate::backend::Backend;
use crate::engine::tensors::Tensor;
use crate::engine::truncated_svd::SvdReport;
use crate::filters::registry::FilterConfig;
use crate::fitted::FittedFilter;
use crate::fitted::trial::Trial;
use bspm_data::Decay;
use bspm_data::Ids;
use bspm_data::Interactions;
use bspm_data::ItemTable;
use bspm_data::ItemTags;
use bspm_data::Result;
use bspm_data::WeightScale;

/// The contents of a model file.
pub(super) struct Contents<'a, U: Eq + Hash, I: Eq + Hash> {
    pub(super) config: &'a FilterConfig,
    pub(super) svd: Option<&'a SvdReport>,
    pub(super) tensors: Vec<FilterTensors<'a>>,
    pub(super) fitted: &'a Interactions,
    /// The current interactions, if they differ from the fitted ones.
    pub(super) histories: Option<&'a Interactions>,
    /// The times of the current interactions.
    pub(super) times: Option<&'a [f64]>,
    pub(super) users: &'a Ids<U>,
    pub(super) items: &'a Ids<I>,
    pub(super) item_table: Option<&'a ItemTable<I>>,
    /// Those of the last rows of the fitted matrix.
    pub(super) tags: Option<&'a ItemTags<I>>,
    pub(super) trials: &'a [Trial],
    pub(super) weight_scale: Option<WeightScale>,
    pub(super) decay: Option<Decay>,
}

/// A part of a filter, on the host.
pub(super) struct FilterTensors<'a> {
    pub(super) name: Cow<'static, str>,
    pub(super) values: HostValues<'a>,
}

pub(super) enum HostValues<'a> {
    /// A row-major matrix.
    Matrix(Array2<f32>),
    Floats(&'a [f32]),
    Indices(&'a [u32]),
}

impl HostValues<'_> {
    pub(super) fn of_matrix(matrix: Array2<f32>) -> Self {
        Self::Matrix(match matrix.is_standard_layout() {
            true => matrix,
            false => matrix.as_standard_layout().into_owned(),
        })
    }
}

impl<'a> FilterTensors<'a> {
    /// Returns all parts of the filter.
    pub(super) fn of<B: Backend>(fitted: &'a FittedFilter<B>) -> Result<Vec<Self>> {
        let backend = fitted.backend();
        fitted
            .filter
            .tensors()
            .into_iter()
            .map(|(name, tensor)| {
                let values = match tensor {
                    Tensor::Matrix(matrix) => HostValues::of_matrix(backend.download(matrix)?),
                    Tensor::Floats(values) => HostValues::Floats(values),
                    Tensor::Indices(values) => HostValues::Indices(values),
                };
                Ok(Self { name, values })
            })
            .collect()
    }
}

pub(super) fn write<U, I>(contents: &Contents<'_, U, I>, out: &mut dyn Write) -> io::Result<()>
where
    U: SavedId + Eq + Hash,
    I: SavedId + Eq + Hash + Clone,
{
    let has_weights = |matrix: &Interactions| matrix.weights().is_some();
    let is_weighted = has_weights(contents.fitted) || contents.histories.is_some_and(has_weights);
    let header = Header {
        format: match is_weighted {
            true => FORMAT_WITH_WEIGHTS,
            false => FORMAT,
        },
        config: contents.config.clone(),
        items: contents.fitted.items(),
        user_ids: U::KIND.into(),
        item_ids: I::KIND.into(),
        svd: contents.svd.cloned(),
        item_table: contents.item_table.map(item_table::header),
        tags: contents.tags.map(|tags| TagsHeader {
            rows: contents.fitted.tag_rows(),
            weight: tags.weight(),
        }),
        trials: contents.trials.to_vec(),
        weight_scale: contents.weight_scale.map(|it| it.to_string()),
        decay: contents.decay,
    };
    let columns = contents.item_table.map(ItemTable::columns);
    let columns = columns.unwrap_or_default().iter();
    let columns: Vec<_> = columns.enumerate().map(item_table::tensors).collect();
    let users = id_column(contents.users.iter());
    let items = id_column(contents.items.iter());
    let others = contents.item_table.map(|table| {
        let others = table.ids().iter().skip(contents.items.len());
        id_column(others)
    });
    let tags = contents.tags.map(|tags| id_column(tags.names().iter()));
    let mut tensors = FileTensors::default();
    for FilterTensors { name, values } in &contents.tensors {
        match values {
            HostValues::Matrix(matrix) => tensors.add(
                name,
                Dtype::F32,
                matrix.shape(),
                bytemuck::cast_slice(matrix.as_slice().unwrap_or_default()),
            ),
            HostValues::Floats(values) => tensors.add_values(name, Dtype::F32, values),
            HostValues::Indices(values) => tensors.add_values(name, Dtype::U32, values),
        }
    }
    let matrices = [
        ("fitted", Some(contents.fitted)),
        ("histories", contents.histories),
    ];
    for (name, matrix) in matrices {
        if let Some(matrix) = matrix {
            tensors.add_interactions(name, matrix);
        }
    }
    if let Some(times) = contents.times {
        tensors.add_values(TIMES, Dtype::F64, times);
    }
    for (name, (ends, _)) in [("users", &users), ("items", &items)] {
        tensors.add_values(&format!("{name}.id_ends"), Dtype::U64, ends);
    }
    for (name, (_, bytes)) in [("users", &users), ("items", &items)] {
        tensors.add_values(&format!("{name}.ids"), Dtype::U8, bytes);
    }
    if let Some((ends, bytes)) = &others {
        tensors.add_values(item_table::ID_ENDS, Dtype::U64, ends);
        tensors.add_values(item_table::IDS, Dtype::U8, bytes);
    }
    if let Some((ends, bytes)) = &tags {
        tensors.add_values(&format!("{TAGS}.id_ends"), Dtype::U64, ends);
        tensors.add_values(&format!("{TAGS}.ids"), Dtype::U8, bytes);
    }
    for (name, dtype, values) in columns.iter().flatten() {
        let length = values.len() / (dtype.bitsize() / 8);
        tensors.add(name, *dtype, &[length], values);
    }
    tensors.write(&header, out)
}

/// Returns the concatenated bytes of all ids, and the end of each, after a leading 0.
fn id_column<'i, T: SavedId + 'i>(ids: impl Iterator<Item = &'i T>) -> (Vec<u64>, Vec<u8>) {
    let mut bytes = Vec::new();
    let mut ends = vec![0];
    for id in ids {
        id.append_to(&mut bytes);
        ends.push(bytes.len() as u64);
    }
    (ends, bytes)
}

/// The tensors of a file that is written.
#[derive(Default)]
struct FileTensors<'a> {
    infos: Vec<(String, TensorInfo)>,
    data: Vec<&'a [u8]>,
    length: usize,
}

impl<'a> FileTensors<'a> {
    fn add_values<T: NoUninit>(&mut self, name: &str, dtype: Dtype, values: &'a [T]) {
        let bytes = bytemuck::cast_slice(values);
        self.add(name, dtype, &[values.len()], bytes);
    }

    fn add_interactions(&mut self, name: &str, matrix: &'a Interactions) {
        let (row_ends, columns, _) = matrix.as_csr().into_raw_storage();
        self.add_values(&format!("{name}.row_ends"), Dtype::U32, row_ends);
        self.add_values(&format!("{name}.columns"), Dtype::U32, columns);
        if let Some(weights) = matrix.weights() {
            self.add_values(&format!("{name}.weights"), Dtype::F32, weights);
        }
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

    /// Writes the file, followed by its checksum.
    fn write(mut self, header: &Header, out: &mut dyn Write) -> io::Result<()> {
        self.reserve(HASH, Dtype::U8, &[HASH_BYTES], HASH_BYTES);
        let header = HashMap::from([(METADATA_KEY.into(), serde_json::to_string(header)?)]);
        let metadata = Metadata::new(Some(header), self.infos).map_err(io::Error::other)?;
        let mut header = serde_json::to_vec(&metadata)?;
        let padded = (8 + header.len()).next_multiple_of(ALIGNMENT) - 8;
        header.resize(padded, b' ');

        let mut out = Hashing {
            out,
            hash: XxHash3_128::new(),
        };
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(&header)?;
        for data in self.data {
            out.write_all(data)?;
        }
        let Hashing { out, hash } = out;
        out.write_all(&hash.finish_128().to_le_bytes())
    }
}

/// A writer that computes the hash of the written bytes.
struct Hashing<'a> {
    out: &'a mut dyn Write,
    hash: XxHash3_128,
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.out.write(bytes)?;
        self.hash.write(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
