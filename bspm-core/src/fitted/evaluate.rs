//! Ranking metrics at several cut-offs in one pass.

use serde::{Deserialize, Serialize};

use super::rank::RankOptions;
use super::rerank::Rerank;
use crate::observe::Observer;
use bspm_data::UnknownIds;
use bspm_data::parameter::invalid;
use bspm_data::{Error, Result};

/// Options of an evaluation: the cut-offs, and how to handle unknown users. A list of cut-offs converts
/// to options.
///
/// # Examples
///
/// ```
/// use bspm_core::{EvaluateOptions, UnknownIds};
///
/// let options = EvaluateOptions::at([10, 20]).unknown_users(UnknownIds::Skip);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct EvaluateOptions {
    pub(crate) cutoffs: Vec<usize>,
    pub(crate) unknown_users: UnknownIds,
    pub(crate) batch_size: usize,
    pub(crate) rerank: Rerank,
    pub(crate) observer: Observer,
}

impl EvaluateOptions {
    /// Returns options with these cut-offs; unknown users are errors.
    pub fn at(cutoffs: impl Into<Vec<usize>>) -> Self {
        Self {
            cutoffs: cutoffs.into(),
            unknown_users: UnknownIds::Error,
            batch_size: 2048,
            rerank: Rerank::new(),
            observer: Observer::default(),
        }
    }

    /// Sets how to handle users that the model does not know.
    pub fn unknown_users(mut self, unknown_users: UnknownIds) -> Self {
        self.unknown_users = unknown_users;
        self
    }

    /// Sets the number of users that are ranked before their lists are evaluated and dropped. Default:
    /// 2048.
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = batch_size;
        self
    }

    /// Sets how the lists are re-ranked before they are evaluated. A diverse list is selected for the largest
    /// cut-off. Default: not at all.
    pub fn rerank(mut self, rerank: Rerank) -> Self {
        self.rerank = rerank;
        self
    }

    /// Sets the observer of the number of ranked users.
    pub fn observer(mut self, observer: Observer) -> Self {
        self.observer = observer;
        self
    }
}

impl EvaluateOptions {
    /// Returns how to rank the lists of `k` items that are evaluated.
    pub(super) fn rank_options(&self, k: usize) -> RankOptions {
        RankOptions::top(k)
            .batch_size(self.batch_size)
            .rerank(self.rerank.clone())
            .observer(self.observer.clone())
    }
}

impl<T: Into<Vec<usize>>> From<T> for EvaluateOptions {
    fn from(cutoffs: T) -> Self {
        Self::at(cutoffs)
    }
}

macro_rules! metrics {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// Mean metrics over the evaluated users at a cut-off `k`.
        ///
        /// A *hit* is a recommended item that is one of the user's test items, and `n` is the number of
        /// test items. Every metric is between 0 and 1.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[non_exhaustive]
        pub struct Metrics {
            $($(#[doc = $doc])* pub $name: f64,)*
        }

        impl Metrics {
            /// The names of all metrics.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// The values, in the order of [`NAMES`](Self::NAMES).
            pub fn values(&self) -> Vec<f64> {
                vec![$(self.$name),*]
            }

            pub(super) fn add(&mut self, other: Self) {
                $(self.$name += other.$name;)*
            }

            pub(super) fn times(self, factor: f64) -> Self {
                Self {
                    $($name: self.$name * factor,)*
                }
            }
        }
    };
}

metrics! {
    /// Hits divided by `n`.
    recall,
    /// Hits divided by `k`.
    precision,
    /// Normalized discounted cumulative gain with binary relevance: the sum of `1 / log2(rank + 1)` over
    /// the hits, divided by that of an ideal list with `min(k, n)` hits at the top.
    ndcg,
    /// Share of users with at least one hit.
    hit_rate,
    /// Mean reciprocal rank: `1 / rank` of the first hit.
    mrr,
    /// Mean average precision: the sum over the hits of the precision at their rank, divided by
    /// `min(k, n)`.
    map,
}

/// Accumulates [`Metrics`] at several cut-offs.
///
/// The mean is over the users with test items, as in the evaluation of LightGCN, GF-CF and BSPM; users
/// without test items are ignored.
///
/// # Examples
///
/// ```
/// use bspm_core::Evaluator;
///
/// let mut evaluator = Evaluator::new(&[1, 2])?;
/// evaluator.add([7, 3], &[3, 9]);
/// let [at_1, at_2] = evaluator.means()[..] else { unreachable!() };
/// assert_eq!((at_1.recall, at_2.recall), (0.0, 0.5));
/// assert_eq!(at_2.mrr, 0.5);
/// # Ok::<(), bspm_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluator {
    cutoffs: Vec<usize>,
    sums: Vec<Metrics>,
    users: usize,
    /// `discounts[rank]` for ranks from 0.
    discounts: Vec<f64>,
    /// `ideal_gains[n]`: the gain of `n` hits at the top of the list.
    ideal_gains: Vec<f64>,
}

