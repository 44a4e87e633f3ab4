//! Sparse matrices: the two halves of the walk, with a scale per row, and item graphs.

use std::sync::Arc;

use bspm_core::backend::{Shaped, SparseParts};
use sprs::{CsMatI, CsMatViewI};

/// A sparsity pattern with one scale per row, and with weights unless all entries are 1.
#[derive(Clone, Debug)]
pub(crate) struct ScaledPattern {
    pattern: CsMatI<(), u32>,
    /// The weights, in the order of the entries.
    pub(crate) weights: Option<Vec<f32>>,
    pub(crate) scale: Vec<f32>,
}

impl ScaledPattern {
    fn new(pattern: CsMatViewI<'_, (), u32>, weights: Option<&[f32]>, scale: &[f32]) -> Self {
        Self {
            pattern: pattern.to_owned(),
            weights: weights.map(<[f32]>::to_vec),
            scale: scale.to_vec(),
        }
    }

    /// `row_ends()[r]..row_ends()[r + 1]` is the range of row `r` in `columns()`.
    pub(crate) fn row_ends(&self) -> &[u32] {
        self.pattern.indptr().into_raw_storage()
    }

    pub(crate) fn columns(&self) -> &[u32] {
        self.pattern.indices()
    }

    /// The columns of a row and their weights.
    pub(crate) fn row(&self, row: u32) -> (&[u32], Option<&[f32]>) {
        let ends = self.row_ends();
        let place = ends[row as usize] as usize..ends[row as usize + 1] as usize;
        let weights = self.weights.as_ref().map(|weights| &weights[place.clone()]);
        (&self.columns()[place], weights)
    }
}

/// The two halves of the walk.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    pub(crate) to_users: ScaledPattern,
    pub(crate) to_items: ScaledPattern,
}

/// A sparse matrix in memory.
#[derive(Clone, Debug)]
pub struct CpuSparse(Kind);

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Walk(Box<Walk>),
    ItemGraph(Arc<CsMatI<f32, u32>>),
}

impl CpuSparse {
    pub(crate) fn new(parts: SparseParts<'_>) -> Self {
        Self(match parts {
            SparseParts::Walk {
                user_items,
                item_users,
                user_scale,
                item_scale,
                weights,
            } => Kind::Walk(Box::new(Walk {
                to_users: ScaledPattern::new(user_items, weights.map(|it| it.0), user_scale),
                to_items: ScaledPattern::new(item_users, weights.map(|it| it.1), item_scale),
            })),
            SparseParts::ItemGraph(weights) if weights.is_csr() => Kind::ItemGraph(weights),
            SparseParts::ItemGraph(weights) => Kind::ItemGraph(Arc::new(weights.to_csr())),
        })
    }

    pub(crate) fn kind(&self) -> &Kind {
        &self.0
    }
}

impl Shaped for CpuSparse {
    fn shape(&self) -> (usize, usize) {
        match &self.0 {
            Kind::Walk(walk) => walk.to_users.pattern.shape(),
            Kind::ItemGraph(weights) => weights.shape(),
        }
    }
}

/// The columns and values of a row.
pub(crate) fn row_of(weights: &CsMatI<f32, u32>, row: usize) -> (&[u32], &[f32]) {
    let ends = weights.indptr();
    let ends = ends.into_raw_storage();
    let place = ends[row] as usize..ends[row + 1] as usize;
    (&weights.indices()[place.clone()], &weights.data()[place])
}
