//! A training and a test matrix.

use super::interactions::Interactions;

/// A training and a test matrix of the same shape, `users x items`.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainTest {
    /// The interactions that the model is fitted to.
    pub train: Interactions,
    /// The held-out interactions.
    pub test: Interactions,
}

impl TrainTest {
    /// The users with at least one test interaction, in ascending order.
    pub fn test_users(&self) -> Vec<u32> {
        self.test.users_with_items()
    }
}