impl Evaluator {
    /// The largest cut-off.
    pub const MAX_CUTOFF: usize = 1_000_000;

    /// Creates an evaluator at the given cut-offs, in any order.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) if there is no cut-off, or if one is 0 or
    /// above [`MAX_CUTOFF`](Self::MAX_CUTOFF).
    pub fn new(cutoffs: &[usize]) -> Result<Self> {
        let expected = format!("one or more cut-offs from 1 to {}", Self::MAX_CUTOFF);
        let Some(&largest) = cutoffs.iter().max() else {
            return Err(invalid("k", expected, "none"));
        };
        if let Some(cutoff) = cutoffs
            .iter()
            .find(|&cutoff| !(1..=Self::MAX_CUTOFF).contains(cutoff))
        {
            return Err(invalid("k", expected, cutoff));
        }
        let discounts: Vec<f64> = (0..largest)
            .map(|rank| 1.0 / (rank as f64 + 2.0).log2())
            .collect();
        let ideal_gains = std::iter::once(0.0)
            .chain(discounts.iter().scan(0.0, |gain, discount| {
                *gain += discount;
                Some(*gain)
            }))
            .collect();
        Ok(Self {
            cutoffs: cutoffs.to_vec(),
            sums: vec![Metrics::default(); cutoffs.len()],
            users: 0,
            discounts,
            ideal_gains,
        })
    }

    /// The cut-offs, in the order given to [`new`](Self::new).
    pub fn cutoffs(&self) -> &[usize] {
        &self.cutoffs
    }

    /// The largest cut-off, which is the required length of the lists.
    pub fn largest_cutoff(&self) -> usize {
        self.discounts.len()
    }

    /// Adds one user: the recommended items, best first, and the test items, in any order.
    ///
    /// If a list is shorter than a cut-off, the missing entries are not hits. A repeated item is a hit only at its
    /// first place, and a repeated test item counts once.
    pub fn add(&mut self, recommended: impl IntoIterator<Item = u32>, relevant: &[u32]) {
        let mut relevant = relevant.to_vec();
        relevant.sort_unstable();
        relevant.dedup();
        self.add_ranks(&self.hits(recommended, &relevant), relevant.len());
    }

    /// Computes the metrics of one user at each cut-off, from the recommended items, best first, and the test
    /// items, in ascending order. There must be at least one test item.
    pub(crate) fn of_user(
        &self,
        recommended: impl IntoIterator<Item = u32>,
        relevant: &[u32],
    ) -> Vec<Metrics> {
        self.of_ranks(&self.hits(recommended, relevant), relevant.len())
    }

    /// Returns the ranks, from 0, of the test items in a list. The test items are distinct and in ascending order.
    fn hits(&self, recommended: impl IntoIterator<Item = u32>, relevant: &[u32]) -> Vec<u32> {
        let mut is_left = vec![true; relevant.len()];
        let ranked = (0..).zip(recommended.into_iter().take(self.largest_cutoff()));
        let hits = ranked.filter(|(_, item)| {
            let place = relevant.binary_search(item);
            place.is_ok_and(|place| std::mem::take(&mut is_left[place]))
        });
        hits.map(|(rank, _)| rank).collect()
    }

    /// Adds one user: the ranks of the hits, from 0 and in ascending order, and the number of test items.
    pub(crate) fn add_ranks(&mut self, ranks: &[u32], relevant: usize) {
        if relevant == 0 {
            return;
        }
        self.users += 1;
        let metrics = self.of_ranks(ranks, relevant);
        for (sum, metrics) in self.sums.iter_mut().zip(metrics) {
            sum.add(metrics);
        }
    }

    fn of_ranks(&self, ranks: &[u32], relevant: usize) -> Vec<Metrics> {
        let at = |&cutoff: &usize| {
            let hits = &ranks[..ranks.partition_point(|&rank| (rank as usize) < cutoff)];
            let reachable = relevant.min(cutoff);
            let gains = hits.iter().map(|&rank| self.discounts[rank as usize]);
            let precisions = hits
                .iter()
                .enumerate()
                .map(|(earlier, &rank)| (earlier + 1) as f64 / f64::from(rank + 1));
            // The sum of no numbers is -0.
            let gain = 0.0 + gains.sum::<f64>();
            let precisions = 0.0 + precisions.sum::<f64>();
            Metrics {
                recall: hits.len() as f64 / relevant as f64,
                precision: hits.len() as f64 / cutoff as f64,
                ndcg: gain / self.ideal_gains[reachable],
                hit_rate: f64::from(u8::from(!hits.is_empty())),
                mrr: hits.first().map_or(0.0, |&rank| 1.0 / f64::from(rank + 1)),
                map: precisions / reachable as f64,
            }
        };
        self.cutoffs.iter().map(at).collect()
    }

