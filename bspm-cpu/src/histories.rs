//! The histories of a tile of users: weighted sparse columns.

use bspm_core::backend::Shaped;
use bspm_core::data::History;

use crate::matrix::CpuMatrix;

/// One sparse column of weighted items per user of a tile.
#[derive(Clone, Debug)]
pub struct CpuHistories {
    columns: Vec<Vec<(u32, f32)>>,
    items: usize,
}

impl CpuHistories {
    pub(crate) fn new(histories: &[History<'_>], weights: &[f32], columns: usize) -> Self {
        let weighted = |(item, count): (u32, f32)| (item, count * weights[item as usize]);
        let mut weighted_columns: Vec<Vec<(u32, f32)>> = histories
            .iter()
            .map(|history| history.entries().map(weighted).collect())
            .collect();
        weighted_columns.resize(columns, Vec::new());
        Self {
            columns: weighted_columns,
            items: weights.len(),
        }
    }

    /// The column of each user, with its index.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (usize, &[(u32, f32)])> {
        self.columns.iter().map(Vec::as_slice).enumerate()
    }

    /// The item of each history of a single item, with its column and its weight.
    pub(crate) fn single_items(&self) -> impl Iterator<Item = (usize, (u32, f32))> {
        self.columns()
            .filter_map(|(column, history)| match history {
                [only] => Some((column, *only)),
                _ => None,
            })
    }

    /// Whether no history has more than one item.
    pub(crate) fn are_single_items(&self) -> bool {
        self.columns.iter().all(|history| history.len() <= 1)
    }

    /// `out += scale * histories`.
    pub(crate) fn add_to(&self, scale: f32, out: &mut CpuMatrix) {
        let stride = out.stride();
        let values = out.padded_mut();
        for (column, history) in self.columns() {
            for &(item, weight) in history {
                values[item as usize * stride + column] += scale * weight;
            }
        }
    }

    pub(crate) fn to_dense(&self) -> CpuMatrix {
        let (items, columns) = self.shape();
        let mut dense = CpuMatrix::zeros(items, columns);
        self.add_to(1.0, &mut dense);
        dense
    }
}

impl Shaped for CpuHistories {
    fn shape(&self) -> (usize, usize) {
        (self.items, self.columns.len())
    }
}
