//! Synthetic interactions of a given shape, for demonstrations and benchmarks.

use std::collections::BTreeSet;

use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use crate::error::Result;
use crate::interactions::Interactions;
use crate::parameter::invalid;
use crate::train_test::TrainTest;

/// The counts of a data set, to generate a random data set with the same counts.
///
/// User activity and item popularity follow power laws, and users prefer the items
/// of their community. Metrics on such data do not transfer to real data.
///
/// # Examples
///
/// ```
/// use bspm_data::SyntheticShape;
///
/// let shape = SyntheticShape { users: 100, items: 80, train: 900, test: 300, communities: 5 };
/// let split = shape.generate(7)?;
/// assert_eq!((split.train.len(), split.test.len()), (900, 300));
/// assert_eq!(split, shape.generate(7)?);
/// # Ok::<(), bspm_data::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyntheticShape {
    /// Rows of both matrices.
    pub users: usize,
    /// Columns of both matrices.
    pub items: usize,
    /// Training interactions.
    pub train: usize,
    /// Test interactions.
    pub test: usize,
    /// Planted communities; at least 1.
    pub communities: usize,
}

impl SyntheticShape {
    /// The counts of the Gowalla split.
    pub const GOWALLA: Self = Self {
        users: 29_858,
        items: 40_981,
        train: 810_128,
        test: 217_242,
        communities: 200,
    };

    /// The counts of the Yelp2018 split.
    pub const YELP2018: Self = Self {
        users: 31_668,
        items: 38_048,
        train: 1_237_259,
        test: 324_147,
        communities: 200,
    };

    /// The counts of the Amazon-book split.
    pub const AMAZON_BOOK: Self = Self {
        users: 52_643,
        items: 91_599,
        train: 2_380_730,
        test: 603_378,
        communities: 400,
    };

    /// The probability that a user chooses an item of the user's community instead of any item.
    const LOYALTY: f64 = 0.8;
    /// Exponents of the power laws of user activity and item popularity.
    const USER_EXPONENT: f64 = 0.6;
    const ITEM_EXPONENT: f64 = 0.7;

    /// Generates a split with exactly these counts. The same seed gives the same split.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) if the counts are impossible: every user needs a
    /// training and a test interaction, and no user may have more than half of the items.
    pub fn generate(&self, seed: u64) -> Result<TrainTest> {
        self.check()?;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut user_weights = power_law(self.users, Self::USER_EXPONENT);
        user_weights.shuffle(&mut random);
        let mut item_weights = power_law(self.items, Self::ITEM_EXPONENT);
        item_weights.shuffle(&mut random);

        let degrees = apportion(
            self.train + self.test,
            &user_weights,
            &vec![2; self.users],
            &vec![self.items / 2; self.users],
        );
        let degree_weights: Vec<f64> = degrees.iter().map(|&degree| degree as f64).collect();
        let most: Vec<usize> = degrees.iter().map(|&degree| degree - 1).collect();
        let test_degrees = apportion(self.test, &degree_weights, &vec![1; self.users], &most);

        let everything = Community::new((0..self.items as u32).collect(), &item_weights);
        let communities: Vec<Community> = (0..self.communities)
            .map(|community| {
                let members = (community as u32..self.items as u32)
                    .step_by(self.communities)
                    .collect();
                Community::new(members, &item_weights)
            })
            .collect();

        let mut train = Vec::with_capacity(self.train);
        let mut test = Vec::with_capacity(self.test);
        for (user, (&degree, &test_degree)) in degrees.iter().zip(&test_degrees).enumerate() {
            let own = &communities[random.random_range(0..self.communities)];
            let mut items = choose_items(degree, own, &everything, &mut random);
            items.shuffle(&mut random);
            let (tested, trained) = items.split_at(test_degree);
            test.extend(tested.iter().map(|&item| (user as u32, item)));
            train.extend(trained.iter().map(|&item| (user as u32, item)));
        }
        Ok(TrainTest {
            train: Interactions::from_pairs(self.users, self.items, train)?,
            test: Interactions::from_pairs(self.users, self.items, test)?,
        })
    }

