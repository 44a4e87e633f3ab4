//! Re-ranking: boosts, limits for groups of items, and diverse lists.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use super::item_users::ItemUsers;
use crate::backend::ScoredItem;
use bspm_data::parameter::{check_positive, check_range, invalid};
use bspm_data::{Error, ItemGroups, ItemSet, ItemTable, Result};

/// How the scores and the order of a list are changed after the filter: boosts of items, a penalty for
/// popular items, limits for groups of items, and diversity.
///
/// A minimum score is compared with the score of the filter. Items that fill a list without a score
/// ([`Fallback::Popularity`](crate::Fallback::Popularity)) stay in their order; only limits apply to them.
///
/// Cost: with boosts, a penalty or limits, all items that the list may have are sorted. With diversity, each
/// place of the list takes a pass over the users of the candidates.
///
/// # Examples
///
/// ```
/// use bspm_core::data::ItemSet;
/// use bspm_core::fitted::Rerank;
///
/// let new = ItemSet::new(vec![false, false, true]);
/// let rerank = Rerank::new().boost(new, 1.5).diversity(0.3);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Rerank {
    boosts: Vec<(Arc<ItemSet>, f64)>,
    popularity_penalty: f64,
    limits: Vec<(Arc<ItemGroups>, usize)>,
    diversity: f64,
    method: DiversityMethod,
}

/// The error for a set of the rows of another table.
pub(crate) fn of_other_table(parameter: &'static str) -> Error {
    invalid(
        parameter,
        "rows of the item table of the data set of this model (Model::dataset)",
        "rows of another table, or of this table before items were added",
    )
}

/// How diverse lists are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DiversityMethod {
    /// Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): each step takes the item with
    /// the largest `(1 - diversity) relevance - diversity s`, with `s` the largest similarity to an
    /// item of the list.
    #[default]
    Mmr,
    /// Determinantal point process: the fast greedy MAP inference of Chen, Zhang and Zhou (NeurIPS
    /// 2018), whose kernel is `q_i s_ij q_j` with `q = exp((1 - diversity) relevance / (2 diversity))`.
    Dpp,
}

bspm_data::names! {
    DiversityMethod("diversity_method"):
    Mmr = "mmr",
    Dpp = "dpp",
}

impl Rerank {
    /// Returns options that change nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Multiplies the scores of the items of a set by a factor above 0; a score below 0 is divided by
    /// it, so that a factor above 1 always improves the rank. Factors of several sets are multiplied.
    pub fn boost(mut self, items: impl Into<Arc<ItemSet>>, factor: f64) -> Self {
        self.boosts.push((items.into(), factor));
        self
    }

    /// Boosts each item by `(1 + users of the item) ^ -penalty`. Default: 0, which changes nothing.
    pub fn popularity_penalty(mut self, penalty: f64) -> Self {
        self.popularity_penalty = penalty;
        self
    }

    /// Limits the number of items of each group in a list.
    pub fn at_most(mut self, count: usize, groups: impl Into<Arc<ItemGroups>>) -> Self {
        self.limits.push((groups.into(), count));
        self
    }

    /// Returns an error if a set or groups have the rows of another table.
    pub(crate) fn check_table<I: Eq + Hash + Clone>(
        &self,
        table: Option<&ItemTable<I>>,
    ) -> Result<()> {
        let is_own = self.boosts.iter().all(|(set, _)| set.is_of(table))
            && self.limits.iter().all(|(groups, _)| groups.is_of(table));
        if is_own {
            Ok(())
        } else {
            Err(of_other_table("rerank"))
        }
    }

    /// Makes lists diverse: 0 is the order of the scores, and 1 ignores them. The similarity of two
    /// items is the cosine of their columns in the interaction matrix, as in
    /// [`CatalogueMetrics::diversity`](crate::fitted::CatalogueMetrics); common tags count like common
    /// users, so that items without interactions are similar too. The list is selected from the
    /// best `max(100, 10 k)` items, whose scores are scaled to a relevance from 0 to 1. Default: 0.
    pub fn diversity(mut self, diversity: f64) -> Self {
        self.diversity = diversity;
        self
    }

