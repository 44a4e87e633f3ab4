//! The stages of long operations.

/// A stage of a long operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Computing singular vectors.
    TruncatedSvd,
    /// Forming an item graph.
    ItemGraph,
    /// Scoring and ranking users.
    Rank,
    /// Ranking and evaluating users with many settings.
    Sweep,
}

impl std::fmt::Display for Stage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::TruncatedSvd => "truncated SVD",
            Self::ItemGraph => "item graph",
            Self::Rank => "ranking",
            Self::Sweep => "sweep",
        })
    }
}
