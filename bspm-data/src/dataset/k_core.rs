//! The k-core of a data set.

use std::hash::Hash;

use super::Dataset;
use crate::error::Result;

impl<U: Eq + Hash + Clone, I: Eq + Hash + Clone> Dataset<U, I> {
    /// Returns the k-core: repeatedly removes users with fewer than `user_degree` and items with fewer
    /// than `item_degree` interactions.
    ///
    /// Removed users and items lose their row or column; the others keep their order. Cost: one visit
    /// of each removed interaction, and a sort.
    ///
    /// # Errors
    ///
    /// Those of [`Interactions::from_pairs`](crate::Interactions::from_pairs); none is expected.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::Dataset;
    ///
    /// let pairs = [(1, 10), (1, 11), (2, 10), (2, 11), (3, 11), (3, 12)];
    /// let core = Dataset::from_pairs(pairs)?.k_core(2, 2)?;
    /// assert_eq!(core.users().iter().collect::<Vec<_>>(), [&1, &2]);
    /// assert_eq!(core.items().iter().collect::<Vec<_>>(), [&10, &11]);
    /// # Ok::<(), bspm_data::Error>(())
    /// ```
    pub fn k_core(&self, user_degree: u32, item_degree: u32) -> Result<Self> {
        let interactions = self.interactions();
        let transposed = interactions.transposed_csr();
        let ends = transposed.indptr();
        let ends = ends.raw_storage();
        let users_of = |item: u32| {
            let place = item as usize;
            &transposed.indices()[ends[place] as usize..ends[place + 1] as usize]
        };
        let mut users = Side::new(interactions.user_degrees(), user_degree);
        let mut items = Side::new(interactions.item_degrees(), item_degree);
        loop {
            if let Some(user) = users.falling.pop() {
                items.lose(interactions.items_of(user));
            } else if let Some(item) = items.falling.pop() {
                users.lose(users_of(item));
            } else {
                break;
            }
        }

        self.keeping(&users.kept(), &items.kept())
    }
}

/// The users or the items during the removal.
struct Side {
    degrees: Vec<u32>,
    least: u32,
    has_fallen: Vec<bool>,
    /// Removed entries whose neighbours have not been updated yet.
    falling: Vec<u32>,
}

impl Side {
    fn new(degrees: Vec<u32>, least: u32) -> Self {
        let has_fallen: Vec<bool> = degrees.iter().map(|&degree| degree < least).collect();
        let falling = (0..degrees.len() as u32)
            .filter(|&place| has_fallen[place as usize])
            .collect();
        Self {
            degrees,
            least,
            has_fallen,
            falling,
        }
    }

    /// Removes one interaction from each of these.
    fn lose(&mut self, neighbours: &[u32]) {
        for &neighbour in neighbours {
            let place = neighbour as usize;
            self.degrees[place] = self.degrees[place].saturating_sub(1);
            if self.degrees[place] < self.least && !self.has_fallen[place] {
                self.has_fallen[place] = true;
                self.falling.push(neighbour);
            }
        }
    }

    fn kept(&self) -> Vec<bool> {
        self.has_fallen
            .iter()
            .map(|has_fallen| !has_fallen)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Removes users and items with too few interactions until none are left, as a reference.
    fn by_repetition(
        mut pairs: Vec<(u32, u32)>,
        user_degree: usize,
        item_degree: usize,
    ) -> Vec<(u32, u32)> {
        loop {
            let before = pairs.clone();
            pairs.retain(|&(user, item)| {
                before.iter().filter(|pair| pair.0 == user).count() >= user_degree
                    && before.iter().filter(|pair| pair.1 == item).count() >= item_degree
            });
            if pairs.len() == before.len() {
                return pairs;
            }
        }
    }

    #[test]
    fn it_is_what_repeated_removal_leaves() {
        for seed in 1..30_u32 {
            let pairs = (1..90_u32).map(|place| {
                let bits = (place * seed).wrapping_mul(2_654_435_761);
                ((bits >> 8) % 25, (bits >> 20) % 18)
            });
            let dataset = Dataset::from_pairs(pairs).unwrap();
            let all: Vec<_> = dataset.interactions().pairs().collect();
            for (user_degree, item_degree) in [(0, 0), (2, 3), (3, 3), (5, 1), (90, 0)] {
                let core = dataset.k_core(user_degree, item_degree).unwrap();
                let named =
                    |dataset: &Dataset<u32, u32>, pairs: &[(u32, u32)]| -> Vec<(u32, u32)> {
                        let name = |&(user, item): &(u32, u32)| {
                            (
                                *dataset.users().id(user).unwrap(),
                                *dataset.items().id(item).unwrap(),
                            )
                        };
                        pairs.iter().map(name).collect()
                    };
                let found: Vec<_> = core.interactions().pairs().collect();
                let expected =
                    by_repetition(all.clone(), user_degree as usize, item_degree as usize);
                assert_eq!(named(&core, &found), named(&dataset, &expected));
                if user_degree > 0 && item_degree > 0 {
                    assert!(
                        core.interactions()
                            .user_degrees()
                            .iter()
                            .all(|&it| it >= user_degree)
                    );
                    assert!(
                        core.interactions()
                            .item_degrees()
                            .iter()
                            .all(|&it| it >= item_degree)
                    );
                }
            }
        }
    }
}