    /// Sets how diverse lists are made. Default: [`DiversityMethod::Mmr`].
    pub fn diversity_method(mut self, method: DiversityMethod) -> Self {
        self.method = method;
        self
    }

    /// Returns whether lists stay as they are.
    pub fn is_identity(&self) -> bool {
        self.boosts.is_empty()
            && self.popularity_penalty == 0.0
            && self.limits.is_empty()
            && self.diversity == 0.0
    }

    fn has_factors(&self) -> bool {
        !self.boosts.is_empty() || self.popularity_penalty > 0.0
    }

    /// Returns the number of the best of `items` items that a list of `k` is selected from.
    pub(super) fn length(&self, k: usize, items: usize) -> usize {
        if self.is_identity() {
            k
        } else if self.has_factors() || !self.limits.is_empty() {
            items
        } else {
            candidates(k).min(items)
        }
    }

    /// Returns whether the users of the items are needed.
    pub(super) fn needs_users(&self) -> bool {
        self.diversity > 0.0 || self.popularity_penalty > 0.0
    }

    /// Checks the numbers of the options.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for one that is out of range.
    pub fn check(&self) -> Result<()> {
        for (_, factor) in &self.boosts {
            check_range("boost", *factor, f64::MIN_POSITIVE..=MOST_BOOST)?;
        }
        for (_, count) in &self.limits {
            check_positive("at_most", *count)?;
        }
        check_range(
            "popularity_penalty",
            self.popularity_penalty,
            0.0..=MOST_PENALTY,
        )?;
        check_range("diversity", self.diversity, 0.0..=1.0)
    }

    /// Checks the options, and computes the factors of the items.
    pub(super) fn prepare<'a>(
        &'a self,
        items: usize,
        users: Option<&'a ItemUsers>,
    ) -> Result<Reranker<'a>> {
        self.check()?;
        let sets = self.boosts.iter().map(|(set, _)| set.of_rows());
        let groups = self.limits.iter().map(|(groups, _)| groups.of_rows());
        if let Some(rows) = sets.chain(groups).find(|&rows| rows < items) {
            return Err(Error::ShapeMismatch {
                operation: "items of a rule",
                left: (rows, 1),
                right: (items, 1),
            });
        }
        let factors = self.has_factors().then(|| {
            let mut factors = vec![1.0_f64; items];
            for (set, factor) in &self.boosts {
                for item in set.rows().take_while(|&item| (item as usize) < items) {
                    factors[item as usize] *= factor;
                }
            }
            if let Some(users) = users.filter(|_| self.popularity_penalty > 0.0) {
                for (factor, item) in factors.iter_mut().zip(0..) {
                    *factor *= (1.0 + users.count(item) as f64).powf(-self.popularity_penalty);
                }
            }
            factors
        });
        Ok(Reranker {
            factors,
            rerank: self,
            users: users.filter(|_| self.diversity > 0.0),
        })
    }
}

/// The largest factor of a boost.
const MOST_BOOST: f64 = 1e6;
/// The largest exponent of a penalty for popular items.
const MOST_PENALTY: f64 = 10.0;

/// The number of candidates of a diverse list: at least this, and this many for each place.
const LEAST_CANDIDATES: usize = 100;
const CANDIDATES_FOR_EACH: usize = 10;

/// Options that were checked for a filter.
pub(super) struct Reranker<'a> {
    /// Of each item, if there are any.
    factors: Option<Vec<f64>>,
    rerank: &'a Rerank,
    users: Option<&'a ItemUsers>,
}

