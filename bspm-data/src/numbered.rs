//! Numbers for the distinct values of a column.

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;

/// The distinct values of a column in the order of their first occurrence, and the number of the value of
/// each row.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbered<T> {
    /// The distinct values.
    pub values: Vec<T>,
    /// The index of the value of each row in `values`.
    pub numbers: Vec<u32>,
}

impl<T: Copy + Eq + Hash> Numbered<T> {
    /// Numbers the values of a column. Cost: one hash for each row.
    pub fn of(column: impl IntoIterator<Item = T>) -> Self {
        let mut places: HashMap<T, u32, RandomState> = HashMap::default();
        let mut values = Vec::new();
        let numbers = column.into_iter().map(|value| {
            *places.entry(value).or_insert_with(|| {
                values.push(value);
                values.len() as u32 - 1
            })
        });
        let numbers = numbers.collect();
        Self { values, numbers }
    }
}

impl Numbered<i64> {
    /// Like [`of`](Self::of), without hashes if the range of the integers is not much larger than the
    /// number of rows.
    pub fn of_integers(column: &[i64]) -> Self {
        let first = column.first().copied().unwrap_or_default();
        let ends = column
            .iter()
            .copied()
            .fold((first, first), |(least, largest), value| {
                (least.min(value), largest.max(value))
            });
        let (least, range) = (ends.0, ends.1.abs_diff(ends.0));
        if range / 4 > column.len() as u64 {
            return Self::of(column.iter().copied());
        }
        const NEW: u32 = u32::MAX;
        let mut table = vec![NEW; range as usize + 1];
        let mut values = Vec::new();
        let numbers = column.iter().map(|&value| {
            let number = &mut table[value.abs_diff(least) as usize];
            if *number == NEW {
                *number = values.len() as u32;
                values.push(value);
            }
            *number
        });
        let numbers = numbers.collect();
        Self { values, numbers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_numbered_by_first_occurrence() {
        let found = Numbered::of(["b", "a", "b", "c"]);
        assert_eq!(
            (found.values, found.numbers),
            (vec!["b", "a", "c"], vec![0, 1, 0, 2])
        );
    }

    #[test]
    fn integers_get_the_same_numbers_from_a_table_and_from_hashes() {
        for column in [
            vec![7, -3, 7, 0, -3, 8],
            vec![i64::MAX, i64::MIN, 0, i64::MAX],
            vec![i64::MIN, i64::MIN + 1, i64::MIN],
            vec![i64::MAX],
            vec![],
        ] {
            let found = Numbered::of_integers(&column);
            assert_eq!(found, Numbered::of(column.iter().copied()));
            let decoded: Vec<i64> = found
                .numbers
                .iter()
                .map(|&it| found.values[it as usize])
                .collect();
            assert_eq!(decoded, column);
        }
    }
}
