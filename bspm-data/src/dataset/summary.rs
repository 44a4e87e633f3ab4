//! What a data set looks like.

use std::hash::Hash;

use serde::Serialize;

use super::Dataset;

/// The least, the quarters and the largest of some numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Quantiles {
    /// The least.
    pub min: f64,
    /// A quarter of the numbers is at most this.
    pub q25: f64,
    /// Half of the numbers is at most this.
    pub median: f64,
    /// Three quarters of the numbers are at most this.
    pub q75: f64,
    /// The largest.
    pub max: f64,
    /// Their mean.
    pub mean: f64,
}

impl Quantiles {
    /// Of some numbers; none without numbers. A quantile is one of the numbers.
    fn of(numbers: impl Iterator<Item = f64>) -> Option<Self> {
        let mut numbers: Vec<f64> = numbers.collect();
        numbers.sort_unstable_by(f64::total_cmp);
        let (first, last) = (*numbers.first()?, *numbers.last()?);
        let at = |share: f64| numbers[((numbers.len() - 1) as f64 * share).round() as usize];
        Some(Self {
            min: first,
            q25: at(0.25),
            median: at(0.5),
            q75: at(0.75),
            max: last,
            mean: numbers.iter().sum::<f64>() / numbers.len() as f64,
        })
    }
}

/// What a data set looks like: [`Dataset::summary`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DatasetSummary {
    /// Users.
    pub users: usize,
    /// Items.
    pub items: usize,
    /// Pairs of a user and an item.
    pub interactions: usize,
    /// Interactions divided by users x items, from 0 to 1.
    pub density: f64,
    /// Interactions of a user; none without users.
    pub per_user: Option<Quantiles>,
    /// Interactions of an item; none without items.
    pub per_item: Option<Quantiles>,
    /// Users with a single interaction, of which none can be held out.
    pub users_with_one: usize,
    /// The weights, if they are not all 1.
    pub weights: Option<Quantiles>,
    /// The times, if there are some, in their unit.
    pub times: Option<Quantiles>,
}

impl<U: Eq + Hash, I: Eq + Hash> Dataset<U, I> {
    /// What the data set looks like. Cost: a sort of degrees, weights and times.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::Dataset;
    ///
    /// let dataset: Dataset<&str, &str> =
    ///     Dataset::from_pairs([("ann", "tea"), ("ann", "milk"), ("bob", "tea")])?;
    /// let summary = dataset.summary();
    /// assert_eq!((summary.density, summary.users_with_one), (0.75, 1));
    /// assert_eq!(summary.per_user.unwrap().max, 2.0);
    /// # Ok::<(), bspm_data::Error>(())
    /// ```
    pub fn summary(&self) -> DatasetSummary {
        let matrix = &self.interactions;
        let (users, items) = (matrix.users(), matrix.items());
        let degrees = matrix.user_degrees();
        let of = |degrees: &[u32]| Quantiles::of(degrees.iter().copied().map(f64::from));
        DatasetSummary {
            users,
            items,
            interactions: matrix.len(),
            density: matrix.len() as f64 / (users as f64 * items as f64).max(1.0),
            per_user: of(&degrees),
            per_item: of(&matrix.item_degrees()),
            users_with_one: degrees.iter().filter(|&&degree| degree == 1).count(),
            weights: matrix
                .weights()
                .and_then(|weights| Quantiles::of(weights.iter().copied().map(f64::from))),
            times: self
                .times
                .as_ref()
                .and_then(|times| Quantiles::of(times.iter().copied())),
        }
    }
}
