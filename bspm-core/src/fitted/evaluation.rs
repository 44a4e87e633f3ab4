//! An evaluation with metrics per user: confidence intervals, comparisons, and catalogue metrics.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

use super::evaluate::{Evaluator, Metrics};
use super::item_users::ItemUsers;
use bspm_data::Dataset;
use bspm_data::Interactions;
use bspm_data::Result;
use bspm_data::parameter::invalid;

/// Catalogue metrics: properties of the lists of all users together, at one cut-off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CatalogueMetrics {
    /// Coverage: the share of all items that are in at least one list.
    pub coverage: f64,
    /// Gini index of the number of lists per item: 0 if all items are in equally many lists, nearly 1 if
    /// one item has all entries.
    pub gini: f64,
    /// Novelty: the mean of `log2(users / degree)` of the item over all entries, in bits. An item without
    /// interactions has degree 1.
    pub novelty: f64,
    /// Popularity: the mean of `degree / users` of the item over all entries.
    pub popularity: f64,
    /// Diversity: one minus the mean cosine of two items of a list (columns of `A`), over the lists of at
    /// most 1,000 users.
    pub diversity: f64,
}

/// A mean over users with its 95% confidence interval, by the bootstrap over users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// The lower end of the confidence interval.
    pub low: f64,
    /// The upper end of the confidence interval.
    pub high: f64,
}

/// A paired comparison of two evaluations of the same users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Comparison {
    /// The mean difference of the metric, first minus second, with its confidence interval.
    pub difference: Interval,
    /// The number of users for whom the first is better.
    pub wins: usize,
    /// The number of users for whom the first is worse.
    pub losses: usize,
}

/// An evaluation with metrics per user.
///
/// # Examples
///
/// ```
/// use bspm_core::filters::{GfCf, Popularity};
/// use bspm_core::{Dataset, FittedFilter, Preset};
/// # use bspm_cpu::CpuBackend;
///
/// # fn main() -> bspm_core::Result<()> {
/// let pairs = (0..60_u32).flat_map(|user| (0..6).map(move |it| (user, (user / 6 + it * it) % 40)));
/// let split = Dataset::from_pairs(pairs)?.hold_out(0.3, 1)?;
/// let (train, test) = (split.train.interactions(), split.test.interactions());
/// let gf_cf = GfCf::published(Preset::Gowalla).factor_dim(4);
/// let gf_cf = FittedFilter::fit(CpuBackend::new(), train.clone(), gf_cf)?;
/// let popularity = FittedFilter::fit(CpuBackend::new(), train.clone(), Popularity::default())?;
/// let (gf_cf, popularity) = (gf_cf.evaluate_users(test, [10])?, popularity.evaluate_users(test, [10])?);
///
/// let comparison = gf_cf.compare(&popularity, "ndcg", 10)?;
/// assert!(comparison.difference.low > 0.0);
/// assert!(gf_cf.catalogue()[0].coverage > popularity.catalogue()[0].coverage);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    cutoffs: Vec<usize>,
    users: Vec<u32>,
    /// A hash of each user and the test items, which is the same for every model.
    tested: Vec<u64>,
    /// The metrics of each user at each cut-off.
    metrics: Vec<Vec<Metrics>>,
    catalogue: Vec<CatalogueMetrics>,
}

/// The number of bootstrap samples of an interval, and their seed.
const DRAWS: usize = 1_000;
const SEED: u64 = 0;

/// The number of users whose lists are used for the diversity.
const DIVERSITY_SAMPLE: usize = 1_000;

