//! Top-k selection of items.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// An item and its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoredItem {
    /// The item's column in the interaction matrix.
    pub item: u32,
    /// The score of the item; higher is better.
    pub score: f32,
}

/// Selects the top `k` of the offered scores.
///
/// Items are sorted by descending score, and items with equal scores by id, so the result does not depend
/// on the order of the offers. Cost: `O(log k)` for an item that enters the selection, `O(1)` for others.
///
/// # Examples
///
/// ```
/// use bspm_core::backend::TopK;
///
/// let mut best = TopK::new(2);
/// for (item, score) in [(0, 0.5), (1, 0.9), (2, 0.5), (3, 0.1)] {
///     best.offer(item, score);
/// }
/// let items: Vec<u32> = best.into_sorted().iter().map(|entry| entry.item).collect();
/// assert_eq!(items, [1, 0]);
/// ```
#[derive(Clone, Debug)]
pub struct TopK {
    k: usize,
    worst_first: BinaryHeap<WorstFirst>,
}

impl TopK {
    /// Creates an empty selection of at most `k` items.
    pub fn new(k: usize) -> Self {
        Self {
            k,
            worst_first: BinaryHeap::new(),
        }
    }

    /// The score that an item must reach to enter the selection; `-inf` if it is not full.
    pub fn threshold(&self) -> f32 {
        if self.worst_first.len() < self.k {
            return f32::NEG_INFINITY;
        }
        self.worst_first
            .peek()
            .map_or(f32::INFINITY, |worst| worst.0.score)
    }

    /// Offers an item. The two zeros are equal.
    pub fn offer(&mut self, item: u32, score: f32) {
        let score = score + 0.0;
        let entry = WorstFirst(ScoredItem { item, score });
        if self.worst_first.len() < self.k {
            self.worst_first.push(entry);
        } else if let Some(mut worst) = self.worst_first.peek_mut()
            && entry < *worst
        {
            *worst = entry;
        }
    }

    /// The selection, best first.
    pub fn into_sorted(self) -> Vec<ScoredItem> {
        self.worst_first
            .into_sorted_vec()
            .into_iter()
            .map(|entry| entry.0)
            .collect()
    }
}

/// Reverses the order, so that a max-heap has the worst entry on top.
#[derive(Clone, Copy, Debug)]
struct WorstFirst(ScoredItem);

impl Ord for WorstFirst {
    fn cmp(&self, other: &Self) -> Ordering {
        other
            .0
            .score
            .total_cmp(&self.0.score)
            .then(self.0.item.cmp(&other.0.item))
    }
}

impl PartialOrd for WorstFirst {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for WorstFirst {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for WorstFirst {}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(k: usize, scores: &[(u32, f32)]) -> Vec<u32> {
        let mut best = TopK::new(k);
        for &(item, score) in scores {
            best.offer(item, score);
        }
        best.into_sorted().iter().map(|entry| entry.item).collect()
    }

    #[test]
    fn ties_go_to_the_lower_id_in_any_order() {
        let mut scores = [(4, 1.0), (1, 1.0), (3, 2.0), (0, 1.0), (2, 1.0)];
        assert_eq!(select(3, &scores), [3, 0, 1]);
        scores.reverse();
        assert_eq!(select(3, &scores), [3, 0, 1]);
    }

    #[test]
    fn negative_zero_ties_with_zero() {
        assert_eq!(select(1, &[(0, -0.0), (1, 0.0)]), [0]);
        assert_eq!(select(1, &[(1, 0.0), (0, -0.0)]), [0]);
    }

    #[test]
    fn fewer_items_than_k_are_all_kept() {
        assert_eq!(select(9, &[(7, -1.0), (8, 0.0)]), [8, 7]);
        assert!(select(0, &[(7, 1.0)]).is_empty());
    }

    #[test]
    fn the_threshold_opens_and_then_rises() {
        let mut best = TopK::new(2);
        assert_eq!(best.threshold(), f32::NEG_INFINITY);
        best.offer(0, 3.0);
        best.offer(1, 1.0);
        assert_eq!(best.threshold(), 1.0);
        best.offer(2, 2.0);
        assert_eq!(best.threshold(), 2.0);
        assert_eq!(TopK::new(0).threshold(), f32::INFINITY);
    }
}