    fn check(&self) -> Result<()> {
        let most = self.users.saturating_mul(self.items / 2);
        let checks = [
            ("users", self.users, 1, Interactions::MAX_SIDE),
            ("items", self.items, 4, Interactions::MAX_SIDE),
            ("communities", self.communities, 1, self.items),
            ("train", self.train, self.users, most),
            ("test", self.test, self.users, most),
            (
                "train + test",
                self.train.saturating_add(self.test),
                2 * self.users,
                most,
            ),
        ];
        for (parameter, value, least, most) in checks {
            if !(least..=most).contains(&value) {
                return Err(invalid(parameter, format!("{least} to {most}"), value));
            }
        }
        Ok(())
    }
}

/// Items that are chosen in proportion to their popularity.
struct Community {
    items: Vec<u32>,
    popularity: WeightedIndex<f64>,
}

impl Community {
    fn new(items: Vec<u32>, weights: &[f64]) -> Self {
        let popularity = WeightedIndex::new(items.iter().map(|&item| weights[item as usize]))
            .expect("a community has items, and power-law weights are positive");
        Self { items, popularity }
    }

    fn pick(&self, random: &mut ChaCha8Rng) -> u32 {
        self.items[self.popularity.sample(random)]
    }
}

/// Chooses `degree` distinct items, in ascending order.
fn choose_items(
    degree: usize,
    own: &Community,
    everything: &Community,
    random: &mut ChaCha8Rng,
) -> Vec<u32> {
    let mut chosen = BTreeSet::new();
    while chosen.len() < degree {
        // A user who has all popular items of the community chooses from all items.
        let loyal =
            chosen.len() < own.items.len() / 2 && random.random_bool(SyntheticShape::LOYALTY);
        let item = if loyal { own } else { everything }.pick(random);
        chosen.insert(item);
    }
    chosen.into_iter().collect()
}

fn power_law(count: usize, exponent: f64) -> Vec<f64> {
    (1..=count)
        .map(|rank| (rank as f64 + 10.0).powf(-exponent))
        .collect()
}

/// Returns whole numbers between `least` and `most` with the given sum that are as close as possible to
/// proportional to `weights`.
fn apportion(total: usize, weights: &[f64], least: &[usize], most: &[usize]) -> Vec<usize> {
    let mut shares = least.to_vec();
    let mut left = total - least.iter().sum::<usize>();
    let weight_sum: f64 = weights.iter().sum();
    let spread = left as f64 / weight_sum;
    for ((share, weight), &most) in shares.iter_mut().zip(weights).zip(most) {
        let extra = ((spread * weight) as usize).min(most - *share).min(left);
        *share += extra;
        left -= extra;
    }
    while left > 0 {
        for (share, &most) in shares.iter_mut().zip(most) {
            if left > 0 && *share < most {
                *share += 1;
                left -= 1;
            }
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_user_has_training_and_test_items_and_none_in_both() {
        let shape = SyntheticShape {
            users: 50,
            items: 40,
            train: 300,
            test: 120,
            communities: 4,
        };
        let split = shape.generate(3).unwrap();
        for user in 0..50 {
            let (train, test) = (split.train.items_of(user), split.test.items_of(user));
            assert!(!train.is_empty() && !test.is_empty());
            assert!(test.iter().all(|item| !train.contains(item)));
        }
        assert_ne!(split, shape.generate(4).unwrap());
    }

    #[test]
    fn impossible_counts_are_refused() {
        let shape = SyntheticShape {
            users: 10,
            items: 4,
            train: 12,
            test: 10,
            communities: 1,
        };
        assert_eq!(
            shape.generate(0).unwrap_err().to_string(),
            "train + test: expected 20 to 20, found 22"
        );
    }

    #[test]
    fn shares_meet_the_total_within_their_bounds() {
        let shares = apportion(12, &[1.0, 1.0, 8.0], &[1, 1, 1], &[9, 9, 5]);
        assert_eq!(shares.iter().sum::<usize>(), 12);
        assert_eq!(shares[2], 5);
    }
}
