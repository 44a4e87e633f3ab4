//! One setting, tried.

use serde::{Deserialize, Serialize};

use super::evaluate::Metrics;
use crate::filters::registry::FilterConfig;
use bspm_data::{Error, with_sources};

/// One setting, tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Trial {
    /// The filter and its settings.
    pub config: FilterConfig,
    /// The objective: the metric, less the penalty, as the mean over the users evaluated.
    pub value: f64,
    /// What the value would be on all users, from its lead over the best trial on the same ones.
    pub estimate: f64,
    /// All metrics at the cut-off.
    pub metrics: Metrics,
    /// How many users it was evaluated on.
    pub users: usize,
    /// Seconds that fitting took, apart from what other trials had computed.
    pub fit_seconds: f64,
    /// Seconds that scoring and ranking took.
    pub score_seconds: f64,
    /// How it ended.
    pub outcome: TrialOutcome,
}

/// How a trial ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TrialOutcome {
    /// It was evaluated on all users.
    Complete,
    /// It could not win, and was stopped on the way.
    Stopped,
    /// It failed, for this reason.
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