impl Reranker<'_> {
    /// Re-ranks a list of the items that may be selected, best first, and selects `k` of them.
    pub(super) fn apply(&self, mut list: Vec<ScoredItem>, k: usize) -> Selected<'_> {
        if let Some(factors) = &self.factors {
            for entry in &mut list {
                entry.score = scaled(entry.score, factors[entry.item as usize]);
            }
            list.sort_by(best_first);
        }
        let mut selected = Selected {
            limits: &self.rerank.limits,
            counts: vec![HashMap::new(); self.rerank.limits.len()],
            list: Vec::with_capacity(k.min(list.len())),
            k,
        };
        let mut rest = list.as_slice();
        if let Some(users) = self.users {
            let (first, others) = list.split_at(candidates(k).min(list.len()));
            self.take_diverse(first, users, &mut selected);
            rest = others;
        }
        for entry in rest {
            selected.take(*entry);
        }
        selected
    }

    /// Takes candidates one after the other, each the best in view of those that were taken.
    fn take_diverse(&self, candidates: &[ScoredItem], users: &ItemUsers, taken: &mut Selected<'_>) {
        let mut left: Vec<usize> = (0..candidates.len()).collect();
        let mut gains = Gains::new(self.rerank, candidates);
        while !taken.is_full() {
            left.retain(|&place| taken.has_room_for(candidates[place].item));
            // Of equal gains the first, which has the best score.
            let best = left.iter().enumerate().rev();
            let Some((at, &place)) = best.max_by(|a, b| gains.compare(*a.1, *b.1)) else {
                return;
            };
            left.remove(at);
            taken.take(candidates[place]);
            let item = candidates[place].item;
            let others = left.iter().map(|&other| candidates[other].item);
            gains.take(place, &left, &users.cosines(item, others));
        }
    }
}

/// A higher score first, then the lower item.
fn best_first(left: &ScoredItem, right: &ScoredItem) -> Ordering {
    let order = right.score.total_cmp(&left.score);
    order.then(left.item.cmp(&right.item))
}

/// Returns the number of candidates of a diverse list.
fn candidates(k: usize) -> usize {
    LEAST_CANDIDATES.max(k.saturating_mul(CANDIDATES_FOR_EACH))
}

/// Multiplies a score, or divides it if it is below 0. A score other than 0 stays finite and other than
/// 0, since 0 means that an item has no score.
fn scaled(score: f32, factor: f64) -> f32 {
    let wide = f64::from(score);
    let scaled = match score >= 0.0 {
        true => wide * factor,
        false => wide / factor,
    };
    let largest = f64::from(f32::MAX);
    match scaled.clamp(-largest, largest) as f32 {
        small if score != 0.0 && small.abs() < f32::MIN_POSITIVE => {
            f32::MIN_POSITIVE.copysign(score)
        }
        scaled => scaled,
    }
}

/// A list that is being selected.
pub(super) struct Selected<'a> {
    limits: &'a [(Arc<ItemGroups>, usize)],
    /// Of each limit, the number of items of each group.
    counts: Vec<HashMap<u32, usize>>,
    pub(super) list: Vec<ScoredItem>,
    k: usize,
}

impl Selected<'_> {
    /// Returns a list without limits.
    pub(super) fn new(list: Vec<ScoredItem>, k: usize) -> Self {
        Self {
            limits: &[],
            counts: Vec::new(),
            list,
            k,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.list.len() >= self.k
    }

    /// Fills the places that are left with items of score 0.
    pub(super) fn fill(&mut self, items: impl Iterator<Item = u32>) {
        for item in items {
            if self.is_full() {
                break;
            }
            self.take(ScoredItem { item, score: 0.0 });
        }
    }

    fn has_room_for(&self, item: u32) -> bool {
        let limits = self.limits.iter().zip(&self.counts);
        !self.is_full()
            && limits.into_iter().all(|((groups, most), counts)| {
                let count = groups.of(item).and_then(|group| counts.get(&group));
                count.is_none_or(|count| count < most)
            })
    }

    fn take(&mut self, entry: ScoredItem) {
        if !self.has_room_for(entry.item) {
            return;
        }
        for ((groups, _), counts) in self.limits.iter().zip(&mut self.counts) {
            if let Some(group) = groups.of(entry.item) {
                *counts.entry(group).or_insert(0) += 1;
            }
        }
        self.list.push(entry);
    }
}

