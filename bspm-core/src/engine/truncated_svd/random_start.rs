//! The random start of the iteration: a sparse sign matrix.

use std::ops::Range;

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};
use sprs::{CsMatI, TriMatI};

use crate::backend::{Backend, Checked, Operand};
use crate::engine::tiles::{map_tiles, tile_ranges};
use crate::engine::walk::NormalizedGraph;
use bspm_data::{History, Result};

/// The number of entries of each item (Martinsson and Tropp 2020, "Randomized numerical linear algebra",
/// section 9.2).
const ENTRIES_PER_ITEM: usize = 8;

/// Returns a random matrix, `items x columns`, that does not depend on the tiles. Each row has eight entries, 1 or
/// -1, in different columns, so only eight numbers per item are copied to the device. No column is empty if there
/// are at most as many columns as items.
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

/// The signs in compressed sparse columns, `items x columns`.
struct SparseSigns(CsMatI<f32, u32>);

impl SparseSigns {
    fn new(items: usize, columns: usize, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let per_item = ENTRIES_PER_ITEM.min(columns);
        let mut entries = TriMatI::with_capacity((items, columns), items * per_item);
        let mut columns_of_item = Vec::with_capacity(per_item);
        for item in 0..items {
            columns_of_item.clear();
            columns_of_item.push((item % columns) as u32);
            while columns_of_item.len() < per_item {
                let column = random_below(columns, &mut random);
                if !columns_of_item.contains(&column) {
                    columns_of_item.push(column);
                }
            }
            for &column in &columns_of_item {
                entries.add_triplet(item, column as usize, 1.0);
            }
        }
        let mut signs: CsMatI<f32, u32> = entries.to_csc();
        for sign in signs.data_mut() {
            if random_below(2, &mut random) == 0 {
                *sign = -1.0;
            }
        }
        Self(signs)
    }

    fn columns(&self, columns: Range<usize>) -> Vec<History<'_>> {
        let ends = self.0.indptr();
        columns
            .map(|column| {
                let entries = ends.outer_inds_sz(column);
                History::new(
                    &self.0.indices()[entries.clone()],
                    Some(&self.0.data()[entries]),
                )
            })
            .collect()
    }
}

/// Returns a number below `count`, which is below 2^32.
fn random_below(count: usize, random: &mut impl Rng) -> u32 {
    ((u64::from(random.next_u32()) * count as u64) >> 32) as u32
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
        assert!(signs.0.data().contains(&1.0) && signs.0.data().contains(&-1.0));
    }

    #[test]
    fn no_column_is_empty() {
        for columns in [1, 3, 8, 9, 500] {
            let signs = SparseSigns::new(500, columns, 0);
            let histories = signs.columns(0..columns);
            assert!(histories.iter().all(|history| !history.items().is_empty()));
            assert_eq!(signs.0.nnz(), 500 * columns.min(8));
        }
    }
}
