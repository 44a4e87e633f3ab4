//! From files to [`Interactions`] and [`Dataset`](crate::Dataset), a file per format.

mod delimited;
mod lightgcn;
mod movielens;
mod npz;
#[cfg(feature = "parquet")]
mod parquet;
mod plain_text;
mod table;

use std::path::Path;

use crate::data::interactions::Interactions;
use crate::error::{Error, Result};
pub use lightgcn::{Pairs, parse_lightgcn, read_lightgcn};
pub use table::TableOptions;

/// A training and a test matrix of the same shape, `users x items`.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainTest {
    /// What the model sees.
    pub train: Interactions,
    /// What it is asked to predict.
    pub test: Interactions,
}

impl TrainTest {
    /// Loads a split in the text format of LightGCN, NGCF, GF-CF and BSPM.
    ///
    /// Both matrices get as many users and items as the larger id of the two
    /// files asks for. See [`parse_lightgcn`] for the format.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] and [`Error::Syntax`] as [`read_lightgcn`];
    /// [`Error::NoInteractions`] when either file holds none.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_core::data::TrainTest;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let directory = tempfile::tempdir()?;
    /// let (train, test) = (directory.path().join("train.txt"), directory.path().join("test.txt"));
    /// std::fs::write(&train, "0 0 1\n1 1\n")?;
    /// std::fs::write(&test, "1 2\n")?;
    /// let split = TrainTest::from_lightgcn(&train, &test)?;
    /// assert_eq!((split.train.users(), split.train.items()), (2, 3));
    /// assert_eq!(split.test.items_of(1), [2]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_lightgcn(train: impl AsRef<Path>, test: impl AsRef<Path>) -> Result<Self> {
        let read = |path: &Path| {
            let pairs = read_lightgcn(path)?;
            if pairs.pairs.is_empty() {
                return Err(Error::NoInteractions { path: path.into() });
            }
            Ok(pairs)
        };
        let (train, test) = (read(train.as_ref())?, read(test.as_ref())?);
        let users = train.users.max(test.users);
        let items = train.items.max(test.items);
        Ok(Self {
            train: Interactions::from_pairs(users, items, train.pairs)?,
            test: Interactions::from_pairs(users, items, test.pairs)?,
        })
    }

    /// Loads `train.txt` and `test.txt` of a directory with
    /// [`from_lightgcn`](Self::from_lightgcn).
    ///
    /// # Errors
    ///
    /// As [`from_lightgcn`](Self::from_lightgcn).
    pub fn from_lightgcn_directory(directory: impl AsRef<Path>) -> Result<Self> {
        let directory = directory.as_ref();
        Self::from_lightgcn(directory.join("train.txt"), directory.join("test.txt"))
    }

    /// The users that have at least one test interaction, ascending.
    pub fn test_users(&self) -> Vec<u32> {
        (0..self.test.users() as u32)
            .filter(|&user| !self.test.items_of(user).is_empty())
            .collect()
    }
}