/// What each candidate adds to the list so far.
enum Gains {
    Mmr {
        diversity: f64,
        relevance: Vec<f64>,
        /// The largest similarity to an item of the list.
        nearest: Vec<f64>,
    },
    Dpp {
        quality: Vec<f64>,
        /// The squared distance of each candidate from the span of the list.
        remaining: Vec<f64>,
        /// The rows of the Cholesky factor.
        rows: Vec<Vec<f64>>,
    },
}

impl Gains {
    fn new(rerank: &Rerank, candidates: &[ScoredItem]) -> Self {
        let scores = candidates.iter().map(|entry| f64::from(entry.score));
        let most = scores.clone().fold(f64::NEG_INFINITY, f64::max);
        let least = scores.clone().fold(f64::INFINITY, f64::min);
        let relevance = scores.map(|score| match most > least {
            true => (score - least) / (most - least),
            false => 1.0,
        });
        let diversity = rerank.diversity;
        match rerank.method {
            DiversityMethod::Mmr => Self::Mmr {
                diversity,
                relevance: relevance.collect(),
                nearest: vec![0.0; candidates.len()],
            },
            DiversityMethod::Dpp => {
                let exponent = (1.0 - diversity) / (2.0 * diversity);
                // Relative to the best, so that no quality overflows.
                let quality = relevance.map(|it| (exponent * (it - 1.0)).exp());
                let quality: Vec<f64> = quality.collect();
                Self::Dpp {
                    remaining: quality.iter().map(|it| it * it).collect(),
                    rows: vec![Vec::new(); quality.len()],
                    quality,
                }
            }
        }
    }

    fn compare(&self, left: usize, right: usize) -> Ordering {
        let gain = |place: usize| match self {
            Self::Mmr {
                diversity,
                relevance,
                nearest,
            } => (1.0 - diversity) * relevance[place] - diversity * nearest[place],
            Self::Dpp { remaining, .. } => remaining[place],
        };
        gain(left).total_cmp(&gain(right))
    }

