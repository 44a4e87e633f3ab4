//! The header of a model file; see [`saved`](super) for the format.

use serde::{Deserialize, Serialize};

use crate::engine::truncated_svd::SvdReport;
use crate::filters::registry::FilterConfig;
use crate::fitted::trial::Trial;
use bspm_data::{Decay, ItemColumnKind};

/// The format version for matrices without weights.
pub(super) const FORMAT: u64 = 1;

/// The format version for matrices with weights, which older versions of bspm would ignore.
pub(super) const FORMAT_WITH_WEIGHTS: u64 = 2;

/// The alignment of the tensors: a cache line.
pub(super) const ALIGNMENT: usize = 64;

pub(super) const METADATA_KEY: &str = "bspm";
pub(super) const TIMES: &str = "times";
pub(super) const TAGS: &str = "tags";
pub(super) const HASH: &str = "xxh3_128";
pub(super) const HASH_BYTES: usize = 16;

/// A description of a model file.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SavedModelInfo {
    /// The format version.
    pub format: u64,
    /// The size of the file in bytes.
    pub bytes: usize,
    /// The checksum of the file, as hexadecimal digits.
    pub hash: String,
    /// The kind of the user ids; see [`SavedId::KIND`](super::SavedId::KIND).
    pub user_ids: String,
    /// The kind of the item ids.
    pub item_ids: String,
    /// The number of users.
    pub users: usize,
    /// The number of items.
    pub items: usize,
    /// The number of interactions that the filter was fitted to.
    pub fitted_interactions: usize,
    /// The number of current interactions.
    pub interactions: usize,
    /// The number of singular vectors.
    pub factors: usize,
    /// The report of the truncated SVD; `None` if it is not known.
    pub svd: Option<SvdReport>,
    /// The filter and its settings.
    pub config: FilterConfig,
    /// The item table; `None` without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_table: Option<ItemTableInfo>,
    /// The tags of items; `None` without tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<TagsInfo>,
    /// The trials that the settings were selected from, best first, without their times; empty if the
    /// settings were given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trials: Vec<Trial>,
    /// How the weights were scaled: [`WeightScale`](crate::data::WeightScale) as text; `None` if they were not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_scale: Option<String>,
    /// The half-life of the weights, in the unit of the times; `None` if they do not decay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub half_life: Option<f64>,
}

/// A description of the tags of items of a model file.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TagsInfo {
    /// The number of tags.
    pub tags: usize,
    /// The number of pairs of a tag and an item.
    pub pairs: usize,
    /// The weight of a tag of an item in a fit; the weight of an interaction is 1 by default.
    pub weight: f32,
}

/// The tags in a header.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct TagsHeader {
    /// The number of the last rows of the fitted matrix that are tags.
    pub(super) rows: usize,
    pub(super) weight: f32,
}

/// A description of the item table of a model file.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ItemTableInfo {
    /// The number of rows of items without interactions, in addition to one row per item.
    pub rows_without_item: usize,
    /// The name of the title column.
    pub title: String,
    /// The name and the type of each column.
    pub columns: Vec<SavedColumn>,
}

/// A column of an item table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SavedColumn {
    /// The name of the column.
    pub name: String,
    /// The type of the values.
    pub kind: ItemColumnKind,
}

/// The item table in a header.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct ItemTableHeader {
    /// The index of the title column.
    pub(super) title: usize,
    pub(super) columns: Vec<SavedColumn>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) format: u64,
    pub(super) config: FilterConfig,
    pub(super) items: usize,
    pub(super) user_ids: String,
    pub(super) item_ids: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) svd: Option<SvdReport>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) item_table: Option<ItemTableHeader>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tags: Option<TagsHeader>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) trials: Vec<Trial>,
    /// The scale of the weights as text, if they were scaled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) weight_scale: Option<String>,
    /// How the weights decay, if they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) decay: Option<Decay>,
}

/// The part of a header that has the format version.
#[derive(Deserialize)]
pub(super) struct HeaderFormat {
    pub(super) format: u64,
}
