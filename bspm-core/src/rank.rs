//! Ranking: which items may enter a list, and the best of them in a reproducible order.

mod options;
mod top_k;

pub use options::RankOptions;
pub use top_k::TopK;

/// An item and its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoredItem {
    /// The item's column in the interaction matrix.
    pub item: u32,
    /// Its score; higher is better.
    pub score: f32,
}