    /// Updates the gains of the candidates that are left after one was taken.
    fn take(&mut self, taken: usize, left: &[usize], similarities: &[f64]) {
        match self {
            Self::Mmr { nearest, .. } => {
                for (&place, &similarity) in left.iter().zip(similarities) {
                    nearest[place] = nearest[place].max(similarity);
                }
            }
            Self::Dpp {
                quality,
                remaining,
                rows,
            } => {
                let root = remaining[taken].max(f64::MIN_POSITIVE).sqrt();
                let own = std::mem::take(&mut rows[taken]);
                for (&place, &similarity) in left.iter().zip(similarities) {
                    let kernel = quality[taken] * similarity * quality[place];
                    let known: f64 = own.iter().zip(&rows[place]).map(|(a, b)| a * b).sum();
                    let entry = (kernel - known) / root;
                    rows[place].push(entry);
                    remaining[place] = (remaining[place] - entry * entry).max(0.0);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bspm_data::{Interactions, ItemColumn, ItemTable};
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    /// Lists of items of random scores, and the matrix that similarities are of.
    fn random(seed: u64) -> (Vec<ScoredItem>, Interactions, ItemGroups) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let pairs = (0..60).map(|_| (random.random_range(0..9), random.random_range(0..12)));
        let interactions = Interactions::from_pairs(9, 12, pairs.collect::<Vec<_>>()).unwrap();
        let mut list: Vec<ScoredItem> = (0..12)
            .map(|item| ScoredItem {
                item,
                score: random.random_range(-2..3) as f32,
            })
            .collect();
        list.sort_by(best_first);
        let brands = ["a", "b", "", "c"];
        let columns = vec![
            ItemColumn::texts("title", (0..12).map(|_| "x")),
            ItemColumn::texts("brand", (0..12).map(|_| brands[random.random_range(0..4)])),
        ];
        let table = ItemTable::new((0..12_u32).collect(), "title", columns).unwrap();
        (list, interactions, table.groups("brand").unwrap())
    }

    fn apply(rerank: &Rerank, seed: u64, k: usize) -> Vec<ScoredItem> {
        let (list, interactions, _) = random(seed);
        let users = ItemUsers::new(&interactions);
        let reranker = rerank.prepare(interactions.items(), Some(&users)).unwrap();
        reranker.apply(list, k).list
    }

    #[test]
    fn boosts_and_penalties_are_factors_of_the_scores() {
        for seed in 0..50 {
            let (list, interactions, _) = random(seed);
            let degrees = interactions.item_degrees();
            let set = ItemSet::new((0..12_u32).map(|item| item.is_multiple_of(3)).collect());
            let rerank = Rerank::new().boost(set, 2.0).popularity_penalty(0.5);
            let factor = |item: u32| {
                let boost = if item.is_multiple_of(3) { 2.0 } else { 1.0 };
                boost * (1.0 + f64::from(degrees[item as usize])).powf(-0.5)
            };
            let mut expected: Vec<ScoredItem> = list
                .iter()
                .map(|entry| ScoredItem {
                    item: entry.item,
                    score: match entry.score >= 0.0 {
                        true => (f64::from(entry.score) * factor(entry.item)) as f32,
                        false => (f64::from(entry.score) / factor(entry.item)) as f32,
                    },
                })
                .collect();
            expected.sort_by(best_first);
            expected.truncate(5);
            assert_eq!(apply(&rerank, seed, 5), expected);
        }
    }

    #[test]
    fn a_limited_list_is_the_best_that_the_limit_allows() {
        for seed in 0..50 {
            let (list, _, groups) = random(seed);
            let mut expected: Vec<ScoredItem> = Vec::new();
            for entry in list {
                let of = |item| groups.of(item);
                let same = expected.iter().filter(|it| of(it.item) == of(entry.item));
                if expected.len() < 6 && (of(entry.item).is_none() || same.count() < 2) {
                    expected.push(entry);
                }
            }
            assert_eq!(apply(&Rerank::new().at_most(2, groups), seed, 6), expected);
        }
    }

    #[test]
    fn places_that_a_limit_leaves_are_filled_within_the_limit() {
        let (list, interactions, groups) = random(1);
        let (first, rest) = list.split_at(3);
        let rerank = Rerank::new().at_most(1, groups.clone());
        let reranker = rerank.prepare(interactions.items(), None).unwrap();
        let fillers: Vec<u32> = rest.iter().map(|entry| entry.item).collect();
        let mut selected = reranker.apply(first.to_vec(), 12);
        selected.fill(fillers.into_iter());
        let filled = selected.list;
        let count = |group| {
            let of = filled.iter().filter(|it| groups.of(it.item) == Some(group));
            of.count()
        };
        assert!((0..3).all(|group| count(group) == 1), "{filled:?}");
    }

    /// The candidate with the largest gain, and of equal gains the first.
    fn first_best(left: &[usize], gain: impl Fn(usize) -> f64) -> usize {
        let mut best = left[0];
        for &place in left {
            if gain(place) > gain(best) + 1e-9 {
                best = place;
            }
        }
        best
    }

    #[test]
    fn maximal_marginal_relevance_is_that_of_its_definition() {
        for seed in 0..50 {
            let (list, interactions, _) = random(seed);
            let users = ItemUsers::new(&interactions);
            let relevance = relevance(&list);
            let (mut left, mut taken): (Vec<usize>, Vec<usize>) = ((0..12).collect(), Vec::new());
            while taken.len() < 6 {
                let best = first_best(&left, |place| {
                    let cosine = |other: &usize| users.cosine(list[place].item, list[*other].item);
                    let nearest = taken.iter().map(cosine).fold(0.0, f64::max);
                    0.6 * relevance[place] - 0.4 * nearest
                });
                left.retain(|&place| place != best);
                taken.push(best);
            }
            let expected: Vec<ScoredItem> = taken.iter().map(|&place| list[place]).collect();
            assert_eq!(
                apply(&Rerank::new().diversity(0.4), seed, 6),
                expected,
                "{seed}"
            );
        }
    }

    fn relevance(list: &[ScoredItem]) -> Vec<f64> {
        let (most, least) = (list[0].score, list[list.len() - 1].score);
        let of = |entry: &ScoredItem| f64::from((entry.score - least) / (most - least));
        list.iter().map(of).collect()
    }

    /// The determinant, by Gaussian elimination with pivots.
    fn determinant(mut matrix: Vec<Vec<f64>>) -> f64 {
        let mut product = 1.0;
        while let Some(size) = matrix.len().checked_sub(1) {
            let pivot =
                (0..=size).max_by(|&a, &b| matrix[a][size].abs().total_cmp(&matrix[b][size].abs()));
            let row = matrix.swap_remove(pivot.unwrap());
            product *= row[size] * if pivot == Some(size) { 1.0 } else { -1.0 };
            if row[size] == 0.0 {
                return 0.0;
            }
            for other in &mut matrix {
                let factor = other[size] / row[size];
                for column in 0..size {
                    other[column] -= factor * row[column];
                }
            }
        }
        product
    }

    #[test]
    fn a_determinantal_point_process_takes_the_largest_determinant_in_each_step() {
        for seed in 0..50 {
            let (list, interactions, _) = random(seed);
            let users = ItemUsers::new(&interactions);
            let relevance = relevance(&list);
            let kernel = |a: usize, b: usize| {
                let same = if a == b {
                    1.0
                } else {
                    users.cosine(list[a].item, list[b].item)
                };
                let exponent = 0.6 / 0.8;
                same * (exponent * (relevance[a] + relevance[b] - 2.0)).exp()
            };
            let rerank = Rerank::new().diversity(0.4);
            let found = apply(&rerank.diversity_method(DiversityMethod::Dpp), seed, 4);
            let places: Vec<usize> = found
                .iter()
                .map(|entry| list.iter().position(|it| it.item == entry.item).unwrap())
                .collect();
            for step in 0..places.len() {
                let with = |place: usize| {
                    let set = [&places[..step], &[place]].concat();
                    let row = |&a: &usize| set.iter().map(|&b| kernel(a, b)).collect();
                    determinant(set.iter().map(row).collect())
                };
                let others = (0..12).filter(|place| !places[..step].contains(place));
                let most = others.map(with).fold(0.0, f64::max);
                assert!((with(places[step]) - most).abs() < 1e-9, "{seed} {step}");
            }
        }
    }

    #[test]
    fn scaled_scores_are_finite_and_zero_only_if_they_were() {
        for score in [0.0, 1e-30, -1e-30, 3.0, -3.0, f32::MAX, f32::MIN] {
            for factor in [1e-300, 1e-38, 1.0, 1e38, 1e300] {
                let found = scaled(score, factor);
                assert!(found.is_finite(), "{score} {factor}");
                assert_eq!(found == 0.0, score == 0.0, "{score} {factor}");
                assert!(found * score.signum() >= 0.0, "{score} {factor}");
            }
        }
    }

    #[test]
    fn options_that_cannot_be_are_refused() {
        let set = |rows| ItemSet::new(vec![true; rows]);
        for (rerank, expected) in [
            (Rerank::new().boost(set(3), 2.0), "items of a rule"),
            (Rerank::new().boost(set(12), 0.0), "boost: "),
            (Rerank::new().boost(set(12), f64::NAN), "boost: "),
            (
                Rerank::new().popularity_penalty(-1.0),
                "popularity_penalty: ",
            ),
            (Rerank::new().diversity(1.5), "diversity: "),
            (Rerank::new().at_most(0, random(0).2), "at_most: "),
        ] {
            let refused = rerank.prepare(12, None).err().unwrap().to_string();
            assert!(refused.contains(expected), "{refused}");
        }
        assert!("mmr".parse::<DiversityMethod>().is_ok());
        let error = "best".parse::<DiversityMethod>().unwrap_err().to_string();
        assert_eq!(error, "diversity_method: expected mmr, dpp, found \"best\"");
    }
}
