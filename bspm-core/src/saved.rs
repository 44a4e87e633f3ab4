//! Saving a fitted model to one file, and opening it again.
//!
//! # Format
//!
//! A model file is a [safetensors](https://github.com/huggingface/safetensors) file, so
//! that any program can read its matrices. All numbers are little-endian. In the order
//! of the file:
//!
//! | bytes | content |
//! | --- | --- |
//! | 8 | the length of the header |
//! | header | JSON, padded with spaces so that the tensors start at a multiple of 64 |
//! | tensors | those below, in that order, without gaps |
//!
//! | tensor | type, shape | content |
//! | --- | --- | --- |
//! | `ideal_low_pass.basis` | F32, items x factors | `V`, of filters that have one |
//! | `ideal_low_pass.singular_values` | F32, factors | descending; likewise |
//! | `ideal_low_pass.leaving` | F32, items x factors | a polynomial of the walk of `V`, of early merge; computed where it is missing |
//! | `item_graph.row_ends` | U32, items + 1 | where each row ends, of Turbo-CF and item-kNN |
//! | `item_graph.columns`, `item_graph.values` | U32, F32, entries | the entries of the rows |
//! | `ease_r.inverse` | F32, items x items | of EASE-R, with or without normalisation |
//! | `ease_r.diagonal` | F32, items | its diagonal |
//! | `svd_ae.decoder` | F32, items x factors | `A^T R V`, of SVD-AE |
//! | `family.norms`, `mix.norms` | F32, parts | what the scores of each part are divided by |
//! | `fitted.row_ends` | U32, rows + 1 | where each row of the fitted matrix ends |
//! | `fitted.columns` | U32, interactions | the items of the rows, ascending |
//! | `fitted.weights` | F32, interactions | what each counts, where not all count 1 |
//! | `histories.row_ends`, `histories.columns`, `histories.weights` | likewise | what is answered from, where that is not the fitted matrix |
//! | `times` | F64, interactions | when each of what is answered from happened, where that is known |
//! | `users.id_ends`, `items.id_ends` | U64, ids + 1 | where each id ends |
//! | `users.ids`, `items.ids` | U8 | the ids, one after the other |
//! | `item_table.id_ends`, `item_table.ids` | U64, U8 | the ids of the rows without interactions, as above, if there is an item table |
//! | `item_table.N.ends`, `item_table.N.text` | U64, rows + 1; U8 | column N of the table, from 0, if it holds texts: where each ends, and all in UTF-8; an empty one is a missing value |
//! | `item_table.N.numbers` | F64, rows | if it holds numbers; NaN is a missing value |
//! | `item_table.N.booleans` | U8, rows | if it holds booleans: 0 is false, 1 true, 2 a missing value |
//! | `tags.id_ends`, `tags.ids` | U64, U8 | the names of the tags, as ids of users, if there are tags |
//! | `xxh3_128` | U8, 16 | the XXH3 128-bit hash of all bytes before it |
//!
//! The header's metadata has one entry, `bspm`, itself JSON: `format` (1, or 2
//! with weights, which older readers would overlook), `config` as
//! serde writes a [`FilterConfig`](crate::FilterConfig), `items`, and the kinds of the ids,
//! `user_ids` and `item_ids`, as [`SavedId::KIND`] names them. With an item table there is
//! `item_table`: `title`, the place of the column of titles, and `columns`, each with its `name` and
//! `kind` (`text`, `number` or `boolean`). The first rows of the table are those of the items, in
//! order. Readers without item tables overlook them. With tags of items there is `tags`: `rows`, how many of
//! the last rows of the fitted matrix are tags, and their `weight`; the histories are then in the file. If the settings were chosen by a search, `trials`
//! has its trials, best first, as serde writes a [`Trial`](crate::tune::Trial).

#[cfg(target_endian = "big")]
compile_error!("model files are little-endian, and read in place");

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

/// What errors call a model that is not in a file.
const IN_MEMORY: &str = "model in memory";

impl<B, U, I> Model<B, U, I>
where
    B: Backend,
    U: SavedId + Eq + Hash + Clone,
    I: SavedId + Eq + Hash + Clone,
{
    /// Saves the model to one file, which [`open`](Self::open) reads.
    ///
    /// The bytes go to a temporary file beside `path`, which is flushed to the disk and
    /// then renamed: whatever happens, `path` holds the whole of what it held before, or
    /// the whole model. Where the process is killed, the temporary file may stay. What was written
    /// is checked as [`open`](Self::open) does before it is renamed.
    ///
    /// # Errors
    ///
    /// [`Error::Write`](crate::Error::Write);
    /// [`Error::InvalidFile`](crate::Error::InvalidFile) for a model that could not be opened
    /// again; those of the backend.
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

    /// The bytes that [`save`](Self::save) would write.
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
    /// The file is mapped into memory, and its hash is checked: one pass over its bytes.
    /// A backend in host memory then uses the singular vectors where they are, so that
    /// processes that open the same file share them, while `factor_dim` is a multiple of
    /// 32; ids and interactions are read into memory. The file must not be written to
    /// while the model is in use; [`save`](Self::save) never does, it replaces the file.
    ///
    /// # Errors
    ///
    /// [`Error::Read`](crate::Error::Read);
    /// [`Error::ModelVersion`](crate::Error::ModelVersion) for another format;
    /// [`Error::InvalidFile`](crate::Error::InvalidFile) for a file that is truncated,
    /// altered, no model, or has ids of another type; those of the backend.
    pub fn open(backend: B, path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let _span = tracing::info_span!("open", path = %path.display()).entered();
        let bytes = file::map(path)?;
        Self::from_shared(backend, path, Arc::new(bytes))
    }

    /// Opens the model that [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn from_bytes(backend: B, bytes: Vec<u8>) -> Result<Self> {
        Self::from_shared(backend, Path::new(IN_MEMORY), Arc::new(bytes))
    }

    fn write(&self, path: &Path, out: impl std::io::Write) -> Result<()> {
        let filter = self.filter();
        let histories = self.dataset().interactions();
        let contents = Contents {
            config: filter.config(),
            svd: filter.svd_report(),
            tensors: FilterTensors::of(filter)?,
            fitted: filter.interactions(),
            histories: (histories != filter.interactions()).then_some(histories),
            times: self.dataset().times(),
            users: self.dataset().users(),
            items: self.dataset().items(),
            item_table: self.dataset().item_table().map(Arc::as_ref),
            tags: self.dataset().tags(),
            trials: self.trials(),
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
        if let Some(times) = parts.times {
            dataset = dataset.with_times(times)?;
        }
        if let Some(table) = parts.item_table {
            dataset = dataset.with_items(table)?;
        }
        if let Some((names, weight)) = parts.tags {
            dataset = dataset
                .with_fitted_tags(names, fitted.of_tags(), weight)
                .map_err(|error| read::invalid(path, "tags of items", error))?;
        }
        let filter = FittedFilter::open(backend, fitted, file.config().clone(), &file)?;
        Ok(Self::from_parts(Arc::new(filter), dataset).with_trials(parts.trials))
    }
}

impl SavedModelInfo {
    /// What a model file holds, without knowing the types of its ids or a backend. The
    /// whole file is checked, as in [`Model::open`].
    ///
    /// # Errors
    ///
    /// As [`Model::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        CheckedFile::new(path, Arc::new(file::map(path)?))?.info()
    }
}
