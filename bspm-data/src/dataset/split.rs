//! Splits of a data set into a training part and a test part.

use std::hash::Hash;

use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use super::Dataset;
use crate::error::Result;
use crate::parameter::invalid;

/// A training and a test data set with the same users and items, in the same rows and columns.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DatasetSplit<U: Eq + Hash = String, I: Eq + Hash = String> {
    /// The interactions that the model is fitted to.
    pub train: Dataset<U, I>,
    /// The held-out interactions.
    pub test: Dataset<U, I>,
}

impl<U: Eq + Hash + Clone, I: Eq + Hash + Clone> Dataset<U, I> {
    /// Puts each user's latest interaction in the test part (leave-one-out).
    ///
    /// If several interactions have the same time, the one with the highest column is held out. A user
    /// with a single interaction keeps it for training.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) if the data set has no times.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_data::Dataset;
    /// use bspm_data::Event;
    ///
    /// let mut builder = Dataset::builder();
    /// for (item, time) in [("tea", 2.0), ("milk", 9.0), ("rice", 4.0)] {
    ///     builder.push(Event::new("ann", item).time(time))?;
    /// }
    /// let split = builder.finish()?.leave_last_out()?;
    /// assert_eq!(split.test.history("ann")?, [&"milk"]);
    /// assert_eq!(split.train.history("ann")?, [&"tea", &"rice"]);
    /// # Ok::<(), bspm_data::Error>(())
    /// ```
    pub fn leave_last_out(&self) -> Result<DatasetSplit<U, I>> {
        let Some(times) = self.times() else {
            return Err(invalid(
                "time",
                "a data set with times, to find the latest interaction",
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
    /// The choice depends only on `seed`, the user's row and the user's number of interactions.
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

    /// Puts the share `ratio` of each user's interactions in the test part: the latest ones if the data
    /// set has times, else a random sample. The number is `ratio * interactions`, rounded to the nearest whole
    /// number (that of [`random_split`](Self::random_split) is rounded down). At least one interaction of each user
    /// with two or more is held out, and never all of them.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) unless `0 < ratio < 1`.
    pub fn hold_out(&self, ratio: f64, seed: u64) -> Result<DatasetSplit<U, I>> {
        self.hold_out_by(self.times(), ratio, seed)
    }

    /// Like [`hold_out`](Self::hold_out), but holds out a random sample even if the data set has times.
    ///
    /// # Errors
    ///
    /// As [`hold_out`](Self::hold_out).
    pub fn hold_out_at_random(&self, ratio: f64, seed: u64) -> Result<DatasetSplit<U, I>> {
        self.hold_out_by(None, ratio, seed)
    }

    /// Holds out the latest interactions if times are given, else a random sample.
    fn hold_out_by(
        &self,
        times: Option<&[f64]>,
        ratio: f64,
        seed: u64,
    ) -> Result<DatasetSplit<U, I>> {
        if !(ratio > 0.0 && ratio < 1.0) {
            let expected = "a number above 0 and below 1";
            return Err(invalid("ratio", expected, ratio));
        }
        let mut draws = draws(seed);
        self.split(|places| {
            let mut random = draws();
            let count = (ratio * places.len() as f64).round().max(1.0) as usize;
            let count = count.min(places.len().saturating_sub(1));
            let mut places: Vec<usize> = places.collect();
            match times {
                Some(times) => {
                    places.sort_by(|&left, &right| times[right].total_cmp(&times[left]));
                    places[..count].to_vec()
                }
                None => places.partial_shuffle(&mut random, count).0.to_vec(),
            }
        })
    }

    /// Puts the interactions from `time` on in the test part, and earlier ones in the training part
    /// (temporal split).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) if the data set has no times, or if
    /// one part is empty.
    pub fn split_at(&self, time: f64) -> Result<DatasetSplit<U, I>> {
        let Some(times) = self.times() else {
            let expected = "a data set with times, to split it by time";
            return Err(invalid("time", expected, "none"));
        };
        let split = DatasetSplit {
            train: self.subset(|place, _, _| times[place] < time)?,
            test: self.subset(|place, _, _| times[place] >= time)?,
        };
        if split.train.is_empty() || split.test.is_empty() {
            let first = times.iter().copied().fold(f64::INFINITY, f64::min);
            let last = times.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let expected = format!("a time after {} and up to {}", shown(first), shown(last));
            return Err(invalid("time", expected, shown(time)));
        }
        Ok(split)
    }

    /// Returns fold `fold` of a k-fold cross-validation. The interactions of each user are assigned at
    /// random to `folds` folds, and those of fold `fold` are the test part. Each interaction is in the
    /// test part of one fold.
    ///
    /// A user with a single interaction keeps it for training.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) unless `fold < folds` and `folds` is
    /// from 2 to the largest number of interactions of a user, because with more folds some are empty.
    pub fn fold(&self, fold: usize, folds: usize, seed: u64) -> Result<DatasetSplit<U, I>> {
        if folds < 2 || fold >= folds {
            let expected = "at least 2 folds, and a fold below their number";
            return Err(invalid("fold", expected, format!("{fold} of {folds}")));
        }
        let degrees = self.interactions().user_degrees();
        let most = degrees.into_iter().max().unwrap_or(0) as usize;
        // If all users have one interaction, the evaluation reports the error.
        if folds > most.max(2) {
            let expected = format!(
                "at most {}, the largest number of interactions of a user",
                most.max(2)
            );
            return Err(invalid("folds", &expected, folds));
        }
        let mut draws = draws(seed);
        self.split(|places| {
            let mut random = draws();
            let mut places: Vec<usize> = places.collect();
            places.shuffle(&mut random);
            // A random shift, so that users with few interactions are not all in the first folds.
            let shift = random.random_range(0..folds);
            let mine = (fold + shift) % folds;
            places.into_iter().skip(mine).step_by(folds).collect()
        })
    }

    /// Splits the data set. `choose` returns the positions of a user's test interactions; it is called
    /// once per user, in row order.
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

/// Returns a random number generator per user, which does not depend on the other users.
fn draws(seed: u64) -> impl FnMut() -> ChaCha8Rng {
    let mut users = 0..;
    move || {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(users.next().unwrap_or(u64::MAX));
        random
    }
}

/// Formats a time for a message, with the date if it may be seconds since 1970.
fn shown(time: f64) -> String {
    #[cfg(feature = "load")]
    if let Some(date) = crate::date_of(time) {
        return format!("{date} ({time})");
    }
    time.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Event;

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
        for ratio in [-0.1, 0.0, 1.0, f64::NAN] {
            for split in [Dataset::hold_out, Dataset::hold_out_at_random] {
                assert_eq!(
                    split(&many(), ratio, 0).unwrap_err().to_string(),
                    format!("ratio: expected a number above 0 and below 1, found {ratio}")
                );
            }
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
    fn each_interaction_is_tested_in_one_fold() {
        let dataset = many();
        let mut tested: Vec<(u32, u32)> = Vec::new();
        for fold in 0..4 {
            let split = dataset.fold(fold, 4, 3).unwrap();
            assert_eq!(split.train.len() + split.test.len(), dataset.len());
            tested.extend(split.test.interactions().pairs());
        }
        tested.sort_unstable();
        // The first user has a single interaction, which is never tested.
        let all = dataset.interactions().pairs();
        assert!(tested.into_iter().eq(all.filter(|pair| pair.0 != 0)));
        let error = dataset.fold(4, 4, 3).unwrap_err().to_string();
        assert_eq!(
            error,
            "fold: expected at least 2 folds, and a fold below their number, found 4 of 4"
        );
    }

    #[test]
    fn a_split_at_a_time_tests_what_came_from_then_on() {
        let mut builder = Dataset::builder();
        for (user, item, time) in [("a", 1, 5.0), ("a", 2, 7.0), ("b", 1, 6.0), ("b", 3, 9.0)] {
            builder.push(Event::new(user, item).time(time)).unwrap();
        }
        let dataset = builder.finish().unwrap();
        let split = dataset.split_at(7.0).unwrap();
        assert_eq!(split.train.times(), Some(&[5.0, 6.0][..]));
        assert_eq!(split.test.history("a").unwrap(), [&2]);
        assert_eq!(split.test.history("b").unwrap(), [&3]);
        for time in [5.0, 9.5] {
            assert_eq!(
                dataset.split_at(time).unwrap_err().to_string(),
                format!("time: expected a time after 5 and up to 9, found {time}")
            );
        }
        assert!(many().split_at(1.0).is_err());
    }

    #[test]
    fn without_times_there_is_no_last_one() {
        assert_eq!(
            many().leave_last_out().unwrap_err().to_string(),
            "time: expected a data set with times, to find the latest interaction, found none"
        );
    }
}
