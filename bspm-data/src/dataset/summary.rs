//! Summary statistics of a data set.

use std::hash::Hash;

use serde::Serialize;

use super::Dataset;

/// Minimum, quartiles, maximum and mean of some numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Quantiles {
    /// The minimum.
    pub min: f64,
    /// The first quartile.
    pub q25: f64,
    /// The median.
    pub median: f64,
    /// The third quartile.
    pub q75: f64,
    /// The maximum.
    pub max: f64,
    /// The mean.
    pub mean: f64,
}

impl Quantiles {
    /// Computes the quantiles; `None` without numbers. Each quantile is one of the numbers.
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

/// Summary statistics of a data set; see [`Dataset::summary`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DatasetSummary {
    /// The number of users.
    pub users: usize,
    /// The number of items.
    pub items: usize,
    /// The number of interactions.
    pub interactions: usize,
    /// Interactions divided by users x items, from 0 to 1.
    pub density: f64,
    /// Interactions per user; `None` without users.
    pub per_user: Option<Quantiles>,
    /// Interactions per item; `None` without items.
    pub per_item: Option<Quantiles>,
    /// The number of users with a single interaction, which cannot be held out.
    pub users_with_one: usize,
    /// The weights, if they are not all 1.
    pub weights: Option<Quantiles>,
    /// The times in their unit, if there are times.
    pub times: Option<Quantiles>,
}

/// Returns the number with the fewest decimal digits that is the same `f32`, such as 1.1 for the weight 1.1.
fn shortest(number: f64) -> f64 {
    let text = (number as f32).to_string();
    text.parse().unwrap_or(number)
}

impl<U: Eq + Hash, I: Eq + Hash> Dataset<U, I> {
    /// Computes summary statistics. Cost: a sort of degrees, weights and times.
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
                .and_then(|weights| Quantiles::of(weights.iter().copied().map(f64::from)))
                .map(|weights| Quantiles {
                    min: shortest(weights.min),
                    q25: shortest(weights.q25),
                    median: shortest(weights.median),
                    q75: shortest(weights.q75),
                    max: shortest(weights.max),
                    ..weights
                }),
            times: self
                .times
                .as_ref()
                .and_then(|times| Quantiles::of(times.iter().copied())),
        }
    }
}