    /// Returns an evaluator with the same cut-offs and without users.
    pub(crate) fn blank(&self) -> Self {
        Self {
            sums: vec![Metrics::default(); self.cutoffs.len()],
            users: 0,
            ..self.clone()
        }
    }

    /// Whether another evaluator has the same cut-offs, and sums that are possible for `users` users.
    pub(crate) fn could_become(&self, other: &Self, users: usize) -> bool {
        let most = other.users as f64 * (1.0 + 1e-9);
        let is_share = |sum: &f64| (0.0..=most).contains(sum);
        other.cutoffs == self.cutoffs
            && other.discounts == self.discounts
            && other.ideal_gains == self.ideal_gains
            && other.sums.len() == self.sums.len()
            && other.users <= users
            && other
                .sums
                .iter()
                .all(|sums| sums.values().iter().all(is_share))
    }

    /// Adds the users of another evaluator at the same cut-offs.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.users += other.users;
        for (sum, more) in self.sums.iter_mut().zip(&other.sums) {
            sum.add(*more);
        }
    }

    /// The number of users with test items that were added.
    pub fn users(&self) -> usize {
        self.users
    }

    /// The means at each cut-off, in the order given to [`new`](Self::new); [`f64::NAN`] if no user was
    /// added.
    pub fn means(&self) -> Vec<Metrics> {
        let share = 1.0 / self.users as f64;
        self.sums.iter().map(|sum| sum.times(share)).collect()
    }
}

/// Returns the error for a split without test interactions.
pub(crate) fn nothing_held_out() -> Error {
    Error::NothingToEvaluate {
        reason: "no user has a held-out interaction; hint: only users with at least two interactions can \
                 have one held out"
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn every_metric_of_a_worked_case() {
        // Hits at ranks 2 and 4 of 5; three test items.
        let mut evaluator = Evaluator::new(&[5, 2]).unwrap();
        evaluator.add([9, 1, 8, 2, 7], &[1, 2, 3]);
        let means = evaluator.means();
        let (at_5, at_2) = (means[0], means[1]);
        assert_relative_eq!(at_5.recall, 2.0 / 3.0);
        assert_relative_eq!(at_5.precision, 0.4);
        let ideal_of_3 = 1.0 + 1.0 / 3_f64.log2() + 0.5;
        assert_relative_eq!(
            at_5.ndcg,
            (1.0 / 3_f64.log2() + 1.0 / 5_f64.log2()) / ideal_of_3
        );
        assert_relative_eq!(at_5.mrr, 0.5);
        assert_relative_eq!(at_5.map, (0.5 + 0.5) / 3.0);
        assert_relative_eq!(at_5.hit_rate, 1.0);
        // The ideal list is cut at min(k, n) = 2.
        let ideal_of_2 = 1.0 + 1.0 / 3_f64.log2();
        assert_relative_eq!(at_2.ndcg, (1.0 / 3_f64.log2()) / ideal_of_2);
        assert_relative_eq!(at_2.map, 0.5 / 2.0);
    }

    #[test]
    fn the_order_of_test_items_and_repeated_items_do_not_change_the_metrics() {
        let means = |list: [u32; 4], relevant: &[u32]| {
            let mut evaluator = Evaluator::new(&[4]).unwrap();
            evaluator.add(list, relevant);
            evaluator.means()[0]
        };
        let expected = means([9, 2, 8, 1], &[1, 2, 3]);
        assert_eq!(means([9, 2, 8, 1], &[3, 1, 2, 1]), expected);
        assert_eq!(means([9, 2, 2, 1], &[2, 3, 1]), expected);
    }

    #[test]
    fn users_without_test_items_are_left_out_of_the_mean() {
        let mut evaluator = Evaluator::new(&[1]).unwrap();
        evaluator.add([1], &[1]);
        evaluator.add([1], &[]);
        evaluator.add([1], &[2]);
        assert_eq!(evaluator.users(), 2);
        assert_eq!(evaluator.means()[0].recall, 0.5);
    }

    #[test]
    fn a_short_list_lacks_the_hits_it_does_not_hold() {
        let mut evaluator = Evaluator::new(&[10]).unwrap();
        evaluator.add([], &[4]);
        evaluator.add([4], &[4]);
        assert_eq!(evaluator.means()[0].ndcg, 0.5);
        assert_eq!(evaluator.means()[0].precision, 0.05);
    }

    #[test]
    fn impossible_cutoffs_are_refused() {
        for (cutoffs, found) in [
            (&[][..], "none"),
            (&[20, 0], "0"),
            (&[1_000_001], "1000001"),
        ] {
            assert_eq!(
                Evaluator::new(cutoffs).unwrap_err().to_string(),
                format!("k: expected one or more cut-offs from 1 to 1000000, found {found}")
            );
        }
    }
}
