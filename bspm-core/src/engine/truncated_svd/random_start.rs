//! The random start of the iteration: a sparse sign matrix.

use std::ops::Range;

use rand::rngs::ChaCha8Rng;
use rand::seq::index::sample;
use rand::{RngExt, SeedableRng};

use crate::backend::{Backend, Checked, Operand};
use crate::engine::tiles::{map_tiles, tile_ranges};
use crate::engine::walk::NormalizedGraph;
use bspm_data::{History, Result};

/// The number of entries of each item (Martinsson and Tropp 2020, "Randomized numerical linear algebra",
/// section 9.2).
const ENTRIES_PER_ITEM: usize = 8;

/// Returns a random matrix, `items x columns`. Each row has eight entries, 1 or -1, in random columns, so that the
/// matrix is created on the device from few numbers.
pub(super) fn random_start<B: Backend>(
    backend: Checked<'_, B>,
    graph: &NormalizedGraph<B>,
    columns: usize,
    seed: u64,
) -> Result<B::Matrix> {
    let items = graph.items();
    let signs = SparseSigns::new(items, columns, seed);
    let weights = vec![1.0; items];
    let ranges = tile_ranges(columns, graph.tile_columns());
    map_tiles(backend, (), &ranges, |_, (), range| {
        let width = range.len();
        let entries = backend.upload_histories(&signs.columns(range), &weights, width)?;
        let mut tile = backend.zeros(items, width)?;
        backend.add_scaled(1.0, Operand::Histories(&entries), 1.0, &mut tile)?;
        Ok(tile)
    })
}

/// Compressed sparse columns.
struct SparseSigns {
    ends: Vec<usize>,
    items: Vec<u32>,
    signs: Vec<f32>,
}

impl SparseSigns {
    fn new(items: usize, columns: usize, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let per_item = ENTRIES_PER_ITEM.min(columns);
        let mut columns_of_items = Vec::with_capacity(items * per_item);
        for _ in 0..items {
            columns_of_items.extend(sample(&mut random, columns, per_item));
        }
        let mut ends = vec![0; columns + 1];
        for &column in &columns_of_items {
            ends[column + 1] += 1;
        }
        for column in 0..columns {
            ends[column + 1] += ends[column];
        }
        let mut next = ends.clone();
        let mut items_of_columns = vec![0; columns_of_items.len()];
        for (place, column) in columns_of_items.into_iter().enumerate() {
            items_of_columns[next[column]] = (place / per_item) as u32;
            next[column] += 1;
        }
        let sign = |_| if random.random() { 1.0 } else { -1.0 };
        Self {
            signs: (0..items_of_columns.len()).map(sign).collect(),
            items: items_of_columns,
            ends,
        }
    }

    fn columns(&self, columns: Range<usize>) -> Vec<History<'_>> {
        columns
            .map(|column| {
                let entries = self.ends[column]..self.ends[column + 1];
                History::new(&self.items[entries.clone()], Some(&self.signs[entries]))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_has_eight_entries_in_distinct_columns() {
        let (items, columns) = (300, 40);
        let signs = SparseSigns::new(items, columns, 7);
        let mut entries = vec![0; items];
        for history in signs.columns(0..columns) {
            assert!(history.items().is_sorted_by(|left, right| left < right));
            for (item, sign) in history.entries() {
                entries[item as usize] += 1;
                assert_eq!(sign.abs(), 1.0);
            }
        }
        assert_eq!(entries, vec![ENTRIES_PER_ITEM; items]);
        assert!(signs.signs.contains(&1.0) && signs.signs.contains(&-1.0));
        assert_eq!(SparseSigns::new(5, 3, 0).items.len(), 15);
    }
}
