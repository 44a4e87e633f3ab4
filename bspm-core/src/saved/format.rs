//! What a model file says of itself; see [`saved`](super) for the format.

use serde::{Deserialize, Serialize};

use crate::engine::truncated_svd::SvdReport;
use crate::filters::registry::FilterConfig;
use crate::fitted::trial::Trial;
use bspm_data::ItemColumnKind;

/// The format that is written of matrices without weights.
pub(super) const FORMAT: u64 = 1;

/// The format of matrices with weights, which older versions would overlook.
pub(super) const FORMAT_WITH_WEIGHTS: u64 = 2;

/// The tensors start at a multiple of this, a cache line.
pub(super) const ALIGNMENT: usize = 64;

pub(super) const METADATA_KEY: &str = "bspm";
pub(super) const TIMES: &str = "times";
pub(super) const TAGS: &str = "tags";
pub(super) const HASH: &str = "xxh3_128";
pub(super) const HASH_BYTES: usize = 16;

/// What a model file holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SavedModelInfo {
    /// The version of the format.
    pub format: u64,
    /// The size of the file.
    pub bytes: usize,
    /// The hash that it ends in, as hexadecimal digits.
    pub hash: String,
    /// The kind of the user ids; see [`SavedId::KIND`](super::SavedId::KIND).
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
    /// What computing them took, and how good they are; none where it is not known.
    pub svd: Option<SvdReport>,
    /// Its filter and the settings of it.
    pub config: FilterConfig,
    /// Its item table; none without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_table: Option<ItemTableInfo>,
    /// Its tags of items; none without tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<TagsInfo>,
    /// The trials that its settings were chosen from, best first, without their times; none if the
    /// settings were given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trials: Vec<Trial>,
}

/// The tags of items of a model file.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TagsInfo {
    /// How many tags there are.
    pub tags: usize,
    /// How many pairs of a tag and an item.
    pub pairs: usize,
    /// How much a tag of an item counts in a fit, where an interaction counts 1.
    pub weight: f32,
}

/// The tags in a header.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct TagsHeader {
    /// How many of the last rows of the fitted matrix are tags.
    pub(super) rows: usize,
    pub(super) weight: f32,
}

/// What the item table of a model file holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ItemTableInfo {
    /// How many rows it has of items without interactions, beside one for each item.
    pub rows_without_item: usize,
    /// The name of the column of titles.
    pub title: String,
    /// The name and the kind of each column.
    pub columns: Vec<SavedColumn>,
}

/// A column of an item table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SavedColumn {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: ItemColumnKind,
}

/// What a header says of an item table.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct ItemTableHeader {
    /// The place of the column of titles.
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
}

/// What is known of a header before its format is.
#[derive(Deserialize)]
pub(super) struct HeaderFormat {
    pub(super) format: u64,
}
