//! Saving a fitted model to one file, and opening it again.
//!
//! # Format
//!
//! A model file is a [safetensors](https://github.com/huggingface/safetensors) file, so
//! any program can read its matrices. All numbers are little-endian. The parts in order:
//!
//! | bytes | content |
//! | --- | --- |
//! | 8 | the length of the header |
//! | header | JSON, padded with spaces so that the tensors start at a multiple of 64 |
//! | tensors | the tensors below, in this order, without gaps |
//!
//! | tensor | type, shape | content |
//! | --- | --- | --- |
//! | `ideal_low_pass.basis` | F32, items x factors | `V`, if the filter has singular vectors |
//! | `ideal_low_pass.singular_values` | F32, factors | the singular values, in descending order |
//! | `ideal_low_pass.leaving` | F32, items x factors | a polynomial of the walk of `V`, for early merge; optional, computed if it is missing |
//! | `item_graph.row_ends` | U32, items + 1 | the ends of the rows of the item graph, for Turbo-CF and item-kNN |
//! | `item_graph.columns`, `item_graph.values` | U32, F32, entries | the entries of the rows |
//! | `ease_r.inverse` | F32, items x items | the inverse of EASE-R, with or without normalisation |
//! | `ease_r.diagonal` | F32, items | the diagonal of the inverse |
//! | `svd_ae.decoder` | F32, items x factors | `A^T R V`, for SVD-AE |
//! | `family.norms`, `mix.norms` | F32, parts | the divisors of the scores of each part |
//! | `fitted.row_ends` | U32, rows + 1 | the ends of the rows of the fitted matrix |
//! | `fitted.columns` | U32, interactions | the items of the rows, in ascending order |
//! | `fitted.weights` | F32, interactions | the weights, if not all are 1 |
//! | `histories.row_ends`, `histories.columns`, `histories.weights` | as `fitted` | the current interactions, if they differ from the users' rows of the fitted matrix |
//! | `times` | F64, interactions | the times of the current interactions, if they are known |
//! | `users.id_ends`, `items.id_ends` | U64, ids + 1 | the ends of the ids |
//! | `users.ids`, `items.ids` | U8 | the concatenated ids |
//! | `item_table.id_ends`, `item_table.ids` | U64, U8 | the ids of the rows without interactions, as above, if there is an item table |
//! | `item_table.N.ends`, `item_table.N.text` | U64, rows + 1; U8 | column N of the table, from 0, if it has texts: the ends of the texts, and the concatenated texts in UTF-8; an empty text is a missing value |
//! | `item_table.N.numbers` | F64, rows | column N, if it has numbers; NaN is a missing value |
//! | `item_table.N.booleans` | U8, rows | column N, if it has booleans: 0 is false, 1 true, 2 a missing value |
//! | `tags.id_ends`, `tags.ids` | U64, U8 | the names of the tags, as the ids of users, if there are tags |
//! | `xxh3_128` | U8, 16 | the checksum: the XXH3 128-bit hash of all bytes before it |
//!
//! The metadata of the header has one entry, `bspm`, which is JSON: `format` (1, or 2
//! with weights, which older versions would ignore), `config` as serialized from a
//! [`FilterConfig`](crate::FilterConfig), `items`, and the kinds of the ids,
//! `user_ids` and `item_ids`, as in [`SavedId::KIND`]. If there is an item table, `item_table` has
//! `title`, the index of the title column, and `columns`, each with its `name` and
//! `kind` (`text`, `number` or `boolean`). The first rows of the table are the items, in
//! order. Versions without item tables ignore them. If there are tags of items, `tags` has `rows`, the
//! number of the last rows of the fitted matrix that are tags, and their `weight`. If the settings were selected by a search, `trials`
//! has its trials, best first, as serialized from a [`Trial`](crate::tune::Trial). If the weights were scaled, `weight_scale`
//! has the scale, such as `log`. If they decay with time, `decay` has the `half_life` and the `reference_time`, at which a
//! weight has not decayed, both in the unit of the times.

#[cfg(target_endian = "big")]
compile_error!("model files are little-endian and are mapped into memory");

mod file;
mod format;
mod id;
mod item_table;
mod read;
mod write;

use std::hash::Hash;
use std::path::Path;
use std::sync::Arc;

pub use file::{check_replaceable, file_hash, replace as replace_file};
pub use format::{ItemTableInfo, SavedColumn, SavedModelInfo, TagsInfo};
pub use id::SavedId;

use crate::backend::Backend;
use crate::fitted::FittedFilter;
use crate::model::Model;
use bspm_data::Dataset;
use bspm_data::Result;
use read::CheckedFile;
use write::{Contents, FilterTensors, write};

/// The path of a model in memory, for errors.
const IN_MEMORY: &str = "model in memory";

