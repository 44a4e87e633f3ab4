//! Splits of a data set into a part to fit and a part to predict.

use std::hash::Hash;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::Dataset;
use crate::error::Result;
use crate::parameter::invalid;

/// Two data sets over the same users and items, in the same rows and columns.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DatasetSplit<U: Eq + Hash = String, I: Eq + Hash = String> {
    /// What the model sees.
    pub train: Dataset<U, I>,
    /// What it is asked to predict.
    pub test: Dataset<U, I>,
}

impl<U: Eq + Hash + Clone, I: Eq + Hash + Clone> Dataset<U, I> {
    /// Puts each user's latest interaction in the test part.
    ///
    /// Of several at the same time it is the one with the highest column. A user with
    /// a single interaction keeps it for training.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) where the data set has no times.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_core::Dataset;
    /// use bspm_core::data::Event;
    ///
    /// let mut builder = Dataset::builder();
    /// for (item, time) in [("tea", 2.0), ("milk", 9.0), ("rice", 4.0)] {
    ///     builder.push(Event::new("ann", item).time(time))?;
    /// }
    /// let split = builder.finish()?.leave_last_out()?;
    /// assert_eq!(split.test.history("ann")?, [&"milk"]);
    /// assert_eq!(split.train.history("ann")?, [&"tea", &"rice"]);
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn leave_last_out(&self) -> Result<DatasetSplit<U, I>> {
        let Some(times) = self.times() else {
            return Err(invalid(
                "time",
                "a data set with times, to know the last interaction",
                "none",
            ));
        };
        self.split(|places| {
            let latest = places
                .clone()
                .max_by(|&left, &right| times[left].total_cmp(&times[right]));
            latest.into_iter().collect()
        })
    }

    /// Puts the share `test_ratio` of each user's interactions, chosen at random, in
    /// the test part: `floor(test_ratio * interactions)`, and never all of them.
    ///
    /// The choice depends on `seed`, the user's row and the user's number of
    /// interactions, and on nothing else.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) unless `0 <= test_ratio < 1`.
    pub fn random_split(&self, test_ratio: f64, seed: u64) -> Result<DatasetSplit<U, I>> {
        if !(0.0..1.0).contains(&test_ratio) {
            return Err(invalid(
                "test_ratio",
                "a number from 0 to below 1",
                test_ratio,
            ));
        }
        let mut draws = draws(seed);
        self.split(|places| {
            let mut random = draws();
            let count = (test_ratio * places.len() as f64) as usize;
            let mut places: Vec<usize> = places.collect();
            places.partial_shuffle(&mut random, count).0.to_vec()
        })
    }

    /// Puts the share `ratio` of each user's interactions in the test part: the latest where
    /// the data set has times, else some chosen at random, as
    /// [`random_split`](Self::random_split) does. At least one of a user who has two, and never
    /// all of them.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) unless `0 <= ratio < 1`.
    pub fn hold_out(&self, ratio: f64, seed: u64) -> Result<DatasetSplit<U, I>> {
        if !(0.0..1.0).contains(&ratio) {
            return Err(invalid("ratio", "a number from 0 to below 1", ratio));
        }
        let mut draws = draws(seed);
        self.split(|places| {
            let mut random = draws();
            let count = (ratio * places.len() as f64).round().max(1.0) as usize;
            let count = count.min(places.len().saturating_sub(1));
            let mut places: Vec<usize> = places.collect();
            match self.times() {
                Some(times) => {
                    places.sort_by(|&left, &right| times[right].total_cmp(&times[left]));
                    places[..count].to_vec()
                }
                None => places.partial_shuffle(&mut random, count).0.to_vec(),
            }
        })
    }

    /// `choose` names, of the places of one user's interactions, those for the test;
    /// it is asked once per user, in row order.
    fn split(
        &self,
        mut choose: impl FnMut(std::ops::Range<usize>) -> Vec<usize>,
    ) -> Result<DatasetSplit<U, I>> {
        let mut is_test = vec![false; self.len()];
        let mut start = 0;
        for degree in self.interactions().user_degrees() {
            let end = start + degree as usize;
            let chosen = choose(start..end);
            if chosen.len() < degree as usize {
                chosen.into_iter().for_each(|place| is_test[place] = true);
            }
            start = end;
        }
        Ok(DatasetSplit {
            train: self.subset(|place, _, _| !is_test[place])?,
            test: self.subset(|place, _, _| is_test[place])?,
        })
    }
}

/// The random numbers of one user after the other: those of a user are the same whatever the
/// others have.
fn draws(seed: u64) -> impl FnMut() -> ChaCha8Rng {
    let mut users = 0..;
    move || {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(users.next().unwrap_or(u64::MAX));
        random
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::dataset::Event;

    fn many() -> Dataset<u32, u32> {
        Dataset::from_pairs((0..40).flat_map(|user| (0..user).map(move |item| (user, item))))
            .unwrap()
    }

    #[test]
    fn a_random_split_takes_its_share_of_each_user_and_all_is_kept() {
        let dataset = many();
        let split = dataset.random_split(0.3, 7).unwrap();
        for (row, degree) in dataset.interactions().user_degrees().iter().enumerate() {
            let test = split.test.interactions().items_of(row as u32);
            assert_eq!(test.len(), (0.3 * f64::from(*degree)) as usize);
        }
        let mut pairs: Vec<_> = split.train.interactions().pairs().collect();
        pairs.extend(split.test.interactions().pairs());
        pairs.sort_unstable();
        assert!(pairs.into_iter().eq(dataset.interactions().pairs()));
    }

    #[test]
    fn a_random_split_is_that_of_its_seed() {
        let dataset = many();
        let split = |seed| dataset.random_split(0.5, seed).unwrap();
        assert_eq!(split(1), split(1));
        assert_ne!(split(1), split(2));
    }

    #[test]
    fn a_ratio_outside_its_range_is_refused() {
        for ratio in [-0.1, 1.0, f64::NAN] {
            assert_eq!(
                many().random_split(ratio, 0).unwrap_err().to_string(),
                format!("test_ratio: expected a number from 0 to below 1, found {ratio}")
            );
        }
    }

    #[test]
    fn the_last_is_left_out_and_a_single_one_is_kept() {
        let mut builder = Dataset::builder();
        for (user, item, time) in [
            ("a", 1, 5.0),
            ("a", 2, 5.0),
            ("a", 3, 1.0),
            ("b", 1, 3.0),
            ("c", 3, 1.0),
            ("c", 1, 9.0),
            ("c", 3, 10.0),
        ] {
            builder.push(Event::new(user, item).time(time)).unwrap();
        }
        let split = builder.finish().unwrap().leave_last_out().unwrap();
        assert_eq!(split.test.history("a").unwrap(), [&2]);
        assert!(split.test.history("b").unwrap().is_empty());
        assert_eq!(split.test.history("c").unwrap(), [&3]);
        assert_eq!(split.test.times(), Some(&[5.0, 10.0][..]));
        assert_eq!(split.train.history("c").unwrap(), [&1]);
    }

    #[test]
    fn without_times_there_is_no_last_one() {
        assert_eq!(
            many().leave_last_out().unwrap_err().to_string(),
            "time: expected a data set with times, to know the last interaction, found none"
        );
    }
}
