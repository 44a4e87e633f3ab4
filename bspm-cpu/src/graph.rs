//! The user-item graph: two patterns and a scale per row.

use bspm_core::backend::{Direction, GraphParts};
use sprs::CsMatI;

/// A 0/1 pattern with one scale per row.
#[derive(Clone, Debug)]
pub(crate) struct ScaledPattern {
    pattern: CsMatI<(), u32>,
    pub(crate) scale: Vec<f32>,
}

impl ScaledPattern {
    pub(crate) fn shape(&self) -> (usize, usize) {
        self.pattern.shape()
    }

    /// `row_ends()[r]..row_ends()[r + 1]` are the places of row `r` in `columns()`.
    pub(crate) fn row_ends(&self) -> &[u32] {
        self.pattern.indptr().into_raw_storage()
    }

    pub(crate) fn columns(&self) -> &[u32] {
        self.pattern.indices()
    }

    pub(crate) fn row(&self, row: u32) -> &[u32] {
        let ends = self.row_ends();
        &self.columns()[ends[row as usize] as usize..ends[row as usize + 1] as usize]
    }
}

/// The user-item graph in memory: the pattern of `A` and of its transpose.
#[derive(Clone, Debug)]
pub struct CpuGraph {
    to_users: ScaledPattern,
    to_items: ScaledPattern,
}

impl CpuGraph {
    pub(crate) fn new(parts: GraphParts<'_>) -> Self {
        Self {
            to_users: ScaledPattern {
                pattern: parts.user_items.to_owned(),
                scale: parts.user_scale.to_vec(),
            },
            to_items: ScaledPattern {
                pattern: parts.item_users.to_owned(),
                scale: parts.item_scale.to_vec(),
            },
        }
    }

    pub(crate) fn half(&self, direction: Direction) -> &ScaledPattern {
        match direction {
            Direction::ToUsers => &self.to_users,
            Direction::ToItems => &self.to_items,
        }
    }
}