impl<B, U, I> Model<B, U, I>
where
    B: Backend,
    U: SavedId + Eq + Hash + Clone,
    I: SavedId + Eq + Hash + Clone,
{
    /// Saves the model to one file, which [`open`](Self::open) reads.
    ///
    /// The file is replaced atomically: the bytes are written to a temporary file in the same folder, which is
    /// flushed to the disk, checked like in [`open`](Self::open), and renamed. If the process is killed,
    /// `path` is unchanged, and the temporary file may remain.
    ///
    /// # Errors
    ///
    /// [`Error::Write`](crate::Error::Write);
    /// [`Error::InvalidFile`](crate::Error::InvalidFile) if the written model cannot be opened; those of
    /// the backend.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_core::{BspmConfig, Dataset, Model};
    /// # use bspm_cpu::CpuBackend;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let dataset: Dataset<u64, u64> = Dataset::from_pairs([(1, 7), (1, 8), (2, 8), (2, 9)])?;
    /// let config = BspmConfig::builder().ideal_low_pass(1, 0.3).build()?;
    /// let model = Model::fit(CpuBackend::new(), dataset, config)?;
    ///
    /// let directory = tempfile::tempdir()?;
    /// let path = directory.path().join("shop.bspm");
    /// model.save(&path)?;
    /// let opened: Model<_, u64, u64> = Model::open(CpuBackend::new(), &path)?;
    /// assert_eq!(opened.recommend(&1, 5)?, model.recommend(&1, 5)?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let _span = tracing::info_span!("save", path = %path.display()).entered();
        let check = |written: &Path| {
            let bytes = file::map(written)?;
            CheckedFile::new(path, Arc::new(bytes))?.check::<U, I>()
        };
        file::replace_checked(path, |file| self.write(path, file), check)
    }

    /// Returns the bytes that [`save`](Self::save) writes.
    ///
    /// # Errors
    ///
    /// Those of the backend.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.write(Path::new(IN_MEMORY), &mut bytes)?;
        let bytes = Arc::new(bytes);
        CheckedFile::new(Path::new(IN_MEMORY), bytes.clone())?.check::<U, I>()?;
        Ok(Arc::unwrap_or_clone(bytes))
    }

    /// Opens a saved model.
    ///
    /// The file is mapped into memory, and its checksum is verified, which is one pass over its bytes. If
    /// `factor_dim` is a multiple of 32, a backend in host memory uses the singular vectors in place, so that
    /// processes that open the same file share them. Ids and interactions are read into memory. The file
    /// must not be modified while the model is in use. [`save`](Self::save) never modifies a file; it
    /// replaces it.
    ///
    /// # Errors
    ///
    /// [`Error::Read`](crate::Error::Read);
    /// [`Error::ModelVersion`](crate::Error::ModelVersion) for an unsupported format version;
    /// [`Error::InvalidFile`](crate::Error::InvalidFile) if the file is truncated or damaged, is not a
    /// model, or has ids of another type; those of the backend.
    pub fn open(backend: B, path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let _span = tracing::info_span!("open", path = %path.display()).entered();
        let bytes = file::map(path)?;
        Self::from_shared(backend, path, Arc::new(bytes))
    }

    /// Opens a model from the bytes of [`to_bytes`](Self::to_bytes).
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn from_bytes(backend: B, bytes: Vec<u8>) -> Result<Self> {
        Self::from_shared(backend, Path::new(IN_MEMORY), Arc::new(bytes))
    }

    fn write(&self, path: &Path, out: &mut dyn std::io::Write) -> Result<()> {
        let filter = self.filter();
        let histories = self.dataset().interactions();
        let contents = Contents {
            config: filter.config(),
            svd: filter.svd_report(),
            tensors: FilterTensors::of(filter)?,
            fitted: filter.interactions(),
            histories: (**histories != *filter.interactions().of_users()).then_some(histories),
            times: self.dataset().times(),
            users: self.dataset().users(),
            items: self.dataset().items(),
            item_table: self.dataset().item_table().map(Arc::as_ref),
            tags: self.dataset().tags(),
            trials: self.trials(),
            weight_scale: self.dataset().weight_scale(),
            decay: self.dataset().decay(),
        };
        write(&contents, out).map_err(|source| crate::Error::Write {
            path: path.into(),
            source,
        })
    }

    fn from_shared(
        backend: B,
        path: &Path,
        bytes: Arc<dyn AsRef<[u8]> + Send + Sync>,
    ) -> Result<Self> {
        let file = CheckedFile::new(path, bytes)?;
        let parts = file.read::<U, I>()?;
        let fitted = Arc::new(parts.fitted);
        let histories = parts.histories.map_or_else(|| fitted.clone(), Arc::new);
        let mut dataset = Dataset::from_interactions(parts.users, parts.items, histories)?;
        dataset = dataset
            .with_weight_scale(parts.weight_scale)
            .with_decay(parts.decay);
        if let Some(times) = parts.times {
            dataset = dataset.with_times(times)?;
        }
        if let Some(table) = parts.item_table {
            dataset = dataset.with_items(table)?;
        }
        if let Some((names, weight)) = parts.tags {
            dataset = dataset
                .with_fitted_tags(names, fitted.of_tags(), f64::from(weight))
                .map_err(|error| read::invalid(path, "tags of items", error))?;
        }
        let filter = FittedFilter::open(backend, fitted, file.config().clone(), &file)?;
        Ok(Self::from_parts(Arc::new(filter), dataset).with_trials(parts.trials))
    }
}

impl SavedModelInfo {
    /// Reads the description of a model file, without a backend and for any types of ids. The complete file
    /// is checked, as in [`Model::open`].
    ///
    /// # Errors
    ///
    /// As [`Model::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        CheckedFile::new(path, Arc::new(file::map(path)?))?.info()
    }
}