impl Evaluation {
    /// Evaluates the lists of these users against their test items, which are in ascending order. `tested` has a hash
    /// of each user and the test items, from [`tested_rows`] or [`tested_ids`].
    pub(crate) fn new<'t>(
        evaluator: &Evaluator,
        train: &Interactions,
        users: Vec<u32>,
        tested: Vec<u64>,
        lists: &[Vec<u32>],
        relevant: impl Fn(usize) -> Cow<'t, [u32]>,
    ) -> Self {
        let of = |(place, list): (usize, &Vec<u32>)| {
            evaluator.of_user(list.iter().copied(), &relevant(place))
        };
        let metrics = lists.iter().enumerate().map(of).collect();
        let catalogue = Catalogue::new(train);
        let cutoffs = evaluator.cutoffs().to_vec();
        Self {
            catalogue: cutoffs
                .iter()
                .map(|&k| catalogue.metrics(lists, k))
                .collect(),
            cutoffs,
            users,
            tested,
            metrics,
        }
    }

    /// The cut-offs.
    pub fn cutoffs(&self) -> &[usize] {
        &self.cutoffs
    }

    /// The evaluated users as rows of the matrix, in the order of the test set.
    pub fn users(&self) -> &[u32] {
        &self.users
    }

    /// The metrics of each user at each cut-off.
    pub fn metrics(&self) -> &[Vec<Metrics>] {
        &self.metrics
    }

    /// The means over the users at each cut-off; [`f64::NAN`] if there are no users.
    pub fn means(&self) -> Vec<Metrics> {
        let share = 1.0 / self.users.len() as f64;
        let mean = |place: usize| {
            let mut sum = Metrics::default();
            self.metrics.iter().for_each(|user| sum.add(user[place]));
            sum.times(share)
        };
        (0..self.cutoffs.len()).map(mean).collect()
    }

    /// The catalogue metrics at each cut-off.
    pub fn catalogue(&self) -> &[CatalogueMetrics] {
        &self.catalogue
    }

    /// The values of a metric for each user, by name and cut-off.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) for an unknown metric, or a cut-off that was
    /// not evaluated.
    pub fn values(&self, metric: &str, k: usize) -> Result<Vec<f64>> {
        let names = Metrics::NAMES;
        let Some(name) = names.iter().position(|name| *name == metric) else {
            return Err(invalid("metric", names.join(", "), format!("{metric:?}")));
        };
        let Some(cutoff) = self.cutoffs.iter().position(|&cutoff| cutoff == k) else {
            return Err(invalid("k", format!("one of {:?}", self.cutoffs), k));
        };
        let value = |of_user: &Vec<Metrics>| of_user[cutoff].values()[name];
        Ok(self.metrics.iter().map(value).collect())
    }

    /// The mean of a metric and its 95% confidence interval, by the bootstrap over users with 1,000 samples
    /// and a fixed seed.
    ///
    /// # Errors
    ///
    /// As [`values`](Self::values).
    pub fn interval(&self, metric: &str, k: usize) -> Result<Interval> {
        Ok(Interval::bootstrap(&self.values(metric, k)?))
    }

    /// Compares this evaluation with another one of the same users of the same test set, by a paired
    /// bootstrap over users. If the confidence interval does not contain 0, the difference is significant at
    /// the 5% level. The two models may have different users, and the models and the test sets may have them in
    /// another order.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) if the users differ, because a model does
    /// not know a user that the other one knows, or if a user has other test items; as
    /// [`values`](Self::values).
    pub fn compare(&self, other: &Self, metric: &str, k: usize) -> Result<Comparison> {
        let theirs = other.tested.iter().copied().zip(other.values(metric, k)?);
        let theirs: HashMap<u64, f64> = theirs.collect();
        let mine = self.tested.iter().zip(self.values(metric, k)?);
        let differences: Vec<f64> = mine
            .filter_map(|(test, mine)| Some(mine - theirs.get(test)?))
            .collect();
        let (mine, theirs, common) = (self.tested.len(), other.tested.len(), differences.len());
        if (mine, theirs) != (common, common) {
            return Err(invalid(
                "compare",
                "two evaluations of the same users of a test set",
                format!(
                    "evaluations of {mine} and {theirs} users, {common} of them with the same test items in both"
                ),
            ));
        }
        Ok(Comparison {
            difference: Interval::bootstrap(&differences),
            wins: differences.iter().filter(|it| **it > 0.0).count(),
            losses: differences.iter().filter(|it| **it < 0.0).count(),
        })
    }
}

