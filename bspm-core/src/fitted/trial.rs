//! A trial of a search.

use serde::{Deserialize, Serialize};

use super::evaluate::Metrics;
use crate::filters::registry::FilterConfig;
use bspm_data::{Error, with_sources};

/// A trial of a search: a filter with its settings, and its result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Trial {
    /// The filter and its settings.
    pub config: FilterConfig,
    /// The objective: the metric minus the penalty, as a mean over the evaluated users.
    pub value: f64,
    /// An estimate of the objective on all users, from the difference to the best trial on the same users.
    pub estimate: f64,
    /// All metrics at the cut-off.
    pub metrics: Metrics,
    /// The number of evaluated users.
    pub users: usize,
    /// The time of fitting in seconds, without parts that other trials had computed.
    pub fit_seconds: f64,
    /// The time of scoring and ranking in seconds.
    pub score_seconds: f64,
    /// The outcome.
    pub outcome: TrialOutcome,
}

/// The outcome of a trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TrialOutcome {
    /// The trial was evaluated on all users.
    Complete,
    /// The trial was stopped early, because it was worse than the best one.
    Stopped,
    /// The trial failed, for this reason.
    Failed(String),
}

impl TrialOutcome {
    pub(crate) fn class(&self) -> u8 {
        match self {
            Self::Complete => 0,
            Self::Stopped => 1,
            Self::Failed(_) => 2,
        }
    }
}

impl std::fmt::Display for TrialOutcome {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Complete => formatter.write_str("complete"),
            Self::Stopped => formatter.write_str("stopped"),
            Self::Failed(reason) => write!(formatter, "failed: {reason}"),
        }
    }
}

impl Trial {
    pub(crate) fn failed(config: FilterConfig, error: &Error) -> Self {
        Self {
            config,
            value: 0.0,
            estimate: 0.0,
            metrics: Metrics::default(),
            users: 0,
            fit_seconds: 0.0,
            score_seconds: 0.0,
            outcome: TrialOutcome::Failed(with_sources(error)),
        }
    }
}
