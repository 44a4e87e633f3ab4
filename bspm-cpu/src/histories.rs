//! The histories of a tile of users: weighted sparse columns.

use bspm_core::{Error, Result};

/// One sparse column of weighted items per user of a tile.
#[derive(Clone, Debug)]
pub struct CpuHistories {
    columns: Vec<Vec<(u32, f32)>>,
    items: usize,
}

impl CpuHistories {
    pub(crate) fn new(histories: &[&[u32]], weights: &[f32], columns: usize) -> Result<Self> {
        if histories.len() > columns {
            return Err(Error::ShapeMismatch {
                operation: "upload_histories",
                left: (weights.len(), histories.len()),
                right: (weights.len(), columns),
            });
        }
        let weighted = |&item: &u32| match weights.get(item as usize) {
            Some(&weight) => Ok((item, weight)),
            None => Err(Error::UnknownItem {
                item,
                items: weights.len(),
            }),
        };
        let mut weighted_columns = Vec::with_capacity(columns);
        for history in histories {
            weighted_columns.push(history.iter().map(weighted).collect::<Result<_>>()?);
        }
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