/// Returns a hash of each of these users and the test items, as rows and columns.
pub(crate) fn tested_rows(test: &Interactions, rows: &[u32]) -> Vec<u64> {
    let of = |&row| hash_of_test(&row, test.items_of(row).iter());
    rows.iter().map(of).collect()
}

/// Returns a hash of each of these users and the test items, by their ids.
pub(crate) fn tested_ids<U, I>(test: &Dataset<U, I>, rows: &[u32]) -> Vec<u64>
where
    U: Eq + Hash + Clone,
    I: Eq + Hash + Clone,
{
    let of = |&row| {
        let items = test.interactions().items_of(row).iter();
        let items = items.map(|&item| test.items().id(item));
        hash_of_test(&test.users().id(row), items)
    };
    rows.iter().map(of).collect()
}

/// Returns a hash of a user and the test items, in any order.
fn hash_of_test<T: Hash>(user: &impl Hash, items: impl Iterator<Item = T>) -> u64 {
    let items = items.map(|item| hash_of(&item));
    hash_of(&(hash_of(user), items.fold(0, u64::wrapping_add)))
}

fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Interval {
    /// Returns the mean of the values of users and its 95% confidence interval, by the bootstrap over users
    /// with 1,000 samples and a fixed seed. Returns zeros without values.
    pub fn bootstrap(values: &[f64]) -> Self {
        if values.is_empty() {
            return Self::default();
        }
        let count = values.len() as f64;
        let mut random = ChaCha8Rng::seed_from_u64(SEED);
        let mut means: Vec<f64> = (0..DRAWS)
            .map(|_| {
                let drawn = (0..values.len()).map(|_| values[random.random_range(0..values.len())]);
                drawn.sum::<f64>() / count
            })
            .collect();
        means.sort_by(f64::total_cmp);
        Self {
            mean: values.iter().sum::<f64>() / count,
            low: means[DRAWS / 40],
            high: means[DRAWS - 1 - DRAWS / 40],
        }
    }
}

/// Properties of the items.
struct Catalogue {
    users: f64,
    degrees: Vec<u32>,
    item_users: ItemUsers,
}

impl Catalogue {
    fn new(train: &Interactions) -> Self {
        Self {
            users: train.users().max(1) as f64,
            degrees: train.item_degrees(),
            item_users: ItemUsers::new(train),
        }
    }

    fn metrics(&self, lists: &[Vec<u32>], k: usize) -> CatalogueMetrics {
        let cut = |list: &Vec<u32>| list.len().min(k);
        let mut counts = vec![0_u64; self.degrees.len()];
        let (mut novelty, mut popularity) = (0.0, 0.0);
        for list in lists {
            for &item in &list[..cut(list)] {
                counts[item as usize] += 1;
                let degree = f64::from(self.degrees[item as usize].max(1));
                novelty += (self.users / degree).log2();
                popularity += f64::from(self.degrees[item as usize]) / self.users;
            }
        }
        let places = counts.iter().sum::<u64>().max(1) as f64;
        let step = lists.len().div_ceil(DIVERSITY_SAMPLE).max(1);
        let mut cosines = HashMap::new();
        let (mut diversity, mut compared) = (0.0, 0.0);
        for list in lists.iter().step_by(step).filter(|list| cut(list) > 1) {
            diversity += 1.0 - self.mean_cosine(&list[..cut(list)], &mut cosines);
            compared += 1.0;
        }
        CatalogueMetrics {
            coverage: counts.iter().filter(|count| **count > 0).count() as f64
                / counts.len().max(1) as f64,
            gini: gini(&mut counts),
            novelty: novelty / places,
            popularity: popularity / places,
            diversity: if compared > 0.0 {
                diversity / compared
            } else {
                0.0
            },
        }
    }

    fn mean_cosine(&self, list: &[u32], known: &mut HashMap<(u32, u32), f64>) -> f64 {
        let (mut sum, mut pairs) = (0.0, 0.0);
        for (place, &left) in list.iter().enumerate() {
            for &right in &list[place + 1..] {
                let key = (left.min(right), left.max(right));
                sum += *known
                    .entry(key)
                    .or_insert_with(|| self.item_users.cosine(key.0, key.1));
                pairs += 1.0;
            }
        }
        sum / pairs
    }
}

