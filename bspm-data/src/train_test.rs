//! A split into what is fitted and what is held out.

use super::interactions::Interactions;

/// A training and a test matrix of the same shape, `users x items`.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainTest {
    /// What the model sees.
    pub train: Interactions,
    /// What it is asked to predict.
    pub test: Interactions,
}

impl TrainTest {
    /// The users that have at least one test interaction, ascending.
    pub fn test_users(&self) -> Vec<u32> {
        self.test.users_with_items()
    }
}
