//! Entries grouped by row.

use std::num::NonZero;
use std::thread;

/// The number of entries up to which a second thread is not worth its start.
const SHARE: usize = 1 << 16;

/// Entries of type `T` grouped by row. The entries of a row are in the order in which they were given.
#[derive(Debug)]
pub(crate) struct Grouped<T> {
    /// The start of each row, and the end of the last row.
    ends: Vec<u32>,
    entries: Vec<T>,
}

impl<T: Copy + Default + Send> Grouped<T> {
    /// Groups entries, which must be less than 2^32, by their rows, which must be below `rows`. Cost: a
    /// counting sort.
    pub(crate) fn new(rows: usize, entries: impl Iterator<Item = (u32, T)> + Clone) -> Self {
        // The number of entries of a row is two places after the row, so that the start of the row comes
        // to the place after it, and becomes its end while the entries are placed.
        let mut ends = vec![0_u32; rows + 2];
        for (row, _) in entries.clone() {
            ends[row as usize + 2] += 1;
        }
        for row in 0..rows {
            ends[row + 2] += ends[row + 1];
        }
        let count = ends.pop().unwrap_or_default();
        let mut grouped = vec![T::default(); count as usize];
        for (row, entry) in entries {
            let place = &mut ends[row as usize + 1];
            grouped[*place as usize] = entry;
            *place += 1;
        }
        Self {
            ends,
            entries: grouped,
        }
    }

    /// Applies `sort` to the entries of each row, on all threads.
    pub(crate) fn sort_rows(&mut self, sort: impl Fn(&mut [T]) + Sync) {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        sort_rows(&self.ends, &mut self.entries, threads, &sort);
    }

    /// Removes the entries for which `keep` returns false. Its arguments are the last entry that was kept
    /// in the same row, if there is one, and the entry.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(Option<&mut T>, T) -> bool) {
        let (mut start, mut kept) = (0, 0);
        for end in &mut self.ends[1..] {
            let first = kept;
            for place in start..*end as usize {
                let entry = self.entries[place];
                if keep(self.entries[first..kept].last_mut(), entry) {
                    self.entries[kept] = entry;
                    kept += 1;
                }
            }
            start = *end as usize;
            *end = kept as u32;
        }
        self.entries.truncate(kept);
    }

    /// The entries of each row.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[T]> {
        let ends = self.ends.windows(2);
        ends.map(|ends| &self.entries[ends[0] as usize..ends[1] as usize])
    }

    /// The start of each row with the end of the last row, and the entries.
    pub(crate) fn into_parts(self) -> (Vec<u32>, Vec<T>) {
        (self.ends, self.entries)
    }
}

/// Sorts rows. `entries` are those from the first to the last of `ends`.
fn sort_rows<T: Send>(
    ends: &[u32],
    entries: &mut [T],
    threads: usize,
    sort: &(impl Fn(&mut [T]) + Sync),
) {
    let middle = ends.len() / 2;
    if threads > 1 && entries.len() > SHARE && ends.len() > 2 {
        let (left, right) = entries.split_at_mut((ends[middle] - ends[0]) as usize);
        thread::scope(|scope| {
            scope.spawn(|| sort_rows(&ends[..=middle], left, threads / 2, sort));
            sort_rows(&ends[middle..], right, threads.div_ceil(2), sort);
        });
        return;
    }
    let mut rest = entries;
    for ends in ends.windows(2) {
        let (row, others) = rest.split_at_mut((ends[1] - ends[0]) as usize);
        sort(row);
        rest = others;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_a_row_keep_their_order() {
        let entries = [(2, 'c'), (0, 'b'), (2, 'a'), (0, 'd')];
        let grouped = Grouped::new(4, entries.into_iter());
        let rows: Vec<String> = grouped.rows().map(|row| row.iter().collect()).collect();
        assert_eq!(rows, ["bd", "", "ca", ""]);
    }

    #[test]
    fn each_row_is_sorted_also_if_several_threads_share_the_rows() {
        let entry = |place: u32| (place * 7919 % 1000, u32::MAX - place);
        let mut grouped = Grouped::new(1000, (0..4 * SHARE as u32).map(entry));
        grouped.sort_rows(<[u32]>::sort);
        let mut count = 0;
        for row in grouped.rows() {
            assert!(row.is_sorted());
            count += row.len();
        }
        assert_eq!(count, 4 * SHARE);
    }

    #[test]
    fn an_entry_is_compared_with_the_kept_entry_of_its_row_only() {
        let entries = [(0, 5), (0, 5), (1, 5), (1, 6), (3, 6), (3, 6), (3, 6)];
        let mut grouped = Grouped::new(4, entries.into_iter());
        grouped.retain(|last, entry| last.as_deref() != Some(&entry));
        assert_eq!(
            grouped.into_parts(),
            (vec![0, 1, 3, 3, 4], vec![5, 5, 6, 6])
        );
    }
}
