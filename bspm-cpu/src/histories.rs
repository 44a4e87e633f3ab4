//! The histories of a tile of users: weighted sparse columns.

use bspm_core::Result;
use bspm_core::backend::check;

/// One sparse column of weighted items per user of a tile.
#[derive(Clone, Debug)]
pub struct CpuHistories {
    columns: Vec<Vec<(u32, f32)>>,
    items: usize,
}

impl CpuHistories {
    pub(crate) fn new(histories: &[&[u32]], weights: &[f32], columns: usize) -> Result<Self> {
        check::histories("upload_histories", histories, weights.len(), columns)?;
        let weighted = |&item: &u32| (item, weights[item as usize]);
        let mut weighted_columns: Vec<Vec<(u32, f32)>> = histories
            .iter()
            .map(|history| history.iter().map(weighted).collect())
            .collect();
        weighted_columns.resize(columns, Vec::new());
        Ok(Self {
            columns: weighted_columns,
            items: weights.len(),
        })
    }

    /// `items x columns`.
    pub(crate) fn shape(&self) -> (usize, usize) {
        (self.items, self.columns.len())
    }

    /// The column of each user, with its place.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (usize, &[(u32, f32)])> {
        self.columns.iter().map(Vec::as_slice).enumerate()
    }
}
