//! The rows of a pattern side by side, for products with a single column.
//!
//! A product with a single column spends so little on a row that it matters whether the processor
//! foresees where the row ends, and whether it takes several entries at once. So rows are sorted by
//! their length, and [`LANES`] of them stand side by side: first the first entry of each, then the
//! second, and so on (sliced ELLPACK with sorted rows: Kreutzer et al. 2014, SIAM Journal on
//! Scientific Computing 36(5), "A Unified Sparse Matrix Data Format for Efficient General Sparse
//! Matrix-Vector Multiplication on Modern Processors with Wide SIMD Units").

use sprs::CsMatViewI;

/// How many rows stand side by side.
pub(crate) const LANES: usize = 16;

/// One entry of each lane.
pub(crate) type Lanes<T> = [T; LANES];

/// A longer row has all lanes of a group for itself. So no more than `LANES * LONGEST` places are
/// filled up between rows of different lengths.
const LONGEST: usize = 256;

/// All rows of a pattern, in groups.
#[derive(Clone, Debug)]
pub(crate) struct RowGroups {
    groups: Vec<Group>,
    /// In the order of the groups, as are the other vectors.
    rows: Vec<u32>,
    scale: Vec<f32>,
    columns: Columns,
    weights: Option<Vec<Lanes<f32>>>,
    reach: usize,
}

#[derive(Clone, Debug)]
struct Group {
    /// Entries of each lane.
    lengths: Lanes<u32>,
    is_one_row: bool,
    rows_end: usize,
    places_end: usize,
}

/// In two bytes where they fit: every product reads all of them, from far away.
#[derive(Clone, Debug)]
pub(crate) enum Columns {
    Narrow(Vec<Lanes<u16>>),
    Wide(Vec<Lanes<u32>>),
}

/// One group of rows.
pub(crate) struct RowGroup<'a, T> {
    /// One for each of the first lanes, or the only one.
    pub(crate) rows: &'a [u32],
    /// What the sum of each row is multiplied by.
    pub(crate) scale: &'a [f32],
    /// Whether the lanes are parts of one row.
    pub(crate) is_one_row: bool,
    /// How many entries each lane has.
    pub(crate) lengths: &'a Lanes<u32>,
    /// As many as the longest lane has entries; others are filled up.
    pub(crate) columns: &'a [Lanes<T>],
    /// As many as columns; none where all are 1.
    pub(crate) weights: &'a [Lanes<f32>],
}

impl RowGroups {
    pub(super) fn new(
        pattern: CsMatViewI<'_, (), u32>,
        weights: Option<&[f32]>,
        scale: &[f32],
    ) -> Self {
        let ends = pattern.indptr();
        let ends = ends.raw_storage();
        let length = |row: u32| (ends[row as usize + 1] - ends[row as usize]) as usize;
        let mut rows: Vec<u32> = (0..pattern.rows() as u32).collect();
        rows.sort_by_key(|&row| length(row));
        let (short, long) = rows.split_at(rows.partition_point(|&row| length(row) <= LONGEST));

        let mut groups = Vec::new();
        let (mut rows_end, mut places_end) = (0, 0);
        let mut push = |rows: usize, lengths: Lanes<u32>, is_one_row| {
            rows_end += rows;
            places_end += lengths.iter().max().map_or(0, |&most| most as usize);
            groups.push(Group {
                lengths,
                is_one_row,
                rows_end,
                places_end,
            });
        };
        for rows in short.chunks(LANES) {
            let lengths = |lane: usize| rows.get(lane).map_or(0, |&row| length(row) as u32);
            push(rows.len(), std::array::from_fn(lengths), false);
        }
        for &row in long {
            let lengths = |lane: usize| (length(row) - lane).div_ceil(LANES) as u32;
            push(1, std::array::from_fn(lengths), true);
        }

        let entries = pattern.indices();
        let reach = entries.iter().max().map_or(0, |&most| most as usize + 1);
        let layout = Layout {
            groups: &groups,
            rows: &rows,
            ends,
        };
        Self {
            columns: if reach <= 1 << u16::BITS {
                Columns::Narrow(layout.filled(|entry| entries[entry] as u16))
            } else {
                Columns::Wide(layout.filled(|entry| entries[entry]))
            },
            weights: weights.map(|weights| layout.filled(|entry| weights[entry])),
            scale: rows.iter().map(|&row| scale[row as usize]).collect(),
            groups,
            rows,
            reach,
        }
    }

    pub(crate) fn columns(&self) -> &Columns {
        &self.columns
    }

    pub(crate) fn is_weighted(&self) -> bool {
        self.weights.is_some()
    }

    /// One more than the largest column.
    pub(crate) fn reach(&self) -> usize {
        self.reach
    }

    /// All groups, with their part of `columns`, which are [`columns`](Self::columns).
    #[inline(always)]
    pub(crate) fn iter<'a, T>(
        &'a self,
        columns: &'a [Lanes<T>],
    ) -> impl Iterator<Item = RowGroup<'a, T>> {
        let (mut rows_end, mut places_end) = (0, 0);
        self.groups.iter().map(move |group| {
            let rows = rows_end..group.rows_end;
            let places = places_end..group.places_end;
            (rows_end, places_end) = (group.rows_end, group.places_end);
            RowGroup {
                rows: &self.rows[rows.clone()],
                scale: &self.scale[rows],
                is_one_row: group.is_one_row,
                lengths: &group.lengths,
                weights: match &self.weights {
                    Some(weights) => &weights[places.clone()],
                    None => &[],
                },
                columns: &columns[places],
            }
        })
    }
}

/// Where the entries of the pattern stand.
struct Layout<'a> {
    groups: &'a [Group],
    rows: &'a [u32],
    /// Of the rows in the pattern.
    ends: &'a [u32],
}

impl Layout<'_> {
    /// The value of each entry in its place.
    fn filled<T: Copy + Default>(&self, value: impl Fn(usize) -> T) -> Vec<Lanes<T>> {
        let most = self.groups.last().map_or(0, |group| group.places_end);
        let mut filled = vec![[T::default(); LANES]; most];
        let (mut rows_end, mut places_end) = (0, 0);
        for group in self.groups {
            let rows = &self.rows[rows_end..group.rows_end];
            let start_of = |row: u32| self.ends[row as usize] as usize;
            let places = &mut filled[places_end..group.places_end];
            for (lane, &length) in group.lengths.iter().enumerate() {
                let (first, step) = match rows.get(lane) {
                    _ if group.is_one_row => (start_of(rows[0]) + lane, LANES),
                    Some(&row) => (start_of(row), 1),
                    None => break,
                };
                let entries = (first..).step_by(step).take(length as usize);
                for (lanes, entry) in places.iter_mut().zip(entries) {
                    lanes[lane] = value(entry);
                }
            }
            (rows_end, places_end) = (group.rows_end, group.places_end);
        }
        filled
    }
}