/// Computes the Gini index of counts; sorts the counts.
fn gini(counts: &mut [u64]) -> f64 {
    counts.sort_unstable();
    let sum = counts.iter().sum::<u64>() as f64;
    if sum == 0.0 {
        return 0.0;
    }
    let count = counts.len() as f64;
    let ranked = counts
        .iter()
        .zip(1..)
        .map(|(&it, rank)| f64::from(rank) * it as f64);
    (2.0 * ranked.sum::<f64>() / (count * sum) - (count + 1.0) / count).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four users and four items; item 3 has no interaction.
    fn train() -> Interactions {
        let pairs = [(0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (1, 1), (2, 2)];
        Interactions::from_pairs(4, 4, pairs).unwrap()
    }

    fn evaluation(lists: &[Vec<u32>]) -> Evaluation {
        let evaluator = Evaluator::new(&[2, 1]).unwrap();
        let users: Vec<u32> = (0..lists.len() as u32).collect();
        let tested = users.iter().map(|&user| user.into()).collect();
        let relevant = |_| Cow::Borrowed(&[0][..]);
        Evaluation::new(&evaluator, &train(), users, tested, lists, relevant)
    }

    #[test]
    fn every_metric_of_a_worked_case() {
        let found = evaluation(&[vec![0, 1], vec![0, 2]]).catalogue()[0];
        assert_eq!(found.coverage, 0.75);
        // Of the four places items have 0, 1, 1 and 2.
        assert!((found.gini - (2.0 * (2.0 + 3.0 + 8.0) / 16.0 - 1.25)).abs() < 1e-12);
        assert_eq!(found.novelty, (0.0 + 1.0 + 0.0 + 2.0) / 4.0);
        assert_eq!(found.popularity, (1.0 + 0.5 + 1.0 + 0.25) / 4.0);
        let cosines = [2.0 / 8_f64.sqrt(), 1.0 / 4_f64.sqrt()];
        assert!((found.diversity - (1.0 - (cosines[0] + cosines[1]) / 2.0)).abs() < 1e-12);

        let one_item = evaluation(&[vec![0, 3], vec![0, 3]]).catalogue()[1];
        assert_eq!((one_item.coverage, one_item.gini), (0.25, 0.75));
        assert_eq!(one_item.diversity, 0.0);
    }

    #[test]
    fn intervals_hold_the_mean_and_comparisons_are_paired() {
        let lists: Vec<Vec<u32>> = (0..300).map(|user| vec![user % 3]).collect();
        let hits = evaluation(&lists);
        let interval = hits.interval("hit_rate", 1).unwrap();
        assert!((interval.mean - 1.0 / 3.0).abs() < 1e-12);
        assert!(interval.low < interval.mean && interval.mean < interval.high);
        // The standard error is 0.027: the interval is about 0.107 wide.
        assert!((0.08..0.14).contains(&(interval.high - interval.low)));

        let all = evaluation(&vec![vec![0]; 300]);
        let comparison = all.compare(&hits, "hit_rate", 1).unwrap();
        assert_eq!((comparison.wins, comparison.losses), (200, 0));
        assert!((comparison.difference.mean - 2.0 / 3.0).abs() < 1e-12);
        let same = hits.compare(&hits, "ndcg", 2).unwrap();
        assert_eq!(same, Comparison::default());
    }

    #[test]
    fn what_was_not_evaluated_is_named() {
        let evaluation = evaluation(&[vec![0]]);
        let error = evaluation.values("auc", 2).unwrap_err().to_string();
        assert!(
            error.starts_with("metric: expected recall, precision, "),
            "{error}"
        );
        let error = evaluation.values("ndcg", 5).unwrap_err().to_string();
        assert_eq!(error, "k: expected one of [2, 1], found 5");
        let other = self::evaluation(&[vec![0], vec![1]]);
        assert!(evaluation.compare(&other, "ndcg", 2).is_err());
    }
}
